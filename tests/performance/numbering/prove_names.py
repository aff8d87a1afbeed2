"""Tasks of the proof that compare names: only their processes import the peer's 100 MB of places."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Slices of all prefixes: (begin, step). One has about 3,000 prefixes, each with about a hundred comparisons.
_OF_A_TASK = 3_000
_PREFIXES = 318_004  # of phonenumbers 9.0.43; another version has some more or less, which only cuts tasks otherwise


def prefix_tasks(every: int) -> list[tuple[int, int]]:
    """Slices whose union is every n-th prefix."""
    parts = max(_PREFIXES // every // _OF_A_TASK, 1)
    return [(part * every, parts * every) for part in range(parts)]


def names_at_prefixes(part: Any) -> tuple[int, list[str]]:
    """Names at the prefixes of a slice: comparisons, differences."""
    proof = import_module("tests.performance.numbering.enrich_proof")
    begin, step = part
    return _found(proof.prove_prefixes(proof.prefixes()[begin::step]))


def names_of_texts(seed: Any, count: int) -> tuple[int, list[str]]:
    """Names of a number of texts of all kinds; the first seed of a run has the example numbers as well."""
    proof = import_module("tests.performance.numbering.enrich_proof")
    drawn = proof.texts(count, seed)
    if seed % 1_000_000 == 0:
        drawn = [*proof.examples(), *drawn]
    return _found(proof.prove_texts(drawn, seed))


def _found(proof: Any) -> tuple[int, list[str]]:
    return proof.comparisons, proof.differences
