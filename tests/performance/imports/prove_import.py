"""Proof that an import counts each row once, through kills and pauses: server, client, database, connection, pipe.

    python -m tests.performance.imports.prove_import [--trials 100] [--seed 1] [--minutes 30]

Each trial interrupts an upload at random moments with SIGKILL, a broken connection or a server that is stopped for a
while, or sends it through a slow pipe that pauses. It lets the upload continue, and compares all contacts, rejects,
counts and offsets with an independent model: after each fault, as far as it was committed, and at the end. Writes
build/figures/prove_import.json. Ends with 1 if anything was lost, duplicated or wrong, or the time was too short.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from tests.measurements import write_figures
from tests.performance.imports.rig import Fault, running_rig
from tests.performance.imports.trial import Trial, draw_trial, run_trial

ROWS = 3000


def drawn_faults(count: int, seed: int) -> list[list[Fault]]:
    """The kinds that each trial may use, its own first: each kind is equally frequent, in random order."""
    rng = random.Random(seed)
    drawn: list[list[Fault]] = []
    while len(drawn) < count:
        kinds = rng.sample(list(Fault), len(Fault))
        # A file comes through a pipe or does not: that is no second fault.
        drawn += [[kind, *(other for other in Fault if other not in {kind, Fault.PIPE})] for kind in kinds]
    return drawn[:count]


async def prove(
    trials: int, seed: int, minutes: float, folder: Path, rows: int = ROWS
) -> tuple[dict[str, float], list[Trial]]:
    """Run the trials, as many as the time allows; the figures, and the trials with differences."""
    began = time.monotonic()
    figures: dict[str, float] = {"trials": 0, "lost": 0, "doubled": 0, "wrong": 0, "comparisons": 0, "rows": 0}
    bad: list[Trial] = []
    async with running_rig(folder) as rig:
        for number, faults in enumerate(drawn_faults(trials, seed)):
            if time.monotonic() - began > minutes * 60:
                break
            trial = draw_trial(seed * 100_000 + number, faults, rows)
            await run_trial(rig, trial, folder)
            found = trial.differences
            figures["trials"] += 1
            figures["lost"] += found.lost
            figures["doubled"] += found.doubled
            figures["wrong"] += found.wrong
            figures["comparisons"] += trial.looked
            figures["rows"] += len(trial.rows) - 1
            if found:
                bad.append(trial)
            what = "; ".join(found.lines) if found else "exact"
            print(f"{number + 1:4}/{trials}  {'+'.join(trial.faults):24} {what}", flush=True)
        figures |= rig.done
    figures["prove_s"] = round(time.monotonic() - began, 1)
    return figures, bad


def main() -> int:
    """Returns 0 if all trials ran and all were exact."""
    parser = argparse.ArgumentParser(description="Kill imports at random moments and compare their results.")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bossjy-prove-", ignore_cleanup_errors=True) as folder:
        figures, bad = asyncio.run(prove(options.trials, options.seed, options.minutes, Path(folder)))
    write_figures("prove_import", figures)
    for trial in bad:
        print(f"trial {trial.seed}: {'; '.join(trial.differences.lines)}")
    return 0 if not bad and figures["trials"] == options.trials else 1


if __name__ == "__main__":
    raise SystemExit(main())
