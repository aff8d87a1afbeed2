"""Advice before an import: a missing or wrong region of its numbers, from a preview."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bossjy.imports.v1 import import_service_pb2
from bossjy_client.errors import BossjyError
from bossjy_client.sources import Source

# As the contract states it for PreviewImportRequest.sample.
SAMPLE_BYTES = 1024 * 1024
# Errors of the service, and not of the file: its upload would get them as well.
_OF_SERVICE = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "UNAUTHENTICATED", "PERMISSION_DENIED"})

Preview = Callable[[bytes, bool], Awaitable[import_service_pb2.PreviewImportResponse]]


def _english(text: str, /, **values: object) -> str:
    return text.format(**values)


def region_advice(preview: import_service_pb2.PreviewImportResponse, say: Callable[..., str] = _english) -> str:
    """The problem with the region of an import, and the region that would fit; '' if there is none.

    `say` puts the texts with their values into another language.
    """
    if not preview.region_doubtful:
        return ""
    likely = say(
        "{share} of the numbers are valid with region {region}",
        share=f"{preview.likely_region_confidence:.0%}",
        region=preview.likely_region,
    )
    if preview.equally_likely_regions:
        likely += say(" (as many with {regions})", regions=", ".join(preview.equally_likely_regions))
    share = f"{preview.import_region_confidence:.0%}"
    if preview.import_region:
        return say("{likely}, {share} with region {region}", likely=likely, share=share, region=preview.import_region)
    return say("{likely}, {share} without a region", likely=likely, share=share)


async def likely_region(source: Source, preview: Preview) -> tuple[str, str]:
    """The only region that fits the first numbers of a source if they need one, and the reason; else two empty texts.

    `preview` gets the first bytes, and true if they are all. Raises BossjyError if the service does not answer.
    """
    sample = await source.read(0, SAMPLE_BYTES)
    if not sample:
        return "", ""
    try:
        found = await preview(sample, source.size == len(sample))
    except BossjyError as error:
        if error.code in _OF_SERVICE:
            raise
        return "", ""  # the upload reports the fault of the file
    advice = region_advice(found)
    if not advice or found.import_region or found.equally_likely_regions:
        return "", ""
    return found.likely_region, advice
