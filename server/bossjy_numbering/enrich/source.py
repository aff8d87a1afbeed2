"""Prefix data of the installed `phonenumbers`, read without importing it.

Importing `phonenumbers.geodata` takes 99 MB and, if Python stores no byte code, compiles 19 MB of source for ten
seconds and more. Its modules have one entry per line; lines of that form are read as text, in a tenth of the time. If a
version has another form, the package is imported.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import phonenumbers

# (language, name) of one prefix, as in `GEOCODE_DATA`: ("en", "Munich"), ("de", "München").
Names = tuple[tuple[str, str], ...]

_FOLDER = Path(phonenumbers.__file__).parent
_ENTRY = re.compile(r" '(\d+)':(\{.*\}),")
_TEXT = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_NAME = re.compile(rf"'(\w+)': (?:u\(({_TEXT})\)|({_TEXT}))(, |\}}$)")


class _UnknownFormError(Exception):
    """A module does not have the expected form."""


def places() -> dict[str, Names]:
    """Names of places by the first digits of E.164 without `+`."""
    return _prefixes("geodata", "GEOCODE_DATA")


def carriers() -> dict[str, Names]:
    """Names of carriers by the first digits of E.164 without `+`."""
    return _prefixes("carrierdata", "CARRIER_DATA")


def time_zones() -> Mapping[str, tuple[str, ...]]:
    """Time zones by the first digits of E.164 without `+`."""
    data = importlib.import_module("phonenumbers.tzdata")
    return cast("Mapping[str, tuple[str, ...]]", data.TIMEZONE_DATA)


def country_names() -> Mapping[str, Mapping[str, str]]:
    """By region, then language. A name `*xx` is found under language xx."""
    # Importing its package would load all places as well.
    spec = importlib.util.spec_from_file_location("phonenumbers.geodata.locale", _FOLDER / "geodata" / "locale.py")
    if spec is None or spec.loader is None:
        raise ImportError("phonenumbers.geodata.locale cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Mapping[str, Mapping[str, str]]", module.LOCALE_DATA)


def _prefixes(package: str, variable: str) -> dict[str, Names]:
    try:
        return read_as_text(_FOLDER / package)
    except (_UnknownFormError, OSError):
        data = getattr(importlib.import_module(f"phonenumbers.{package}"), variable)
        return {prefix: tuple(names.items()) for prefix, names in data.items()}


def read_as_text(folder: Path) -> dict[str, Names]:
    """All entries of the modules data0.py, data1.py, … of a folder. Equal names are one object."""
    modules = sorted(folder.glob("data*.py"), key=lambda path: (len(path.name), path.name))
    if not modules:
        raise _UnknownFormError(f"no data in {folder}")
    known: dict[str, Names] = {}
    entries: dict[str, Names] = {}
    for module in modules:
        for line in _lines(module.read_text("utf-8")):
            entry = _ENTRY.fullmatch(line)
            if entry is None:
                raise _UnknownFormError(line)
            prefix, names = entry.groups()
            read = known.get(names)
            if read is None:
                read = known[names] = _names(names)
            entries[prefix] = read
    return entries


def _lines(text: str) -> list[str]:
    """The lines between `data = {` and the `}` that ends the module."""
    _, found, body = text.partition("\ndata = {\n")
    body, closed, rest = body.partition("\n}\n")
    if not found or not closed or rest.strip():
        raise _UnknownFormError("no data")
    return body.split("\n")


def _names(text: str) -> Names:
    names = []
    at = 1
    while at < len(text):
        name = _NAME.match(text, at)
        if name is None:
            raise _UnknownFormError(text)
        language, wrapped, plain, _ = name.groups()
        literal = wrapped or plain
        names.append((language, str(ast.literal_eval(literal)) if "\\" in literal else literal[1:-1]))
        at = name.end()
    return tuple(names)
