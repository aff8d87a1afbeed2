"""Basic views of single numbers as wire bytes.

A message for each number would cost more than the check of the number. The part that the numbers of one region and type
share is serialised once. The concatenated bytes of two messages are one message with the fields of both, so the digits
are appended to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from bossjy.phone.v1 import phone_service_pb2
from bossjy_numbering import Doubt, Number, ParseError, PossibleReason
from bossjy_server.phone.convert import response_of, warnings_of
from bossjy_server.phone.wire import head, varint

_FIELDS = phone_service_pb2.ValidateNumberResponse.DESCRIPTOR.fields_by_name


def _heads(name: str) -> list[bytes]:
    """The bytes before a text of 0 to 63 bytes."""
    return [head(_FIELDS[name].number) + varint(length) for length in range(64)]


_RESULT = head(phone_service_pb2.BatchValidateNumbersResponse.DESCRIPTOR.fields_by_name["results"].number)
_E164, _NATIONAL = _heads("e164"), _heads("national_number")
_Shared = tuple[int, "str | None", int, bool, PossibleReason, ParseError]


# There are 2 ** 11 sets of doubts, of which few occur.
@lru_cache(maxsize=1024)
def _warnings(doubts: int) -> bytes:
    return phone_service_pb2.ValidateNumberResponse(warnings=warnings_of(Doubt(doubts))).SerializeToString()


class BasicViews:
    """Makes basic views. `version`: the metadata version in each of them; empty: none."""

    def __init__(self, version: str) -> None:
        self._version = version
        # Bounded by the plan: regions, their types, and the possible results of a length.
        # With each, the start of the national digits in E.164.
        self._shared: dict[_Shared, tuple[bytes, int]] = {}

    def doubted(self, number: Number, doubts: int) -> bytes:
        """The view of one number with its warnings, the bits of `doubts`."""
        return self.of(number) + _warnings(doubts) if doubts else self.of(number)

    def of(self, number: Number) -> bytes:
        """The view of one number. At most 17 digits follow a calling code, so lengths take one byte each."""
        if number.extension is not None:
            return self._whole(number)
        key = (number.calling_code, number.region, number.type, number.valid, number.possible_reason, number.error)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = (self._share(number), len(f"+{number.calling_code}"))
        same, begin = shared
        e164 = number.e164.encode()
        if not e164:
            return same
        national = e164[begin:]
        return b"".join((same, _E164[len(e164)], e164, _NATIONAL[len(national)], national))

    def all_of(self, numbers: Iterable[Number], doubts: Iterable[int]) -> bytes:
        """The views of numbers with their warnings as the results of a batch."""
        return b"".join([_RESULT + varint(len(view)) + view for view in map(self.doubted, numbers, doubts)])

    def _whole(self, number: Number) -> bytes:
        response = response_of(number)
        response.metadata_version = self._version
        return response.SerializeToString()

    def _share(self, number: Number) -> bytes:
        response = response_of(number)
        response.metadata_version = self._version
        response.ClearField("e164")
        response.ClearField("national_number")
        return response.SerializeToString()
