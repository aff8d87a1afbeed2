"""Declaration of settings, and readers of their texts. A reader's ValueError says what is accepted.

A setting is declared once: as a field of the options of the package that uses it, with its variable, default, reader
and meaning. `config` finds it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from bossjy_server.network import read_networks

_CLAIM = re.compile(r"[!-~]{1,200}")


DECLARED = "setting"


@dataclass(frozen=True, slots=True)
class Declared:
    """A setting: its variable, its reader, its meaning.

    A `secret` is never shown, and can be read from the file that the variable `<name>_FILE` names.
    """

    name: str
    read: Callable[[str], Any]
    about: str
    secret: bool = False


def setting(name: str, default: Any, read: Callable[[str], Any], about: str, *, secret: bool = False) -> Any:
    """A field of a package's options that an operator can set."""
    metadata = {DECLARED: Declared(name, read, about, secret)}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


def written(value: object) -> str:
    """A value in the notation of a variable."""
    match value:
        case bool():
            return "on" if value else "off"
        case frozenset():
            return ",".join(sorted(value))
        case tuple():
            return ",".join(map(str, value))
        case Mapping():
            return ",".join(f"{key}={one}" for key, one in value.items())
        case _:
            return str(value)


def out_of_bounds(options: Any) -> list[str]:
    """Faults of options that were made in code: values that the reader of their setting does not accept."""
    faults = []
    for one in fields(options):
        declared, text = one.metadata.get(DECLARED), written(getattr(options, one.name))
        if declared is None or not text:
            continue
        try:
            declared.read(text)
        except ValueError as error:
            faults.append(f"{one.name} must be {error}")
    return faults


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number within these bounds, in decimal digits."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def decimal(low: float, high: float) -> Callable[[str], float]:
    """A number within these bounds."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return read


def switch(text: str) -> bool:
    """`on` or `off`, or a synonym."""
    values = {
        "1": True,
        "on": True,
        "true": True,
        "yes": True,
        "0": False,
        "off": False,
        "false": False,
        "no": False,
    }
    if text.lower() not in values:
        raise ValueError("`on` or `off`")
    return values[text.lower()]


def choice(*names: str) -> Callable[[str], str]:
    """One of these names."""

    def read(text: str) -> str:
        if text not in names:
            raise ValueError("one of " + ", ".join(f"`{name}`" for name in names))
        return text

    return read


def claim(text: str) -> str:
    """Issuer or audience of a token: printable ASCII without spaces."""
    if not _CLAIM.fullmatch(text):
        raise ValueError("1 to 200 printable ASCII characters without spaces, such as `https://bossjy.example.com`")
    return text


# URLs of PostgreSQL may name several hosts, and none at all.
_WITH_HOST = frozenset({"http", "https", "redis", "rediss"})


def _has_place(text: str) -> bool:
    """True if a URL names a host, and no port that cannot be one."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def url(*schemes: str) -> Callable[[str], str]:
    """A URL of one of these schemes."""

    def read(text: str) -> str:
        try:
            scheme = urlsplit(text).scheme
        except ValueError:
            scheme = ""  # its own words may contain a part of a password
        if scheme not in schemes:
            raise ValueError("a URL that begins with " + " or ".join(f"`{scheme}://`" for scheme in schemes))
        if scheme in _WITH_HOST and not _has_place(text):
            raise ValueError("a URL with a host, and a port from 1 to 65535 if it names one")
        return text

    return read


def role(text: str) -> str:
    """The name of a role of PostgreSQL."""
    if not text or len(text.encode()) > 63 or "\0" in text or text in {"none", "public"} or text.startswith("pg_"):
        raise ValueError("a name of a role, of at most 63 bytes")
    return text


def host(text: str) -> str:
    """A host name or address."""
    if not text or any(character.isspace() or character == "/" for character in text):
        raise ValueError("a host name or address, such as `127.0.0.1` or `0.0.0.0`")
    return text


def networks(text: str) -> tuple[str, ...]:
    """Networks, separated by commas."""
    return read_networks(text)
