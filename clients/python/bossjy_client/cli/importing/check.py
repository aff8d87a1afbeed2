"""Check of the first rows before an import: nothing is sent if the region is missing or clearly wrong."""

from __future__ import annotations

from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy_client.cli.exit_codes import DoubtfulError
from bossjy_client.cli.messages import tr
from bossjy_client.client import Client
from bossjy_client.errors import BossjyError, ConflictError, InvalidRequestError
from bossjy_client.import_advice import region_advice


async def check_first(
    client: Client, spec: import_pb2.ImportSpec, sample: bytes, *, complete: bool
) -> import_service_pb2.PreviewImportResponse | None:
    """Preview the sample. None if there is no result.

    Raises DoubtfulError for the region, and the error with which an import of the file would fail.
    """
    if not sample:
        return None
    try:
        preview = await client.imports.preview(sample, spec, complete=complete)
    except ConflictError as error:
        if error.reason == "PHONE_COLUMN_MISSING":
            raise await _with_region(client, spec, error, sample, complete=complete) from None
        raise
    except InvalidRequestError as error:
        if any(one.field == "sample" for one in error.violations):
            return None  # too few bytes are available
        raise
    except BossjyError as error:
        if error.code in {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"}:
            return None  # the upload waits for the service longer than this check does
        raise
    if advice := region_advice(preview, tr):
        several = list(preview.equally_likely_regions)
        option = tr("--region CC with the right one") if several else f"--region {preview.likely_region}"
        todo = tr("give {option}", option=option) if spec.default_region else tr("add {option}", option=option)
        raise DoubtfulError(
            tr("nothing was sent: {advice}; {todo}, or --yes to import anyway", advice=advice, todo=todo),
            metadata={
                "option": f"--region {preview.likely_region}",
                "likely_region": preview.likely_region,
                "equally_likely_regions": ", ".join(several),
                "likely_share": f"{preview.likely_region_confidence:.3f}",
                "region": preview.import_region,
                "share": f"{preview.import_region_confidence:.3f}",
            },
        )
    return preview


async def _with_region(
    client: Client, spec: import_pb2.ImportSpec, error: BossjyError, sample: bytes, *, complete: bool
) -> BossjyError:
    """The error, and the region of the numbers in the likely column."""
    column = error.metadata.get("phone_column", "")
    if not column:
        return error
    wanted = import_pb2.ImportSpec()
    wanted.CopyFrom(spec)
    wanted.mapping.add(column=column, field=import_pb2.CONTACT_FIELD_PHONE_NUMBER)
    try:
        preview = await client.imports.preview(sample, wanted, complete=complete)
    except BossjyError:
        return error
    if advice := region_advice(preview, tr):
        error.message += tr(
            ". For this column, {advice}: add --region {region}", advice=advice, region=preview.likely_region
        )
        error.metadata["likely_region"] = preview.likely_region
        error.metadata["option"] += f" --region {preview.likely_region}"
    return error
