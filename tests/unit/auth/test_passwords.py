from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.password_list import password_list
from bossjy_server.auth.password.password_rules import PasswordRules
from bossjy_server.auth.password.passwords import HashingSlot, Passwords
from bossjy_server.errors import InvalidArgument, Reason, ResourceExhausted

OPTIONS = AuthOptions(hash_threads=1, hash_queue_per_thread=2)
RULES = PasswordRules(AuthOptions())


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(OPTIONS)
    yield made
    made.close()


@pytest.fixture
def slot(passwords: Passwords) -> Iterator[HashingSlot]:
    with passwords.slot() as slot:
        yield slot


async def test_a_hash_is_argon2id_of_its_own_salt(slot: HashingSlot) -> None:
    first, second = await slot.hash("a password"), await slot.hash("a password")
    assert first.startswith("$argon2id$v=19$m=12288,t=3,p=1$")
    assert first != second
    for stored in (first, second):
        verdict = await slot.verify(stored, "a password")
        assert (verdict.right, verdict.rehash) == (True, False)
    assert not (await slot.verify(first, "another")).right


async def test_a_hash_that_another_library_made_is_as_good(slot: HashingSlot) -> None:
    made = "$argon2id$v=19$m=12288,t=3,p=1$NM1Qi3iPyeuJoWDRuGrljQ$Qt8USpmYZPy3tgydlU+wCFcAjDu3aJKZoGHJH8ti1OM"
    verdict = await slot.verify(made, "cafe\N{COMBINING ACUTE ACCENT} 我")  # by argon2-cffi 25.1
    assert (verdict.right, verdict.rehash) == (True, False)
    assert not (await slot.verify(made, "cafe 我")).right


@pytest.mark.parametrize(
    "stored", ["$", "not a hash", "$argon2id$", "$argon2id$v=19$m=12288,t=3,p=1$", "x" * 200, "é我"]
)
async def test_a_text_that_is_not_a_hash_never_matches(slot: HashingSlot, stored: str) -> None:
    assert not (await slot.verify(stored, "a password")).right


async def test_nothing_is_truncated(slot: HashingSlot) -> None:
    stored = await slot.hash("x" * 256)
    assert not (await slot.verify(stored, "x" * 255)).right
    assert not (await slot.verify(stored, "x" * 257)).right
    assert not (await slot.verify(await slot.hash("a\0b"), "a\0c")).right


async def test_what_looks_the_same_is_the_same(slot: HashingSlot) -> None:
    stored = await slot.hash("cafe\N{COMBINING ACUTE ACCENT}")
    assert (await slot.verify(stored, "caf\N{LATIN SMALL LETTER E WITH ACUTE}")).right


async def test_nobody_has_no_password(slot: HashingSlot) -> None:
    for text in ("", "x", "a password"):
        assert not (await slot.verify(None, text)).right


async def test_an_older_setting_asks_for_a_new_hash(slot: HashingSlot) -> None:
    weak = Passwords(AuthOptions(argon2_time_cost=1))
    with weak.slot() as other:
        stored = await other.hash("a password")
    weak.close()
    assert (await slot.verify(stored, "a password")).rehash


async def hash_one(passwords: Passwords) -> str:
    with passwords.slot() as slot:
        return await slot.hash("x")


async def test_beyond_the_queue_a_hash_is_refused_at_once(passwords: Passwords) -> None:
    running = [asyncio.create_task(hash_one(passwords)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhausted) as caught, passwords.slot():  # no wait for anything
        raise AssertionError("there was a slot")
    assert caught.value.reason is Reason.OVERLOADED
    assert caught.value.retry_after_s
    await asyncio.gather(*running)
    await hash_one(passwords)


async def test_cancelled_calls_free_their_slot(passwords: Passwords) -> None:
    began = time.perf_counter()
    await hash_one(passwords)
    one_s = time.perf_counter() - began
    for _ in range(50):
        running = [asyncio.create_task(hash_one(passwords)) for _ in range(3)]
        await asyncio.sleep(0)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    began = time.perf_counter()
    await hash_one(passwords)
    # Work that was cancelled while it waited is not computed: that would be up to 150 hashes.
    assert time.perf_counter() - began < 20 * one_s


async def test_the_loop_stays_free_while_hashes_run(passwords: Passwords) -> None:
    running = [asyncio.create_task(hash_one(passwords)) for _ in range(3)]
    ticks = 0
    while not all(task.done() for task in running):
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks >= 5


@pytest.mark.parametrize(
    "password",
    [
        "violet lamp over river",
        "我家的猫每天早上六点钟叫我起床吃饭",
        "k3J9x-2mPq8-Zt5Lw",
        "               x y z w v u",
        "thisonehasonlylowercaseletters",
        "840275 190746 338291",
        "Password of my own invention",
        "a" * 8 + "violet" * 2 + "lamp" * 2,
    ],
)
def test_any_composition_is_accepted(password: str) -> None:
    RULES.check(password)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "fewer than 15"),
        ("x" * 14, "fewer than 15"),
        ("violet " * 37, "more than 256"),
        ("correct horse battery staple", "most common passwords"),
        ("CorrectHorseBatteryStaple", "most common passwords"),
        ("Password1234567", "most common passwords"),
        ("P@ssw0rdP@ssw0rd", "most common passwords"),
        ("Dragon!Dragon!Dragon!", "most common passwords"),
        ("Summer2026Summer", "most common passwords"),
        ("123456789012345", "most common passwords"),
        ("aaaaaaaaaaaaaaa", "most common passwords"),
        ("bababababababab", "repeats"),
        ("x9!x9!x9!x9!x9!x9!", "repeats"),
        ("qwertzuiop7654321", "keyboard"),
        ("fedcbazyxwvutsrq", "keyboard"),
        ("98767898789876545", "keyboard"),
        ("ann@example.com1", "your name"),
        ("AnnSmith Example 2026", "your name"),
    ],
)
def test_common_passwords_are_refused(password: str, why: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        RULES.check(password, ["ann@example.com", "Ann Smith", ""], field="new_password")
    assert caught.value.reason is Reason.PASSWORD_REFUSED
    (violation,) = caught.value.violations
    assert violation.field == "new_password"
    assert why in violation.description
    assert password not in caught.value.message


def test_a_limit_is_counted_in_characters() -> None:
    RULES.check("violet lamps ok")
    RULES.check("ж" * 4 + "violet lamps " * 19 + "ok ok")
    with pytest.raises(InvalidArgument):
        RULES.check("violet lamps o")


def test_the_list_that_ships_is_long_enough() -> None:
    fitting = {line for line in password_list().whole if len(line) >= OPTIONS.password_min_chars}
    assert len(fitting) >= 3000
    assert all(len(word) < 15 for word in password_list().words)


def test_rules_take_no_time_on_any_text() -> None:
    began = time.thread_time()
    for text in ("a1" * 128, "password" * 32, "\N{COMBINING ACUTE ACCENT}" * 256, "!" * 256, "x " * 128):
        with pytest.raises(InvalidArgument):
            RULES.check(text, ["a" * 320, "b" * 200])
    assert time.thread_time() - began < 1
