"""Statements 25 to 31: passwords, contents of refusals, and floods."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import grpc.aio
import pytest

from tests.statements.conftest import PASSWORD, Person, Refused, Served, registered

TIMINGS = 200
FAILURES_PER_ACCOUNT = 10


async def register(nobody: Person, password: str, email: str = "") -> Refused:
    email = email or f"{secrets.token_hex(6)}@example.com"
    return await nobody.outcome("Register", tenant_display_name="Test", email=email, password=password)


@pytest.mark.statement(25)
async def test_25_fifteen_characters_at_least_and_sixty_four_are_permitted(nobody: Person) -> None:
    short = await register(nobody, "qz7 vk2 mw9 xj")
    assert (short.code, short.reason) == ("INVALID_ARGUMENT", "PASSWORD_REFUSED")
    assert (await register(nobody, "qz7 vk2 mw9 xj4")).code == "OK"
    assert (await register(nobody, secrets.token_hex(32))).code == "OK"


@pytest.mark.statement(26)
async def test_26_no_composition_is_required_and_nothing_is_truncated(nobody: Person) -> None:
    for password in (
        "quietharbourumbrellas",
        "        spaces at both ends  ",
        "пароль без всяких правил",
        "雨傘在安靜的港口上面飄動著很久了",
    ):
        assert (await register(nobody, password)).code == "OK", password
    long = secrets.token_hex(100)
    email = f"{secrets.token_hex(6)}@example.com"
    made = await register(nobody, long, email)
    person = replace(nobody, tenant_id=made.answer.tenant.tenant_id, email=email)
    await person.login(long)
    for other in (long[:-1], long[:72], long[:64], long + "x"):
        refused = await person.outcome("Login", tenant_id=person.tenant_id, email=email, password=other)
        assert refused.reason == "LOGIN_REFUSED"


@pytest.mark.statement(27)
@pytest.mark.parametrize("password", ["passwordpassword", "123456789012345", "qwertyuiopasdfghjkl", "aaaaaaaaaaaaaaaa"])
async def test_27_common_passwords_are_refused(nobody: Person, password: str) -> None:
    refused = await register(nobody, password)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PASSWORD_REFUSED")


def check_alike(times: dict[bool, list[float]]) -> None:
    """Equal within the noise: a fifth, or three milliseconds. The quicker half counts: others only slow calls down."""
    first, second = (statistics.median(sorted(times[which])[: TIMINGS // 2]) for which in (True, False))
    assert len(times[True]) == len(times[False]) == TIMINGS
    assert abs(first - second) < max(0.2 * max(first, second), 0.003), (first, second)


@pytest.mark.statement(28)
@pytest.mark.timeout(600)
async def test_28_a_login_does_not_reveal_users(owner: Person) -> None:
    known = [owner.email]
    for _ in range(TIMINGS // FAILURES_PER_ACCOUNT - 1):
        known.append(f"{secrets.token_hex(6)}@example.com")
        await owner.call("CreateUser", email=known[-1], role=2, password=PASSWORD)
    unknown = [f"{secrets.token_hex(6)}@example.com" for _ in known]
    times: dict[bool, list[float]] = {True: [], False: []}
    answers: set[Refused] = set()
    guest = replace(owner, access="")
    for number in range(TIMINGS):
        for exists, emails in ((True, known), (False, unknown)):
            began = time.perf_counter()
            ended = await guest.outcome(
                "Login", tenant_id=owner.tenant_id, email=emails[number % len(emails)], password="a wrong password"
            )
            times[exists].append(time.perf_counter() - began)
            answers.add(ended)
    assert {(one.code, one.reason) for one in answers} == {("UNAUTHENTICATED", "LOGIN_REFUSED")}
    assert len(answers) == 1
    check_alike(times)


@pytest.mark.statement(29)
@pytest.mark.timeout(600)
async def test_29_registration_does_not_reveal_users(nobody: Person, owner: Person) -> None:
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(TIMINGS):
        for exists in (True, False):
            email = owner.email if exists else f"{secrets.token_hex(6)}@example.com"
            began = time.perf_counter()
            made = await register(nobody, PASSWORD, email)
            times[exists].append(time.perf_counter() - began)
            assert made.code == "OK"
    check_alike(times)


@pytest.mark.statement(29)
async def test_29_a_reset_tells_nothing_of_other_tenants(nobody: Person, owner: Person) -> None:
    other = await registered(nobody, "Other")
    answers = {
        await owner.outcome("ResetPassword", user_id=user_id) for user_id in (other.user_id, "nobodyatall", "a" * 20)
    }
    assert len(answers) == 1
    assert answers.pop().code == "NOT_FOUND"


@pytest.mark.statement(30)
async def test_30_guesses_are_slowed_down_and_nothing_is_locked_for_good(owner: Person) -> None:
    other = await owner.colleague()
    guest = replace(owner, access="")
    codes = []
    for _ in range(FAILURES_PER_ACCOUNT + 3):
        codes.append(await guest.outcome("Login", tenant_id=owner.tenant_id, email=owner.email, password="wrong"))
    assert [one.reason for one in codes[:FAILURES_PER_ACCOUNT]] == ["LOGIN_REFUSED"] * FAILURES_PER_ACCOUNT
    last = codes[-1]
    assert (last.code, last.reason, last.retry) == ("RESOURCE_EXHAUSTED", "LOGIN_THROTTLED", True)
    # Another account still works, and so do users who are logged in.
    await other.login()
    assert (await owner.outcome("GetMe")).code == "OK"


@pytest.mark.statement(31)
async def test_31_a_flood_of_logins_is_shed_and_other_calls_are_answered(owner: Person, served: Served) -> None:
    request: dict[str, Any] = {"tenant_id": owner.tenant_id, "email": owner.email, "password": PASSWORD}
    async with AsyncExitStack() as connections:
        # Fewer calls than the limit of a connection: the server sheds them, not the transport.
        own = (("grpc.use_local_subchannel_pool", 1),)
        guests = [
            Person(await connections.enter_async_context(grpc.aio.insecure_channel(served.process.target, options=own)))
            for _ in range(4)
        ]
        flood = [asyncio.create_task(guests[each % 4].outcome("Login", **request)) for each in range(400)]
        waits = []
        while not all(one.done() for one in flood):
            began = time.perf_counter()
            assert (await owner.outcome("GetMe")).code == "OK"
            waits.append(time.perf_counter() - began)
        ended = [one.result() for one in flood]
    shed = [one for one in ended if one.code != "OK"]
    assert shed
    assert {one.code for one in shed} == {"RESOURCE_EXHAUSTED"}
    assert {one.retry for one in shed} == {True}
    assert len(shed) < len(ended)
    assert statistics.median(waits) < 0.25
