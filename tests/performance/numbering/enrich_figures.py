"""Cost of carrier, place and time zone: `python -m tests.performance.numbering.enrich_figures`.

Memory is the growth of a process after everything was loaded and used; each is measured in its own process. Times are
medians of five rounds on one core, of processor time, which excludes other processes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import phonenumbers
import psutil
from phonenumbers import PhoneNumber

from bossjy_numbering import Number, load_plan
from bossjy_numbering.enrich import Enrichment, load_enrichment
from bossjy_numbering.enrich.enrichment import enrichment_from
from tests.measurements import write_figures
from tests.performance.numbering.bench_texts import chinese_mobiles, clean_numbers

ROUNDS = 5
ROWS = 200_000
SINGLE_ROWS = 5_000
SEED = 11
LANGUAGES = ("zh", "zh-Hant", "en")


def seconds(run: Callable[[], object]) -> float:
    """Processor time of one run, the median of ROUNDS."""
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        run()
        spent.append(time.process_time() - begun)
    return statistics.median(spent)


def resident() -> float:
    """Memory of this process in MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def ask_all(enrichment: Enrichment, number: Number, languages: list[str]) -> None:
    """Uses everything, so that all is loaded."""
    column = load_plan().column([number.e164])
    for language in languages:
        enrichment.place(number, language)
        enrichment.carrier(number, language)
        enrichment.place_column(column, language)
        enrichment.carrier_column(column, language)
    enrichment.time_zones(number)
    enrichment.time_zone_column(column)


def memory(all_languages: bool) -> dict[str, float]:  # noqa: FBT001 - which of two measurements
    """Memory of loading and use, in a process that already has the plan: run in its own process."""
    number = load_plan().number("+8613800138000")
    load_plan().column([number.e164])
    before, begun = resident(), time.perf_counter()
    enrichment = load_enrichment()
    load_ms = (time.perf_counter() - begun) * 1000
    countries, places = enrichment.tables.countries.languages, enrichment.tables.places.keys
    ask_all(enrichment, number, sorted({*countries, *places}) if all_languages else list(LANGUAGES))
    return {"mib": resident() - before, "load_ms": load_ms}


def memory_of_phonenumbers() -> dict[str, float]:
    """Memory of its three modules: run in its own process."""
    phonenumbers.is_valid_number(phonenumbers.parse("+8613800138000"))
    before, begun = resident(), time.perf_counter()
    from phonenumbers import carrier, geocoder, timezone  # noqa: PLC0415 - what is measured

    del carrier, geocoder, timezone
    return {"mib": resident() - before, "import_s": time.perf_counter() - begun}


MEASUREMENTS = {
    "loaded": lambda: memory(all_languages=False),
    "loaded_all": lambda: memory(all_languages=True),
    "phonenumbers": memory_of_phonenumbers,
}


def aside(measurement: str) -> dict[str, float]:
    """One of MEASUREMENTS, in its own process."""
    command = [sys.executable, "-m", "tests.performance.numbering.enrich_figures", "--measure", measurement]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    held: dict[str, float] = json.loads(done.stdout)
    return held


def build_seconds() -> tuple[float, int]:
    """Time of the first load of a version, by the clock, and the size of its file."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        enrichment_from(Path(folder))
        spent = time.perf_counter() - begun
        return spent, sum(path.stat().st_size for path in Path(folder).iterdir())


def peer_us(numbers: list[PhoneNumber]) -> float:
    """Microseconds for one place by `phonenumbers`, its pattern cache on."""
    from phonenumbers.geocoder import description_for_number  # noqa: PLC0415 - 100 MB for this line alone

    phonenumbers.enable_pattern_cache()
    return seconds(lambda: [description_for_number(number, "zh") for number in numbers]) / len(numbers) * 1e6


def speed() -> dict[str, float]:
    """Microseconds for one number, and numbers per second in a column: CN mobiles, and numbers of all regions."""
    plan = load_plan()
    figures = speed_of("cn", chinese_mobiles(plan, ROWS, SEED)) | speed_of("all", clean_numbers(plan, ROWS, SEED))
    # Last, because it makes the process ten times larger.
    for name, texts in (("cn", chinese_mobiles(plan, 1000, SEED)), ("all", clean_numbers(plan, 1000, SEED))):
        figures[f"{name}_place_phonenumbers_us"] = peer_us([phonenumbers.parse(text) for text in texts])
    return figures


def speed_of(name: str, texts: list[str]) -> dict[str, float]:
    """The same for one kind of number."""
    plan, enrichment = load_plan(), load_enrichment()
    numbers, column = [plan.number(text) for text in texts[:SINGLE_ROWS]], plan.column(texts)
    single = {
        "place": seconds(lambda: [enrichment.place(number, "zh") for number in numbers]),
        "carrier": seconds(lambda: [enrichment.carrier(number, "zh") for number in numbers]),
        "time_zones": seconds(lambda: [enrichment.time_zones(number) for number in numbers]),
    }
    whole = {
        "place": seconds(lambda: enrichment.place_column(column, "zh")),
        "carrier": seconds(lambda: enrichment.carrier_column(column, "zh")),
        "time_zones": seconds(lambda: enrichment.time_zone_column(column)),
    }
    return {f"{name}_{what}_us": spent / len(numbers) * 1e6 for what, spent in single.items()} | {
        f"{name}_{what}_column_per_s": len(texts) / spent for what, spent in whole.items()
    }


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(MEASUREMENTS[chosen.measure]()))
        return 0
    build_s, file_bytes = build_seconds()
    load_enrichment()
    few, every, peer = aside("loaded"), aside("loaded_all"), aside("phonenumbers")
    figures = {
        "enrich_mib": few["mib"],
        "enrich_all_languages_mib": every["mib"],
        "phonenumbers_mib": peer["mib"],
        "file_mib": file_bytes / 2**20,
        "build_s": build_s,
        "load_ms": statistics.median(aside("loaded")["load_ms"] for _ in range(ROUNDS)),
        "phonenumbers_import_s": peer["import_s"],
    }
    write_figures("enrich", figures | speed())
    return 0


if __name__ == "__main__":
    sys.exit(main())
