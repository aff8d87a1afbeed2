"""Carrier, place and time zone of a number, as given by phonenumbers' carrier, geocoder and timezone."""

from __future__ import annotations

from bossjy_numbering.enrich.enrichment import Enrichment, load_enrichment
from bossjy_numbering.enrich.labels import Labels

__all__ = ["Enrichment", "Labels", "load_enrichment"]
