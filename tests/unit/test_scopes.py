"""Roles, their scopes, and the causes of a missing scope."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bossjy_server.scopes import FACTOR_DUE, PASSWORD_DUE, why_missing

CONTRACT = Path(__file__).parents[2] / "protos/bossjy/common/v1/error_reason.proto"
SERVER = Path(__file__).parents[2] / "server/bossjy_server"


@pytest.mark.parametrize(
    ("scope", "role", "by_key", "due", "cause", "advice"),
    [
        ("keys.write", "owner", False, PASSWORD_DUE, "PASSWORD_CHANGE_REQUIRED", "`bossjy password`"),
        ("keys.write", "owner", False, FACTOR_DUE, "SECOND_FACTOR_REQUIRED", "`bossjy second-factor enrol`"),
        ("keys.write", "member", False, "", "ROLE_TOO_LOW", "you have the role member, .* the role admin or owner"),
        ("tenants.write", "admin", True, "", "ROLE_TOO_LOW", "made this API key has the role admin, .* role owner"),
        ("keys.write", "owner", True, "", "KEY_WITHOUT_SCOPE", "`bossjy keys create --scope keys.write`"),
        ("keys.write", "owner", False, "", "SESSION_WITHOUT_SCOPE", "RefreshToken"),
    ],
)
def test_a_missing_scope_has_a_cause_and_a_remedy(
    *, scope: str, role: str, by_key: bool, due: str, cause: str, advice: str
) -> None:
    text, metadata = why_missing(scope, role, by_key=by_key, due=due)
    assert scope in text
    assert re.search(advice, text)
    assert metadata == {"scope": scope, "cause": cause, "role": role}


def test_the_contract_lists_the_causes() -> None:
    comment = CONTRACT.read_text("utf-8").split("ERROR_REASON_SCOPE_MISSING")[0].rpartition("=")[2]
    sources = "".join(path.read_text("utf-8") for path in SERVER.rglob("*.py"))
    causes = set(re.findall(r'"?cause"?\]?(?: =|:) "([A-Z_]+)"', sources)) | {"KEY_WITHOUT_SCOPE"}
    assert len(causes) == 8
    for cause in causes:
        assert f"`{cause}`" in comment, cause
