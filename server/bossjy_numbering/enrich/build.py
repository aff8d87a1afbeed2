"""Builder of the tables from the installed `phonenumbers`. As a program it writes them to a file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import phonenumbers
from phonenumbers.phonenumberutil import is_mobile_number_portable_region

from bossjy_numbering.cache import Arrays, Content, read, write
from bossjy_numbering.enrich import source
from bossjy_numbering.enrich.countries import pack_countries
from bossjy_numbering.enrich.names import Texts, pack_names
from bossjy_numbering.enrich.zones import pack_zones
from bossjy_numbering.metadata import installed_rules

# Increase it whenever these tables, or their meaning, change: it is part of the cache file's name.
BUILDER_VERSION = 1
# A build takes two seconds, and ten times that if the data must be imported on a busy machine.
BUILD_TIMEOUT_S = 300.0


def tables_name() -> str:
    """The name of the file with the tables of the installed `phonenumbers`."""
    return f"enrich-{phonenumbers.__version__}-{BUILDER_VERSION}.tables"


def build() -> Content:
    """Header and arrays of all tables."""
    texts = Texts()
    parts = {
        "place": pack_names(source.places(), texts),
        "carrier": pack_names(source.carriers(), texts),
        "country": pack_countries(installed_rules(), source.country_names(), texts),
        "zone": pack_zones(source.time_zones()),
    }
    header: dict[str, Any] = {part: one for part, (one, _) in parts.items()}
    header["version"] = phonenumbers.__version__
    header["portable"] = sorted(filter(is_mobile_number_portable_region, phonenumbers.SUPPORTED_REGIONS))
    arrays = {f"{part}.{name}": array for part, (_, of_part) in parts.items() for name, array in of_part.items()}
    arrays["texts"] = np.frombuffer("\n".join(texts.held).encode(), np.uint8)
    return header, arrays


def arrays_of(part: str, arrays: Mapping[str, Any]) -> Arrays:
    """The arrays of one section: place, carrier, country or zone."""
    return {name.removeprefix(f"{part}."): array for name, array in arrays.items() if name.startswith(f"{part}.")}


def build_aside(timeout_s: float = BUILD_TIMEOUT_S) -> Content:
    """The same, built in a separate process: it takes seconds and some 200 MB, which this process saves.

    RuntimeError if that process fails, subprocess.TimeoutExpired if it takes longer than `timeout_s`.
    """
    if not sys.executable:  # Python inside another program
        return build()
    with TemporaryDirectory(prefix="bossjy-enrich-") as folder:
        path = Path(folder) / "enrich"
        done = subprocess.run(  # noqa: S603 - this interpreter, this module
            [sys.executable, "-m", "bossjy_numbering.enrich.build", str(path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"tables of places cannot be built: {done.stderr.strip()[-2000:]}")
        return read(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]), *build())
