"""Revocation of access tokens before they expire, by cutoffs of sessions and users.

A session that ended has a cutoff that no token passes. A user whose role changed has the revision of that change. A
token carries the revision that its role was read from, and passes with that revision or a later one. So a refresh
brings the new scopes, and a token that was signed late from the old row does not pass, whatever the clocks say.

The replica that handles the change knows it immediately. The others read a Redis stream twice a second in the
background, so a token check costs two dict look-ups and waits for nothing. Entries are kept as long as a token that
they stop can live. Only the database decides if a session can be refreshed, and if a caller may change authority. While
Redis is unavailable, `AuthOptions.revocations_lost` decides, and unsent revocations are sent later.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bossjy_server.auth.options import AuthOptions
from bossjy_server.bounded import BoundedMap
from bossjy_server.errors import Reason, Unavailable

ENDED = 2**53  # a cutoff that no token passes

_STREAM = "bossjy:auth:cutoffs"
# The fields of an entry: of a session that ended, or of a user. Earlier releases wrote times for the sessions of a user
# with a new role; those are skipped.
_SESSION, _CUTOFF = "session", "cutoff"
_USER, _REVISION = "user", "revision"
_BATCH = 1000
_TELL_LIMIT_S = 2.0
_LOST = (RedisError, OSError, TimeoutError)


class Revocations:
    """The current cutoffs. `run()` keeps them in step with other replicas until it is cancelled."""

    def __init__(self, redis: Redis | None, options: AuthOptions, clock: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._options = options
        self._clock = clock
        # id of a session or user, both random -> (cutoff, when it may be forgotten); oldest first
        self._cutoffs = BoundedMap[str, tuple[int, float]](options.revocations_max)
        self._untold: deque[tuple[str, int]] = deque(maxlen=options.revocations_max)
        self._read_to = "0"
        self._heard = time.monotonic()
        self._telling = asyncio.Lock()

    @property
    def _kept_s(self) -> float:
        return self._options.access_lifetime_s + 2.0 * self._options.access_leeway_s

    def cutoff(self, session_or_user_id: str) -> int:
        """ENDED for a session that ended; for a user the lowest revision of a valid token; 0 if there is none."""
        entry = self._cutoffs.get(session_or_user_id)
        return entry[0] if entry else 0

    def check_heard(self) -> None:
        """Raise Unavailable if Redis is unavailable and the settings say to refuse tokens then."""
        if (
            self._redis is not None
            and self._options.revocations_lost == "refuse"
            and time.monotonic() - self._heard > self._options.revocation_lost_s
        ):
            raise Unavailable(
                Reason.CACHE_UNAVAILABLE,
                "the server cannot check now if the session is still valid: try again in a moment",
                retry_after_s=1.0,
            )

    async def end(self, session_ids: Iterable[str]) -> None:
        """Reject all access tokens of these sessions: here immediately, elsewhere within about a second."""
        await self._cut(session_ids, ENDED)

    async def renew(self, user_id: str, revision: int) -> None:
        """Reject access tokens of the user that were made from an earlier revision."""
        await self._cut([user_id], revision)

    async def run(self) -> None:
        """Send and receive revocations, for as long as the service runs."""
        if self._redis is None:
            return
        while True:
            await self.exchange()
            await asyncio.sleep(self._options.revocation_poll_s)

    async def exchange(self) -> None:
        """Send unsent revocations, read those of other replicas. If Redis is unavailable, the next round does it."""
        if self._redis is None:
            return
        with suppress(*_LOST):
            await self._tell(self._redis)
            await self._hear(self._redis)
            self._heard = time.monotonic()
        self._forget_old()

    async def _cut(self, cut_ids: Iterable[str], cutoff: int) -> None:
        ids = list(cut_ids)
        for one in ids:
            self._keep(one, cutoff)
        if self._redis is None or not ids:
            return
        self._untold.extend((one, cutoff) for one in ids)
        if not self._telling.locked():  # otherwise the running send includes these too
            with suppress(*_LOST):
                await self._tell(self._redis)

    async def _tell(self, redis: Redis) -> None:
        async with self._telling:
            while self._untold:
                batch = list(islice(self._untold, _BATCH))
                pipeline = redis.pipeline(transaction=False)
                for cut_id, cutoff in batch:
                    pipeline.xadd(  # type: ignore[unused-awaitable] # a pipeline only queues it
                        _STREAM,
                        {_SESSION: cut_id, _CUTOFF: cutoff} if cutoff == ENDED else {_USER: cut_id, _REVISION: cutoff},
                        maxlen=self._options.revocations_max,
                    )
                oldest = int((self._clock() - self._kept_s - 60) * 1000)
                pipeline.xtrim(_STREAM, minid=oldest)  # type: ignore[unused-awaitable] # as above
                async with asyncio.timeout(_TELL_LIMIT_S):
                    await pipeline.execute()
                for _ in batch:
                    self._untold.popleft()

    async def _hear(self, redis: Redis) -> None:
        while True:
            entries = await redis.xrange(_STREAM, min=f"({self._read_to}", count=_BATCH) or []
            for entry_id, fields in entries:
                self._read_to = _text(entry_id)
                values = {_text(name): _text(value) for name, value in (fields or {}).items()}
                with suppress(KeyError, ValueError):  # an unknown entry
                    self._keep(*_read(values))
            if len(entries) < _BATCH:
                return

    def _keep(self, cut_id: str, cutoff: int) -> None:
        # Beyond the limit the oldest is forgotten: its tokens have the shortest time left.
        self._cutoffs.keep(cut_id, (max(self.cutoff(cut_id), cutoff), self._clock() + self._kept_s))

    def _forget_old(self) -> None:
        now = self._clock()
        self._cutoffs.forget_while(lambda entry: entry[1] <= now)


def _read(values: Mapping[str, str]) -> tuple[str, int]:
    """The owner of an entry's cutoff, and the cutoff. Raises KeyError or ValueError for an unknown entry."""
    if _USER in values:
        return values[_USER], int(values[_REVISION])
    if int(values[_CUTOFF]) != ENDED:
        raise ValueError("a time, written by an earlier release")
    return values[_SESSION], ENDED


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
