"""Conversion between messages of the contract and plain values."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from bossjy.common.v1 import error_reason_pb2
from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_numbering import Number, NumberType, ParseError
from bossjy_server.errors import BossjyError, InvalidArgument, Reason, Violation
from bossjy_server.imports.change_store import Changed
from bossjy_server.imports.changes import FieldChange, changes
from bossjy_server.imports.countries import HINTS
from bossjy_server.imports.duplicate_store import DuplicateRow
from bossjy_server.imports.duplicates import differences
from bossjy_server.imports.messages import (
    Ack,
    Answer,
    Chunk,
    Finish,
    Finished,
    Flow,
    Message,
    Open,
    Opened,
    ShuttingDown,
    Skipped,
)
from bossjy_server.imports.preview import Preview, PreviewedColumn, PreviewedRow
from bossjy_server.imports.records import (
    ColumnMapping,
    Compression,
    ContactField,
    Counts,
    DoubtfulPolicy,
    DuplicatePolicy,
    ExistingPolicy,
    FileFormat,
    Header,
    ImportJob,
    Part,
    Quoting,
    RejectedRow,
    RejectLimit,
    SourceFormat,
    Spec,
    State,
)
from bossjy_server.imports.revert import Conflict

# An import names its columns up to four times. With this limit an answer with one import fits the limit of clients.
_MAX_SPEC_BYTES = 512 * 1024
# The shown part of the first rows in a preview.
_SHEET_CELLS = _SHEET_CHARACTERS = 100

_STATES = {
    State.OPEN: import_pb2.IMPORT_STATE_OPEN,
    State.SUCCEEDED: import_pb2.IMPORT_STATE_SUCCEEDED,
    State.CANCELLED: import_pb2.IMPORT_STATE_CANCELLED,
    State.FAILED: import_pb2.IMPORT_STATE_FAILED,
    State.REVERTED: import_pb2.IMPORT_STATE_REVERTED,
}


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


def spec(value: Spec) -> import_pb2.ImportSpec:
    """A spec as a message."""
    source = value.source
    return import_pb2.ImportSpec(
        display_name=value.display_name,
        file_name=value.file_name,
        source=import_pb2.SourceFormat(
            format=import_pb2.FileFormat.ValueType(source.format),
            compression=import_pb2.Compression.ValueType(source.compression),
            encoding=source.encoding,
            delimiter=source.delimiter,
            quote=source.quote,
            header=import_pb2.Header.ValueType(source.header),
            columns=source.columns,
            header_row=source.header_row,
            skip_rows=source.skip_rows,
            escape=source.escape,
            quoting=import_pb2.Quoting.ValueType(source.quoting),
        ),
        mapping=[
            import_pb2.ColumnMapping(
                column=one.column, field=import_pb2.ContactField.ValueType(one.field), attribute=one.attribute
            )
            for one in value.mapping
        ],
        default_region=value.default_region,
        existing_policy=import_pb2.ExistingPolicy.ValueType(value.existing_policy),
        duplicate_policy=import_pb2.DuplicatePolicy.ValueType(value.duplicate_policy),
        part_count=value.part_count,
        drop_unknown_columns=value.drop_unknown_columns,
        enrich=value.enrich,
        language=value.language,
        parent_import_id=value.parent_import_id,
        null_values=None if value.null_values is None else import_pb2.NullValues(values=value.null_values),
        doubtful_policy=import_pb2.DoubtfulPolicy.ValueType(value.doubtful_policy),
        reject_limit=None if value.reject_limit is None else import_pb2.RejectLimit(**asdict(value.reject_limit)),
    )


def counts(value: Counts) -> import_pb2.ImportCounts:
    """Counts as a message."""
    return import_pb2.ImportCounts(
        rows_in=value.rows_in,
        inserted=value.inserted,
        updated=value.updated,
        unchanged=value.unchanged,
        duplicate=value.duplicate,
        rejected=value.rejected,
    )


def import_job(value: ImportJob) -> import_pb2.Import:
    """An import as a message."""
    return import_pb2.Import(
        import_id=value.import_id,
        state=_STATES[value.state],
        spec=spec(value.spec),
        resolved=spec(value.resolved) if value.resolved else None,
        counts=counts(value.counts),
        parts=[_part(part) for part in value.parts],
        revision=value.revision,
        validate_only=value.validate_only,
        metadata_version=value.metadata_version,
        created_by=value.created_by,
        create_time=_time(value.create_time),
        update_time=_time(value.update_time),
        end_time=_time(value.end_time) if value.end_time else None,
        failure=value.failure,
        rejects_truncated=value.rejects_truncated,
        duplicates_truncated=value.duplicates_truncated,
        reject_counts=[
            import_pb2.RejectCount(
                reason=import_pb2.RejectReason.ValueType(one.reason),
                row_count=one.rows,
                suggestion_count=one.suggestions,
            )
            for one in value.reject_counts
        ],
    )


def rejected_row(value: RejectedRow) -> import_pb2.RejectedRow:
    """A rejected row as a message."""
    return import_pb2.RejectedRow(
        part=value.part,
        line=value.line,
        byte_offset=value.byte_offset,
        column=value.column,
        reason=import_pb2.RejectReason.ValueType(value.reason),
        original=value.original,
        suggestion=value.suggestion,
        row_text=value.row_text,
    )


def duplicate_row(value: DuplicateRow) -> import_pb2.DuplicateRow:
    """A duplicate row as a message."""
    winner_part, winner_offset = value.winner or (0, -1)
    return import_pb2.DuplicateRow(
        part=value.part,
        line=value.line,
        byte_offset=value.byte_offset,
        phone_number=value.e164,
        winner_part=winner_part,
        winner_line=value.winner_line,
        winner_byte_offset=winner_offset,
        differences=[
            import_pb2.FieldDifference(field=one.field, value=one.value, contact_value=one.contact_value)
            for one in differences(value)
        ],
        row_text=value.row_text,
    )


def changed_contact(value: Changed, policy: ExistingPolicy) -> import_pb2.ChangedContact:
    """A contact that an import changed, as a message."""
    return import_pb2.ChangedContact(
        phone_number=value.e164,
        part=value.part,
        line=value.line,
        byte_offset=value.byte_offset,
        changes=[_change(one) for one in changes(value, policy)],
    )


def _change(value: FieldChange) -> import_pb2.FieldChange:
    if value.field == "number_type":
        former, new = (NumberType(int(text)).name for text in (value.former, value.new))
        return import_pb2.FieldChange(field="number_type", former_value=former, new_value=new)
    field = "region_code" if value.field == "region" else value.field
    return import_pb2.FieldChange(field=field, former_value=value.former, new_value=value.new)


def conflict(value: Conflict) -> import_pb2.RevertConflict:
    """A contact that was not reverted, as a message."""
    return import_pb2.RevertConflict(
        phone_number=value.e164,
        changed_import_id=value.changed_import_id,
        update_time=_time(value.update_time),
    )


def preview(value: Preview) -> import_service_pb2.PreviewImportResponse:
    """The findings from a sample, as a message."""
    return import_service_pb2.PreviewImportResponse(
        resolved=spec(value.resolved.spec),
        encoding_evidence=value.resolved.encoding_evidence,
        delimiter_evidence=value.resolved.delimiter_evidence,
        region_confidence=value.region_confidence,
        columns=[_preview_column(one) for one in value.columns],
        rows=[_preview_row(one) for one in value.rows],
        counts=counts(value.counts),
        import_region=value.region.asked,
        import_region_confidence=value.region.asked_share,
        likely_region=value.region.likely,
        likely_region_confidence=value.region.likely_share,
        region_doubtful=value.region.doubtful,
        equally_likely_regions=value.region.equally_likely,
        sheet=[
            import_service_pb2.SheetRow(line=line, cells=[cell[:_SHEET_CHARACTERS] for cell in cells[:_SHEET_CELLS]])
            for line, cells in value.resolved.sheet
        ],
        problem=_problem(value.problem) if value.problem else None,
    )


def _problem(error: BossjyError) -> import_service_pb2.PreviewProblem:
    reason = error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{error.reason.value}")
    return import_service_pb2.PreviewProblem(reason=reason, message=error.message, metadata=error.metadata)


def _preview_column(value: PreviewedColumn) -> import_service_pb2.PreviewColumn:
    return import_service_pb2.PreviewColumn(
        column=value.mapping.column,
        field=import_pb2.ContactField.ValueType(value.mapping.field),
        confidence=value.confidence,
        evidence=value.evidence,
        samples=value.samples,
    )


def _preview_row(value: PreviewedRow) -> import_service_pb2.PreviewRow:
    refused = value.rejected
    return import_service_pb2.PreviewRow(
        line=value.line,
        number=_number(value.number) if value.number else None,
        reason=import_pb2.RejectReason.ValueType(refused.reason if refused else 0),
        suggestion=refused.suggestion if refused else "",
    )


def _number(value: Number) -> phone_service_pb2.ValidateNumberResponse:
    """The basic view, as ValidateNumber gives it."""
    reason = number_pb2.InvalidReason.ValueType(value.reason)
    if value.error is not ParseError.NONE:
        return phone_service_pb2.ValidateNumberResponse(reason=reason)
    unknown = value.type is NumberType.UNKNOWN
    return phone_service_pb2.ValidateNumberResponse(
        valid=value.valid,
        possible=value.possible,
        reason=reason,
        possibility=number_pb2.Possibility.ValueType(value.possible_reason + 1),
        e164=value.e164,
        calling_code=value.calling_code,
        national_number=value.national_digits,
        region_code=(value.region or "") if value.valid else "",
        type=number_pb2.NUMBER_TYPE_UNKNOWN if unknown else number_pb2.NumberType.ValueType(value.type + 1),
        extension=value.extension or "",
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


def answer(value: Answer) -> import_service_pb2.UploadResponse:
    """One message of the server."""
    pb = import_service_pb2
    match value:
        case Ack():
            said = pb.UploadAck(committed_offset=value.committed_offset, counts=counts(value.counts))
            return pb.UploadResponse(ack=said)
        case Opened():
            return pb.UploadResponse(opened=pb.UploadOpened(next_offset=value.next_offset, counts=counts(value.counts)))
        case Flow():
            return pb.UploadResponse(flow=pb.UploadFlow(window_bytes=value.window_bytes))
        case Skipped():
            reason = error_reason_pb2.ERROR_REASON_OFFSET_COMMITTED
            return pb.UploadResponse(
                skipped=pb.UploadSkipped(offset=value.offset, committed_offset=value.committed_offset, reason=reason)
            )
        case ShuttingDown():
            return pb.UploadResponse(shutting_down=pb.UploadShuttingDown(grace_ms=value.grace_ms))
        case Finished():
            return pb.UploadResponse(finished=pb.UploadFinished(import_job=import_job(value.job)))


def _part(value: Part) -> import_pb2.ImportPart:
    return import_pb2.ImportPart(
        part=value.part,
        committed_offset=value.committed_offset,
        finished=value.finished,
        counts=counts(value.counts),
    )


def _time(value: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(value)
    return stamp
