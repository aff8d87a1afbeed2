"""The log: one JSON line each, redacted, rotated, bounded, never on the caller's time."""

from __future__ import annotations

import io
import json
import logging
import re
import time
import warnings
from pathlib import Path

import orjson
import pytest

from bossjy_server.telemetry.human import form_for
from bossjy_server.telemetry.logging import (
    DEBUG,
    ERROR,
    INFO,
    WARNING,
    LibraryHandler,
    Log,
    library_logs_in,
    redact,
)
from bossjy_server.telemetry.repeats import Repeats


def read(text: io.StringIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in text.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Key (e164)=(+8613812345678) exists", "Key (e164)=([digits]) exists"),
        ("138 1234-5678.", "[digits]."),
        ("took 123456 us", "took 123456 us"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln end", "token [secret] end"),
        ("key bjk_acme-x.1.abc-DEF", "key [secret]"),
        ("registration bjg_abc-DEF_1 used", "registration [secret] used"),
        ("otpauth://totp/BossJy:a?secret=JBSWY3DP x", "otpauth://[secret] x"),
        ("+86 (138) 1234-5678", "[digits]"),
        ("138_1234_5678", "[digits]"),
        ("postgresql://u:p@host/db", "postgresql://[secret]@host/db"),
    ],
)
def test_redaction(text: str, wanted: str) -> None:
    assert redact(text) == wanted


def test_lines_go_to_console_and_file_by_level(tmp_path: Path) -> None:
    console, file = io.StringIO(), tmp_path / "logs" / "bossjy.log"
    log = Log(level=INFO, console=console, console_level=WARNING, file=file)
    log.info("quiet", n=1)
    log.warning("loud", n=2)
    log.write(logging.DEBUG, "unseen", {})
    log.close()
    assert [line["event"] for line in read(console)] == ["loud"]
    lines = [orjson.loads(line) for line in file.read_text().splitlines()]
    assert [(line["level"], line["event"], line["n"]) for line in lines] == [
        ("info", "quiet", 1),
        ("warning", "loud", 2),
    ]
    assert lines[0]["time"].endswith("Z")
    assert file.parent.stat().st_mode & 0o077 == 0


def test_files_rotate_and_old_ones_go(tmp_path: Path) -> None:
    log = Log(file=tmp_path / "b.log", max_bytes=2_000, keep=3, flush_s=0.001)
    for number in range(100_000):
        log.info("line", number=number)
        if number % 10 == 0:
            time.sleep(0.003)
            if number >= 300 and (tmp_path / "b.log.3").exists():
                break
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["b.log", "b.log.1", "b.log.2", "b.log.3"]


def test_files_are_readable_only_by_their_owner(tmp_path: Path) -> None:
    for name in ("b.log", "b.log.1", "b.log.2"):
        (tmp_path / name).write_text("of an earlier release")
        (tmp_path / name).chmod(0o644)
    log = Log(file=tmp_path / "b.log", max_bytes=500, keep=3)
    for number in range(50):
        log.info("line", number=number)
    log.close()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_failures_of_one_kind_are_bounded() -> None:
    console = io.StringIO()
    log = Log(console=console)

    def fail(error: Exception) -> None:
        try:
            raise error
        except type(error) as caught:
            log.failure("failed", caught)

    for _ in range(50):
        fail(ValueError())
    fail(TypeError())
    log.failure("failed", KeyError())  # one that was never raised
    log.close()
    assert [line["error"] for line in read(console)] == ["ValueError"] * 10 + ["TypeError", "KeyError"]


def test_lines_of_one_kind_are_bounded_and_counted() -> None:
    now = 0.0
    repeats = Repeats(2, kinds_max=2, clock=lambda: now)
    assert [repeats.admit("a") for _ in range(5)] == [0, 0, None, None, None]
    assert repeats.admit("b") == 0
    # There is room for two kinds: all additional ones share the limit of one.
    assert [repeats.admit(kind) for kind in ("c", "d", "e")] == [0, 0, None]
    now = 61.0
    assert [repeats.admit("a") for _ in range(3)] == [3, 0, None]
    assert [repeats.admit(kind) for kind in ("f", "a")] == [0, None]


def test_a_full_queue_drops_and_says_so() -> None:
    console = io.StringIO()
    log = Log(console=console, queue_lines=5, flush_s=30)
    for number in range(20):
        log.info("line", number=number)
    log.close()
    lines = read(console)
    assert {"event": "log lines dropped", "count": 15}.items() <= lines[-1].items()


