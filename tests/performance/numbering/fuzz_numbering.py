"""Fuzzing of the numbering, guided by coverage: `python -m tests.performance.numbering.fuzz_numbering --seconds 60`.

`fuzz_targets.py` has the requirements. Atheris, which runs only on Linux on x86_64, keeps inputs that reached new code
in build/fuzz_numbering/corpus, and failing inputs in build/fuzz_numbering/broken; such a file can be given as an
argument to be tried again. Ends with status 1 if any input failed, 2 if Atheris is not installed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from tests.measurements import write_figures

FOLDER = Path(__file__).resolve().parents[3] / "build" / "fuzz_numbering"
# An input is a text of a form or a small file.
LONGEST_BYTES = 600
# One input may take this long before it counts as a hang. In megabytes: memory limit of the process.
HANG_S, MEMORY_MIB = 20, 2048
INSTRUMENTED = ("bossjy_numbering", "bossjy_server.phone")
SEEDS = (
    "\x00\x02+86 138 0000 0000\n0086-10-6552 9988\n138 0000 0000 ext. 5",
    "\x00\x03(650) 253-0000 x12\n+1 650 253 0000\n1-800-FLOWERS",
    "\x01\x08+39 06 6982\n0039 06 6982\n１３８００００００００",
    "\x01\x00tel:0658-154;phone-context=+86\n;isub=12\n+٨٦١٣٨",
    "\x02\x021.38E+10",
    "\x02\x028613800000000.0",
    "\x03\x04Ring 020 7946 0958 or +44 20 7946 0958.",
    "\x04\x03\x00\x05\x09+86138000",
    "\x05\x02+8613800000000\n\n12",
    "\x06\x00\x10\x08\x1f\x8b\x08",
    '\x06{"kind": "bossjy numbering plan", "layout": 1, "rules": {"version": "1", "regions": []}}',
    "\x07\x02+8613800000000\n12",
    "\x08\xff\xff\xff\xff",
)


def fuzz(arguments: list[str]) -> None:
    """Runs libFuzzer in this process and ends it."""
    # If it is not installed, the program has already said so.
    atheris = importlib.import_module("atheris")

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from tests.performance.numbering.fuzz_targets import one_input, plan, small_rules  # noqa: PLC0415
    plan()
    small_rules()
    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def run(folder: Path, seconds: int, runs: int, seed: int, inputs: list[str]) -> tuple[int, int]:
    """Fuzzes in its own process: (exit status, number of inputs)."""
    corpus, broken = folder / "corpus", folder / "broken"
    for one in (corpus, broken):
        one.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(SEEDS):
        (corpus / f"seed-{number}").write_bytes(text.encode("latin-1", "replace") if number > 3 else text.encode())
    options = (
        f"-max_total_time={seconds}",
        f"-runs={runs}",
        f"-seed={seed}",
        f"-max_len={LONGEST_BYTES}",
        f"-timeout={HANG_S}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={broken}/",
        "-print_final_stats=1",
        "-verbosity=1",
    )
    module = "tests.performance.numbering.fuzz_numbering"
    command = [sys.executable, "-m", module, "--inside", "--", *options, *(inputs or [str(corpus)])]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as child:
        assert child.stderr is not None
        tried = 0
        for line in child.stderr:
            print(line, end="", file=sys.stderr)
            found = re.search(r"stat::number_of_executed_units:\s*(\d+)", line)
            tried = int(found[1]) if found else tried
    return child.returncode, tried


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1, help="at most so many inputs; -1: as the time allows")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of the inputs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("inputs", nargs="*", help="files to try again, instead of fuzzing")
    chosen = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("Atheris is not installed: it is built for Linux on x86_64 only", file=sys.stderr)
        return 2
    if chosen.inside:
        fuzz(chosen.inputs)
    status, tried = run(chosen.folder, chosen.seconds, chosen.runs, chosen.seed, chosen.inputs)
    if not chosen.inputs and chosen.folder == FOLDER:
        figures = {
            "inputs": tried,
            "seconds": chosen.seconds,
            "corpus": len(list((FOLDER / "corpus").iterdir())),
            "broken": int(status != 0),
        }
        write_figures("fuzz_numbering", figures)
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
