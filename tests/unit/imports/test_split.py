"""The fast path, the slow path, and any division of the bytes into blocks give the same rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bossjy_server.imports.reading.layout import Layout, Place, RejectReason, RowBlock
from bossjy_server.imports.reading.split import split_rows, split_slowly

Split = Callable[..., RowBlock]

_WRONG_3_4 = [(3, RejectReason.WRONG_CELL_COUNT), (4, RejectReason.WRONG_CELL_COUNT)]
PIECES = [
    "a",
    "b7",
    '"',
    ",",
    "\n",
    "\r",
    "\r\n",
    '""',
    ',"',
    '",',
    '"\n',
    '\n"',
    "中",
    "\0",
    "x,y,z\n",
    "1,2\n",
    " ",
    ",,\n",
    ',""',
    "\\",
    '\\"',
    "\\\n",
    "\\,",
    "\\N,",
    "\\n",
    "\\0",
    "\\t,",
    '"\\N"',
    "\\x",
    "\\中",
]
# Escapes that end nothing, so that most blocks are read by columns.
INERT = [
    "a",
    "\\N",
    "\\t",
    "\\n",
    ",",
    ",",
    "\n",
    "\n",
    "\\x",
    "\\中",
    '"',
    '""',
    "\\Z",
    "\\b",
    "\\r",
    '"\\N",',
    "1,2,\\t\n",
]
inert = st.lists(st.sampled_from(INERT), max_size=25).map(lambda pieces: "".join(pieces).encode())
escaped = st.builds(
    Layout,
    st.just(b","),
    st.sampled_from([b'"', b""]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([12, 1000]),
    st.just(b"\\"),
)
texts = st.lists(st.sampled_from(PIECES), max_size=25).map(lambda pieces: "".join(pieces).encode())
raw = st.one_of(texts, st.lists(st.one_of(texts, st.just(b"\xff\n"), st.just(b"\xe4\xb8,")), max_size=4).map(b"".join))
layouts = st.builds(
    Layout,
    st.just(b","),
    st.just(b'"'),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([5, 12, 1000]),
)
# Without quotes, with a backslash as the escape byte, and both.
dialects = st.builds(
    Layout,
    st.just(b","),
    st.sampled_from([b'"', b""]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([5, 12, 1000]),
    st.sampled_from([b"\\", b""]),
)


def read_all(data: bytes, layout: Layout, split: Split, cuts: list[int]) -> list[tuple[object, ...]]:
    """Offset, line, and cells or reason of every row, from bytes in pieces."""
    rows: list[tuple[object, ...]] = []
    buffer, place, position = b"", Place(), 0
    for cut in [*cuts, len(data)]:
        buffer, position = buffer + data[position:cut], cut
        final, going_on = cut == len(data), True
        while going_on:
            block = split(buffer, place, layout, final=final)
            cells = zip(*[column.to_pylist() for column in block.columns], strict=True)
            rows += [
                (place.offset + start, line, *row)
                for start, line, row in zip(block.starts.tolist(), block.lines.tolist(), cells, strict=True)
            ]
            rows += [(place.offset + fault.start, fault.line, fault.reason) for fault in block.faults]
            assert block.next.offset == place.offset + block.consumed
            # The code that skips the rest of a long row stops at its end; rows may follow.
            going_on = place.skipping and not block.next.skipping
            buffer, place = buffer[block.consumed :], block.next
    assert place.offset == len(data)
    return sorted(rows, key=lambda row: row[0])  # type: ignore[arg-type,return-value]


@settings(max_examples=500)
@given(data=raw, layout=st.one_of(layouts, dialects))
def test_fast_and_slow_give_the_same_rows(data: bytes, layout: Layout) -> None:
    assert read_all(data, layout, split_rows, []) == read_all(data, layout, split_slowly, [])


@settings(max_examples=500)
@given(data=inert, layout=escaped)
def test_escapes_that_end_nothing_give_the_same_rows(data: bytes, layout: Layout) -> None:
    assert read_all(data, layout, split_rows, []) == read_all(data, layout, split_slowly, [])


@settings(max_examples=500)
@given(data=raw, layout=st.one_of(layouts, dialects), draw=st.data())
def test_blocks_may_end_anywhere(data: bytes, layout: Layout, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, max(0, len(data) - 1)), max_size=4)))
    assert read_all(data, layout, split_rows, cuts) == read_all(data, layout, split_rows, [])


@settings(max_examples=300)
@given(
    table=st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            min_size=3,
            max_size=3,
        ),
        max_size=20,
    ),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_well_formed_csv_is_read_as_it_was_written(table: list[list[str]], line_end: str) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(table)
    data = written.getvalue().encode()
    rows = read_all(data, Layout(b",", b'"', 3, 10_000), split_rows, [])
    assert [list(row[2:]) for row in rows] == table


def reasons(data: bytes, columns: int, limit: int = 1000) -> list[tuple[object, ...]]:
    return [row[1:] for row in read_all(data, Layout(b",", b'"', columns, limit), split_rows, [])]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'1,2\n"3,4\n5,6\n', [(1, "1", "2"), (2, RejectReason.BAD_QUOTE), (3, "5", "6")]),
        (b'"1"x,2\n5,6\n', [(1, RejectReason.BAD_QUOTE), (2, "5", "6")]),
        (b"1\n1,2,3\n5,6", [(1, "1", ""), (2, RejectReason.WRONG_CELL_COUNT), (3, "5", "6")]),
        (b'1,2,\n3,4, ,\t,""\n5,6,"7"\n7,8,""""\n', [(1, "1", "2"), (2, "3", "4"), *_WRONG_3_4]),
        (b'"a\nb",2,,\n"c",\n"d"\r\n', [(1, "a\nb", "2"), (3, "c", ""), (4, "d", "")]),
        # A row of several lines that lacks cells may have swallowed other rows.
        (b'"1,2\n3,4"\n5,6\n', [(1, RejectReason.BAD_QUOTE), (2, "3", '4"'), (3, "5", "6")]),
        (b"1,\0\n5,6\n", [(1, RejectReason.BAD_TEXT), (2, "5", "6")]),
        (b"1,\xff\n5,6\n", [(1, RejectReason.BAD_TEXT), (2, "5", "6")]),
        (b"1,2\r3,4\r\n5,6\n\n\r\n7,8", [(1, "1", "2"), (2, "3", "4"), (3, "5", "6"), (6, "7", "8")]),
        (b'"a\nb",2\n5,6\n', [(1, "a\nb", "2"), (3, "5", "6")]),
        (b'1,5" disc\n', [(1, "1", '5" disc')]),
    ],
)
def test_each_fault_is_told_and_the_next_row_is_read(data: bytes, expected: list[tuple[object, ...]]) -> None:
    assert reasons(data, 2) == expected


