"""Request ids and the context of each call."""

from __future__ import annotations

import itertools
import re
import secrets

from bossjy_server.context import enter_call
from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method

# Forms of generated ids: UUID (RFC 9562), 128 bits in hexadecimal, ULID. A number has such a form only by chance;
# `_LETTERS_MIN` letters distinguish ids from a number padded with zeros.
_MADE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
    r"|[0-9a-f]{32}|[0-7][0-9A-HJKMNP-TV-Z]{25}"
)
_LETTERS_MIN = 4
# Ids chosen by people. A number typed by mistake has at least seven digits, and a password more characters.
_CHOSEN = re.compile(r"[A-Za-z0-9._-]{8,14}")
_DIGITS_MOST = 6
# Credentials and one-time secrets of this service, of any length.
_SECRET = re.compile(r"bj[a-z]_|eyJ")


# A new id is a random prefix of the process and the number of the call: fresh random bits per call would cost 1 µs.
_PROCESS = secrets.token_hex(5)
_numbers = itertools.count(secrets.randbelow(2**16))


def new_request_id() -> str:
    """An id that no other call has."""
    return f"{_PROCESS}-{next(_numbers)}"


def request_id_for(offered: str) -> str:
    """The caller's `x-request-id` if it is an acceptable id, else a new one.

    An id is logged and stored in the audit log, so it must contain no phone number and no secret, even if a caller
    typed one into the wrong field.
    """
    return offered if _is_id(offered) else new_request_id()


def _is_id(text: str) -> bool:
    if _MADE.fullmatch(text):
        return sum(map(str.isalpha, text)) >= _LETTERS_MIN
    if _CHOSEN.fullmatch(text) is None or _SECRET.match(text):
        return False
    return sum(map(str.isdigit, text)) <= _DIGITS_MOST


def request_context_concern() -> Concern:
    """Set the context variable that carries request id and caller."""

    def wrap(_method: Method, proceed: Proceed) -> Proceed:
        async def request_context(call: Call) -> None:
            enter_call(call.context)
            await proceed(call)

        return request_context

    return wrap
