from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bossjy_numbering import cache

CONTENT: cache.Content = (
    {"name": "\u53f7\u7801", "count": 3},
    {
        "numbers": np.arange(12, dtype=np.uint16).reshape(3, 4),
        "none": np.zeros(0, np.int32),
        "odd": np.ones(5, np.uint8),
    },
)


def same(one: cache.Content, other: cache.Content) -> bool:
    return one[0] == other[0] and all(
        one[1][name].dtype == array.dtype and np.array_equal(one[1][name], array) for name, array in other[1].items()
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    cache.write(tmp_path / "a", *CONTENT)
    held = cache.read(tmp_path / "a")
    assert same(held, CONTENT)
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    with pytest.raises(ValueError, match="read-only"):
        held[1]["numbers"][0] = 1


@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "other"])
def test_a_damaged_file_is_built_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "tables"
    cache.write(path, *CONTENT)
    sound = path.read_bytes()
    damaged = {
        "bit": sound[:90] + bytes([sound[90] ^ 1]) + sound[91:],
        "cut": sound[:-7],
        "empty": b"",
        "other": b"something else entirely, and long enough to be looked at " * 3,
    }[damage]
    path.write_bytes(damaged)
    with pytest.raises(cache.CacheError):
        cache.read(path)
    assert same(cache.load_or_build(path, lambda: CONTENT), CONTENT)
    assert path.read_bytes() == sound


def test_a_folder_that_cannot_be_written_costs_the_file_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    assert same(cache.load_or_build(tmp_path / "file" / "tables", lambda: CONTENT), CONTENT)
    assert "cannot be kept" in caplog.text


def _build(arguments: tuple[Path, Path]) -> bool:
    path, builds = arguments

    def build() -> cache.Content:
        with builds.open("a") as file:
            file.write("x")
        return CONTENT

    return same(cache.load_or_build(path, build), CONTENT)


def test_processes_that_need_it_at_once_build_it_once(tmp_path: Path) -> None:
    arguments: list[Any] = [(tmp_path / "tables", tmp_path / "builds")] * 8
    # Not multiprocessing's pool, which kills its processes: coverage can hang in a process that is killed while it
    # saves.
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        assert all(pool.map(_build, arguments))
    assert (tmp_path / "builds").read_text() == "x"
