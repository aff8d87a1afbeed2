"""Errors of JSON calls: HTTP status, code, reason and details in the body."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateway.conftest import EMAIL, Gateway

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(
    ("request_of", "status", "reason"),
    [
        (("POST", "/v1/phone/numbers:validate", {"authorization": "-"}), 401, "CREDENTIALS_MISSING"),
        (("POST", "/v1/phone/numbers:validate", {"authorization": "Bearer bjk_x"}), 401, "TOKEN_INVALID"),
        (
            ("POST", "/v1/phone/numbers:validate", {"authorization": "Bearer eyJhbGciOiJFUzI1NiJ9.e30.xx"}),
            401,
            "TOKEN_INVALID",
        ),
        (("GET", "/v1/nothing", {}), 404, "UNKNOWN_METHOD"),
        (("GET", "/v1/contacts?zebra=1", {}), 400, "INVALID_FIELD"),
        (("GET", "/v1/contacts?page_size=-1", {}), 400, "INVALID_FIELD"),
        (("GET", "/v1/contacts?page_token=x", {}), 400, "PAGE_TOKEN_INVALID"),
        (("GET", "/v1/contacts?filter=zebra%3D1", {}), 400, "FILTER_INVALID"),
        (("GET", "/v1/imports/nothing", {}), 404, "RESOURCE_NOT_FOUND"),
        (("GET", "/v1/imports/nothing:watch", {}), 404, "RESOURCE_NOT_FOUND"),
        (("GET", "/v1/phone/regions/QZ", {}), 404, "RESOURCE_NOT_FOUND"),
    ],
)
async def test_errors_have_their_reason_in_the_body(
    gateway: Gateway, request_of: tuple[str, str, dict[str, str]], status: int, reason: str
) -> None:
    verb, path, headers = request_of
    async with gateway.client() as client:
        if headers.get("authorization") == "-":
            del client.headers["authorization"]
            headers = {}
        answer = await client.request(verb, path, headers=headers, content=b"{}" if verb == "POST" else None)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert reason in [detail.get("reason") for detail in body["details"]]
    assert body["message"]


async def test_refusals_of_the_service(gateway: Gateway) -> None:
    """Scope, conflict, login, size and rate: status, reason and details."""
    async with gateway.client() as client:
        made = await client.post("/v1/auth/apiKeys", json={"display_name": "k", "scopes": ["phone.read"]})
        key = {"authorization": f"Bearer {made.json()['secret']}"}
        body = refused(await client.get("/v1/contacts", headers=key), 403, 7, "SCOPE_MISSING")
        assert info(body)["metadata"]["scope"]

        taken = await client.post("/v1/auth/users", json={"email": EMAIL, "role": "ROLE_MEMBER"})
        refused(taken, 409, 6, "USER_EXISTS")

        me = (await client.get("/v1/auth/me")).json()["user"]
        stale = {"display_name": "n", "etag": "stale"}
        changed = await client.patch(f"/v1/auth/users/{me['user_id']}", json=stale)
        refused(changed, 409, 10, "ETAG_MISMATCH")

        role = {"role": "ROLE_MEMBER"}
        refused(await client.patch(f"/v1/auth/users/{me['user_id']}", json=role), 400, 9, "LAST_OWNER")

        large = await client.post(
            "/v1/phone/numbers:batchValidate", json={"phone_numbers": ["+8613800138000"] * 400_000}
        )
        refused(large, 429, 8, "MESSAGE_TOO_LARGE")

        body = refused(await client.get("/v1/contacts?page_size=-1"), 400, 3, "INVALID_FIELD")
        violated = [one for detail in body["details"] for one in detail.get("field_violations", ())]
        assert [one["field"] for one in violated] == ["page_size"]

        del client.headers["authorization"]
        login = {"tenant_id": gateway.tenant_id, "email": "nobody@example.com", "password": "wrong"}
        answer = await client.post("/v1/auth/sessions:login", json=login)
        refused(answer, 401, 16, "LOGIN_REFUSED")
        for _ in range(40):
            if answer.status_code == 401:
                answer = await client.post("/v1/auth/sessions:login", json=login)
        body = refused(answer, 429, 8, "LOGIN_THROTTLED")
        [delay] = [detail["retry_delay"] for detail in body["details"] if "retry_delay" in detail]
        assert float(delay.rstrip("s")) > 0


def refused(answer: httpx.Response, status: int, code: int, reason: str) -> dict[str, Any]:
    """The body of an error. Fails if it is another one."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["message"]
    assert info(body)["reason"] == reason
    return body


def info(body: dict[str, Any]) -> dict[str, Any]:
    [found] = [detail for detail in body["details"] if detail["@type"].endswith("google.rpc.ErrorInfo")]
    return dict(found)
