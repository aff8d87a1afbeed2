from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bossjy_client import SourceError
from bossjy_client.opening import path_document
from bossjy_client.sources import FileSource
from bossjy_client.stream_source import StreamSource

DATA = bytes(range(256)) * 40


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 700), min_size=1), back=st.integers(0, 3000), release_every=st.integers(1, 5))
async def test_stream_gives_the_bytes_of_any_kept_offset(sizes: list[int], back: int, release_every: int) -> None:
    source = StreamSource(io.BytesIO(DATA))
    offset = released = 0
    for step, size in enumerate(sizes):
        data = await source.read(offset, size)
        assert data == DATA[offset : offset + len(data)]
        assert len(data) <= size
        assert data or offset == len(DATA)
        offset += len(data)
        if step % release_every == 0:
            released = max(released, offset - back)
            source.release(released)
        again = await source.read(max(released, offset - back), 50)
        assert again == DATA[max(released, offset - back) :][: len(again)]


async def test_stream_keeps_no_more_than_is_unacknowledged() -> None:
    source = StreamSource(io.BytesIO(DATA))
    for offset in range(0, len(DATA), 512):
        await source.read(offset, 512)
        source.release(offset)
        assert sum(len(data) for _, data in source._kept) <= 1024


async def test_a_new_stream_resumes_after_the_committed_bytes() -> None:
    source = StreamSource(io.BytesIO(DATA))
    assert await source.read(5000, 100) == DATA[5000:5100][: len(await source.read(5000, 100))]
    assert sum(len(data) for _, data in source._kept) <= 200
    with pytest.raises(SourceError, match="cannot go back"):
        await source.read(0, 100)


async def test_stream_shorter_than_what_is_committed() -> None:
    source = StreamSource(io.BytesIO(DATA))
    assert await source.read(len(DATA) + 1, 100) == b""


async def test_pipe() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as out:
            out.write(DATA)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reader, "rb") as stream:
        source = StreamSource(stream)
        read = b""
        while data := await source.read(len(read), 1000):
            read += data
    thread.join()
    assert read == DATA
    assert source.size == len(DATA)


async def test_run_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(DATA)
    source = FileSource(path, start=100, end=300)
    assert source.size == 200
    assert await source.read(0, 1000) == DATA[100:300]
    assert await source.read(150, 1000) == DATA[250:300]
    assert await source.read(200, 1000) == b""
    source.close()


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        path_document(tmp_path / "missing.csv")
    with pytest.raises(SourceError, match="not a file"):
        path_document(tmp_path)
