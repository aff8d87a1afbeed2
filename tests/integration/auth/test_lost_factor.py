"""Removal of another user's second factor by an administrator."""

from __future__ import annotations

import pyotp

from bossjy.auth.v1 import account_pb2
from bossjy_server.errors import Reason
from tests.integration.auth.conftest import PASSWORD, Clock, User, reason_of, register


async def with_factor(user: User, clock: Clock) -> None:
    begun = await user.call("BeginSecondFactor", password=PASSWORD)
    await user.call("ConfirmSecondFactor", totp_code=pyotp.TOTP(begun.secret).at(int(clock())))


async def test_removal_of_a_lost_factor_is_audited(owner: User, clock: Clock) -> None:
    bob = await owner.new_user("bob@example.com", account_pb2.ROLE_MEMBER)
    await with_factor(bob, clock)
    # A password reset leaves it on.
    password = (await owner.call("ResetPassword", user_id=bob.user_id)).password
    assert await reason_of(bob.login("bob@example.com", password)) is Reason.SECOND_FACTOR_REQUIRED
    removed = await owner.call("RemoveUserSecondFactor", user_id=bob.user_id)
    assert not removed.user.second_factor
    again = await bob.login("bob@example.com", password)
    assert not (await again.call("GetMe")).user.second_factor
    assert (await owner.call("RemoveUserSecondFactor", user_id=bob.user_id)).ended_count == 1
    assert await reason_of(again.call("GetMe")) is Reason.SESSION_ENDED
    events = (await owner.call("ListAuditEvents", filter='action = "auth.remove_user_second_factor"')).events
    assert [(one.actor, one.resource) for one in events] == [(owner.user_id, bob.user_id)] * 2


async def test_nobody_takes_it_off_above_elsewhere_or_from_themselves(owner: User, clock: Clock) -> None:
    await with_factor(owner, clock)
    admin = await owner.new_user("bob@example.com", account_pb2.ROLE_ADMIN)
    other = await register(owner.auth, "Other")
    assert await reason_of(admin.call("RemoveUserSecondFactor", user_id=owner.user_id)) is Reason.SCOPE_MISSING
    assert await reason_of(owner.call("RemoveUserSecondFactor", user_id=owner.user_id)) is Reason.SCOPE_MISSING
    assert await reason_of(other.call("RemoveUserSecondFactor", user_id=owner.user_id)) is Reason.RESOURCE_NOT_FOUND
    assert (await owner.call("GetMe")).user.second_factor
