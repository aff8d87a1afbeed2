"""Answers of ImportService: rows, previews and messages of uploads as messages of the contract."""

from __future__ import annotations

from bossjy.common.v1 import error_reason_pb2
from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_numbering import Number, NumberType, ParseError
from bossjy_server.errors import BossjyError
from bossjy_server.imports import convert
from bossjy_server.imports.cleaning.duplicates import DuplicateRow, differences
from bossjy_server.imports.database.change_store import Changed
from bossjy_server.imports.database.changes import FieldChange, changes
from bossjy_server.imports.database.revert import Conflict
from bossjy_server.imports.preview import Preview, PreviewedColumn, PreviewedRow
from bossjy_server.imports.records import (
    ExistingPolicy,
    RejectedRow,
)
from bossjy_server.imports.upload.messages import (
    Ack,
    Answer,
    Finished,
    Flow,
    Opened,
    ShuttingDown,
    Skipped,
)

# The shown part of the first rows in a preview.
_SHEET_CELLS = _SHEET_CHARACTERS = 100


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
        update_time=convert.time(value.update_time),
    )


def preview_answer(value: Preview) -> import_service_pb2.PreviewImportResponse:
    """The findings from a sample, as a message."""
    return import_service_pb2.PreviewImportResponse(
        resolved=convert.spec(value.resolved.spec),
        encoding_evidence=value.resolved.encoding_evidence,
        delimiter_evidence=value.resolved.delimiter_evidence,
        region_confidence=value.region_confidence,
        columns=[_preview_column(one) for one in value.columns],
        rows=[_preview_row(one) for one in value.rows],
        counts=convert.counts(value.counts),
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


def upload_answer(value: Answer) -> import_service_pb2.UploadResponse:
    """One message of the server."""
    pb = import_service_pb2
    match value:
        case Ack():
            said = pb.UploadAck(committed_offset=value.committed_offset, counts=convert.counts(value.counts))
            return pb.UploadResponse(ack=said)
        case Opened():
            return pb.UploadResponse(
                opened=pb.UploadOpened(next_offset=value.next_offset, counts=convert.counts(value.counts))
            )
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
            return pb.UploadResponse(finished=pb.UploadFinished(import_job=convert.import_job(value.job)))
