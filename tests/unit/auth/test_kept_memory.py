from __future__ import annotations

import resource
import threading

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerifyMismatchError

from bossjy_server.auth.kept_memory import KeptMemoryHasher

KIB, TIMES = 1024, 2
KEPT = KeptMemoryHasher(KIB, TIMES)
LIBRARY = PasswordHasher(time_cost=TIMES, memory_cost=KIB, parallelism=1)


@pytest.mark.parametrize("password", ["", "x", "a\0b", "我家的猫每天早上", "z" * 1000, "\N{GRINNING FACE}"])
def test_it_agrees_with_the_library(password: str) -> None:
    stored = LIBRARY.hash(password)
    assert KEPT.verify(stored, password)
    assert KEPT.verify(stored.encode(), password.encode())
    assert LIBRARY.verify(KEPT.hash(password), password)
    for wrong in (password + "x", "x" + password, password.upper() + "\0"):
        with pytest.raises(VerifyMismatchError):
            KEPT.verify(stored, wrong)


@pytest.mark.parametrize("settings", [(TIMES + 1, KIB, 1), (TIMES, 2 * KIB, 1), (TIMES, KIB, 2)])
def test_hashes_of_other_costs_are_the_librarys(settings: tuple[int, int, int]) -> None:
    time_cost, memory_cost, lanes = settings
    stored = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=lanes).hash("x")
    assert KEPT.verify(stored, "x")
    with pytest.raises(VerifyMismatchError):
        KEPT.verify(stored, "y")


def test_what_is_no_hash_is_told() -> None:
    stored = KEPT.hash("x")
    *_, salt, digest = stored.split("$")
    mangled = stored.replace(digest, "*" + digest[1:]), stored.replace(salt, salt[:-1] + "é")
    for text in ("", "$", "not a hash", *mangled):
        with pytest.raises(InvalidHashError):
            KEPT.verify(text, "x")
    with pytest.raises(VerifyMismatchError):
        KEPT.verify(stored[:-1] + ("A" if stored[-1] != "A" else "Q"), "x")


def test_nothing_is_left_in_the_memory() -> None:
    hasher = KeptMemoryHasher(KIB, TIMES)
    assert hasher.verify(hasher.hash("x"), "x")
    assert not any(hasher._memory()._held[:])


def test_a_thread_keeps_its_memory_and_shares_it_with_none() -> None:
    stored, wrong, held = KEPT.hash("x"), KEPT.hash("y"), set()

    def verify_often() -> None:
        for _ in range(20):
            assert KEPT.verify(stored, "x")
            with pytest.raises(VerifyMismatchError):
                KEPT.verify(wrong, "x")
            held.add(KEPT._memory())

    threads = [threading.Thread(target=verify_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == len(threads)


def test_no_page_is_taken_anew() -> None:
    hasher = KeptMemoryHasher(8 * KIB, 1)
    stored = hasher.hash("x")
    hasher.verify(stored, "x")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        hasher.verify(stored, "x")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 8 * KIB // 4


def test_memory_that_is_too_small_is_refused_by_argon2_and_not_written_past() -> None:
    memory = KeptMemoryHasher(KIB, 1)._memory()
    memory._fixed["m_cost"] = 2 * KIB
    with pytest.raises(HashingError, match="(?i)memory"):
        memory.digest(b"x", b"s" * 16, 32)
