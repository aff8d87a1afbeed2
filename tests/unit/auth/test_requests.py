"""Values of requests and metadata at their edges."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy_server.auth import convert
from bossjy_server.auth.records import to_datetime
from bossjy_server.auth.requests import client_of, region, time_of
from bossjy_server.context import CallContext, enter_call
from bossjy_server.errors import InvalidArgument, Reason


@pytest.mark.parametrize("seconds", [-(2**63), -62135596801, 253402300800, 2**63 - 1])
@pytest.mark.parametrize("nanos", [0, -1, 2**31 - 1])
def test_a_time_outside_the_calendar_is_refused(seconds: int, nanos: int) -> None:
    if seconds == -62135596801 and nanos > 10**9:
        return  # its nanoseconds bring it back into the range
    request = pb.CreateApiKeyRequest(expire_time=Timestamp(seconds=seconds, nanos=nanos))
    with pytest.raises(InvalidArgument) as caught:
        time_of(request, "expire_time")
    assert caught.value.reason is Reason.INVALID_FIELD


@pytest.mark.parametrize("seconds", [-62135596800, 0, 253402300799])
def test_a_time_at_the_edge_of_the_calendar_is_read(seconds: int) -> None:
    time = time_of(pb.CreateApiKeyRequest(expire_time=Timestamp(seconds=seconds, nanos=999_999_999)), "expire_time")
    assert time is not None
    assert convert.timestamp(time) is not None


def test_the_end_of_the_calendar_survives_a_float() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert last.timestamp() == 253402300800.0
    assert convert.timestamp(to_datetime(last.timestamp())) is not None


def test_a_user_agent_that_postgresql_cannot_store_is_reduced() -> None:
    enter_call(CallContext("r", "/m", address="10.0.0.1", user_agent="a\0b"))
    assert client_of("phone").user_agent == "ab"


@pytest.mark.parametrize(
    ("text", "advice"), [("China", "use CN"), ("86", "use CN"), ("cn", "use CN"), ("Nowhere", "such as CN or DE")]
)
def test_a_region_by_another_name_is_refused_with_its_code(text: str, advice: str) -> None:
    with pytest.raises(InvalidArgument, match=advice):
        region(text)
    assert [region(code) for code in ("CN", "", None)] == ["CN", "", None]
