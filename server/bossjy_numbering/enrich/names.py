"""Names by prefix in all languages: the set of names for given digits, and the name of a set for a language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.cache import Arrays
from bossjy_numbering.enrich.intervals import Intervals, flatten, smallest
from bossjy_numbering.enrich.languages import hidden
from bossjy_numbering.enrich.source import Names


class Texts:
    """Texts by number, each once. 0 is the empty text."""

    def __init__(self) -> None:
        self.held = [""]
        self._numbers = {"": 0}

    def number(self, text: str) -> int:
        """The number of a text. ValueError if it cannot be kept."""
        number = self._numbers.get(text)
        if number is None:
            if "\n" in text:
                raise ValueError("a name of two lines")
            number = self._numbers[text] = len(self.held)
            self.held.append(text)
        return number


class _NameSets:
    """Sets of names by number, each once. 0 is the empty set."""

    def __init__(self) -> None:
        self.held: list[dict[str, str]] = [{}]
        self._numbers: dict[Names, int] = {(): 0}
        self._within: dict[tuple[int, int], int] = {}

    def number(self, names: Iterable[tuple[str, str]]) -> int:
        key = tuple(sorted(names))
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.held)
            self.held.append(dict(key))
        return number

    def within(self, outer: int, own: int) -> int:
        """All names that some language uses for a prefix with names `own` inside one with names `outer`.

        In the combined set each language finds the name that it would have found prefix by prefix: see `hidden`.
        """
        if not outer:
            return own
        number = self._within.get((outer, own))
        if number is None:
            nearer = self.held[own]
            seen = {key: name for key, name in self.held[outer].items() if not hidden(key, nearer)}
            number = self._within[outer, own] = self.number((seen | nearer).items())
        return number


def pack_names(prefixes: Mapping[str, Names], texts: Texts) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays of a `PrefixNames`. ValueError if the names violate the assumptions of `hidden`."""
    _check_keys({key for names in set(prefixes.values()) for key, _ in names})
    sets = _NameSets()
    width = max(map(len, prefixes))
    starts, values = flatten(((prefix, sets.number(names)) for prefix, names in prefixes.items()), width, sets.within)
    # Of all sets that were created, those in use.
    used = np.unique(np.append(values, 0))
    renumbered = np.zeros(len(sets.held), np.int64)
    renumbered[used] = np.arange(len(used))
    by_key: dict[str, list[tuple[int, int]]] = {}
    for number, held in enumerate(used.tolist()):
        for key, name in sets.held[held].items():
            by_key.setdefault(key, []).append((number, texts.number(name)))
    ends = np.cumsum([0, *map(len, by_key.values())]).tolist()
    pairs = np.array([pair for of_key in by_key.values() for pair in of_key], np.int64).reshape(-1, 2)
    header = {
        "width": width,
        "sets": len(used),
        "keys": dict(zip(by_key, pairwise(ends), strict=True)),
    }
    return header, {
        "starts": starts,
        "values": smallest(renumbered[values]),
        "pair_sets": smallest(pairs[:, 0]),
        "pair_names": smallest(pairs[:, 1]),
    }


def _check_keys(keys: set[str]) -> None:
    """The assumption of `hidden`: besides its bare name a language has at most one more key, such as `zh_Hant`."""
    written = [key.partition("_")[0] for key in keys if "_" in key]
    if len(set(written)) != len(written):
        raise ValueError(f"a language with several scripts or regions: {sorted(keys)}")


@dataclass(frozen=True, slots=True)
class PrefixNames:
    """Names by prefix. `intervals` gives the number of a set of names; sets and names are numbered from 0, empty."""

    intervals: Intervals
    set_count: int
    # By key (`en`, `zh_Hant`): the range of its pairs.
    keys: Mapping[str, tuple[int, int]]
    # Pairs (p,): a set, and the number of its name under the key.
    pair_sets: NDArray[np.unsignedinteger]
    pair_names: NDArray[np.unsignedinteger]

    def known(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The keys that have names."""
        return tuple(key for key in keys if key in self.keys)

    def serving(self, keys: Iterable[str]) -> NDArray[np.int32]:
        """The number of the usable name, by set: the first of the keys that the set has; 0 for none."""
        serving = np.zeros(self.set_count, np.int32)
        for key in reversed(self.known(keys)):
            begin, end = self.keys[key]
            serving[self.pair_sets[begin:end]] = self.pair_names[begin:end]
        return serving


def unpack_names(header: Mapping[str, Any], arrays: Arrays) -> PrefixNames:
    """Inverse of `pack_names`."""
    return PrefixNames(
        Intervals(arrays["starts"], arrays["values"], header["width"]),
        header["sets"],
        {key: (begin, end) for key, (begin, end) in header["keys"].items()},
        arrays["pair_sets"],
        arrays["pair_names"],
    )
