"""Human form of log lines on a terminal: time, level with its colour, event, then the fields."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import TextIO, TypeAlias

LineForm: TypeAlias = Callable[[float, int, str, Mapping[str, object]], str]

_COLOURS = {
    logging.DEBUG: "2",
    logging.INFO: "32",
    logging.WARNING: "33",
    logging.ERROR: "31",
    logging.CRITICAL: "31;1",
}


def form_for(stream: TextIO, form: str, no_color: str) -> LineForm | None:
    """The form of lines on a stream: None for JSON. `form` is `json`, `human`, or `auto`: human on a terminal."""
    on_terminal = stream.isatty()
    if form == "json" or (form == "auto" and not on_terminal):
        return None
    return coloured if on_terminal and not no_color else plain


def plain(at: float, level: int, event: str, fields: Mapping[str, object]) -> str:
    """A line without colours."""
    return _line(at, f"{logging.getLevelName(level):8}", event, fields)


def coloured(at: float, level: int, event: str, fields: Mapping[str, object]) -> str:
    """A line with the level in its colour."""
    name = f"\x1b[{_COLOURS.get(level, '0')}m{logging.getLevelName(level):8}\x1b[0m"
    return _line(at, name, event, fields)


def _line(at: float, level: str, event: str, fields: Mapping[str, object]) -> str:
    clock = f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at * 1000) % 1000:03d}"
    traceback = str(fields.get("traceback", ""))
    shown = " ".join(f"{name}={_shown(value)}" for name, value in fields.items() if name != "traceback")
    line = f"{clock} {level} {_safe(f'{event} {shown}'.rstrip())}"
    return f"{line}\n{_safe(traceback.rstrip())}" if traceback else line


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if any(one in text for one in ' "=\n') else text


def _safe(text: str) -> str:
    """Without control characters, which could command the terminal."""
    return "".join(one for one in text if one.isprintable() or one == "\n")
