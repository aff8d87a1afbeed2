"""Conversion of imports, their specs and counts to messages of the contract."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from bossjy.imports.v1 import import_pb2
from bossjy_server.imports.records import (
    Counts,
    ImportJob,
    Part,
    Spec,
    State,
)

_STATES = {
    State.OPEN: import_pb2.IMPORT_STATE_OPEN,
    State.SUCCEEDED: import_pb2.IMPORT_STATE_SUCCEEDED,
    State.CANCELLED: import_pb2.IMPORT_STATE_CANCELLED,
    State.FAILED: import_pb2.IMPORT_STATE_FAILED,
    State.REVERTED: import_pb2.IMPORT_STATE_REVERTED,
}


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
        create_time=time(value.create_time),
        update_time=time(value.update_time),
        end_time=time(value.end_time) if value.end_time else None,
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


def _part(value: Part) -> import_pb2.ImportPart:
    return import_pb2.ImportPart(
        part=value.part,
        committed_offset=value.committed_offset,
        finished=value.finished,
        counts=counts(value.counts),
    )


def time(value: datetime) -> Timestamp:
    """A time as a message."""
    stamp = Timestamp()
    stamp.FromDatetime(value)
    return stamp
