"""Page tokens: where the page before ended, sealed so that only what was given out comes back."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from datetime import datetime

from bossjy_server.auth.keys import Keys
from bossjy_server.errors import InvalidArgument, Reason

DEFAULT_SIZE = 50
_MAC_BYTES = 16


class PageTokens:
    """Makes and reads page tokens. A token holds for one method, caller and filter: the `listing`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def write(self, listing: Sequence[str], *cursor: str) -> str:
        """The token for the page after `cursor`. No personal data: it is readable by who has it."""
        body = json.dumps(cursor).encode()
        return urlsafe_b64encode(self._mac(listing, body) + body).rstrip(b"=").decode()

    def read(self, listing: Sequence[str], token: str) -> list[str]:
        """The cursor of a token. Raises InvalidArgument(PAGE_TOKEN_INVALID) if made for another."""
        try:
            data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (UnicodeEncodeError, Base64Error) as error:
            raise _invalid() from error
        mac, body = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(listing, body)):
            raise _invalid()
        return [str(part) for part in json.loads(body)]

    def time_cursor(self, listing: Sequence[str], token: str) -> tuple[datetime, str] | None:
        """The cursor (time, id) of a listing by time; None for the first page. Raises as `read` does."""
        if not token:
            return None
        time, last_id = self.read(listing, token)
        return datetime.fromisoformat(time), last_id

    def _mac(self, listing: Sequence[str], body: bytes) -> bytes:
        return self._keys.mac("page", *(part.encode() for part in listing), body)[:_MAC_BYTES]


def page_size(asked: int) -> int:
    """How many rows a page has: 0 stands for the default."""
    return asked or DEFAULT_SIZE


def _invalid() -> InvalidArgument:
    return InvalidArgument(
        Reason.PAGE_TOKEN_INVALID,
        "the page token was not given out for this request: start again without one",
    )
