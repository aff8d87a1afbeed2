"""The hashing semaphore: its limit, its order, and cancelled waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bossjy_server.auth.password.hashing_semaphore import HashingSemaphore


@dataclass
class Hall:
    """A hashing semaphore, its holders, and an end for each holder."""

    threads: int
    now: float = 0.0
    holders: list[int] = field(default_factory=list)
    ends: dict[int, asyncio.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.semaphore = HashingSemaphore(self.threads, lambda: self.now)

    def ask(self, number: int) -> asyncio.Task[None]:
        self.ends[number] = asyncio.Event()
        return asyncio.create_task(self._hold(number))

    async def _hold(self, number: int) -> None:
        async with self.semaphore.slot():
            self.holders.append(number)
            await self.ends[number].wait()
            self.holders.remove(number)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_threads_are_used_in_the_order_of_asking() -> None:
    hall = Hall(2)
    tasks = [hall.ask(number) for number in range(4)]
    await settle()
    assert hall.holders == [0, 1]
    hall.ends[1].set()
    await settle()
    assert hall.holders == [0, 2]
    for end in hall.ends.values():
        end.set()
    await asyncio.gather(*tasks)


async def test_a_flood_leaves_one_thread_free_for_a_second() -> None:
    hall = Hall(2)
    refuse(hall, 10)
    tasks = [hall.ask(number) for number in range(4)]
    await settle()
    assert hall.holders == [0]
    hall.now = 0.9
    hall.ends[0].set()
    await settle()
    assert hall.holders == [1]
    hall.now = 1.1  # the next that comes or goes notices that it has passed
    hall.ends[1].set()
    await settle()
    assert hall.holders == [2, 3]
    for end in hall.ends.values():
        end.set()
    await asyncio.gather(*tasks)


async def test_one_thread_stays_one_in_a_flood() -> None:
    hall = Hall(1)
    refuse(hall, 10)
    assert hall.semaphore.most == 1


async def test_some_refusals_are_no_flood() -> None:
    hall = Hall(2)
    refuse(hall, 9)
    assert hall.semaphore.most == 2
    hall.now = 1.1
    refuse(hall, 9)
    assert hall.semaphore.most == 2
    refuse(hall, 1)
    assert hall.semaphore.most == 1


def refuse(hall: Hall, times: int) -> None:
    for _ in range(times):
        hall.semaphore.note_refusal()


async def test_a_cancelled_task_takes_nobodys_turn() -> None:
    hall = Hall(1)
    tasks = [hall.ask(number) for number in range(4)]
    await settle()
    tasks[1].cancel()  # while it waits
    await settle()
    hall.ends[0].set()
    await settle()
    assert hall.holders == [2]
    tasks[2].cancel()  # while it holds
    await settle()
    assert hall.holders[-1] == 3
    hall.ends[3].set()
    await tasks[3]
    late = hall.ask(4)
    await settle()
    assert hall.holders[-1] == 4
    late.cancel()


async def test_a_task_cancelled_at_its_turn_passes_it_on() -> None:
    hall = Hall(1)
    tasks = [hall.ask(number) for number in range(3)]
    await settle()
    hall.ends[0].set()
    while not tasks[0].done():
        await asyncio.sleep(0)
    tasks[1].cancel()
    await settle()
    assert hall.holders == [2]
    hall.ends[2].set()
    await tasks[2]
