"""The log: one JSON line each, redacted, rotated, bounded, never on the caller's time."""

from __future__ import annotations

import io
import logging
import time
import warnings
from pathlib import Path

import orjson
import pytest

from bossjy_server.telemetry.logging import (
    ERROR,
    INFO,
    WARNING,
    LibraryHandler,
    Log,
    library_logs_in,
    redact,
)


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
