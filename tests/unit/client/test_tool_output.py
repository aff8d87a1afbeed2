"""Output of the tool in a pipe: whole lines, stable CSV, progress as lines, and a digit that is shown as wrong."""

from __future__ import annotations

import csv
import io

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.phone.v1 import phone_service_pb2
from bossjy_client.cli.importing.progress_lines import UploadLines
from bossjy_client.cli.messages import use_language
from bossjy_client.cli.output import Output, cleaned
from bossjy_client.cli.phone_explain import failed_digit
from bossjy_client.cli.plain_table import pair_lines, table_lines
from bossjy_client.upload import UploadProgress

LONG = "imp_0123456789abcdef0123"


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_a_row_is_one_line_whatever_its_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    Output(as_json=False).table(("import", "file", "rows#"), [(LONG, "a file with a long name " * 9, 12345)])
    head, rule, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["import", "file", "rows"]
    assert set(rule) == {"─"}
    assert row.startswith(LONG)
    assert row.endswith("12,345")


def test_columns_are_aligned_also_with_wide_characters() -> None:
    lines = list(
        table_lines("title", ["name", "rows"], [False, True], [["王伟", "1"], ["Ann", "1,000"], ["e\u0301", ""]])
    )
    assert lines == ["title", "name    rows", "────────────", "王伟       1", "Ann    1,000", "e\u0301"]
    assert list(pair_lines([("号码", "1"), ("a", "2"), ("empty", "")])) == ["号码   1", "a      2", "empty"]


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.pairs([("name", "a\x1b[2Jb"), ("left out", ""), ("number", 1234)], own=[("its\nname", "x")])
    output.line("a\rb")
    output.note("\x07")
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert shown.out.splitlines()[1].split() == ["number", "1,234"]
    assert len(shown.out.splitlines()) == 4
    assert cleaned("plain [text]") == "plain [text]"


@pytest.mark.parametrize("language", ["", "zh"])
def test_csv_is_one_table_with_the_same_columns_in_every_language(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    use_language(language)
    try:
        output = Output(as_json=False, as_csv=True)
        output.table(("text", "rows#"), [('a "b", c', 12345)], title="title")
        output.table(("text", "rows#"), [("d\ne", "")])  # the next batch of the same command
        output.table(("other",), [("left out",)])
        output.pairs([("left", "out")])
    finally:
        use_language("")
    assert rows_of(capsys.readouterr().out) == [["text", "rows"], ['a "b", c', "12345"], ["d\ne", ""]]


def test_csv_of_one_result_has_its_empty_values(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False, as_csv=True).pairs([("  rejected", 0), ("failure", ""), ("plan", None)], own=[("city", "x")])
    assert rows_of(capsys.readouterr().out) == [["rejected", "failure", "plan", "city"], ["0", "", "", "x"]]


def test_headings_are_in_the_language_of_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    use_language("zh")
    try:
        Output(as_json=False).table(("number", "region"), [("1", "CN")])
        Output(as_json=False).pairs([("region", "CN")], own=[("region", "of the data")])
    finally:
        use_language("")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["号码", "地区"]
    assert [line.split()[0] for line in shown[3:]] == ["地区", "region"]


def progress(rows: int, done: int, total: int | None) -> UploadProgress:
    counts = import_pb2.ImportCounts(rows_in=rows, rejected=rows // 10)
    return UploadProgress(sent_bytes=done, committed_bytes=done, total_bytes=total, counts=counts, reopened=0)


def test_progress_is_a_line_every_few_seconds() -> None:
    lines: list[str] = []
    times = iter([0.0, 1.0, 4.9, 5.0, 9.0, 10.0])
    with UploadLines(lines.append, "list.csv", now=lambda: next(times)) as shown:
        for rows in (1000, 2000, 11_000, 12_000, 21_000):
            shown.update(progress(rows, rows, 20_000))
        shown.finish(import_pb2.ImportCounts())
    assert lines == [
        "list.csv: 55%, 11,000 rows, 2,000 rows/s, 1,100 rejected",
        "list.csv: 100%, 21,000 rows, 2,000 rows/s, 2,100 rejected",
    ]


def test_progress_of_a_pipe_has_no_share_and_that_of_a_workbook_counts_rows() -> None:
    lines: list[str] = []
    UploadLines(lines.append, "-", every_s=0, now=lambda: 1.0).update(progress(0, 0, None))
    UploadLines(lines.append, "a.xlsx", row_count=4, every_s=0, now=lambda: 1.0).update(progress(1, 0, None))
    assert [line.partition(" rows,")[0] for line in lines] == ["-: 0", "a.xlsx: 25%, 1"]


@pytest.mark.parametrize(
    ("digits", "place", "shown"),
    [
        (1235550100, 0, "digit 1 (1) of [1]235550100: no number of the plan continues so"),
        (1235550100, 9, "digit 10 (0) of 123555010[0]: no number of the plan continues so"),
        (138, 3, "the next digit is missing after 138"),
        (138, -1, ""),
        (0, 0, ""),
    ],
)
def test_the_failed_digit_is_marked(digits: int, place: int, shown: str) -> None:
    answer = phone_service_pb2.ExplainNumberResponse(failed_digit=place)
    answer.number.national_number = str(digits or "")
    assert failed_digit(answer) == shown
