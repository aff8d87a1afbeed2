"""Gives each call an id, and makes the call known to what runs below it."""

from __future__ import annotations

import itertools
import re
import secrets

from bossjy_server.context import enter_call
from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


# New ids are random bits of the process and the number of the call: fresh random bits for each would cost 1 µs.
_PROCESS = secrets.token_hex(5)
_numbers = itertools.count(secrets.randbelow(2**16))


def new_request_id() -> str:
    """An id that no other call has."""
    return f"{_PROCESS}-{next(_numbers)}"


def request_id_for(offered: str) -> str:
    """The caller's `x-request-id` if it can stand in a log as it is, else a new one."""
    return offered if _ID.fullmatch(offered) else new_request_id()


def request_context_concern() -> Concern:
    """Set the context variable that carries request id and caller."""

    def wrap(_method: Method, proceed: Proceed) -> Proceed:
        async def request_context(call: Call) -> None:
            enter_call(call.context)
            await proceed(call)

        return request_context

    return wrap
