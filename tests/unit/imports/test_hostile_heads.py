"""Hostile first bytes of a file: long runs of one sign, which backtracking patterns would search for hours."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bossjy_server.errors import BossjyError
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading import cell_forms
from bossjy_server.imports.reading.headers import meaning_of
from bossjy_server.imports.reading.resolve import resolve
from bossjy_server.imports.records import Spec

# A quadratic search of so many takes minutes, and fails by the time limit.
BYTES = 100_000
RUNS = [
    "a",
    "1",
    "(",
    '"',
    "é",
    "电",
    "\t",
    " ",
    "a@",
    "a.",
    "1 ",
    "aB",
    "'",
    ";",
    "{",
    "[{",
    "}\n",
    '"a":',
    "é1",
    "\r",
]
PLACES = {
    "name of a column": ("phone,", "\n13800138000,x\n"),
    "cell": ("phone,name\n13800138000,", "\n"),
    "cell after a byte of another encoding": ("phone,name\n13800138000,é ", "\n"),
    "start": ("", "\n13800138000,x\n"),
    "value in JSON": ('{"phone":"', '"}\n'),
    "key in JSON": ('{"', '":"1"}\n'),
    "after JSON": ('{"a":[{"b":1}', "x"),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("place", PLACES)
def test_no_run_of_signs_keeps_the_reading_of_a_head_from_its_end(place: str) -> None:
    before, after = PLACES[place]
    for run in RUNS:
        for encoding in ("utf-8", "latin-1"):
            text = before + run * (BYTES // len(run)) + after
            with suppress(BossjyError):
                resolve(text.encode(encoding, "replace"), Spec(), ImportOptions(), final=True)


@pytest.mark.timeout(60)
def test_no_long_cell_has_a_form_and_no_long_name_a_meaning() -> None:
    for run in [*RUNS, "\n", "a@.", "1.", "86 "]:
        long = "1" + run * BYTES + "@x!"
        assert meaning_of(long) is None
        assert not cell_forms.are_numbers([long])
        assert not cell_forms.are_addresses([long])
        assert not cell_forms.are_countries([long])
        assert not cell_forms.are_calling_codes([" " * BYTES + long], sure=True)
