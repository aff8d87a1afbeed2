"""Archives and compressed files: the reader of the one table inside reads them.

The service itself reads plain text in gzip and Zstandard, piece by piece.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from bossjy_client.errors import SourceError
from bossjy_client.readers.document import HEAD_BYTES, Bounded, Document, reading
from bossjy_client.readers.sheets import listed

Opener: TypeAlias = Callable[[IO[bytes]], IO[bytes]]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".lzma")
# Other content of archives: notes of file managers, and files that a text editor shows.
_NO_TABLE = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")
_TABLE_SUFFIXES = (
    ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".xlsb", ".xls", ".ods", ".vcf", ".parquet",
    ".feather", ".arrow", ".orc", ".html", ".htm", ".xml", *_SUFFIXES,
)  # fmt: skip
_NOTES = ("readme", "license", "licence", "lies", "说明")


def opener_of(document: Document) -> Opener | None:
    """The decompressor of a document; None if it is not compressed."""
    head = document.head
    if head.startswith(_GZIP):
        return lambda raw: cast("IO[bytes]", gzip.open(raw))
    if head.startswith(_ZSTD):
        return _zstandard
    if head.startswith(b"BZh") and head[4:10] in {b"1AY&SY", b"\x17rE8P\x90"}:
        return bz2.open
    if head.startswith(b"\xfd7zXZ\0"):
        return lzma.open
    return None


def is_service_compression(document: Document) -> bool:
    """True if the service reads the compression itself."""
    return document.head.startswith((_GZIP, _ZSTD))


def probe(document: Document) -> Document | None:
    """The start of the content of a gzip stream, from its head only; None if that is not enough."""
    if not document.head.startswith(_GZIP):
        return None
    with suppress(zlib.error):
        head = zlib.decompressobj(wbits=31).decompress(document.head, HEAD_BYTES)
        return Document(
            document.name,
            lambda: io.BytesIO(head),
            limits=document.limits,
            spool_bytes=document.spool_bytes,
            head=head,
            depth=1,
        )
    return None


def is_zip(document: Document) -> bool:
    """True if the document is a ZIP archive."""
    return document.head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def unpacked(document: Document) -> Document:
    """The document inside a compressed one or a ZIP archive. Raises SourceError."""
    if document.depth >= document.limits.archives:
        raise SourceError(
            f"{document.label}: more than {document.limits.archives} archives are nested (archives): unpack it"
        )
    if is_zip(document):
        return _member(document)
    opener = opener_of(document)
    if opener is None:  # pragma: no cover - callers ask first
        raise SourceError(f"{document.label}: it is not compressed")
    name = document.name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return _inner(document, name, document.open, opener)


def _inner(document: Document, name: str, open_raw: Callable[[], IO[bytes]], opener: Opener) -> Document:
    def bounded() -> IO[bytes]:
        raw = open_raw()
        with reading(document.label):
            return io.BufferedReader(Bounded(opener(raw), raw, document.limits.unpacked_bytes, document.label))

    return Document(name, bounded, limits=document.limits, spool_bytes=document.spool_bytes, depth=document.depth + 1)


def _member(document: Document) -> Document:
    path = document.file()
    with reading(document.label):
        try:
            with zipfile.ZipFile(path) as archive:
                members = [one for one in archive.infolist() if not one.is_dir()]
        except zipfile.BadZipFile as error:
            raise SourceError(f"{document.label}: the ZIP archive is truncated or damaged: {error}") from error
    if len(members) > document.limits.zip_members:
        raise SourceError(f"{document.label}: it has more than {document.limits.zip_members:,} files (zip_members)")
    member = _table(document, members)
    if member.flag_bits & 1:
        raise SourceError(f"{document.label}: `{member.filename}` in it is locked by a password: unpack it")
    if member.file_size > document.limits.unpacked_bytes:
        raise SourceError(
            f"{document.label}: it unpacks to more than {document.limits.unpacked_bytes:,} bytes (unpacked_bytes)"
        )
    return _inner(
        document, Path(member.filename).name, lambda: _open_member(document, path, member.filename), lambda raw: raw
    )


def _table(document: Document, members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The one member that is a table. Raises SourceError."""
    names = {member.filename for member in members}
    if any(name.startswith(("word/", "ppt/")) for name in names) or "Index/Document.iwa" in names:
        raise SourceError(f"{document.label}: it is a document of an office program, not a workbook: export it as CSV")
    files = [one for one in members if not any(part in one.filename.lower() for part in _NO_TABLE)]
    tables = files
    if len(files) > 1:
        tables = [
            one
            for one in files
            if one.filename.lower().endswith(_TABLE_SUFFIXES) and not Path(one.filename).name.lower().startswith(_NOTES)
        ]
    if len(tables) == 1:
        return tables[0]
    if not files:
        raise SourceError(f"{document.label}: the ZIP archive is empty")
    found = listed([one.filename for one in tables or files])
    raise SourceError(
        f"{document.label}: the ZIP archive contains {len(tables or files):,} files ({found}): unpack it, and import "
        "the files that are tables"
    )


def _open_member(document: Document, path: Path, name: str) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    try:
        return archive.open(name)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise SourceError(f"{document.label}: `{name}` in it cannot be read: {error}: unpack it") from error
    finally:
        archive.close()  # the open member keeps the file


def _zstandard(raw: IO[bytes]) -> IO[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - takes a moment, and most runs read no Zstandard

    library: Any = pa  # its stubs want other streams
    stream: IO[bytes] = library.CompressedInputStream(library.PythonFile(raw, mode="r"), "zstd")
    return stream