@pytest.mark.parametrize(
    ("data", "layout", "expected"),
    [
        (b'1,"a \\"b\\", c"\n"\\\\",2\n', (b'"', b"\\"), [("1", 'a "b", c'), ("\\", "2")]),
        (b"a\\,b,\\N\nc\\td,e\\\nf\n", (b"", b"\\"), [("a,b", "\\N"), ("c\td", "e\nf")]),
        (b'"a\\\r\nb",\\x\\', (b'"', b"\\"), [("a\r\nb", "x\\")]),
        (b'say ""x"",y\n"a" b,"c\n', (b"", b""), [('say ""x""', "y"), ('"a" b', '"c')]),
        (b"1~,2,3\n", (b'"', b"~"), [("1,2", "3")]),
        (b"1\\0,2\n3,4\n", (b'"', b"\\"), [RejectReason.BAD_TEXT, ("3", "4")]),
    ],
)
def test_quotes_and_escapes_as_databases_write_them(
    data: bytes, layout: tuple[bytes, bytes], expected: list[object]
) -> None:
    quote, escape = layout
    rows = read_all(data, Layout(b",", quote, 2, 1000, escape), split_rows, [])
    assert [row[2:] if len(row) > 3 else row[2] for row in rows] == expected


def written_by_mysql(cell: str | None) -> str:
    """A cell as `SELECT … INTO OUTFILE` writes it without ENCLOSED BY."""
    if cell is None:
        return "\\N"
    return "".join(f"\\{one}" if one in "\\,\n" else one for one in cell)


@settings(max_examples=300)
@given(
    table=st.lists(
        st.lists(st.one_of(st.none(), st.text('ab"\\,\ntN中 ', min_size=1, max_size=8)), min_size=3, max_size=3),
        max_size=20,
    )
)
def test_an_outfile_of_mysql_is_read_as_it_was_written(table: list[list[str | None]]) -> None:
    data = "".join(",".join(map(written_by_mysql, row)) + "\n" for row in table).encode()
    rows = read_all(data, Layout(b",", b"", 3, 10_000, b"\\"), split_rows, [])
    assert [list(row[2:]) for row in rows] == [["\\N" if cell is None else cell for cell in row] for row in table]


def test_a_quote_that_never_closes_costs_its_line_and_no_more() -> None:
    data = b'"lost,1\n' + b"a,b\n" * 1000
    rows = reasons(data, 2, limit=100)
    assert rows[0] == (1, RejectReason.BAD_QUOTE)
    assert rows[1:] == [(line, "a", "b") for line in range(2, 1002)]


def test_a_line_without_end_is_one_refused_row_in_little_memory() -> None:
    layout, place = Layout(b",", b'"', 2, 1000), Place()
    buffer, faults = b"", []
    for _ in range(500):
        buffer += b"x" * 4000
        block = split_rows(buffer, place, layout, final=False)
        buffer, place = buffer[block.consumed :], block.next
        faults += block.faults
        assert len(buffer) <= 4000 + 1001
    block = split_rows(buffer + b"x\n1,2\n", place, layout, final=True)
    assert [fault.reason for fault in faults] == [RejectReason.ROW_TOO_LONG]
    rest = split_rows((buffer + b"x\n1,2\n")[block.consumed :], block.next, layout, final=True)
    assert rest.lines.tolist() == [2]
