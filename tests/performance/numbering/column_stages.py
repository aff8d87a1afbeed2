"""Cost of a row of a column by stage: `python -m tests.performance.numbering.column_stages`.

Nanoseconds of processor time for each row of one chunk: the median of ROUNDS, and the minimum, which is nearer to the
time of a quiet machine. Besides the stages it measures one NumPy pass: the lower bound of all of them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from bossjy_numbering import Plan, load_plan
from bossjy_numbering.column import packed_digits
from bossjy_numbering.column.clean import CleanReader
from bossjy_numbering.column.columns import Columns
from bossjy_numbering.column.dial import Dialler
from bossjy_numbering.column.digits import read_digits
from bossjy_numbering.column.engine import CHUNK
from bossjy_numbering.column.nodes import build_nodes
from bossjy_numbering.column.packed_digits import PADDING, Walker
from bossjy_numbering.column.regions import region_rows
from bossjy_numbering.column.rewrite import Rewriter
from bossjy_numbering.column.texts import text_buffers
from tests.measurements import write_figures
from tests.performance.numbering.bench_texts import clean_numbers, dirty_texts

ROUNDS = 101
SEED = 7
Stages = dict[str, Callable[[], object]]


def passes() -> Stages:
    """Single NumPy passes over a chunk."""
    draw = np.random.default_rng(SEED)
    values = draw.integers(0, 2**60, CHUNK).astype(np.uint64)
    out = np.empty_like(values)
    table = draw.integers(0, 1000, 2**18).astype(np.uint16)
    places = draw.integers(0, len(table), CHUNK)
    return {
        "pass_arithmetic": lambda: np.bitwise_and(values, values, out=out),
        "pass_look_up": lambda: table.take(places, mode="clip"),
    }


def clean_stages(plan: Plan) -> Stages:
    """Clean E.164."""
    texts = text_buffers(pa.array(clean_numbers(plan, 2 * CHUNK, SEED)))
    buffer, offsets = texts.readable(0, CHUNK, PADDING)
    layout = Columns.layout(plan.tables)
    reader = CleanReader(build_nodes(plan.tables, layout.say))
    columns = Columns(CHUNK, layout)
    _, said = reader.read(buffer, offsets[:-1], np.diff(offsets))
    return {
        "clean_gather": lambda: packed_digits.gather(buffer, offsets[:-1]),
        "clean_read": lambda: reader.read(buffer, offsets[:-1], np.diff(offsets)),
        "clean_put": lambda: columns.put_said(slice(0, CHUNK), said),
    }


def dirty_stages(plan: Plan) -> Stages:
    """Texts as people write them."""
    given, named = dirty_texts(plan, CHUNK, SEED)
    texts = text_buffers(pa.array(given))
    known = {region.code: place for place, region in enumerate(plan.tables.regions) if region.code != "001"}
    regions, _ = region_rows(named, CHUNK, known)
    data, offsets = texts.some(np.arange(CHUNK))
    read = read_digits(data, offsets)
    use = np.flatnonzero(~(read.unclear | read.nothing))
    rewriter = Rewriter(plan.tables, Columns.layout(plan.tables))
    dialler = Dialler(plan.tables, Walker(plan.tables))
    asked = (read.starts[use], read.lengths[use], read.plus[use], regions[use])
    said = dialler.dial(read.buffer, *asked)
    columns = Columns(CHUNK, Columns.layout(plan.tables))
    return {
        "dirty_digits": lambda: read_digits(data, offsets),
        "dirty_rewrite": lambda: rewriter.rewrite(read.buffer, *asked),
        "dirty_dial": lambda: dialler.dial(read.buffer, *asked),
        "dirty_put": lambda: columns.put(use, said.code, said.outcome, said.lengths),
    }


def main() -> int:
    """The program."""
    plan = load_plan()
    spent: dict[str, list[float]] = {}
    stages = passes() | clean_stages(plan) | dirty_stages(plan)
    for _ in range(ROUNDS):
        for name, run in stages.items():
            begun = time.thread_time_ns()
            run()
            spent.setdefault(name, []).append((time.thread_time_ns() - begun) / CHUNK)
    figures = {f"{name}_ns": statistics.median(times) for name, times in spent.items()}
    figures |= {f"{name}_least_ns": min(times) for name, times in spent.items()}
    write_figures("column_stages", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
