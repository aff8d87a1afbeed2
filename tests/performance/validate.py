"""Requests of ValidateNumber for the measurements."""

from __future__ import annotations

import json

import grpc.aio

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2
from tests.e2e.conftest import EMAIL, PASSWORD

METHOD = "/bossjy.phone.v1.PhoneService/ValidateNumber"
NUMBERS = ("+8613812345678", "+442079460123", "+14155550132", "+33142685300", "+85221234567")


def requests() -> list[str]:
    """Serialised requests with some numbers, in hexadecimal."""
    return [
        phone_service_pb2.ValidateNumberRequest(phone_number=number).SerializeToString().hex() for number in NUMBERS
    ]


def json_requests() -> list[str]:
    """The same as JSON, in hexadecimal."""
    return [json.dumps({"phone_number": number}).encode().hex() for number in NUMBERS]


async def token_of(address: str, email: str = EMAIL) -> str:
    """An access token of a new tenant."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = auth_service_pb2_grpc.AuthServiceStub(channel)
        request = auth_service_pb2.RegisterRequest(tenant_display_name="Bench", email=email, password=PASSWORD)
        token: str = (await stub.Register(request)).tokens.access_token
        return token
