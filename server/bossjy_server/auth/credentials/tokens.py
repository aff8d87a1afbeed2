"""Access tokens: short-lived JWTs (RFC 9068) signed with ES256 and checked according to RFC 8725.

Claims: `iss`, `aud`, `sub` user id, `tid` tenant id, `sid` session id, `role`, `scope` (space between), `rev` the
revision of the user that role and scopes were read from, `typ` = access, `iat`, `exp`, `jti`; `due` if the user has a
duty before the session gets scopes: `password` or `second_factor`. Header: `alg` = ES256, `typ` = at+jwt, `kid`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.context import Caller
from bossjy_server.errors import Reason, Unauthenticated
from bossjy_server.scopes import ALL_SCOPES, FACTOR_DUE, PASSWORD_DUE, Role, scope_text
from bossjy_server.storage.authority import token_expired

_ALGORITHM = "ES256"
_HEADER_TYPE = "at+jwt"
_TOKEN_TYPE = "access"
_CLAIMS = ["iss", "aud", "sub", "tid", "sid", "role", "scope", "typ", "iat", "exp", "jti"]
_DUTIES = (PASSWORD_DUE, FACTOR_DUE)
_TEXT_CLAIMS = ("sub", "tid", "sid", "role", "scope", "jti")
# A set: before Python 3.12, `text in Role` raises TypeError.
_ROLES = frozenset(Role)
# A header that contains or names its own key, or requires unknown rules, is refused (RFC 8725, 3.10).
_REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "zip", "b64"})


@dataclass(frozen=True, slots=True)
class Verified:
    """A valid access token. `revision`: of its user, when role and scopes were read."""

    caller: Caller
    revision: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A new access token. Not for logs: `token` is a secret, and repr leaves it out."""

    token: str
    expire_time_s: int

    def __repr__(self) -> str:
        return f"Issued(expire_time_s={self.expire_time_s})"


class AccessTokens:
    """Creates and checks access tokens. Pure computation: 50 to 100 µs per signature, no I/O."""

    def __init__(self, keys: Keys, options: AuthOptions, clock: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self._options = options
        self._clock = clock

    def issue(self, caller: Caller, revision: int = 0) -> Issued:
        """A token for `caller`, which never outlives the caller's `expire_time_s`, the end of the session.

        `revision` is that of the user row from which role and scopes were read. A later role change has a higher one,
        so it ends this token even if the token is signed late, whatever the clocks say.
        """
        issued_at = int(self._clock())
        expire = int(min(issued_at + self._options.access_lifetime_s, caller.expire_time_s))
        claims = {
            "iss": self._options.issuer,
            "aud": self._options.audience,
            "sub": caller.user_id,
            "tid": caller.tenant_id,
            "sid": caller.session_id,
            "role": caller.role,
            "scope": scope_text(caller.scopes),
            "rev": revision,
            "typ": _TOKEN_TYPE,
            "iat": issued_at,
            "exp": expire,
            "jti": secrets.token_urlsafe(12),
        }
        if caller.due:
            claims["due"] = caller.due
        key = self.keys.signing
        token = jwt.encode(claims, key.private, _ALGORITHM, headers={"kid": key.kid, "typ": _HEADER_TYPE})
        return Issued(token, expire)

    def verify(self, token: str) -> Verified:
        """The content of a token. Raises Unauthenticated: TOKEN_EXPIRED, or TOKEN_INVALID for all else."""
        if len(token) > self._options.access_token_max_chars or not token.isascii():
            raise refused()
        try:
            claims = self._signed_claims(token)
        except (jwt.PyJWTError, RecursionError) as error:  # a header can be JSON that is nested too deeply
            raise refused() from error
        if claims["typ"] != _TOKEN_TYPE or not all(_is_text(claims[name]) for name in _TEXT_CLAIMS):
            raise refused()
        issued_at, expire = claims["iat"], claims["exp"]
        self._check_times(issued_at, expire)
        revision = claims.get("rev", 0)  # tokens of earlier releases have none; they are older than any change
        if type(revision) is not int:
            raise refused()
        return Verified(_caller_of(claims, expire), revision)

    def _signed_claims(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if _REFUSED_HEADERS & header.keys() or header.get("typ") != _HEADER_TYPE or not isinstance(kid, str):
            raise jwt.InvalidTokenError("an unsupported header")
        key = self.keys.verifying(kid)
        if key is None:
            raise jwt.InvalidTokenError("an unknown key")
        # _check_times checks the times and bounds the lifetime of the token.
        return jwt.decode(
            token,
            key.public,
            algorithms=[_ALGORITHM],
            audience=self._options.audience,
            issuer=self._options.issuer,
            options={
                "require": _CLAIMS,
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )

    def _check_times(self, issued_at: object, expire: object) -> None:
        if type(issued_at) is not int or type(expire) is not int:
            raise refused()
        now, leeway = self._clock(), self._options.access_leeway_s
        if issued_at > now + leeway or not 0 <= expire - issued_at <= self._options.access_lifetime_s:
            raise refused()
        if expire <= now - leeway:
            raise token_expired()


def refused() -> Unauthenticated:
    """The single answer to an invalid token, whatever the cause."""
    return Unauthenticated(Reason.TOKEN_INVALID, "the token or API key is not valid: log in, or use a valid API key")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _caller_of(claims: Mapping[str, Any], expire: int) -> Caller:
    scopes = frozenset(claims["scope"].split())
    if claims["role"] not in _ROLES or not scopes <= ALL_SCOPES:
        raise refused()
    return Caller(
        tenant_id=claims["tid"],
        user_id=claims["sub"],
        scopes=scopes,
        role=claims["role"],
        session_id=claims["sid"],
        expire_time_s=float(expire),
        due=claims["due"] if claims.get("due") in _DUTIES else "",
    )
