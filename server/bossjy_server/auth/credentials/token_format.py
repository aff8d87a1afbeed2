"""Texts of refresh tokens and API keys: opaque to the client, self-describing to the server.

    bjr_<tenant>.<session>.<generation>.<mac>      a refresh token
    bjk_<tenant>.<key id>.<random>                 an API key

The text contains the tenant because every look-up happens inside one tenant.

A refresh token is an HMAC over a random seed of its session (in the database) and its generation, under the secret of
the service (not in the database). So no token is stored, and neither side can create one without the other. The child
of a token can be created again for a parallel call. A year later, the oldest token of a family still differs from a
forgery. All this costs one row per session.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b32encode, urlsafe_b64encode
from dataclasses import dataclass, field

from bossjy_server.auth.credentials.keys import Keys

_REFRESH = re.compile(r"bjr_([a-z0-9-]{3,40})\.([a-z2-7]{1,32})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})", re.ASCII)
_API_KEY = re.compile(r"bjk_([a-z0-9-]{3,40})\.([a-z2-7]{1,32})\.([A-Za-z0-9_-]{43})", re.ASCII)

API_KEY_PREFIX = "bjk_"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A parsed refresh token. Nothing of it is verified."""

    tenant_id: str
    session_id: str
    generation: int
    mac: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKeyText:
    """A parsed API key. Nothing of it is verified."""

    tenant_id: str
    api_key_id: str
    secret: str = field(repr=False)

    def digest(self) -> bytes:
        """The stored digest. A plain SHA-256 is enough: the secret has 256 random bits."""
        return hashlib.sha256(self.secret.encode()).digest()


def random_id(chars: int = 20) -> str:
    """A random id of lower-case letters and the digits 2 to 7, five bits per character."""
    return b32encode(secrets.token_bytes(-(-5 * chars // 8)))[:chars].decode().lower()


def new_seed() -> bytes:
    """A seed for the refresh tokens of one session."""
    return secrets.token_bytes(16)


def refresh_token(keys: Keys, tenant_id: str, session_id: str, seed: bytes, generation: int) -> str:
    """The refresh token of that generation."""
    digest = keys.mac("refresh", tenant_id.encode(), session_id.encode(), seed, b"%d" % generation)
    mac = urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"bjr_{tenant_id}.{session_id}.{generation}.{mac}"


def parse_refresh_token(text: str) -> RefreshToken | None:
    """Parse a refresh token; None if it cannot be one."""
    match = _REFRESH.fullmatch(text)
    return RefreshToken(match[1], match[2], int(match[3]), match[4]) if match else None


def new_api_key(tenant_id: str, api_key_id: str) -> ApiKeyText:
    """A new API key with a random secret."""
    return ApiKeyText(tenant_id, api_key_id, secrets.token_urlsafe(32))


def api_key_text(key: ApiKeyText) -> str:
    """The text of the API key, shown once."""
    return f"{API_KEY_PREFIX}{key.tenant_id}.{key.api_key_id}.{key.secret}"


def parse_api_key(text: str) -> ApiKeyText | None:
    """Parse an API key; None if it cannot be one."""
    match = _API_KEY.fullmatch(text)
    return ApiKeyText(match[1], match[2], match[3]) if match else None
