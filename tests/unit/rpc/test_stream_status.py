"""The tests' own reader of the status of a refused stream: it always gets the server's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.stream_status import stream_status
from tests.unit.rpc.test_chain import READER, STREAM, Phone

# On a busy machine the client of grpc.aio loses a tenth of them or more.
TRIES = 100


async def test_the_status_of_a_refused_stream_is_the_servers(serve: Callable[..., Any]) -> None:
    ended: Counter[tuple[str, str]] = Counter()
    async with serve(Phone()) as served:
        for _ in range(TRIES):
            one = await stream_status(served.address, STREAM, [b""] * 3)
            ended[one.code, one.reason] += 1
        assert ended == {("UNAUTHENTICATED", "CREDENTIALS_MISSING"): TRIES}
        cut = await stream_status(served.address, STREAM, [b"\xff"] * 100, READER)
        assert (cut.code, cut.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")
        answered: list[bytes] = []
        whole = await stream_status(served.address, STREAM, [], READER, on_answer=answered.append)
        assert (whole.code, whole.reason, whole.answers, answered) == ("OK", "", [], [])
