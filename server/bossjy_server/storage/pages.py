"""Pagination of all lists (AIP-158): page sizes from the contract, and page tokens that only this service can create.

A token is the position after the last row of a page, encrypted (AES-SIV): a position can be a number or a name. The
type of the request, the tenant and the other fields of the request are authenticated with it, so a token is valid only
for the same request. The key comes from the service's secret: a token survives restarts, on every worker and replica.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from bossjy.common.v1 import request_pb2
from bossjy_server.errors import InvalidArgument, Reason

# The first byte of a token. A change of its form, or of the position of any list, needs a new value.
_VERSION = b"\x01"
_MAX_TOKEN_CHARS = 512
# A token can contain an encrypted number, so a copy of it does not stay useful for long after an erasure.
_MAX_AGE_S = 3 * 24 * 3600
# Rows of one page: a response with them fits the 4 MiB that gRPC clients accept by default.
_PAGE_BYTES = 3 * 1024 * 1024
# Fields of a request that can change between two pages of one list.
_FREE_FIELDS = ("page_size", "page_token", "count_total")

Value: TypeAlias = str | int | datetime
Row = TypeVar("Row")
Answer = TypeVar("Answer", bound="Sized")


class Mac(Protocol):
    """Keyed hash under the service's secret: 32 bytes for a purpose and any parts."""

    def __call__(self, purpose: str, *parts: bytes) -> bytes:
        """The hash."""
        ...


class Sized(Protocol):
    """Message of the contract."""

    def ByteSize(self) -> int:  # noqa: N802 - as protobuf names it
        """Its size on the wire in bytes."""
        ...


class Pages:
    """Opens pages of lists. All lists share one key."""

    def __init__(self, mac: Mac, clock: Callable[[], float] = time.time) -> None:
        self._cipher = AESSIV(mac("page tokens", b"1") + mac("page tokens", b"2"))
        self._clock = clock

    def open(self, request: Any, *owner: str, kinds: Sequence[type[Value]]) -> Page:
        """The page that a request asks for. Raises InvalidArgument(PAGE_TOKEN_INVALID).

        `request`: a message with `page_size` and `page_token`. `owner`: the tenant, and the user if the list is the
        caller's own. `kinds`: the types of a position in this list.
        """
        default_size, max_size = _sizes(request.DESCRIPTOR)
        size = min(request.page_size or default_size, max_size)
        rest = type(request)()
        rest.CopyFrom(request)
        for name in _FREE_FIELDS:
            if name in request.DESCRIPTOR.fields_by_name:
                rest.ClearField(name)
        texts = (request.DESCRIPTOR.full_name, *owner)
        bound = [*(text.encode() for text in texts), rest.SerializeToString(deterministic=True)]
        cursor = self._read(request.page_token, bound, kinds) if request.page_token else None
        return Page(size, cursor, lambda position: self._write(position, bound))

    def _write(self, position: Sequence[Value], bound: list[bytes]) -> str:
        body = orjson.dumps([int(self._clock()), *position])
        return _text(_VERSION + self._cipher.encrypt(body, bound))

    def _read(self, token: str, bound: list[bytes], kinds: Sequence[type[Value]]) -> tuple[Any, ...]:
        try:
            return self._decrypted(token, bound, kinds)
        except (ValueError, InvalidTag):
            # Without the cause: an invented token is not a fault of the service.
            raise InvalidArgument(
                Reason.PAGE_TOKEN_INVALID,
                "the page token was not issued for this request, or is too old: start again without one",
            ) from None

    def _decrypted(self, token: str, bound: list[bytes], kinds: Sequence[type[Value]]) -> tuple[Any, ...]:
        if len(token) > _MAX_TOKEN_CHARS:
            raise ValueError("too long")
        sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        # The encoding is unique, so any change of a token's text makes it invalid.
        if _text(sealed) != token or sealed[:1] != _VERSION:
            raise ValueError("not a token of this version")
        issued, *position = orjson.loads(self._cipher.decrypt(sealed[1:], bound))
        if self._clock() - issued > _MAX_AGE_S:
            raise ValueError("too old")
        return tuple(_value(value, kind) for value, kind in zip(position, kinds, strict=True))


class Page:
    """One page of a list: at most `size` rows after the position `cursor` (None: the first page)."""

    __slots__ = ("_write", "cursor", "size")

    def __init__(self, size: int, cursor: tuple[Any, ...] | None, write: Callable[[Sequence[Value]], str]) -> None:
        self.size = size
        self.cursor = cursor
        self._write = write

    @property
    def limit(self) -> int:
        """The number of rows to read: one more than the page has, which shows if there is another page."""
        return self.size + 1

    def answer(
        self, rows: Sequence[Row], convert: Callable[[Row], Answer], position: Callable[[Row], Sequence[Value]]
    ) -> tuple[list[Answer], str]:
        """The messages of this page, and the token of the next one ('' on the last page).

        A page has fewer than `size` rows if these exceed the maximum bytes of a response; at least one.
        """
        answers: list[Answer] = []
        size_bytes = 0
        for row in rows[: self.size]:
            message = convert(row)
            size_bytes += message.ByteSize()
            if answers and size_bytes > _PAGE_BYTES:
                break
            answers.append(message)
        more = len(rows) > len(answers)
        return answers, self._write(position(rows[len(answers) - 1])) if more else ""


@cache
def _sizes(request: Any) -> tuple[int, int]:
    """Default and maximum size of a page, stated in the descriptor of a request."""
    rule = request.fields_by_name["page_size"].GetOptions().Extensions[request_pb2.page]
    return rule.default_size, rule.max_size


def _value(value: object, kind: type[Value]) -> Value:
    """A component of a position, parsed by its type. Raises ValueError."""
    if kind is datetime and type(value) is str:
        return datetime.fromisoformat(value)
    if type(value) is not kind:
        raise ValueError("another list's position")
    return value


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
