"""Names of regions in many languages, from the tables that ship with `phonenumbers`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import phonenumbers


@cache
def language_tables() -> Mapping[str, Mapping[str, str]]:
    """Region code to language to name. A value `*aa` means: the same as in `aa`.

    Read from its own file: an import of its package would load 99 MB of places.
    """
    # The name places it in its package, so that it finds `..util`; the package itself is not imported.
    module = ModuleType("phonenumbers.geodata.locale")
    module.__package__ = "phonenumbers.geodata"
    path = Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    SourceFileLoader(module.__name__, str(path)).exec_module(module)
    tables: Mapping[str, Mapping[str, str]] = module.LOCALE_DATA
    return tables
