"""Names of regions in many languages, from the tables that ship with `phonenumbers`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import phonenumbers


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    """Region code to language to name. A value `*aa` says: the same as in `aa`.

    Read from its own file: importing the package around it would bring 99 MB of places.
    """
    path = Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    # The name places it in its package, so that it finds `..util`; the package itself is not imported.
    spec = importlib.util.spec_from_file_location("phonenumbers.geodata.locale", path)
    if spec is None or spec.loader is None:
        raise LookupError(f"phonenumbers has no {path.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tables: Mapping[str, Mapping[str, str]] = module.LOCALE_DATA
    return tables


def region_name(region_code: str, language: str) -> str:
    """The name of a region, in English where `language` has none; empty where there is no name at all."""
    names = _tables().get(region_code, {})
    wanted = language.replace("-", "_")
    for candidate in (wanted, wanted.split("_")[0], "en"):
        name = names.get(candidate, "")
        if name.startswith("*"):
            name = names.get(name[1:], "")
        if name:
            return name
    return ""
