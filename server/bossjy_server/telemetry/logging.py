"""JSON log to the console and to a rotating file. A thread writes the lines, never the event loop."""

from __future__ import annotations

import glob
import logging
import logging.handlers
import os
import re
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, TextIO

import orjson

from bossjy_server.telemetry.human import LineForm
from bossjy_server.telemetry.repeats import Repeats

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR
# The levels by name; `off` is above all of them.
LEVELS = {"debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR, "off": 100}
_THREE_DIGITS = [f"{number:03d}" for number in range(1000)]
_NAMES = {DEBUG: "debug", INFO: "info", WARNING: "warning", ERROR: "error", logging.CRITICAL: "critical"}

# Texts that must never be in a log, in case a library puts them into its message.
_SECRET = re.compile(r"bj[a-z]_[\w.-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=otpauth://)\S+|(?<=://)[^/\s@]+(?=@)")
_NUMBER = re.compile(r"\+?\d(?:[\s().\-/_]{0,2}\d){6,}")

# Per kind and minute: tracebacks, and lines of libraries. The others are counted.
_FAILURES_MOST, _LIBRARY_LINES_MOST = 10, 60
_LONGEST_LIBRARY_LINE = 500
_TRY_AGAIN_S = 2.0


def redact(text: str) -> str:
    """Free text with secrets and runs of seven or more digits masked."""
    return _NUMBER.sub("[digits]", _SECRET.sub("[secret]", text))


class Log:
    """The log of one process.

    `write` appends to a bounded queue (0.2 µs) that a thread empties every `flush_s` seconds. If the queue is full, the
    line is dropped, and the number of dropped lines is logged.
    """

    def __init__(  # noqa: PLR0913 - each has a default
        self,
        *,
        level: int = INFO,
        console: TextIO | None = None,
        console_level: int = INFO,
        console_form: LineForm | None = None,
        file: Path | None = None,
        max_bytes: int = 10_000_000,
        keep: int = 30,
        queue_lines: int = 100_000,
        flush_s: float = 0.05,
    ) -> None:
        self._level, self._console, self._console_level = level, console, console_level
        self._configured, self._console_form = level, console_form
        self._file = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = _PrivateFile(file, maxBytes=max_bytes, backupCount=keep, encoding="utf-8")
            self._file.failed = self._not_written
        self._queue: deque[tuple[float, int, str, Mapping[str, object]]] = deque()
        self._limit, self._dropped, self._flush_s = queue_lines, 0, flush_s
        self.lines_dropped = self.write_failures = 0  # since the start
        self.file_fails = False  # true if the latest write to the file failed
        self._try_again = 0.0  # the time at which an idle log tries the file again
        self._outages = Repeats(1)
        self._failures = Repeats(_FAILURES_MOST)
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="bossjy-log", daemon=True)
        self._thread.start()

    def enabled(self, level: int) -> bool:
        """True if lines of this level are written."""
        return level >= self._level

    def write(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        """Log one line. `fields` must contain no secret and no phone number; values are JSON types."""
        if level < self._level:
            return
        if len(self._queue) >= self._limit:
            self._dropped += 1
            self.lines_dropped += 1
            return
        self._queue.append((time.time(), level, event, fields))

    def switch(self) -> None:
        """Change the level to debug, or from it back to the configured one; if that is debug, to info."""
        other = INFO if self._configured == DEBUG else DEBUG
        self._level = other if self._level == self._configured else self._configured
        self.write(WARNING, "log level changed", {"to": _NAMES.get(self._level, "off")})

    def info(self, event: str, **fields: object) -> None:
        """Log one line of level info."""
        self.write(INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log one line of level warning."""
        self.write(WARNING, event, fields)

    def failure(self, event: str, error: BaseException, **fields: object) -> None:
        """Log an exception with its traceback, free text redacted. The number per kind and minute is limited."""
        left_out = self._failures.admit((event, type(error), _origin_of(error)))
        if left_out is None:
            return
        lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-25)
        written = {**fields, "error": type(error).__name__, "traceback": redact("".join(lines))}
        self.write(ERROR, event, written | ({"left_out": left_out} if left_out else {}))

    def close(self) -> None:
        """Write the queue and end the thread."""
        self._ended = True
        self._wake.set()
        self._thread.join(timeout=5)
        if self._file is not None:
            with suppress(OSError):  # a full disk was reported before
                self._file.close()

    def _not_written(self, error: BaseException | None) -> None:
        """Count lines that the file did not take. The console gets one line a minute, without a traceback."""
        self.write_failures += 1
        self.file_fails = True
        if self._console is None or self._outages.admit("file") is None:
            return
        why = getattr(error, "strerror", None) or type(error).__name__
        fields = {"error": why, "action": "free space on the disk of the data folder, or make it writable"}
        with suppress(OSError, ValueError):
            self._console.write(_line(time.time(), ERROR, "the log file cannot be written", fields) + "\n")
            self._console.flush()

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait(self._flush_s)
            self._drain()
        self._drain()

    def _drain(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._queue.append((time.time(), WARNING, "log lines dropped", {"count": dropped}))
        file_lines: list[str] = []
        console_lines: list[str] = []
        while self._queue:
            at, level, event, fields = self._queue.popleft()
            line = _line(at, level, event, fields)
            file_lines.append(line)
            if level >= self._console_level:
                form = self._console_form
                console_lines.append(line if form is None else form(at, level, event, fields))
            if len(file_lines) >= 1000:
                self._emit(file_lines, console_lines)
                file_lines, console_lines = [], []
        if self.file_fails and not file_lines and time.monotonic() >= self._try_again:
            # Only in the file, so that nothing is seen if it fails again.
            self._try_again = time.monotonic() + _TRY_AGAIN_S
            file_lines.append(_line(time.time(), INFO, "the log file can be written again", {}))
        self._emit(file_lines, console_lines)

    def _emit(self, file_lines: list[str], console_lines: list[str]) -> None:
        if console_lines and self._console is not None:
            try:
                self._console.write("".join(line + "\n" for line in console_lines))
                self._console.flush()
            except (OSError, ValueError):
                self._console = None  # the terminal is gone; the file continues
        if file_lines and self._file is not None:
            record = logging.LogRecord("bossjy", INFO, "", 0, "\n".join(file_lines), None, None)
            failures = self.write_failures
            self._file.emit(record)
            self.file_fails = self.write_failures != failures


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    """A time down to its second. Many lines share one."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


@lru_cache(maxsize=64)
def _level_and_event(level: int, event: str) -> str:
    return f'"level":"{_NAMES.get(level, "info")}","event":{_json(event)}'


def _line(at: float, level: int, event: str, fields: Mapping[str, object]) -> str:
    """One JSON object, assembled from texts: a third of the time of a dictionary of it all."""
    second = int(at)
    micros = int((at - second) * 1e6)
    time_text = f"{_second(second)}.{_THREE_DIGITS[micros // 1000]}{_THREE_DIGITS[micros % 1000]}Z"
    rest = f",{_json(fields)[1:]}" if fields else "}"
    return f'{{"time":"{time_text}",{_level_and_event(level, event)}{rest}'


def _json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # rare: a value that is not JSON, or a key that is not a text
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A log file that only its owner may read. Files of earlier releases next to it become private as well."""

    failed: Callable[[BaseException | None], None]

    def __init__(self, file: Path, **options: Any) -> None:
        for earlier in file.parent.glob(f"{glob.escape(file.name)}*"):
            with suppress(OSError):
                earlier.chmod(0o600)
        super().__init__(file, **options)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - of the base class
        """Report a line that could not be written. The base class would print a traceback for each."""
        self.failed(sys.exc_info()[1])

    def _open(self) -> IO[str]:  # type: ignore[override] # of the base class: a TextIOWrapper, which it is
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _origin_of(error: BaseException) -> tuple[str, int]:
    """The origin of an exception: file and line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return ("", 0) if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)


_METADATA_NOT_TEXT = "Invalid encoding on"
_METADATA_SAID = "a metadata value is not UTF-8: its call is refused"


class LibraryHandler(logging.Handler):
    """Forwards libraries' records to the same log: redacted, with a limit per kind and minute."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log
        self._lines, self._tracebacks = Repeats(_LIBRARY_LINES_MOST), Repeats(_FAILURES_MOST)

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one record."""
        if record.name.startswith("grpc.") and str(record.msg).startswith(_METADATA_NOT_TEXT):
            # gRPC quotes the value, which may be a credential.
            record = logging.LogRecord(record.name, WARNING, record.pathname, record.lineno, _METADATA_SAID, (), None)
        repeats = self._tracebacks if record.exc_info else self._lines
        left_out = repeats.admit((record.name, record.levelno, record.pathname, record.lineno))
        if left_out is None:
            return
        fields: dict[str, object] = {"logger": record.name}
        if record.name.startswith("bossjy_server."):
            fields |= getattr(record, "fields", {})  # as of Log.write: no secret, no number
        if left_out:
            fields["left_out"] = left_out
        if record.exc_info and record.exc_info[1] is not None:
            fields["traceback"] = redact("".join(traceback.format_exception(*record.exc_info, limit=-25)))
        self._log.write(record.levelno, redact(record.getMessage())[:_LONGEST_LIBRARY_LINE], fields)


@contextmanager
def library_logs_in(log: Log) -> Iterator[None]:
    """Send the records of all loggers to `log` while the block runs: of libraries from warnings on, of ours all.

    `log` itself leaves out those below its level.
    """
    root, ours = logging.getLogger(), logging.getLogger("bossjy_server")
    handlers, level, level_of_ours = root.handlers[:], root.level, ours.level
    root.handlers[:] = [LibraryHandler(log)]
    root.setLevel(WARNING)
    ours.setLevel(INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)
        ours.setLevel(level_of_ours)


def console_stream() -> TextIO:
    """The stream of the console log: standard error, so that standard output stays free for results."""
    return sys.stderr
