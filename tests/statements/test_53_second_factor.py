"""Statement 53: a change or removal of a second factor requires it; wrong codes have a limit."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pyotp
import pytest

from bossjy.auth.v1 import account_pb2
from tests.statements.conftest import PASSWORD, Person

FAILURES_PER_ACCOUNT = 10
STEP_S = 30


async def turned_on(person: Person) -> tuple[pyotp.TOTP, list[str]]:
    """A person whose logins need a code, and the recovery codes."""
    totp = pyotp.TOTP((await person.call("BeginSecondFactor", password=PASSWORD)).secret)
    # With the code of the previous step, so that the current one is still unused.
    confirmed = await person.call("ConfirmSecondFactor", totp_code=totp.at(int(time.time()) - STEP_S))
    return totp, list(confirmed.recovery_codes)


def wrong_code(totp: pyotp.TOTP) -> str:
    near = {totp.at(int(time.time()) + off) for off in range(-10 * STEP_S, 11 * STEP_S, STEP_S)}
    return next(code for code in ("000000", *(f"{number:06}" for number in range(1, 50))) if code not in near)


@pytest.mark.statement(53)
@pytest.mark.parametrize("method", ["BeginSecondFactor", "RemoveSecondFactor"])
async def test_53_a_second_factor_is_changed_and_removed_only_with_a_code(owner: Person, method: str) -> None:
    totp, codes = await turned_on(owner)
    refused = await owner.outcome(method, password=PASSWORD)
    assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SECOND_FACTOR_REQUIRED")
    for code in (wrong_code(totp), "aaaa-bbbb-cccc-dddd", codes[0] + "x"):
        refused = await owner.outcome(method, password=PASSWORD, totp_code=code)
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "LOGIN_REFUSED"), code
    # The code by itself is not enough either.
    assert (await owner.outcome(method, password="a wrong password", totp_code=codes[0])).reason == "LOGIN_REFUSED"
    assert (await owner.call("GetMe")).user.second_factor
    assert (await owner.outcome(method, password=PASSWORD, totp_code=codes[0])).code == "OK"
    other = await owner.login(totp_code=codes[1]) if method == "BeginSecondFactor" else await owner.login()
    assert (await other.call("GetMe")).user.second_factor == (method == "BeginSecondFactor")


@pytest.mark.statement(53)
async def test_53_a_current_code_does_as_well_and_works_once(owner: Person) -> None:
    totp, _ = await turned_on(owner)
    code = totp.at(int(time.time()))
    assert (await owner.outcome("BeginSecondFactor", password=PASSWORD, totp_code=code)).code == "OK"
    assert (await owner.outcome("RemoveSecondFactor", password=PASSWORD, totp_code=code)).reason == "LOGIN_REFUSED"


@pytest.mark.statement(53)
@pytest.mark.timeout(240)
async def test_53_wrong_codes_in_a_row_have_an_end(few_codes: Person) -> None:
    """On a server that admits ten, so that the test need not wait for the throttle of logins."""
    owner = few_codes
    bob = await owner.colleague(account_pb2.ROLE_ADMIN)
    totp, codes = await turned_on(owner)
    guest = replace(owner, access="")
    login: dict[str, Any] = {"tenant_id": owner.tenant_id, "email": owner.email, "password": PASSWORD}
    wrong = wrong_code(totp)
    # Concurrently, so that parallel ones are bounded as well.
    ended = []
    for _ in range(5):
        ended += await asyncio.gather(*(guest.outcome("Login", **login, totp_code=wrong) for _ in range(6)))
    assert [one.reason for one in ended].count("LOGIN_REFUSED") == 10
    assert {one.reason for one in ended} == {"LOGIN_REFUSED", "SECOND_FACTOR_LOCKED"}
    right = await guest.outcome("Login", **login, totp_code=totp.at(int(time.time())))
    assert (right.code, right.reason) == ("UNAUTHENTICATED", "SECOND_FACTOR_LOCKED")
    # An administrator may not act on an owner; the owner has recovery codes.
    assert (await bob.outcome("RemoveUserSecondFactor", user_id=owner.user_id)).reason == "SCOPE_MISSING"
    again = await owner.login(totp_code=codes[0])
    right = await guest.outcome("Login", **login, totp_code=totp.at(int(time.time()) + STEP_S))
    assert right.code == "OK"
    # An owner can remove another user's factor.
    totp, _ = await turned_on(bob)
    login = {"tenant_id": owner.tenant_id, "email": bob.email, "password": PASSWORD}
    ended = [await guest.outcome("Login", **login, totp_code=wrong_code(totp)) for _ in range(11)]
    assert ended[-1].reason == "SECOND_FACTOR_LOCKED"
    await again.call("RemoveUserSecondFactor", user_id=bob.user_id)
    assert (await guest.outcome("Login", **login)).code == "OK"


@pytest.mark.statement(53)
async def test_53_wrong_passwords_and_wrong_codes_are_counted_separately(few_codes: Person) -> None:
    totp, _ = await turned_on(few_codes)
    guest = replace(few_codes, access="")
    login: dict[str, Any] = {"tenant_id": few_codes.tenant_id, "email": few_codes.email}
    for _ in range(15):
        refused = await guest.outcome("Login", **login, password="a wrong password", totp_code=wrong_code(totp))
        assert refused.reason == "LOGIN_REFUSED"
    right = await guest.outcome("Login", **login, password=PASSWORD, totp_code=totp.at(int(time.time())))
    assert right.code == "OK"
