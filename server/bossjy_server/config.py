"""Settings of the server: read once, from the command line, the environment and a file, in this order.

Each package declares its own settings, on its options (`setting_texts.setting`). No other code reads the environment.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bossjy_server import setting_texts as read
from bossjy_server.auth.options import AuthOptions
from bossjy_server.discovery.options import DiscoveryOptions
from bossjy_server.errors import StartError
from bossjy_server.imports.options import ImportOptions
from bossjy_server.lookup.options import LookupOptions
from bossjy_server.phone.options import ThreadOptions
from bossjy_server.rpc.options import LimitOptions, QuotaOptions, RateOptions, ServerOptions, StreamOptions
from bossjy_server.setting_texts import DECLARED, Declared, setting, written
from bossjy_server.storage.options import DatabaseOptions, RedisOptions
from bossjy_server.telemetry.options import LogOptions, MetricsOptions, TraceOptions

# Variables of the command-line tool: a shell may export them and still start a server.
_OF_THE_TOOL = frozenset({"BOSSJY_TOKEN", "BOSSJY_TARGET"})
# Maximum size of a settings file or a secret file.
_LONGEST_FILE = 1024 * 1024
_CONFIG = "BOSSJY_CONFIG"
# Kubernetes and Docker set these in each container for a service that is named `bossjy` or `bossjy-…`.
_SERVICE_LINK = re.compile(
    r"BOSSJY(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://\S+:\d+")


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """Processes of the server, and their files."""

    data_dir: Path = setting(
        "BOSSJY_DATA_DIR",
        Path(".bossjy"),
        Path,
        "Folder of keys, logs, plan tables, and the data of the embedded servers.",
    )
    workers: int = setting(
        "BOSSJY_WORKERS",
        1,
        read.whole(1, 256),
        "Number of processes that serve on one port; the number of cores is a good value.",
    )
    drain_s: float = setting(
        "BOSSJY_DRAIN_S", 20.0, read.decimal(0, 3600), "Longest wait in seconds for running calls at the end."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, in the options of their packages. A field's name is the table of its settings in a file."""

    process: ProcessOptions = ProcessOptions()
    server: ServerOptions = ServerOptions()
    limits: LimitOptions = LimitOptions()
    quotas: QuotaOptions = QuotaOptions()
    rates: RateOptions = RateOptions()
    streams: StreamOptions = StreamOptions()
    log: LogOptions = LogOptions()
    metrics: MetricsOptions = MetricsOptions()
    traces: TraceOptions = TraceOptions()
    discovery: DiscoveryOptions = DiscoveryOptions()
    database: DatabaseOptions = DatabaseOptions()
    redis: RedisOptions = RedisOptions()
    auth: AuthOptions = AuthOptions()
    phone: ThreadOptions = ThreadOptions()
    lookup: LookupOptions = LookupOptions()
    imports: ImportOptions = ImportOptions()
    # The origin of each setting's value, by its name; a missing name has its default.
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    # Variables with the names of settings that an orchestrator set for a service, and that were ignored.
    links: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """One setting as `bossjy-server settings` shows it. A secret's value is `(set)` or empty."""

    table: str
    key: str
    name: str
    value: str
    default: str
    origin: str
    about: str


@dataclass(frozen=True, slots=True)
class _Place:
    """One setting: its options, its field there, its declaration."""

    table: str
    key: str
    declared: Declared


def _tables() -> dict[str, type[Any]]:
    """The options by the names of their tables."""
    return {one.name: type(one.default) for one in fields(Settings) if one.compare}


def _places() -> Iterator[_Place]:
    for table, options in _tables().items():
        for inner in fields(options):
            declared = inner.metadata.get(DECLARED)
            if declared is not None:
                yield _Place(table, inner.name, declared)


def read_settings(
    environment: Mapping[str, str], *, file: str = "", named: Mapping[str, str] | None = None
) -> Settings:
    """Read the settings: `named` of the command line, then `environment`, then the TOML file.

    `file`: its path; if it is empty, BOSSJY_CONFIG names it. Raises StartError with one line that names every wrong
    setting, and every BOSSJY_ name that is not one.
    """
    reading = _Reading(environment, named or {})
    return reading.settings(file or environment.get(_CONFIG, "").strip())


