"""Traffic of the proof of upgrades: short calls and imports by the client, whose retries are part of the proof."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

from bossjy_client import AsyncClient, ClientConfig
from bossjy_client.errors import BossjyError as ClientError
from tests.e2e.conftest import EMAIL, PASSWORD

ROWS = 300
# Kinds of calls by turns. Each is safe to retry. Few logins: more than BOSSJY_SESSIONS_PER_USER end the first session.
TURNS = (*("validate", "me", "count", "list", "validate", "many", "validate", "me", "count") * 5, "login")
_PAUSE_S = 0.2
_MANY = 50


class Traffic:
    """Calls of every kind, `per_second` of them, and one import after another, while its block runs."""

    def __init__(self, target: str, tenant_id: str, per_second: float) -> None:
        self._target, self._tenant_id, self._per_second = target, tenant_id, per_second
        self.phase = ""
        self.sent: Counter[str] = Counter()  # by phase
        self.failed: list[str] = []
        self.slowest_s = 0.0
        self.imported = 0
        self._calls: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        config = ClientConfig(load_balancing="round_robin", plaintext=True, upload_attempts=200, max_attempts=8)
        self.client = await AsyncClient.connect(
            self._target, tenant_id=self._tenant_id, email=EMAIL, password=PASSWORD, config=config
        )
        self._kinds: dict[str, Callable[[], Awaitable[object]]] = {
            "validate": lambda: self.client.phone.validate("+8613800138000"),
            "me": self.client.auth.me,
            "count": self.client.contacts.count,
            "list": self._list,
            "login": lambda: self.client.auth.login(self._tenant_id, EMAIL, PASSWORD),
            "many": self._many,
        }
        self._tasks = [asyncio.create_task(self._begin_calls()), asyncio.create_task(self._import())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._tasks[0].cancel()
        self._importing = False
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.gather(*self._calls)
        await self.client.close()

    async def _begin_calls(self) -> None:
        turn, due = 0, time.monotonic()
        while True:
            due += 1 / self._per_second
            task = asyncio.create_task(self._call(TURNS[turn % len(TURNS)]))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
            turn += 1
            await asyncio.sleep(max(0.001, due - time.monotonic()))

    async def _call(self, kind: str) -> None:
        phase, began = self.phase, time.monotonic()
        self.sent[phase] += 1
        try:
            await asyncio.wait_for(self._kinds[kind](), 60)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call failed
            self.failed.append(f"{phase}: {kind}: {type(error).__name__}: {str(error)[:200]}")
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    async def _list(self) -> None:
        async for _ in self.client.contacts.list(page_size=20):
            break

    async def _many(self) -> None:
        answers = [answer async for answer in self.client.phone.validate_many(["+8613800138000"] * _MANY)]
        if len(answers) != _MANY:
            raise ClientError(f"{len(answers)} answers of {_MANY}")

    async def _import(self) -> None:
        self._importing = True
        while self._importing:
            begin = self.imported
            rows = [{"phone": f"+86138{begin + n:08d}", "name": f"Person {begin + n}"} for n in range(ROWS)]
            try:
                job = await asyncio.wait_for(self.client.imports.upload_file(rows), 120)
                if job.counts.inserted != ROWS:
                    self.failed.append(f"{self.phase}: import: {job.counts}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the call failed
                self.failed.append(f"{self.phase}: import: {type(error).__name__}: {str(error)[:200]}")
            self.imported += ROWS
            await asyncio.sleep(_PAUSE_S)
