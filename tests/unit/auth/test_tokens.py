"""Access tokens against RFC 8725: each known way to forge one."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.credentials.tokens import AccessTokens
from bossjy_server.auth.options import AuthOptions
from bossjy_server.context import Caller
from bossjy_server.errors import Reason, Unauthenticated
from bossjy_server.scopes import Role, scopes_of
from tests.unit.auth.conftest import Clock

CALLER = Caller("acme-1", "user1", scopes_of("admin"), "admin", "session1")


# A header of arrays in arrays.
DEEP = base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.e30"


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def sign(keys: Keys, claims: dict[str, Any], **header: Any) -> str:
    """A token signed like the service's, with other claims or headers."""
    key = keys.signing
    return jwt.encode(claims, key.private, "ES256", headers={"kid": key.kid, "typ": "at+jwt"} | header)


def reason_of(tokens: AccessTokens, token: str) -> Reason:
    with pytest.raises(Unauthenticated) as caught:
        tokens.verify(token)
    return caught.value.reason


def segment(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_gives_its_caller_back(tokens: AccessTokens, clock: Clock) -> None:
    issued = tokens.issue(CALLER, 7)
    verified = tokens.verify(issued.token)
    assert verified.revision == 7
    assert verified.caller.expire_time_s == issued.expire_time_s == clock.now + 600
    assert (verified.caller.tenant_id, verified.caller.user_id) == ("acme-1", "user1")
    assert verified.caller.scopes == CALLER.scopes
    assert verified.caller.session_id == "session1"
    assert issued.token not in repr(issued)
    assert claims_of(issued.token)["jti"] != claims_of(tokens.issue(CALLER).token)["jti"]


def test_no_signature(tokens: AccessTokens, keys: Keys) -> None:
    token = tokens.issue(CALLER).token
    header, claims, _ = token.split(".")
    for algorithm in ("none", "None", "NONE"):
        forged = segment({"alg": algorithm, "typ": "at+jwt", "kid": keys.signing.kid})
        assert reason_of(tokens, f"{forged}.{claims}.") is Reason.TOKEN_INVALID
    assert reason_of(tokens, f"{header}.{claims}.") is Reason.TOKEN_INVALID


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_another_algorithm(tokens: AccessTokens, keys: Keys) -> None:
    claims = claims_of(tokens.issue(CALLER).token)
    header = {"kid": keys.signing.kid, "typ": "at+jwt"}
    point = keys.signing.public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    # The public key used as an HMAC secret.
    assert reason_of(tokens, jwt.encode(claims, point, "HS256", headers=header)) is Reason.TOKEN_INVALID
    rsa_key = rsa.generate_private_key(65537, 2048)
    assert reason_of(tokens, jwt.encode(claims, rsa_key, "RS256", headers=header)) is Reason.TOKEN_INVALID
    other = ec.generate_private_key(ec.SECP384R1())
    assert reason_of(tokens, jwt.encode(claims, other, "ES384", headers=header)) is Reason.TOKEN_INVALID


def test_another_key(tokens: AccessTokens, keys: Keys) -> None:
    claims = claims_of(tokens.issue(CALLER).token)
    mine = ec.generate_private_key(ec.SECP256R1())
    header = {"kid": keys.signing.kid, "typ": "at+jwt"}
    assert reason_of(tokens, jwt.encode(claims, mine, "ES256", headers=header)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "zip"])
def test_a_header_that_brings_its_own_key(tokens: AccessTokens, keys: Keys, name: str) -> None:
    claims = claims_of(tokens.issue(CALLER).token)
    tokens.verify(sign(keys, claims))
    assert reason_of(tokens, sign(keys, claims, **{name: "https://evil.example"})) is Reason.TOKEN_INVALID


@pytest.mark.parametrize(
    "header", [{"kid": "other"}, {"kid": "../../etc/passwd"}, {"typ": "JWT"}, {"crit": ["x"], "x": 1}]
)
def test_a_header_that_is_not_ours(tokens: AccessTokens, keys: Keys, header: dict[str, Any]) -> None:
    claims = claims_of(tokens.issue(CALLER).token)
    assert reason_of(tokens, sign(keys, claims, **header)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "tid", "sid", "role", "scope", "typ", "iat", "exp", "jti"])
