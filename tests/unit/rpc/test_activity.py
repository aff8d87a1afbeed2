"""Counts of callers: tenants by name up to a bound, active users and sessions, keys that expire soon."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry

from bossjy_server.context import Caller
from bossjy_server.rpc.activity import Activity


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def caller(tenant: str, user: str = "u1", key: str = "", expires_s: float = 1e12) -> Caller:
    return Caller(tenant, user, frozenset(), "member", "" if key else f"s-{user}", key, expires_s)


def test_tenants_beyond_the_bound_share_one_name() -> None:
    registry = CollectorRegistry()
    activity = Activity(registry, 2)
    for tenant, code in [("a", "OK"), ("b", "NOT_FOUND"), ("c", "INTERNAL"), ("d", "OK"), ("a", "UNAVAILABLE")]:
        activity.count(caller(tenant), code, 0.5)

    def calls(tenant: str, outcome: str) -> float | None:
        return registry.get_sample_value("bossjy_tenant_calls_total", {"tenant_id": tenant, "outcome": outcome})

    assert (calls("a", "ok"), calls("a", "fault"), calls("b", "refused")) == (1, 1, 1)
    assert (calls("other", "ok"), calls("other", "fault"), calls("c", "fault")) == (1, 1, None)
    assert registry.get_sample_value("bossjy_tenant_call_seconds_total", {"tenant_id": "a"}) == 1.0


def test_no_tenant_is_named_if_the_bound_is_zero() -> None:
    registry = CollectorRegistry()
    Activity(registry, 0).count(caller("a"), "OK", 0.5)
    assert "tenant_id" not in str([family.samples for family in registry.collect()])
    assert registry.get_sample_value("bossjy_active_users") == 1


def test_users_and_sessions_are_active_for_one_to_two_windows() -> None:
    registry, clock = CollectorRegistry(), Clock()
    activity = Activity(registry, 10, clock)
    for user in ("u1", "u2", "u1"):
        activity.count(caller("a", user), "OK", 0.0)
    activity.count(caller("a", "u3", key="k1"), "OK", 0.0)

    def active() -> tuple[float | None, float | None]:
        return registry.get_sample_value("bossjy_active_users"), registry.get_sample_value("bossjy_active_sessions")

    assert active() == (3, 2)
    clock.now += 400
    activity.count(caller("a", "u4"), "OK", 0.0)
    assert active() == (4, 3)
    clock.now += 301
    assert active() == (1, 1)
    clock.now += 601
    assert active() == (0, 0)
    activity.count(caller("a", "u5"), "OK", 0.0)
    assert active() == (1, 1)


def test_keys_in_use_that_expire_within_two_weeks_are_counted_once() -> None:
    registry = CollectorRegistry()
    activity, day = Activity(registry, 10), 86_400
    for key, days in [("k1", 13), ("k1", 13), ("k2", 15), ("k3", 1)]:
        activity.count(caller("a", key=key, expires_s=time.time() + days * day), "OK", 0.0)
    assert registry.get_sample_value("bossjy_api_keys_expiring") == 2
