"""Ids of calls: acceptable ones, and refused ones that may be a number or a secret."""

from __future__ import annotations

import uuid

import pytest

from bossjy_server.rpc.request_context import new_request_id, request_id_for


@pytest.mark.parametrize(
    "offered",
    [
        "my-request-1",
        "job.17_step",
        "0190163d-8694-739b-aea5-966c26f8ad90",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ],
)
def test_acceptable_ids_are_kept(offered: str) -> None:
    assert request_id_for(offered) == offered


def test_ids_that_programs_make_are_kept() -> None:
    kept = sum(request_id_for(one) == one for one in (str(uuid.uuid4()) for _ in range(1000)))
    assert kept >= 990  # of 30 random digits hardly ever all but three are decimal


@pytest.mark.parametrize(
    "offered",
    [
        "13866600012",
        "+8613866600012",
        "138-6660-0012",
        "1.3.8.6.6.6.0",
        "tel13866600012",
        "00000000-0000-4000-8000-013866600012",
        "00000000000000000000013866600012",
        "short",
        "with space",
        "",
        "x" * 15,
        "correct.horse.battery.staple",
        "bjk_acme.1234",
        "eyJhbGciOiJ9",
        "abcd-efgh-jkmn-pqrs",
        "i0WVesNDSqTfj-vLoDgFw9eSpMgxAJ9J0dW2uVvdHYQ",
        "umläute-hier",
        "1234567٤٥٦",
    ],
)
def test_possible_numbers_and_secrets_are_replaced(offered: str) -> None:
    assert request_id_for(offered) != offered


def test_no_two_calls_share_an_id() -> None:
    assert len({new_request_id() for _ in range(1000)}) == 1000
