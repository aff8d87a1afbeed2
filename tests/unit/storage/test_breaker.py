"""The three states of the circuit breaker, on a clock of the test."""

from __future__ import annotations

import pytest

from bossjy_server.storage.breaker import Breaker, BreakerOpen, BreakerOptions, State


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("part", BreakerOptions(failures=3, open_s=1.0, longest_open_s=4.0), clock)


def fail(breaker: Breaker) -> None:
    with pytest.raises(OSError), breaker.use(OSError):
        raise OSError


def opened(breaker: Breaker) -> None:
    for _ in range(3):
        fail(breaker)
    assert breaker.state is State.OPEN


def test_failures_in_a_row_open_it_and_others_do_not(breaker: Breaker) -> None:
    for _ in range(3):
        fail(breaker)
        fail(breaker)
        with breaker.use(OSError):
            pass
    assert breaker.state is State.CLOSED
    with pytest.raises(KeyError), breaker.use(OSError):
        raise KeyError
    opened(breaker)


def test_while_it_is_open_nothing_goes_through(breaker: Breaker) -> None:
    opened(breaker)
    with pytest.raises(BreakerOpen) as caught:
        breaker.admit()
    assert 0 < caught.value.retry_after_s <= 1.2
    assert breaker.refused == 1


def test_one_trial_at_a_time_and_its_success_closes(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.3
    breaker.admit()
    assert breaker.state.name == "HALF_OPEN"
    with pytest.raises(BreakerOpen):
        breaker.admit()
    breaker.succeed()
    breaker.admit()
    assert breaker.state.name == "CLOSED"


def test_a_trial_that_fails_doubles_the_wait_up_to_its_bound(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    waits = []
    for _ in range(5):
        clock.now += 10
        fail(breaker)
        with pytest.raises(BreakerOpen) as caught:
            breaker.admit()
        waits.append(caught.value.retry_after_s)
    assert waits[0] > 1.5
    assert 3.0 <= waits[-1] <= 4.8


def test_a_trial_that_says_nothing_leaves_the_next_one_free(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.3
    with pytest.raises(KeyError), breaker.use(OSError):
        raise KeyError
    breaker.admit()


def test_a_trial_that_never_ends_does_not_keep_it_open_forever(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.3
    breaker.admit()
    clock.now += 1.1
    breaker.admit()


def test_it_opens_immediately_on_a_known_failure(breaker: Breaker) -> None:
    breaker.trip()
    breaker.trip()
    assert breaker.state is State.OPEN
    assert breaker.opened == 1
