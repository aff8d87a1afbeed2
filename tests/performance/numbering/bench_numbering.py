"""Benchmark of the tables and of peers on the same texts: `python -m tests.performance.numbering.bench_numbering`.

One core, medians of five rounds; in each round every contestant reads the same texts, one after the other, so that a
busy moment affects them all. The work for each number is the same: parse, valid, type, region, E.164. Rates use the CPU
seconds of the contestant (all run in one thread), without its waits for a core.

The benchmark compares speeds, not answers: turbohtml does not state its version of the metadata, and refuses numbers
that are not valid.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import phonenumbers
import pyarrow as pa

from bossjy_numbering import Plan, compile_plan, load_plan
from bossjy_numbering.compile import COMPILER_VERSION
from bossjy_numbering.metadata import installed_rules
from bossjy_numbering.plan import plan_from
from tests.measurements import write_figures
from tests.performance.numbering import enrich_figures
from tests.performance.numbering.bench_forms import FORMS, all_in_form, dirty_with_forms
from tests.performance.numbering.bench_texts import chinese_mobiles, clean_numbers, dirty_texts

ROUNDS = 5
ROWS = 400_000
# One by one, fewer texts are enough.
SINGLE_ROWS = 20_000
SEED = 7
Run = Callable[[], object]


def by_library(library: ModuleType, texts: Sequence[str], regions: Sequence[str | None]) -> None:
    """One text after the other through a library with the names of `phonenumbers`."""
    parse, valid, kind = library.parse, library.is_valid_number, library.number_type
    region_of, write, refused = library.region_code_for_number, library.format_number, library.NumberParseException
    for text, region in zip(texts, regions, strict=True):
        try:
            number = parse(text, region)
        except refused:
            continue
        valid(number)
        kind(number)
        region_of(number)
        write(number, 0)


def by_turbohtml(library: ModuleType, texts: Sequence[str], regions: Sequence[str | None]) -> None:
    """One text after the other through turbohtml, which gives region and type when it parses."""
    parse = library.PhoneNumber.parse
    for text, region in zip(texts, regions, strict=True):
        try:
            number = parse(text, regions=(region,) if region else ())
        except ValueError:
            continue
        if number is not None:
            _ = number.e164


def singly(plan: Plan, texts: Sequence[str], regions: Sequence[str | None]) -> None:
    """One text after the other through the plan."""
    answer = plan.number
    for text, region in zip(texts, regions, strict=True):
        answer(text, region)


def rates(contestants: dict[str, tuple[Run, int]]) -> dict[str, float]:
    """Numbers per second for each contestant, the median of ROUNDS."""
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (run, count) in contestants.items():
            begun = time.process_time()
            run()
            spent[name].append((time.process_time() - begun) / count)
    return {name: 1 / statistics.median(times) for name, times in spent.items()}


def contest(plan: Plan, peers: dict[str, ModuleType], texts: list[str], regions: list[str] | None) -> dict[str, float]:
    """All contestants on the same texts."""
    column = pa.array(texts, pa.string())
    named = None if regions is None else pa.array(regions, pa.string()).dictionary_encode()
    few = texts[:SINGLE_ROWS]
    few_regions: list[str | None] = [None] * len(few) if regions is None else list(regions[: len(few)])

    def whole() -> object:
        answers = plan.column(column, named)
        return answers.national_number, answers.leading_zeros

    contestants: dict[str, tuple[Run, int]] = {
        "our column": (lambda: plan.column(column, named), len(texts)),
        "our column, with national numbers": (whole, len(texts)),
        "our single call": (lambda: singly(plan, few, few_regions), len(few)),
        "phonenumbers": (lambda: by_library(phonenumbers, few[:2000], few_regions[:2000]), min(len(few), 2000)),
    }
    for name, library in peers.items():
        if name == "turbohtml":
            contestants[name] = (partial(by_turbohtml, library, few, few_regions), len(few))
        else:
            contestants[name] = (partial(by_library, library, few, few_regions), len(few))
    plan.column(column, named)
    return rates(contestants)


def contest_of_forms(plan: Plan, rows: int) -> dict[str, float]:
    """Rows with more than digits and punctuation, beside phonenumbers: every row in a form, and 10 % of dirty rows."""
    cases = {name: all_in_form(plan, form, rows, SEED) for name, form in FORMS.items()}
    cases["ten_percent"] = dirty_with_forms(plan, rows, SEED, share=0.1)
    figures: dict[str, float] = {}
    for name, (texts, regions) in cases.items():
        of = contest(plan, {}, texts, regions)
        column, single = of["our column"], of["our single call"]
        figures |= {
            f"forms_{name}_us": 1e6 / column,
            f"forms_{name}_per_s": column,
            f"forms_{name}_vs_phonenumbers": column / of["phonenumbers"],
            f"forms_{name}_single_us": 1e6 / single,
            f"forms_{name}_single_vs_phonenumbers": single / of["phonenumbers"],
            f"forms_{name}_one_by_one_percent": 100 * float(np.mean(plan.column(texts, regions).single)),
        }
    return figures


def build_and_load() -> tuple[float, float]:
    """Seconds to build the tables, and seconds to load them to the first answers, medians of ROUNDS."""
    builds, loads = [], []
    rules = installed_rules()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        compile_plan(rules)
        builds.append(time.perf_counter() - begun)
    with tempfile.TemporaryDirectory() as folder:
        plan_from(Path(folder))
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            plan = plan_from(Path(folder))
            plan.number("+8613800138000")
            plan.column(["+8613800138000"])
            loads.append(time.perf_counter() - begun)
    return statistics.median(builds), statistics.median(loads)


def installed(*names: str) -> dict[str, Any]:
    """The peers that are installed."""
    found = {}
    for name in names:
        try:
            found[name.partition(".")[0]] = import_module(name)
        except ImportError:
            print(f"{name} is not installed: left out", flush=True)
    return found


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    phonenumbers.enable_pattern_cache()
    plan = load_plan()
    peers = installed("rphonenumbers", "turbohtml.clean")
    build_s, load_s = build_and_load()
    clean = clean_numbers(plan, chosen.rows, SEED)
    dirty, regions = dirty_texts(plan, chosen.rows, SEED)
    of_clean = contest(plan, peers, clean, None)
    of_chinese = contest(plan, peers, chinese_mobiles(plan, chosen.rows, SEED), None)
    of_dirty = contest(plan, peers, dirty, regions)
    slow = plan.column(dirty, regions).single
    figures = {
        "column_clean_per_s": of_clean["our column"],
        "column_clean_with_national_per_s": of_clean["our column, with national numbers"],
        "column_chinese_per_s": of_chinese["our column"],
        "column_dirty_per_s": of_dirty["our column"],
        "single_us": 1e6 / of_clean["our single call"],
        "single_chinese_us": 1e6 / of_chinese["our single call"],
        "single_dirty_us": 1e6 / of_dirty["our single call"],
        "dirty_slow_percent": 100 * float(np.mean(slow)),
        "build_s": build_s,
        "load_ms": 1e3 * load_s,
        "table_mib": plan.table_bytes / 2**20,
        "enrich_mib": enrich_figures.aside("loaded")["mib"],
        "compiler_version": COMPILER_VERSION,
    } | contest_of_forms(plan, chosen.rows // 4)
    if "rphonenumbers" in peers:
        figures |= {
            "column_clean_vs_rphonenumbers": of_clean["our column"] / of_clean["rphonenumbers"],
            "column_dirty_vs_rphonenumbers": of_dirty["our column"] / of_dirty["rphonenumbers"],
            "single_vs_rphonenumbers": of_clean["rphonenumbers"] / of_clean["our single call"],
            "single_dirty_vs_rphonenumbers": of_dirty["rphonenumbers"] / of_dirty["our single call"],
        }
    heads = ("numbers a second", "clean E.164", "Chinese mobiles", "dirty")
    rows = [(name, of_clean[name], of_chinese[name], of_dirty[name]) for name in of_clean]
    write_figures("numbering", figures, rows=[heads, *rows])
    write_rest(figures)
    return 0


def write_rest(figures: dict[str, float]) -> None:
    """The figures other than rates of contestants."""
    for name in sorted(figures):
        print(f"{name} {figures[name]:.4g}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
