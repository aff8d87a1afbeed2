"""Requests of ImportService as plain values."""

from __future__ import annotations

from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy_numbering import Plan
from bossjy_numbering.enrich import is_language_tag
from bossjy_server.errors import InvalidArgument, Reason, Violation
from bossjy_server.imports.reading.countries import HINTS
from bossjy_server.imports.records import (
    ColumnMapping,
    Compression,
    ContactField,
    DoubtfulPolicy,
    DuplicatePolicy,
    ExistingPolicy,
    FileFormat,
    Header,
    Quoting,
    RejectLimit,
    SourceFormat,
    Spec,
)
from bossjy_server.imports.upload.messages import (
    Chunk,
    Finish,
    Message,
    Open,
)

# An import names its columns up to four times. With this limit an answer with one import fits the limit of clients.
_MAX_SPEC_BYTES = 512 * 1024


def spec_from(message: import_pb2.ImportSpec) -> Spec:
    """The requested spec with defaults in place. Raises InvalidArgument for a spec that makes answers too large."""
    source = message.source
    if (size := message.ByteSize()) > _MAX_SPEC_BYTES:
        raise InvalidArgument(
            Reason.INVALID_FIELD,
            f"spec has {size} bytes, {_MAX_SPEC_BYTES} are accepted: shorten the names of its columns",
            violations=[Violation("spec", f"has more than {_MAX_SPEC_BYTES} bytes")],
        )
    return Spec(
        display_name=message.display_name or message.file_name,
        file_name=message.file_name,
        source=SourceFormat(
            format=FileFormat(source.format),
            compression=Compression(source.compression),
            encoding=source.encoding,
            delimiter=source.delimiter,
            quote=source.quote,
            header=Header(source.header),
            columns=tuple(source.columns),
            header_row=source.header_row,
            skip_rows=source.skip_rows,
            escape=source.escape,
            quoting=Quoting(source.quoting),
        ),
        mapping=tuple(ColumnMapping(one.column, ContactField(one.field), one.attribute) for one in message.mapping),
        default_region=region_from(message.default_region),
        existing_policy=ExistingPolicy(message.existing_policy or ExistingPolicy.OVERWRITE),
        duplicate_policy=DuplicatePolicy(message.duplicate_policy or DuplicatePolicy.FIRST_WINS),
        part_count=message.part_count or 1,
        drop_unknown_columns=message.drop_unknown_columns,
        enrich=message.enrich,
        language=message.language,
        parent_import_id=message.parent_import_id,
        null_values=tuple(message.null_values.values) if message.HasField("null_values") else None,
        doubtful_policy=DoubtfulPolicy(message.doubtful_policy or DoubtfulPolicy.REJECT),
        reject_limit=_reject_limit_from(message.reject_limit) if message.HasField("reject_limit") else None,
    )


def check_terms(spec: Spec, plan: Plan) -> Spec:
    """The same spec. Raises InvalidArgument (INVALID_FIELD, LANGUAGE_UNKNOWN)."""
    region = spec.default_region
    if region and not any(one.code == region for one in plan.regions()):
        raise InvalidArgument(
            Reason.INVALID_FIELD,
            f"spec.default_region is no region of the numbering plan ({region}): ListRegions names them, in capitals",
            violations=[Violation("spec.default_region", "a region of the plan, in capitals")],
        )
    if spec.language and not is_language_tag(spec.language):
        raise InvalidArgument(
            Reason.LANGUAGE_UNKNOWN,
            "spec.language is not a BCP 47 tag: use for example en, zh, zh-Hant",
            violations=[Violation("spec.language", "a BCP 47 tag")],
        )
    return spec


def region_from(text: str) -> str:
    """The code of a region that is given as a code, a calling code or a name. Raises InvalidArgument."""
    if not text:
        return ""
    region = HINTS.region(text)
    if region is None:
        raise InvalidArgument(
            Reason.INVALID_FIELD,
            f"the region `{text}` is not understood, or could be several",
            violations=[Violation("spec.default_region", "give a code of ISO 3166, such as CN or DE")],
        )
    return region


def _reject_limit_from(message: import_pb2.RejectLimit) -> RejectLimit:
    return RejectLimit(
        rows=message.rows if message.HasField("rows") else None,
        percent=message.percent if message.HasField("percent") else None,
        minimum_rows=message.minimum_rows or RejectLimit().minimum_rows,
    )


def message_from(request: import_service_pb2.UploadRequest) -> Message:
    """One message of a client."""
    kind = request.WhichOneof("message")
    if kind == "chunk":
        chunk = request.chunk
        return Chunk(chunk.offset, chunk.data, chunk.crc32c if chunk.HasField("crc32c") else None)
    if kind == "finish":
        return Finish(request.finish.size_bytes, request.finish.sha256)
    return Open(request.open.import_id, request.open.part)
