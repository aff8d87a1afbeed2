"""Page tokens: where a page ended, bound to the request that it was given out for.

No secret is needed: row-level security holds whatever a token says, and a cursor is checked by its type.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import orjson

from bossjy_server.errors import InvalidArgument, Reason

_CHECK_BYTES = 8


def page_token(listing: Sequence[str | int], *cursor: str | int) -> str:
    """The token for the page behind `cursor`. `listing` is what must stay the same between pages."""
    body = orjson.dumps(cursor)
    return urlsafe_b64encode(_check(listing, body) + body).rstrip(b"=").decode()


def read_page_token(listing: Sequence[str | int], token: str, *types: type[str | int]) -> list[str | int] | None:
    """The cursor of a token, of these types; None without one. Raises InvalidArgument(PAGE_TOKEN_INVALID)."""
    if not token:
        return None
    try:
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        cursor = orjson.loads(data[_CHECK_BYTES:])
    except ValueError as error:
        raise _invalid() from error
    if data[:_CHECK_BYTES] != _check(listing, data[_CHECK_BYTES:]) or [type(one) for one in cursor] != list(types):
        raise _invalid()
    return list(cursor)


def _check(listing: Sequence[str | int], body: bytes) -> bytes:
    return hashlib.blake2b(orjson.dumps(listing) + body, digest_size=_CHECK_BYTES, person=b"bossjy-page").digest()


def _invalid() -> InvalidArgument:
    return InvalidArgument(
        Reason.PAGE_TOKEN_INVALID, "the page token was not given out for this request: start again without one"
    )
