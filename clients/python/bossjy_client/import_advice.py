"""Advice before an import: whether the region of its numbers is missing or wrong, as a preview shows it."""

from __future__ import annotations

from bossjy.imports.v1 import import_service_pb2


def region_advice(preview: import_service_pb2.PreviewImportResponse) -> str:
    """What is wrong with the region of an import, and which region would fit; '' if nothing is."""
    if not preview.region_doubtful:
        return ""
    fits = f"{preview.likely_region_confidence:.0%} of the numbers are valid with region {preview.likely_region}"
    if preview.equally_likely_regions:
        fits += f" (as many with {', '.join(preview.equally_likely_regions)})"
    share = f"{preview.import_region_confidence:.0%}"
    if preview.import_region:
        return f"{fits}, {share} with region {preview.import_region}"
    return f"{fits}, {share} without a region"
