"""Bounded map: its limit, its order and its expiry."""

from __future__ import annotations

from bossjy_server.bounded import BoundedMap


def test_the_oldest_entries_are_forgotten_beyond_the_limit() -> None:
    kept = BoundedMap[str, int](2)
    for number, key in enumerate("abc"):
        kept.keep(key, number)
    assert list(kept.items()) == [("b", 1), ("c", 2)]


def test_an_entry_that_is_kept_again_is_the_newest_and_replaces_none() -> None:
    kept = BoundedMap[str, int](2)
    for key in ("a", "b", "a"):
        kept.keep(key, len(kept))
    assert list(kept) == ["b", "a"]
    kept.keep("c", 0)
    assert list(kept) == ["a", "c"]


def test_expired_entries_are_forgotten_from_the_oldest_on() -> None:
    kept = BoundedMap[str, int](4)
    for key, until in (("a", 1), ("b", 5), ("c", 2)):
        kept.keep(key, until)
    kept.forget_while(lambda until: until <= 3)
    assert list(kept) == ["b", "c"]


def test_a_limit_of_nothing_still_keeps_the_newest() -> None:
    kept = BoundedMap[str, int](0)
    kept.keep("a", 1)
    kept.keep("b", 2)
    assert list(kept) == ["b"]
