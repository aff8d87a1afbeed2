"""Authority of callers with open streams: their validity and current scopes.

The database decides, so a worker that did not handle a revocation also learns of it, with or without Redis. While the
database does not answer, the local cutoffs still end sessions that are known to have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bossjy_server.auth.login.live_store import credential_of, scopes_now
from bossjy_server.auth.login.revocations import ENDED, Revocations
from bossjy_server.auth.records import to_datetime
from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, Reason, Unauthenticated, Unavailable
from bossjy_server.storage.postgres import Database


class LiveCallers:
    """Reports the current authority of callers. `rpc` calls `recheck` for all open streams together."""

    def __init__(self, database: Database, revocations: Revocations, clock: Callable[[], float] = time.time) -> None:
        self._database, self._revocations, self._clock = database, revocations, clock

    async def recheck(self, callers: Sequence[Caller]) -> list[frozenset[str] | BossjyError | None]:
        """For each caller, in order: its scopes; the error that ends its streams; None if nobody can tell now.

        An expired access token changes nothing: its session counts.
        """
        try:
            async with self._database.system() as connection:
                found = await scopes_now(connection, callers, to_datetime(self._clock()))
        except Unavailable:
            return [_ended(caller) if self._is_cut(caller) else None for caller in callers]
        return [
            _ended(caller) if self._is_cut(caller) else found.get(credential_of(caller), _ended(caller))
            for caller in callers
        ]

    def _is_cut(self, caller: Caller) -> bool:
        return bool(caller.session_id) and self._revocations.cutoff(caller.session_id) == ENDED


def _ended(caller: Caller) -> Unauthenticated:
    if caller.session_id:
        return Unauthenticated(Reason.SESSION_ENDED, "the session of this stream has ended: log in again")
    return Unauthenticated(
        Reason.TOKEN_INVALID, "the API key or certificate of this stream is no longer valid: use a valid one"
    )
