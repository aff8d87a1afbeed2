"""Snapshot of a plan's rules in a file, so that a later version can be compared with them.

A snapshot contains the metadata's own rules, not tables: the version that reads them builds its tables from them.
"""

from __future__ import annotations

import gzip
import json
import zlib
from io import BytesIO
from pathlib import Path

from bossjy_numbering.metadata import PlanRules, installed_rules, rules_from_json

_KIND = "bossjy numbering plan"
_LAYOUT = 1
# Largest decompressed size that is read; the plan of today has some 0.4 MB.
_MOST_BYTES = 64 * 2**20


class SnapshotError(ValueError):
    """The file is not a snapshot that this version reads."""


def snapshot_bytes(rules: PlanRules | None = None) -> bytes:
    """A snapshot of rules (default: the installed ones): gzip of JSON, the same bytes for the same rules."""
    held = {"kind": _KIND, "layout": _LAYOUT, "rules": (rules or installed_rules()).to_json()}
    return gzip.compress(json.dumps(held, sort_keys=True, separators=(",", ":")).encode(), mtime=0)


def read_snapshot(data: bytes) -> PlanRules:
    """The rules of a snapshot. SnapshotError if it is not one."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise SnapshotError("the snapshot is too large")
        held = json.loads(text)
        if held["kind"] != _KIND or held["layout"] != _LAYOUT:
            raise SnapshotError("not a snapshot of a numbering plan, or of another layout")
        return rules_from_json(held["rules"])
    # JSON of any other shape: it lacks the expected fields.
    except (
        OSError,
        EOFError,
        zlib.error,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as problem:
        if isinstance(problem, SnapshotError):
            raise
        raise SnapshotError("not a snapshot of a numbering plan") from problem


def write_snapshot(path: Path, rules: PlanRules | None = None) -> None:
    """Writes a snapshot, completely or not at all. OSError if it cannot be written."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(snapshot_bytes(rules))
    new.replace(path)
