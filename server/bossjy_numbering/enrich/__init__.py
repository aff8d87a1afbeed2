"""Carrier, place and time zone of a number, as given by phonenumbers' carrier, geocoder and timezone."""

from __future__ import annotations

from bossjy_numbering.enrich.enrichment import Enrichment, load_enrichment
from bossjy_numbering.enrich.labels import Labels
from bossjy_numbering.enrich.languages import is_language_tag

__all__ = ["Enrichment", "Labels", "is_language_tag", "load_enrichment"]
