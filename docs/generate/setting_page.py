"""Page of the settings, from the options in which the packages of the server declare them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, get_origin, get_type_hints

from page import code, flat, head, table

from bossjy_server.config import Settings
from bossjy_server.setting_texts import DECLARED, written

_ABOUT = """\
A value comes from the first source that has it: the command line, the variable, the TOML file (`--config FILE` or
`BOSSJY_CONFIG`), the default. In the file each heading of this page is a table, and `key` is the name in it. A secret
can also be in a file that the variable with the suffix `_FILE` names. `bossjy-server settings` lists the effective
values; [Operations](../operations.md#settings) explains the sources."""
# No setting accepts this text, unless it accepts every text.
_REFUSED = "\0 /"
_TYPES = {"bool": "switch", "int": "whole number", "float": "number", "str": "text", "Path": "path"}


def settings_page() -> str:
    """The page."""
    text = head("Settings", "the options of the packages of the server", _ABOUT)
    for one in fields(Settings):
        if not one.compare:
            continue
        options = type(one.default)
        text += f"\n## {one.name}\n\nPackage `{options.__module__}`.\n\n"
        text += table(("variable", "key", "type", "default", "bounds", "meaning"), _rows(options))
    return text


def _rows(options: type[Any]) -> Iterator[tuple[str, ...]]:
    hints = get_type_hints(options)
    for one in fields(options):
        declared = one.metadata.get(DECLARED)
        if declared is None:
            continue
        default = written(getattr(options(), one.name))
        meaning = flat(declared.about) + (" Secret." if declared.secret else "")
        shown = "secret text" if declared.secret else _type(hints[one.name])
        yield code(declared.name), code(one.name), shown, code(default), _bounds(declared.read), meaning


def _type(hint: Any) -> str:
    """The type in words."""
    if get_origin(hint) is not None or not isinstance(hint, type):
        name = getattr(get_origin(hint), "__name__", "")
        return {"tuple": "list", "frozenset": "list", "dict": "table", "Mapping": "table"}.get(name, "text")
    return _TYPES[hint.__name__]


def _bounds(read: Callable[[str], Any]) -> str:
    """The accepted values, as the error of a wrong value names them."""
    try:
        read(_REFUSED)
    except ValueError as error:
        return flat(str(error)).removeprefix("a whole number from ").removeprefix("a number from ")
    return ""
