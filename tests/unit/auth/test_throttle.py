from __future__ import annotations

import pytest

from bossjy_server.auth.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.throttle import Bucket, LocalBuckets, Throttle
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


def test_nothing_is_taken_when_one_of_them_is_empty(clock: Clock) -> None:
    buckets = LocalBuckets(100, clock)
    small, large = Bucket("small", 1, 10.0), Bucket("large", 2, 10.0)
    assert buckets.take([small, large]) == 0
    for _ in range(5):
        assert buckets.take([small, large]) > 0
    assert buckets.take([large]) == 0


def test_what_is_given_back_can_be_taken_again(clock: Clock) -> None:
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


async def test_without_redis_a_replica_counts_alone(keys: Keys, clock: Clock) -> None:
    throttle = Throttle(None, keys, AuthOptions(account_failures=2), clock)

    async def guess(account: str, reason: Reason | None) -> None:
        async with throttle.attempt("acme", account, "10.0.0.1"):
            if reason:
                raise Unauthenticated(reason, "no")

    for _ in range(5):
        await guess("ann@example.com", None)
        # What was refused for another cause tells nothing about the password and does not count.
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