def test_exceptions_are_redacted() -> None:
    console = io.StringIO()
    log = Log(console=console)
    try:
        raise ValueError("bad number 13812345678")
    except ValueError as error:
        log.failure("failed", error, request_id="r")
    log.close()
    (line,) = read(console)
    assert (line["level"], line["error"], line["request_id"]) == ("error", "ValueError", "r")
    assert "test_logging.py" in str(line["traceback"])
    assert "13812345678" not in console.getvalue()


def test_a_console_that_is_gone_does_not_stop_the_file(tmp_path: Path) -> None:
    console = io.StringIO()
    console.close()
    log = Log(console=console, file=tmp_path / "b.log")
    log.info("one")
    log.close()
    assert "one" in (tmp_path / "b.log").read_text()


def test_a_credential_that_grpc_quotes_is_left_out() -> None:
    text = io.StringIO()
    log = Log(level=INFO, console=text, console_level=INFO)
    with library_logs_in(log):
        try:
            b"Bearer secret \xff".decode()
        except UnicodeDecodeError:
            logging.getLogger("grpc._cython.cygrpc").exception("Invalid encoding on %s", b"Bearer secret \xff")
    log.close()
    assert [(line["level"], line["event"]) for line in read(text)] == [
        ("warning", "a metadata value is not UTF-8: its call is refused")
    ]
    assert "secret" not in text.getvalue()


def test_lines_of_libraries_are_bounded() -> None:
    console = io.StringIO()
    log = Log(console=console)
    handler = LibraryHandler(log)
    for number in range(200):
        handler.emit(logging.LogRecord("noisy", WARNING, "file", 1, "line %d", (number,), None))
    handler._lines = Repeats(60, clock=lambda: time.monotonic() + 1e6)
    handler._lines._kinds = {("noisy", WARNING, "file", 1): [0.0, 200]}
    handler.emit(logging.LogRecord("noisy", WARNING, "file", 1, "x" * 5000, (), None))
    log.close()
    lines = read(console)
    assert len(lines) == 61
    assert lines[-1]["left_out"] == 140
    assert len(str(lines[-1]["event"])) == 500


def test_libraries_and_warnings_end_in_the_same_log() -> None:
    console = io.StringIO()
    log = Log(console=console)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    with library_logs_in(log):
        assert [type(handler) for handler in root.handlers] == [LibraryHandler]
        logging.getLogger("some.library").warning("no route to %s", "13812345678")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        try:
            raise RuntimeError("13812345678")
        except RuntimeError:
            logging.getLogger("some.library").log(ERROR, "failed", exc_info=True)
    assert (root.handlers, root.level) == before
    log.close()
    lines = read(console)
    assert [line["logger"] for line in lines] == ["some.library", "py.warnings", "some.library"]
    assert lines[0]["event"] == "no route to [digits]"
    assert "RuntimeError" in str(lines[2]["traceback"])
    assert "13812345678" not in console.getvalue()


def test_the_level_changes_at_run_time_and_back() -> None:
    console = io.StringIO()
    log = Log(console=console, console_level=DEBUG)
    for event in ("first", "second", "third"):
        log.write(DEBUG, event, {})
        log.switch()
    log.close()
    assert [line["event"] for line in read(console)] == [
        *("log level changed", "second", "log level changed", "log level changed")
    ]


def test_lines_on_a_terminal_are_for_people() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def line_of(console: io.StringIO, form: str, no_color: str = "") -> str:
        log = Log(console=console, console_form=form_for(console, form, no_color))
        log.warning("call", code="OK", reason="two words", ms=1.5, agent="a\x1b[2Jb")
        log.close()
        return console.getvalue()

    shown = r"\d\d:\d\d:\d\d\.\d{3} "
    fields = r' call code=OK reason="two words" ms=1\.5 agent=a\[2Jb\n'
    assert re.fullmatch(rf"{shown}\x1b\[33mWARNING \x1b\[0m{fields}", line_of(Terminal(), "auto"))
    assert re.fullmatch(rf"{shown}WARNING {fields}", line_of(Terminal(), "auto", "1"))
    assert re.fullmatch(rf"{shown}WARNING {fields}", line_of(io.StringIO(), "human"))
    for console, form in ((io.StringIO(), "auto"), (Terminal(), "json")):
        assert json.loads(line_of(console, form))["reason"] == "two words"
