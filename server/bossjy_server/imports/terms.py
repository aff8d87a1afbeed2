"""Checks of an import's region and language: unknown ones are rejected before a file is sent."""

from __future__ import annotations

from bossjy_numbering import Plan
from bossjy_numbering.enrich import is_language_tag
from bossjy_server.errors import InvalidArgument, Reason, Violation
from bossjy_server.imports.records import Spec


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
