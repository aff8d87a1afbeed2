from __future__ import annotations

import pytest

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.login.throttle import Bucket, LocalBuckets, Throttle, throttled
from bossjy_server.auth.options import AuthOptions
from bossjy_server.errors import Reason, ResourceExhausted, Unauthenticated
from tests.unit.auth.conftest import Clock


def test_a_bucket_holds_so_many_and_fills_again(clock: Clock) -> None:
    buckets = LocalBuckets(100, clock)
    one = [Bucket("one", 3, 10.0)]
    assert [buckets.take(one) for _ in range(3)] == [0, 0, 0]
    assert round(buckets.take(one), 6) == 10
    clock.now += 4
    assert round(buckets.take(one), 6) == 6
    clock.now += 6
    assert buckets.take(one) == 0
    assert buckets.take(one) > 0
    clock.now += 1000
    assert [buckets.take(one) for _ in range(3)] == [0, 0, 0]
    assert buckets.take(one) > 0


def test_if_one_bucket_is_empty_none_loses_an_attempt(clock: Clock) -> None:
    buckets = LocalBuckets(100, clock)
    small, large = Bucket("small", 1, 10.0), Bucket("large", 2, 10.0)
    assert buckets.take([small, large]) == 0
    for _ in range(5):
        assert buckets.take([small, large]) > 0
    assert buckets.take([large]) == 0


def test_returned_attempts_can_be_taken_again(clock: Clock) -> None:
    buckets = LocalBuckets(100, clock)
    one = [Bucket("one", 1, 10.0)]
    for _ in range(10):
        assert buckets.take(one) == 0
        buckets.give_back(one)
    buckets.give_back([Bucket("unknown", 1, 1.0)])


def test_there_is_an_end_to_the_buckets(clock: Clock) -> None:
    buckets = LocalBuckets(3, clock)
    for number in range(10):
        buckets.take([Bucket(str(number), 1, 1.0)])
    assert list(buckets._full_at) == ["7", "8", "9"]


async def test_without_redis_a_replica_counts_by_itself(keys: Keys, clock: Clock) -> None:
    throttle = Throttle(None, keys, AuthOptions(account_failures=2), clock)

    async def guess(account: str, reason: Reason | None) -> None:
        async with throttle.attempt("acme", account, "10.0.0.1"):
            if reason:
                raise Unauthenticated(reason, "no")

    for _ in range(5):
        await guess("ann@example.com", None)
        # A refusal for another cause says nothing about the password and does not count.
        with pytest.raises(Unauthenticated):
            await guess("ann@example.com", Reason.OVERLOADED)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await guess("ann@example.com", Reason.LOGIN_REFUSED)
    with pytest.raises(ResourceExhausted) as caught:
        await guess("ann@example.com", None)
    assert caught.value.reason is Reason.LOGIN_THROTTLED
    await guess("bob@example.com", None)
    assert "example" not in str(list(throttle._local._full_at))


async def refused_guess(throttle: Throttle, address: str, reason: Reason = Reason.LOGIN_REFUSED) -> float:
    """A failed login: 0 for a guess that was checked, else the wait that the block got or that was reported."""
    waits = [0.0]
    try:
        async with throttle.login("acme", "ann@example.com", address) as wait_s:
            waits = [wait_s]
            raise throttled(wait_s) if wait_s else Unauthenticated(reason, "no")
    except (Unauthenticated, ResourceExhausted) as error:
        return -1.0 if error.retry_after_s and not waits[0] else waits[0]


async def test_an_account_has_a_bucket_for_each_network_and_one_for_all(keys: Keys, clock: Clock) -> None:
    options = AuthOptions(account_failures=2, account_failures_of_all=5, tenant_failures=100, address_failures=0)
    throttle = Throttle(None, keys, options, clock)
    # One network: two guesses, then none, and the others are not affected.
    assert [await refused_guess(throttle, "192.0.2.1") for _ in range(4)] == [0, 0, -1, -1]
    # Two addresses of one /64 are one network.
    assert await refused_guess(throttle, "2001:db8::1") == 0
    assert await refused_guess(throttle, "2001:db8::ffff") == 0
    assert await refused_guess(throttle, "2001:db8::2") == -1
    assert await refused_guess(throttle, "192.0.2.2") == 0
    # Five in all: an additional network may be checked, but only for a right password from a known network.
    assert await refused_guess(throttle, "192.0.2.2") == pytest.approx(10)
    async with throttle.login("acme", "ann@example.com", "192.0.2.3") as wait_s:
        assert wait_s == pytest.approx(10)
    # A success was returned to its own network only; a failure counts there.
    assert [await refused_guess(throttle, "192.0.2.3") > 0 for _ in range(2)] == [True, True]
    assert await refused_guess(throttle, "192.0.2.3") == -1
    clock.now += 10
    assert await refused_guess(throttle, "192.0.2.4") == 0
    assert await refused_guess(throttle, "192.0.2.4") > 0


async def test_signed_in_users_are_throttled_by_account_and_network_not_by_tenant(keys: Keys, clock: Clock) -> None:
    options = AuthOptions(account_failures=2, account_failures_of_all=3, tenant_failures=1, address_failures=50)
    throttle = Throttle(None, keys, options, clock)

    async def guess(address: str) -> Reason:
        with pytest.raises((Unauthenticated, ResourceExhausted)) as caught:
            async with throttle.attempt("acme", "user-1", address):
                raise Unauthenticated(Reason.LOGIN_REFUSED, "no")
        return caught.value.reason

    assert await refused_guess(throttle, "198.51.100.1") == 0  # this uses up the tenant's attempts
    addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    refused, throttled_ = Reason.LOGIN_REFUSED, Reason.LOGIN_THROTTLED
    assert [await guess(one) for one in addresses] == [refused, refused, throttled_, refused, throttled_]


async def test_an_account_never_has_less_for_all_networks_than_for_one(keys: Keys, clock: Clock) -> None:
    throttle = Throttle(None, keys, AuthOptions(account_failures=20, account_failures_of_all=1), clock)
    assert [await refused_guess(throttle, "") for _ in range(21)] == [0] * 20 + [-1]
