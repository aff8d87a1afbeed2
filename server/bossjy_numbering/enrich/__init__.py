"""Carrier, place and time zone of a number, as phonenumbers' carrier, geocoder and timezone tell them."""

from __future__ import annotations

from bossjy_numbering.enrich.enrichment import Enrichment, load_enrichment
from bossjy_numbering.enrich.labels import Labels

__all__ = ["Enrichment", "Labels", "load_enrichment"]
