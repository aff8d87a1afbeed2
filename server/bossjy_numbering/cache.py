"""File cache of arrays: built once, checked on every load, safe when two processes build at once.

A file contains a header in JSON, the arrays in their memory layout, and a SHA-256 of both at the end. A file that is
missing, truncated, damaged or of another layout is built anew. It is never read or written partially.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_LOG = logging.getLogger(__name__)
# The tables that the wheel `bossjy-numbering` contains. A checkout has none.
COMPILED = Path(__file__).parent / "compiled"
_MAGIC = b"BOSSJY01"
_CHECKSUM = hashlib.sha256().digest_size
# Arrays begin at multiples of this, so that they can be used in place.
_ALIGNMENT = 64

Arrays: TypeAlias = dict[str, NDArray[Any]]
Content: TypeAlias = tuple[dict[str, Any], Arrays]


class CacheError(Exception):
    """The content of the file is not as expected."""


def default_cache_dir() -> Path:
    """The default folder of tables."""
    return Path.home() / ".cache" / "bossjy"


def compiled_or_built(name: str, cache_dir: Path, build: Callable[[], Content]) -> Content:
    """The content of a file of the wheel. If the wheel has none, of the file in `cache_dir`, as in `load_or_build`."""
    try:
        return read(COMPILED / name)
    except CacheError:
        return load_or_build(cache_dir / name, build)


def load_or_build(path: Path, build: Callable[[], Content]) -> Content:
    """The content of a file. If there is no valid file, it is built and written first.

    If the folder cannot be written, the built content is returned anyway, and a warning is logged.
    """
    try:
        return read(path)
    except CacheError:
        pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_name(path.name + ".lock")):
            try:
                # Another process may have built it while this one waited.
                return read(path)
            except CacheError:
                content = build()
                write(path, *content)
                return content
    except OSError as problem:
        _LOG.warning("tables cannot be kept in %s: %s", path.parent, problem)
        return build()


def write(path: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes a file completely or not at all. OSError if the folder cannot be written."""
    parts = _parts(header, arrays)
    digest = hashlib.sha256()
    handle, name = tempfile.mkstemp(prefix=path.name, suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                digest.update(part)
                file.write(part)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> Content:
    """Header and arrays of a file. The arrays are read-only. CacheError if the file is not valid."""
    try:
        held = path.read_bytes()
    except OSError as problem:
        raise CacheError(str(problem)) from problem
    body = memoryview(held)[:-_CHECKSUM]
    if held[: len(_MAGIC)] != _MAGIC or hashlib.sha256(body).digest() != held[-_CHECKSUM:]:
        raise CacheError(f"{path} is damaged")
    size = int.from_bytes(held[len(_MAGIC) : len(_MAGIC) + 8], "little")
    begin = len(_MAGIC) + 8
    stored = json.loads(bytes(held[begin : begin + size]))
    arrays: Arrays = {}
    for name, (dtype, shape, offset) in stored["arrays"].items():
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(held, kind, count, _aligned(begin + size) + offset).reshape(shape)
    return stored["header"], arrays


def _parts(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
    places: dict[str, tuple[str, tuple[int, ...], int]] = {}
    offset = 0
    for name, array in arrays.items():
        places[name] = (array.dtype.str, array.shape, offset)
        offset = _aligned(offset + array.nbytes)
    described = json.dumps({"header": header, "arrays": places}, separators=(",", ":")).encode()
    begin = len(_MAGIC) + 8 + len(described)
    yield _MAGIC + len(described).to_bytes(8, "little") + described
    yield bytes(_aligned(begin) - begin)
    for array in arrays.values():
        yield np.ascontiguousarray(array).tobytes()
        yield bytes(_aligned(array.nbytes) - array.nbytes)


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Locks out other processes. The system releases the lock when its process ends, however it ends."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
