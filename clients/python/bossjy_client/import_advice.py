"""Advice before an import: a missing or wrong region of its numbers, from a preview."""

from __future__ import annotations

from bossjy.imports.v1 import import_service_pb2


def region_advice(preview: import_service_pb2.PreviewImportResponse) -> str:
    """The problem with the region of an import, and the region that would fit; '' if there is none."""
    if not preview.region_doubtful:
        return ""
    fits = f"{preview.likely_region_confidence:.0%} of the numbers are valid with region {preview.likely_region}"
    if preview.equally_likely_regions:
        fits += f" (as many with {', '.join(preview.equally_likely_regions)})"
    share = f"{preview.import_region_confidence:.0%}"
    if preview.import_region:
        return f"{fits}, {share} with region {preview.import_region}"
    return f"{fits}, {share} without a region"
