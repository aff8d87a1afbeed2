"""A single look-up: from the cache, or one query to the provider within budget, deadline, breaker and retries."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from bossjy_server.context import remaining_s
from bossjy_server.errors import DeadlineExceeded, Reason, ResourceExhausted, Unavailable
from bossjy_server.lookup.budget import Budget
from bossjy_server.lookup.options import LookupOptions
from bossjy_server.lookup.provider import Answer, Provider, ProviderBusy, ProviderFailed, ProviderFaltered
from bossjy_server.storage.breaker import Breaker, BreakerOpen, BreakerOptions
from bossjy_server.storage.cache import Cache, Loaded
from bossjy_server.storage.retry import Retries

_BREAKER = BreakerOptions(failures=3, open_s=1.0, longest_open_s=30.0)


class Lookup:
    """Live look-ups by one provider. `name_of` derives a number's name in the cache: not the number itself."""

    def __init__(
        self,
        provider: Provider,
        cache: Cache,
        budget: Budget,
        options: LookupOptions,
        *,
        name_of: Callable[[str], str],
    ) -> None:
        self.cache = cache
        self.breaker = Breaker("lookup", _BREAKER)
        self.ends: Counter[str] = Counter()  # queries to the provider by result
        self._provider, self._budget, self._options, self._name_of = provider, budget, options, name_of
        # One retry, and only if the query was lost; each costs a part of the budget.
        self._retries = Retries(ProviderFaltered, attempts=2)
        self._running = 0
        self._paused_until = 0.0

    async def of(self, tenant_id: str, e164: str) -> Answer | None:
        """The provider's data about a valid number; None if the provider does not know it.

        Cached by tenant, so that no tenant learns of another's queries. Raises Unavailable(LOOKUP_UNAVAILABLE),
        ResourceExhausted(LOOKUP_BUDGET_SPENT, OVERLOADED), DeadlineExceeded.
        """
        if self._running >= self._options.running:
            raise ResourceExhausted(
                Reason.OVERLOADED,
                "the server has reached its limit of look-ups: call again after the stated delay",
                retry_after_s=0.5,
            )
        self._running += 1
        try:
            data = await self.cache.get(tenant_id, self._name_of(e164), partial(self._load, tenant_id, e164))
        finally:
            self._running -= 1
        return None if data is None else Answer.from_bytes(data)

    async def _load(self, tenant_id: str, e164: str) -> Loaded:
        try:
            answer = await self._retries.run(partial(self._ask, tenant_id, e164))
        except BreakerOpen as error:
            raise _unavailable(error.retry_after_s) from None
        except ProviderBusy as error:
            raise _unavailable(error.pause_s) from error
        except ProviderFailed as error:
            raise _unavailable(1.0) from error
        return Loaded(None if answer is None else answer.to_bytes())

    async def _ask(self, tenant_id: str, e164: str) -> Answer | None:
        pause_s = self._paused_until - time.monotonic()
        if pause_s > 0:
            raise _unavailable(pause_s)
        self.breaker.admit()
        try:
            await self._budget.take(tenant_id)
            answer = await self._within_time(e164)
        except ProviderBusy as error:
            self.breaker.abandon()  # it serves others, even if not us
            self._paused_until = time.monotonic() + error.pause_s
            self.ends["busy"] += 1
            raise
        except ProviderFailed:
            self.breaker.fail()
            self.ends["failed"] += 1
            raise
        except BaseException:
            self.breaker.abandon()
            raise
        self.breaker.succeed()
        self.ends["unknown" if answer is None else "found"] += 1
        return answer

    async def _within_time(self, e164: str) -> Answer | None:
        limit_s = remaining_s(self._options.timeout_s)
        try:
            async with asyncio.timeout(limit_s):
                return await self._provider.ask(e164)
        except TimeoutError:
            if limit_s < self._options.timeout_s:  # the caller's short deadline says nothing about the provider
                raise DeadlineExceeded(
                    Reason.DEADLINE_EXCEEDED,
                    "the provider did not answer within the call's deadline: call again with more time",
                ) from None
            raise ProviderFailed(f"the provider did not answer within {limit_s:g} s") from None


def _unavailable(wait_s: float) -> Unavailable:
    return Unavailable(
        Reason.LOOKUP_UNAVAILABLE,
        "the provider of live look-ups does not answer: call again after the stated delay",
        retry_after_s=wait_s,
    )
