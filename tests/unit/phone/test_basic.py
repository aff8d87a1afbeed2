"""Basic views as wire bytes are equal to the messages."""

from __future__ import annotations

import pytest

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_numbering import load_plan
from bossjy_server.phone.basic import BasicViews
from bossjy_server.phone.convert import doubted_of

TEXTS = [
    ("+86 138 0000 0000", ""),
    ("+8613800000001", ""),
    ("13800000000", "CN"),
    ("+39 02 12345678", ""),
    ("+800 1234 5678", ""),
    ("+1 (415) 555-0132 ext. 12", ""),
    ("+49 301234567890123456", ""),
    ("+861", ""),
    ("+86138000", ""),
    ("0000000000", "IT"),
    ("+1 242 365 1234", ""),
    ("no number", ""),
    ("", ""),
    ("+999 123456", ""),
]


@pytest.mark.parametrize("version", ["", "9.0.43"])
def test_bytes_say_what_messages_say(version: str) -> None:
    plan = load_plan()
    views = BasicViews(version)
    wanted, doubts = [], []
    for text, region in TEXTS * 2:  # the second time from the shared bytes
        number = plan.number(text, region or None)
        doubts.append(plan.doubts(text, number))
        response = doubted_of(number, doubts[-1])
        response.metadata_version = version
        wanted.append(response)
        assert pb.ValidateNumberResponse.FromString(views.doubted(number, doubts[-1])) == response, text
    assert len({*doubts}) > 2
    batch = pb.BatchValidateNumbersResponse.FromString(
        views.all_of((plan.number(text, region or None) for text, region in TEXTS * 2), doubts)
    )
    assert list(batch.results) == wanted