class _Reading:
    """One run over all settings. Collects the faults."""

    def __init__(self, environment: Mapping[str, str], named: Mapping[str, str]) -> None:
        self._environment, self._named = environment, named
        self._known = {one.declared.name: one for one in _places()}
        self._faults: list[str] = []
        self._origins: dict[str, str] = {}
        self._links: list[str] = []

    def settings(self, file: str) -> Settings:
        in_file = self._in_file(file) if file else {}
        values: dict[str, dict[str, Any]] = {}
        for place in self._known.values():
            text = self._text(place, in_file)
            if not text:
                continue
            try:
                values.setdefault(place.table, {})[place.key] = place.declared.read(text)
            except ValueError as error:
                # The value is not shown: a URL may contain a password.
                self._faults.append(f"{place.declared.name} must be {error}")
                self._origins.pop(place.declared.name)
        self._find_strangers()
        groups = {table: options(**values.get(table, {})) for table, options in _tables().items()}
        for options in groups.values():
            self._faults += getattr(options, "faults", list)()
        if self._faults:
            raise StartError("wrong settings: " + "; ".join(self._faults))
        return Settings(**groups, origins=self._origins, links=tuple(self._links))

    def _text(self, place: _Place, in_file: Mapping[str, str]) -> str:
        """The text of a setting from its first source that has one; empty if none has."""
        name = place.declared.name
        if text := self._named.get(name, "").strip():
            self._origins[name] = "command line"
        elif (text := self._environment.get(name, "").strip()) and not _is_link(name, text):
            self._origins[name] = "environment"
            if place.declared.secret and self._environment.get(f"{name}_FILE", "").strip():
                self._faults.append(f"set one of {name} and {name}_FILE")
        elif place.declared.secret and (path := self._environment.get(f"{name}_FILE", "").strip()):
            text = self._secret(f"{name}_FILE", path)
            self._origins[name] = path
        elif text := in_file.get(name, ""):
            self._origins[name] = in_file[_CONFIG]
        return text

    def _secret(self, name: str, path: str) -> str:
        """The secret that is the content of a file, without surrounding white space."""
        try:
            text = _file_text(path).strip()
        except (OSError, ValueError) as error:
            self._faults.append(f"{name}: the file cannot be read: {_cause(error)}")
            return ""
        if not text:
            self._faults.append(f"{name}: the file is empty")
        return text

    def _in_file(self, path: str) -> dict[str, str]:
        """The texts of the settings of a TOML file, by their variables."""
        try:
            tables = tomllib.loads(_file_text(path))
        except (OSError, ValueError) as error:
            self._faults.append(f"the settings file {path} cannot be read: {_cause(error)}")
            return {}
        keys = {(one.table, one.key): one for one in self._known.values()}
        texts = {_CONFIG: path}
        for table, content in tables.items():
            for key, value in content.items() if isinstance(content, dict) else (("", None),):
                place = keys.get((table, key))
                text = None if place is None else _toml_text(value)
                if place is None:
                    self._faults.append(f"{path}: {_stranger(table, key, keys)}")
                elif text is None:
                    self._faults.append(f"{path}: [{table}] {key} must be a text, a number, on or off, or a list")
                else:
                    texts[place.declared.name] = text
        return texts

    def _find_strangers(self) -> None:
        secrets = {f"{name}_FILE" for name, place in self._known.items() if place.declared.secret}
        known = {*self._known, *secrets, _CONFIG, *_OF_THE_TOOL}
        for name in sorted(self._environment):
            if not name.startswith("BOSSJY_"):
                continue
            if _is_link(name, self._environment[name]):
                self._links.append(name)
            elif name not in known:
                near = difflib.get_close_matches(name, known, 1, 0.8)
                hint = f"did you mean {near[0]}?" if near else "`bossjy-server settings` lists them"
                self._faults.append(f"{name} is no setting ({hint})")


def _is_link(name: str, value: str) -> bool:
    """True for a variable that an orchestrator sets for a service, such as BOSSJY_PORT=tcp://10.96.0.7:18001."""
    return bool(_SERVICE_LINK.fullmatch(name) or (name.endswith("_PORT") and _LINK_VALUE.fullmatch(value.strip())))


def _file_text(path: str) -> str:
    with Path(path).open("rb") as file:
        data = file.read(_LONGEST_FILE + 1)
    if len(data) > _LONGEST_FILE:
        raise ValueError(f"it has more than {_LONGEST_FILE} bytes")
    return data.decode("utf-8")


def _cause(error: OSError | ValueError) -> str:
    """The cause without content of the file, which may be a secret."""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno else "unknown error"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error)


def _stranger(table: str, key: str, keys: Mapping[tuple[str, str], _Place]) -> str:
    tables = sorted({one for one, _ in keys})
    if not key or table not in tables:
        return f"[{table}] is not a table of settings; the tables are " + ", ".join(tables)
    near = difflib.get_close_matches(key, [other for one, other in keys if one == table], 1, 0.6)
    return f"[{table}] has no setting {key}" + (f"; did you mean {near[0]}?" if near else "")


def _toml_text(value: object) -> str | None:
    """A TOML value as the text of a variable; None for a type that no setting has."""
    match value:
        case bool():
            return "on" if value else "off"
        case str() | int() | float():
            return str(value).strip()
        case list():
            texts = [_toml_text(one) for one in value]
            return None if None in texts else ",".join(map(str, texts))
        case dict():
            return ",".join(f"{key}={one}" for key, one in value.items())
        case _:
            return None


def listed(settings: Settings) -> list[Listed]:
    """All settings with their values, defaults, origins and meanings, by table."""
    rows = []
    for place in _places():
        options = getattr(settings, place.table)
        value, default = getattr(options, place.key), getattr(type(options)(), place.key)
        text = written(value)
        rows.append(
            Listed(
                place.table,
                place.key,
                place.declared.name,
                "(set)" if place.declared.secret and text else text,
                written(default),
                settings.origins.get(place.declared.name, "default"),
                place.declared.about,
            )
        )
    return rows
