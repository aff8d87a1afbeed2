"""Authentication of calls by the `authorization` entry. Every call passes here, so the code is short.

A signature check costs about 100 µs, a look-up in the map of verified tokens less than 1. An entry is valid until its
token expires, and is compared with the cutoff of its session on every call. The key is the raw entry: a digest would
cost more than all other steps, and protect little in a process that has the signing key.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bossjy_server.auth.credentials.apikeys import ApiKeys
from bossjy_server.auth.credentials.token_format import API_KEY_PREFIX
from bossjy_server.auth.credentials.tokens import AccessTokens, Verified, refused
from bossjy_server.auth.login.revocations import ENDED, Revocations
from bossjy_server.auth.options import AuthOptions
from bossjy_server.bounded import BoundedMap
from bossjy_server.context import Caller
from bossjy_server.storage.authority import session_ended, token_expired

_SCHEME = "bearer "


class Authenticator:
    """Authenticates callers by their credentials. `rpc` calls `authenticate`."""

    def __init__(
        self,
        tokens: AccessTokens,
        api_keys: ApiKeys,
        revocations: Revocations,
        options: AuthOptions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tokens
        self._api_keys = api_keys
        self._revocations = revocations
        self._clock = clock
        self._verified = BoundedMap[str, Verified](options.verified_tokens_max)
        self._removals = tokens.keys.removals

    async def authenticate(self, authorization: str) -> Caller:
        """The caller of `Bearer TOKEN` or `Bearer API_KEY`.

        Raises Unauthenticated: TOKEN_INVALID, TOKEN_EXPIRED, SESSION_ENDED. Raises Unavailable if an API key must be
        read and the database does not answer.
        """
        verified = self._verified.get(authorization)
        if (
            verified is None
            or verified.caller.expire_time_s <= self._clock()
            or self._removals != self._tokens.keys.removals  # a signing key was removed, so its tokens are not valid
        ):
            if authorization[: len(_SCHEME)].lower() != _SCHEME:
                raise refused()
            credential = authorization[len(_SCHEME) :]
            if credential.startswith(API_KEY_PREFIX):
                return await self._api_keys.caller_of(credential)
            verified = self._verify(authorization, credential)
        self._check_session(verified)
        return verified.caller

    async def caller_of(self, credential: str) -> Caller:
        """The caller of an access token or API key. Raises the errors of `authenticate`."""
        return await self.authenticate(_SCHEME + credential)

    async def certified(self, name: str) -> Caller:
        """The service account to which the name in a client certificate is bound. `rpc` has verified the certificate.

        Raises Unauthenticated(CREDENTIALS_MISSING) if the name is not bound; Unavailable as `authenticate` does.
        """
        return await self._api_keys.caller_of_certificate(name)

    def _check_session(self, verified: Verified) -> None:
        if self._revocations.cutoff(verified.caller.session_id) == ENDED:
            raise session_ended()
        if verified.revision < self._revocations.cutoff(verified.caller.user_id):
            raise token_expired()
        self._revocations.check_heard()

    def _verify(self, authorization: str, credential: str) -> Verified:
        if self._removals != self._tokens.keys.removals:
            self._removals = self._tokens.keys.removals
            self._verified.clear()
        verified = self._tokens.verify(credential)
        # Those kept first expire roughly first.
        now = self._clock()
        self._verified.forget_while(lambda kept: kept.caller.expire_time_s <= now)
        self._verified.keep(authorization, verified)
        return verified
