from __future__ import annotations

from bossjy_server.phone.fair_queue import FairQueue


def test_who_used_least_comes_first() -> None:
    queue: FairQueue[str] = FairQueue()
    assert queue.take() is None
    queue.add("a", 1, "a1")
    queue.add("a", 1, "a2")
    queue.add("a", 2, "other")
    queue.add("b", 3, "b1")
    taken = []
    while found := queue.take():
        tenant, call, job = found
        taken.append(job)
        queue.ended(tenant, call, 1.0)
    assert taken == ["a1", "b1", "other", "a2"]


def test_a_job_goes_on_before_the_others_of_its_call() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.add("a", 1, "first")
    queue.add("a", 1, "second")
    assert queue.take() == ("a", 1, "first")
    queue.again("a", 1, "first", 1.0)
    assert queue.take() == ("a", 1, "first")


def test_who_comes_late_gets_no_credit() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.add("old", 1, "job")
    for _ in range(10):
        assert queue.take() == ("old", 1, "job")
        queue.again("old", 1, "job", 1.0)
    queue.add("new", 2, "job")
    order = []
    for _ in range(6):
        found = queue.take()
        assert found is not None
        order.append(found[0])
        queue.again(*found, 1.0)
    assert order.count("new") in (3, 4)


def test_nothing_is_kept_of_a_tenant_without_jobs() -> None:
    queue: FairQueue[str] = FairQueue()
    for tenant in ("a", "b"):
        queue.add(tenant, 1, "job")
        queue.add(tenant, 2, "job")
    while found := queue.take():
        queue.ended(found[0], found[1], 0.5)
    assert queue._tenants == {}
