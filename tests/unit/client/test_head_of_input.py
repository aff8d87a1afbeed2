"""Check of the first bytes of standard input: it takes the available bytes, and loses none of them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from bossjy_client.readers.live import PeekedStream

SAMPLE = 1024 * 1024


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The writing end of a pipe that is standard input."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "r", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield writing  # every test closes it


def standard_input() -> PeekedStream:
    """Unbuffered standard input, as the tool reads it."""
    return PeekedStream(getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))


def rest_of(stream: PeekedStream) -> bytes:
    data = b""
    while piece := stream.read(4096):
        data += piece
    return data


def test_a_slow_producer_is_not_waited_for(pipe: int) -> None:
    os.write(pipe, b"phone,name\n13800144001,x\n")
    stream = standard_input()
    before = time.monotonic()
    sample, complete = stream.sample(SAMPLE)
    # The producer is silent for ever; without a limit this would never end.
    assert time.monotonic() - before < 30
    assert (sample, complete) == (b"phone,name\n13800144001,x\n", False)
    os.write(pipe, b"13800144002,y\n")
    os.close(pipe)
    assert rest_of(stream) == b"phone,name\n13800144001,x\n13800144002,y\n"


def test_a_whole_short_input_is_known_to_be_whole(pipe: int) -> None:
    os.write(pipe, b"phone\n13800144001\n")
    os.close(pipe)
    stream = standard_input()
    assert stream.sample(SAMPLE) == (b"phone\n13800144001\n", True)
    assert rest_of(stream) == b"phone\n13800144001\n"


def test_no_input(pipe: int) -> None:
    os.close(pipe)
    assert standard_input().sample(SAMPLE) == (b"", True)


@pytest.mark.parametrize("wanted", [10, 100_000])
def test_every_byte_of_a_fast_producer_comes_once(pipe: int, wanted: int) -> None:
    data = bytes(range(256)) * 4096

    def produce() -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(pipe, rest[:60_000]) :]
        os.close(pipe)

    producer = threading.Thread(target=produce)
    producer.start()
    stream = standard_input()
    sample, complete = stream.sample(wanted)
    assert len(sample) <= max(wanted, 8)
    assert not complete
    assert rest_of(stream) == data
    producer.join()
