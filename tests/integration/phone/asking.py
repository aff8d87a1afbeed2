"""Calls of PhoneService for tests, and the answers of `phonenumbers` itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc.aio
import phonenumbers
import phonenumbers.carrier
import phonenumbers.timezone
import pytest

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy.phone.v1.phone_service_pb2_grpc import PhoneServiceStub
from tests.service import Service
from tests.stream_status import Ended, reason_of, stream_status

TEXTS = [
    "+86 138 0000 0000", "138 0000 0000", "0086-10-6552 9988", "+1 650 253 0000 ext. 5", "invalid", "", "+999123456",
    "12", "+86 138", "+862012345678901234", "+44 (0) 20 7946 0958", "+800 1234 5678", "１３８００００００００",
    "+39 06 6982", "0" * 300, "+1 310 1234",
]  # fmt: skip


class Phone:
    """The generated stub with the credentials of the service's owner."""

    def __init__(self, service: Service) -> None:
        self._stub: Any = PhoneServiceStub(service.channel)
        self._metadata = service.metadata
        self._target = service.address

    async def ask(self, request: Any) -> Any:
        name = type(request).__name__.removesuffix("Request")
        return await getattr(self._stub, name)(request, metadata=self._metadata)

    async def refused(self, request: Any) -> tuple[str, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(request)
        return caught.value.code().name, reason_of(caught.value)

    async def stream(self, requests: Iterable[pb.StreamValidateNumbersRequest]) -> list[Any]:
        async def generate() -> AsyncIterator[pb.StreamValidateNumbersRequest]:
            for request in requests:
                yield request

        return [one async for one in self._stub.StreamValidateNumbers(generate(), metadata=self._metadata)]

    async def refused_stream(self, requests: Iterable[pb.StreamValidateNumbersRequest]) -> Ended:
        """The end of a rejected stream."""
        return await stream_status(
            self._target, "/bossjy.phone.v1.PhoneService/StreamValidateNumbers", requests, self._metadata
        )


def oracle(text: str, region: str | None) -> dict[str, Any]:
    """The basic view according to `phonenumbers`."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return {"valid": False, "e164": "", "calling_code": 0, "national_number": "", "type": 0, "extension": ""}
    valid = phonenumbers.is_valid_number(number)
    kind = phonenumbers.number_type(number)
    return {
        "valid": valid,
        "possible": phonenumbers.is_possible_number(number),
        "possibility": phonenumbers.is_possible_number_with_reason(number) + 1,
        "e164": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        "calling_code": number.country_code,
        "national_number": phonenumbers.national_significant_number(number),
        "region_code": (phonenumbers.region_code_for_number(number) or "") if valid else "",
        "type": number_pb2.NUMBER_TYPE_UNKNOWN if kind == phonenumbers.PhoneNumberType.UNKNOWN else kind + 1,
        "extension": number.extension or "",
    }
