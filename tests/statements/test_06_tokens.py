"""Statements 6 to 15: access tokens. The forged ones are signed with the server's own key."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bossjy_server.auth.options import AuthOptions
from tests.e2e.conftest import ROOT
from tests.statements.conftest import Person, Refused, Served

LEEWAY_S = 5
REQUIRED = ("iss", "aud", "sub", "exp", "iat", "jti")


class Forge:
    """Makes tokens with an operator's key, changed in one point."""

    def __init__(self, folder: Path, owner: Person) -> None:
        self.header: dict[str, Any] = jwt.get_unverified_header(owner.access)
        self.claims: dict[str, Any] = jwt.decode(owner.access, options={"verify_signature": False})
        (path,) = folder.glob(f"*{self.header['kid']}.pem")
        self.pem = path.read_bytes()
        self.key = serialization.load_pem_private_key(self.pem, None)
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)

    def token(self, *, drop: str = "", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        body = {name: value for name, value in (self.claims | claims).items() if name != drop}
        header = {"kid": self.header["kid"], "typ": self.header["typ"]} | (headers or {})
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        return jwt.encode(body, self.key, "ES256", headers=header)

    def unsigned(self, algorithm: str, signature: Callable[[bytes], bytes]) -> str:
        """A token whose header names any algorithm."""
        parts = [self.header | {"alg": algorithm}, self.claims]
        body = b".".join(_base64(json.dumps(part).encode()) for part in parts)
        return (body + b"." + _base64(signature(body))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@pytest.fixture
def forge(served: Served, owner: Person) -> Forge:
    return Forge(served.process.data_dir / "keys", owner)


async def use(person: Person, token: str) -> Refused:
    """The outcome of GetMe with that token."""
    return await Person(person.channel, access=token).outcome("GetMe")


async def check_refused(person: Person, token: str) -> None:
    ended = await use(person, token)
    assert (ended.code, ended.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")


async def test_a_correctly_forged_token_is_accepted(owner: Person, forge: Forge) -> None:
    """Otherwise the refusals below would prove nothing."""
    assert (await use(owner, forge.token())).code == "OK"


@pytest.mark.statement(6)
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
async def test_06_no_signature_is_no_token(owner: Person, forge: Forge, algorithm: str) -> None:
    await check_refused(owner, forge.unsigned(algorithm, lambda _: b""))


@pytest.mark.statement(7)
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_07_the_public_key_is_no_shared_secret(owner: Person, forge: Forge, algorithm: str) -> None:
    public = forge.key.public_key()
    for encoding, form in (
        (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint),
    ):
        secret = public.public_bytes(encoding, form)
        digest = getattr(hashlib, f"sha{algorithm[2:]}")
        token = forge.unsigned(algorithm, lambda body, s=secret, d=digest: hmac.digest(s, body, d))  # type: ignore[misc]
        await check_refused(owner, token)


@pytest.mark.statement(8)
@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
async def test_08_a_header_that_brings_a_key_is_refused(owner: Person, forge: Forge, name: str) -> None:
    answer = await owner.call("GetJwks")
    jwk = {"kty": "EC", "crv": "P-256", "x": answer.keys[0].x, "y": answer.keys[0].y}
    value = {"jku": "https://127.0.0.1/jwks", "x5u": "https://127.0.0.1/c", "jwk": jwk, "x5c": ["MA=="]}[name]
    await check_refused(owner, forge.token(headers={name: value}))


@pytest.mark.statement(9)
async def test_09_an_unknown_key_id_is_refused_and_costs_nothing(owner: Person, forge: Forge) -> None:
    for kid in ("nobody", "../../secret", "", "A" * 43):
        await check_refused(owner, forge.token(headers={"kid": kid}))
    began = time.perf_counter()
    await asyncio.gather(*(check_refused(owner, forge.token(headers={"kid": f"k{n}"})) for n in range(200)))
    assert time.perf_counter() - began < 10  # no disk access for each: that alone would be 40 ms a key


@pytest.mark.statement(10)
@pytest.mark.parametrize("claim", REQUIRED)
async def test_10_a_token_without_a_required_claim_is_refused(owner: Person, forge: Forge, claim: str) -> None:
    await check_refused(owner, forge.token(drop=claim))


@pytest.mark.statement(11)
@pytest.mark.parametrize("claim", ["aud", "iss"])
async def test_11_another_audience_or_issuer_is_refused(owner: Person, forge: Forge, claim: str) -> None:
    values = ("another", "", *([["bossjy", "another"]] if claim == "aud" else []))
    for value in values:
        await check_refused(owner, forge.token(**dict[str, Any]({claim: value})))


@pytest.mark.statement(12)
async def test_12_the_type_of_a_token_counts(owner: Person, forge: Forge) -> None:
    await check_refused(owner, forge.token(typ="refresh"))
    await check_refused(owner, forge.token(headers={"typ": "JWT"}))
    await check_refused(owner, owner.refresh)
    ended = await Person(owner.channel).outcome("RefreshToken", refresh_token=owner.access)
    assert ended.code in ("UNAUTHENTICATED", "INVALID_ARGUMENT")  # too long for a refresh token, if used as one


@pytest.mark.statement(13)
async def test_13_a_token_of_a_hundred_years_is_refused(owner: Person, forge: Forge) -> None:
    now = int(time.time())
    await check_refused(owner, forge.token(iat=now, exp=now + 100 * 365 * 86_400))
    await check_refused(owner, forge.token(iat=now, exp=now + AuthOptions().access_lifetime_s + 1))


@pytest.mark.statement(14)
async def test_14_the_leeway_of_clocks_is_five_seconds(owner: Person, forge: Forge) -> None:
    now = int(time.time())
    assert (await use(owner, forge.token(iat=now - 300, exp=now - LEEWAY_S + 2))).code == "OK"
    late = await use(owner, forge.token(iat=now - 300, exp=now - LEEWAY_S - 1))
    assert (late.code, late.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")
    assert (await use(owner, forge.token(iat=now + LEEWAY_S - 2, exp=now + 300))).code == "OK"
    await check_refused(owner, forge.token(iat=int(time.time()) + LEEWAY_S + 3, exp=now + 300))


@pytest.mark.statement(15)
async def test_15_a_key_is_rotated_and_old_tokens_stay_valid(served: Served, owner: Person) -> None:
    old = jwt.get_unverified_header(owner.access)["kid"]
    command = [sys.executable, "-m", "bossjy_server.cli", "keys"]
    environment = served.process.environment

    def run(*words: str) -> str:
        done = subprocess.run(
            [*command, *words], env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    new = (await asyncio.to_thread(run, "rotate")).split()[1].rstrip(":")
    deadline = time.monotonic() + 60
    fresh = owner
    while jwt.get_unverified_header(fresh.access)["kid"] != new:
        assert time.monotonic() < deadline, "the running server does not use the new key"
        await asyncio.sleep(0.2)
        fresh = await fresh.refreshed()
    published = [key.kid for key in (await owner.call("GetJwks")).keys]
    assert published[:2] == [new, old]
    assert (await use(owner, owner.access)).code == "OK"
    assert (await use(owner, fresh.access)).code == "OK"
    # Another program verifies with the published keys.
    jwks = {key.kid: key for key in (await owner.call("GetJwks")).keys}
    for token in (owner.access, fresh.access):
        one = jwks[jwt.get_unverified_header(token)["kid"]]
        key = jwt.PyJWK({"kty": one.kty, "crv": one.crv, "x": one.x, "y": one.y, "alg": one.alg})
        assert jwt.decode(token, key, algorithms=["ES256"], audience="bossjy")["tid"] == owner.tenant_id
    # The removal of a key ends its tokens.
    listed = await asyncio.to_thread(run, "list")
    assert old in listed
    await asyncio.to_thread(run, "remove", "--", old)
    deadline = time.monotonic() + 60
    while (await use(owner, owner.access)).code == "OK":
        assert time.monotonic() < deadline, "a token of a removed key is still valid"
        await asyncio.sleep(0.2)
    assert (await use(owner, fresh.access)).code == "OK"