def test_every_claim_is_needed(tokens: AccessTokens, keys: Keys, name: str) -> None:
    claims = claims_of(tokens.issue(CALLER).token)
    without = {key: value for key, value in claims.items() if key != name}
    assert reason_of(tokens, sign(keys, without)) is Reason.TOKEN_INVALID
    if name != "iss":  # PyJWT itself refuses to sign that
        assert reason_of(tokens, sign(keys, claims | {name: None})) is Reason.TOKEN_INVALID


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["bossjy", "other"]},
        {"typ": "refresh"},
        {"role": "god"},
        {"scope": "contacts.read everything"},
        {"scope": ["contacts.read"]},
        {"sub": 7},
        {"tid": ["a"]},
        {"iat": "now"},
        {"exp": 1e400},
        {"iat": True},
        {"rev": "7"},
    ],
)
def test_a_claim_that_is_not_ours(tokens: AccessTokens, keys: Keys, claims: dict[str, Any]) -> None:
    good = claims_of(tokens.issue(CALLER).token)
    assert reason_of(tokens, sign(keys, good | claims)) is Reason.TOKEN_INVALID


def test_a_life_that_is_too_long(tokens: AccessTokens, keys: Keys, clock: Clock) -> None:
    claims = claims_of(tokens.issue(CALLER).token)
    for life in (601, 100 * 365 * 86_400, -1):
        long = claims | {"exp": claims["iat"] + life}
        assert reason_of(tokens, sign(keys, long)) is Reason.TOKEN_INVALID
    future = claims | {"iat": claims["iat"] + 6, "exp": claims["exp"] + 6}
    assert reason_of(tokens, sign(keys, future)) is Reason.TOKEN_INVALID


def test_leeway_is_five_seconds(tokens: AccessTokens, clock: Clock) -> None:
    token = tokens.issue(CALLER).token
    clock.now += 604
    tokens.verify(token)
    clock.now += 1
    assert reason_of(tokens, token) is Reason.TOKEN_EXPIRED
    clock.now -= 605 + 5
    tokens.verify(token)
    clock.now -= 1
    assert reason_of(tokens, token) is Reason.TOKEN_INVALID


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "ü.ü.ü", "\udce4.a.b", "e30.e30.", "x" * 5000, "9" * 4000 + ".a.b", DEEP]
)
def test_texts_that_are_not_tokens(tokens: AccessTokens, text: str) -> None:
    assert reason_of(tokens, text) is Reason.TOKEN_INVALID


def test_every_changed_character_is_noticed(tokens: AccessTokens) -> None:
    token = tokens.issue(CALLER).token
    for place in range(0, len(token) - 1, 7):
        other = "A" if token[place] != "A" else "B"
        assert reason_of(tokens, token[:place] + other + token[place + 1 :]) is Reason.TOKEN_INVALID


def test_a_token_ends_with_its_session(tokens: AccessTokens, clock: Clock) -> None:
    ends = Caller("t", "u", scopes_of("member"), "member", "s", expire_time_s=clock.now + 30)
    assert tokens.issue(ends).expire_time_s == clock.now + 30


def test_a_token_of_an_earlier_release_has_no_revision(tokens: AccessTokens, keys: Keys) -> None:
    claims = claims_of(tokens.issue(CALLER, 7).token)
    del claims["rev"]
    assert tokens.verify(sign(keys, claims)).revision == 0


def test_the_largest_token_that_is_issued_is_read(keys: Keys, options: AuthOptions, clock: Clock) -> None:
    tokens = AccessTokens(keys, options, clock)
    largest = Caller("a" * 40, "u" * 64, scopes_of("owner"), "owner", "s" * 64)
    assert len(tokens.issue(largest).token) < options.access_token_max_chars / 2
    tokens.verify(tokens.issue(largest).token)


def test_roles_hold_the_scopes_of_those_before_them() -> None:
    ordered = sorted(Role, key=lambda role: role.rank)
    assert [role.value for role in ordered] == ["service", "member", "admin", "owner"]
    for lower, higher in pairwise(ordered):
        assert scopes_of(lower) <= scopes_of(higher)
