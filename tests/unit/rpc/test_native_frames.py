"""gRPC frames in ASGI events: any division into events, sizes, compression, truncated and malformed requests."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bossjy_server.errors import BossjyError
from bossjy_server.rpc.native.asgi import BODY, DISCONNECT
from bossjy_server.rpc.native.frames import Messages, framed

MOST = 1000


def reader(parts: Sequence[bytes], encoding: str = "", *, cut: bool = False) -> Messages:
    """A request that arrives in these parts; `cut`: then the client leaves."""
    events: list[dict[str, Any]] = [{"type": BODY, "body": part, "more_body": True} for part in parts]
    events.append({"type": DISCONNECT} if cut else {"type": BODY, "body": b"", "more_body": False})
    rest = iter(events)

    async def receive() -> dict[str, Any]:
        return next(rest)

    return Messages(receive, MOST, encoding)


async def all_of(messages: Messages) -> list[bytes]:
    return [one async for one in messages.all()]


def refused(running: Any) -> str:
    with pytest.raises(BossjyError) as caught:
        asyncio.run(running)
    return str(caught.value.reason.value)


@given(st.lists(st.binary(max_size=50), max_size=5), st.lists(st.integers(0, 300), max_size=6))
def test_messages_do_not_depend_on_the_division(messages: list[bytes], cuts: list[int]) -> None:
    body = b"".join(map(framed, messages))
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    parts = [body[low:high] for low, high in itertools.pairwise(places)]
    assert asyncio.run(all_of(reader(parts))) == messages
    if len(messages) == 1:
        assert asyncio.run(reader(parts).only()) == messages[0]
    else:
        assert refused(reader(parts).only()) == "MALFORMED_REQUEST"


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_compressed_messages(packed: Any) -> None:
    encoding = "gzip" if packed is gzip.compress else "deflate"

    def body(raw: bytes) -> bytes:
        return b"\1" + framed(packed(raw))[1:]

    assert asyncio.run(reader([body(b"x" * MOST) + framed(b"plain")], encoding).read()) == b"x" * MOST
    assert refused(reader([body(b"x" * (MOST + 1))], encoding).only()) == "MESSAGE_TOO_LARGE"
    assert refused(reader([body(b"x" * 10)], "").only()) == "MALFORMED_REQUEST"
    short = packed(bytes(range(250)) * 4)[:-9]
    assert refused(reader([b"\1" + framed(short)[1:]], encoding).only()) == "MALFORMED_REQUEST"
    assert refused(reader([b"\1" + framed(b"no archive")[1:]], encoding).only()) == "MALFORMED_REQUEST"


@pytest.mark.parametrize("body", [b"", b"\0\0", framed(b"abc")[:-1], framed(b"a") + b"\0"])
def test_a_truncated_request_is_malformed(body: bytes) -> None:
    assert refused(reader([body]).only()) == "MALFORMED_REQUEST"


def test_a_large_message_is_refused_before_it_is_read() -> None:
    head = framed(b"x" * (MOST + 1))[:5]
    assert refused(reader([head]).only()) == "MESSAGE_TOO_LARGE"
    assert refused(all_of(reader([head]))) == "MESSAGE_TOO_LARGE"
    assert refused(reader([framed(b"x" * (MOST + 1))]).only()) == "MESSAGE_TOO_LARGE"


def test_a_client_that_leaves_cancels() -> None:
    async def read() -> None:
        with pytest.raises(asyncio.CancelledError):
            await reader([framed(b"x")[:3]], cut=True).only()

    asyncio.run(read())
