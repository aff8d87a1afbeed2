"""Health and public keys over HTTP, for probes and gateways: `/livez`, `/readyz`, `/jwks.json`."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import TimeoutError as LateError

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.rpc.health import HealthServicer
from bossjy_server.telemetry.text_pages import JWKS, LIVE, READY, OperationsPages, Page

# An event loop that takes longer to run an empty task is stuck.
_LOOP_S = 5.0


def operations_pages(keys: Keys, health: HealthServicer) -> OperationsPages:
    """The pages of one process. Called in its event loop.

    `/livez` does not depend on PostgreSQL or Redis: a restart does not repair them. `/readyz` is the health of the
    empty name. `/jwks.json` has the keys of GetJwks.
    """
    loop = asyncio.get_running_loop()

    def live() -> Page:
        try:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(_LOOP_S)
        except (LateError, RuntimeError):
            return Page(f"the event loop did not answer within {_LOOP_S:g} s\n", status=503)
        return Page("alive\n")

    def ready() -> Page:
        if health.serves(""):
            return Page("ready\n")
        return Page("not ready: PostgreSQL does not answer, or the server drains; see its log\n", status=503)

    def jwks() -> Page:
        return Page(json.dumps({"keys": [key.jwk() for key in keys.published()]}), "application/json")

    return {LIVE: live, READY: ready, JWKS: jwks}
