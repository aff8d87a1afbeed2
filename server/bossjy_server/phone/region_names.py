"""Names of regions in many languages, from the tables that ship with `phonenumbers`."""

from __future__ import annotations

from bossjy_numbering.region_names import language_tables
from bossjy_server.phone.languages import DEFAULT_LANGUAGE, names_of


def region_name(region_code: str, language: str) -> str:
    """The name of a region, in English if `language` has none; empty if there is no name at all."""
    names = language_tables().get(region_code, {})
    for candidate in (*names_of(language), DEFAULT_LANGUAGE):
        name = names.get(candidate, "")
        if name.startswith("*"):
            name = names.get(name[1:], "")
        if name:
            return name
    return ""
