"""JSON pointers, by the examples of RFC 6901."""

from __future__ import annotations

from typing import Any

import pytest

from bossjy_server.lookup.pointers import Pointer

DOCUMENT: dict[str, Any] = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, "deep": [{"carrier": "Moon"}]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/m~0n", 8),
        ("/ ", 7),
        ("/deep/0/carrier", "Moon"),
        ("/foo/2", None),
        ("/foo/-", None),
        ("/foo/00", None),
        ("/foo/٠", None),
        ("/foo/99999999999", None),
        ("/nothing/here", None),
        ("/a~1b/x", None),
    ],
)
def test_values_at_pointers(text: str, value: object) -> None:
    assert Pointer(text).value(DOCUMENT) == value


@pytest.mark.parametrize("text", ["", "carrier", "/a~2", "/a~"])
def test_invalid_pointers(text: str) -> None:
    with pytest.raises(ValueError, match="JSON pointer"):
        Pointer(text)
