"""Erasure of numbers, and its record: keyed hashes without personal data."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bossjy_numbering import Plan
from bossjy_server.contacts import erasure_store as store
from bossjy_server.contacts.number_search import WrittenNumbers
from bossjy_server.context import Caller
from bossjy_server.errors import AlreadyExists, InvalidArgument, Reason, Violation
from bossjy_server.storage import audit
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.postgres import Database

# Fewer national digits occur in too many other numbers; such a number is searched with its calling code.
_DISTINCT_DIGITS = 7


class Mac(Protocol):
    """A function that makes keyed hashes."""

    def __call__(self, purpose: str, *parts: bytes) -> bytes:
        """HMAC-SHA256 of the parts under the service's secret; `purpose` separates the uses."""
        ...


@dataclass(frozen=True, slots=True)
class ErasureOptions:
    """Settings of erasures."""

    # For each statement: all contacts and rejected rows of a tenant are read.
    statement_timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Erasure:
    """The record's id, the number of erased contacts, of numbers without a contact, and the time."""

    erasure_id: str
    erased_count: int
    missing_count: int
    time: datetime


class Erasing:
    """Erases numbers of a tenant."""

    def __init__(self, database: Database, plan: Plan, mac: Mac, options: ErasureOptions | None = None) -> None:
        self._database = database
        self._plan = plan
        self._mac = mac
        self._options = options or ErasureOptions()

    async def erase(
        self, caller: Caller, numbers: Sequence[str], *, request_id: str, purpose: str, call_id: str
    ) -> Erasure:
        """Erase E.164 numbers in one transaction, or return the record of the same earlier request.

        Raises AlreadyExists(REQUEST_ID_REUSED), InvalidArgument(INVALID_FIELD) for a purpose that contains a number.
        """
        wanted = sorted(set(numbers))
        if any(number[1:] in _digits_only(purpose) for number in wanted):
            raise InvalidArgument(
                Reason.INVALID_FIELD,
                "the purpose contains one of the numbers: the record must be without personal data",
                violations=[Violation("purpose", "must not contain a number that is erased")],
            )
        tenant_id = caller.tenant_id
        request_mac = self._mac("erase-request", tenant_id.encode(), purpose.encode(), *(n.encode() for n in wanted))
        async with self._database.tenant(tenant_id, long=True) as connection:
            await store.begin_erasure(connection, tenant_id, self._options.statement_timeout_s)
            if request_id and (made := await store.find_request(connection, tenant_id, request_id)):
                return _repeated(made, request_mac)
            erased = await store.erase_numbers(connection, tenant_id, wanted)
            holds = WrittenNumbers(self._digits(wanted)).stand_in
            await store.blank_rejects(connection, tenant_id, holds)
            await store.blank_duplicates(connection, tenant_id, holds)
            record = store.Record(
                erasure_id=f"ers_{secrets.token_hex(10)}",
                request_id=request_id,
                request_mac=request_mac,
                purpose=purpose,
                erased_by=caller.api_key_id or caller.user_id,
                call_id=call_id,
                number_macs=[self.number_mac(tenant_id, number) for number in wanted],
                erased_count=erased,
                missing_count=len(wanted) - erased,
            )
            time = await store.insert_record(connection, tenant_id, record)
            await audit.record(connection, tenant_id, "contacts.erase", resource=record.erasure_id)
            await hold_caller(connection, caller)
        return Erasure(record.erasure_id, record.erased_count, record.missing_count, time)

    def number_mac(self, tenant_id: str, number: str) -> bytes:
        """The record's value for a number: with the number and the service's secret it proves the erasure."""
        return self._mac("erased-number", tenant_id.encode(), number.encode())

    def _digits(self, numbers: Sequence[str]) -> list[str]:
        """The digits by which the numbers are found in rejected rows."""
        national = ((number, self._plan.number(number).national_digits) for number in numbers)
        return [digits if len(digits) >= _DISTINCT_DIGITS else number[1:] for number, digits in national]


def _digits_only(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _repeated(made: store.Made, request_mac: bytes) -> Erasure:
    if made.request_mac != request_mac:
        raise AlreadyExists(Reason.REQUEST_ID_REUSED, "the request id was used for another erasure: use a new one")
    return Erasure(made.erasure_id, made.erased_count, made.missing_count, made.time)
