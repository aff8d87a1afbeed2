"""Client of AuthService: sessions, the caller's own account and API keys."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence

from google.protobuf import field_mask_pb2, timestamp_pb2

from bossjy.auth.v1 import account_pb2, auth_service_pb2, auth_service_pb2_grpc
from bossjy_client.connection import Connection
from bossjy_client.tokens import SessionTokens


class AuthClient:
    """The caller's identity and permissions. Every method raises BossjyError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = auth_service_pb2_grpc.AuthServiceStub(connection.channel)

    async def register(
        self,
        tenant_display_name: str,
        email: str,
        password: str,
        *,
        display_name: str = "",
        registration_token: str = "",
        device_name: str = "",
    ) -> auth_service_pb2.RegisterResponse:
        """Make a tenant and its owner. Never repeated automatically: a second call would make a second tenant.

        REGISTRATION_CLOSED if the server needs a `registration_token`, or accepts none.
        """
        request = auth_service_pb2.RegisterRequest(
            tenant_display_name=tenant_display_name,
            email=email,
            password=password,
            display_name=display_name,
            registration_token=registration_token,
            device_name=device_name,
        )
        return await self._connection.call(self._stub.Register, request, public=True)

    async def login(
        self, tenant_id: str, email: str, password: str, *, totp_code: str = "", device_name: str = ""
    ) -> auth_service_pb2.LoginResponse:
        """Open a session. LOGIN_REFUSED hides the reason; LOGIN_THROTTLED says how long to wait.

        If the answer has `password_change_required`, the session has no scopes: call `change_password`, then `login`
        with the new password.
        """
        request = auth_service_pb2.LoginRequest(
            tenant_id=tenant_id, email=email, password=password, totp_code=totp_code, device_name=device_name
        )
        # If an answer is lost, its session has no user, and ends after its idle time.
        return await self._connection.call(self._stub.Login, request, safe=True, public=True)

    async def refresh(self, tokens: SessionTokens) -> SessionTokens:
        """Exchange the refresh token. Safe to repeat within the server's grace."""
        request = auth_service_pb2.RefreshTokenRequest(refresh_token=tokens.refresh_token)
        answer = await self._connection.call(self._stub.RefreshToken, request, public=True)
        return SessionTokens.of(answer.tokens)

    async def logout(self, *, all_sessions: bool = False) -> int:
        """End the session of this client, or all sessions of its user. Returns their number."""
        request = auth_service_pb2.LogoutRequest(all_sessions=all_sessions)
        return (await self._connection.call(self._stub.Logout, request)).ended_count

    async def me(self) -> auth_service_pb2.GetMeResponse:
        """The caller."""
        return await self._connection.call(self._stub.GetMe, auth_service_pb2.GetMeRequest())

    async def update_me(self, *, display_name: str | None = None, language: str | None = None) -> account_pb2.User:
        """Change the caller's own name or language (a BCP 47 tag). None leaves a field unchanged."""
        request = auth_service_pb2.UpdateMeRequest(
            display_name=display_name or "",
            language=language or "",
            update_mask=mask(display_name=display_name, language=language),
        )
        return (await self._connection.call(self._stub.UpdateMe, request, safe=True)).user

    async def change_password(
        self, current_password: str, new_password: str, *, end_other_sessions: bool = False
    ) -> int:
        """Change the caller's password. Returns the number of ended sessions.

        PASSWORD_REFUSED gives the reason of a refusal. If the password had to be changed, the session gets its scopes
        at its next refresh.
        """
        request = auth_service_pb2.ChangePasswordRequest(
            current_password=current_password, new_password=new_password, end_other_sessions=end_other_sessions
        )
        # Not repeated: after a success the current password is wrong.
        return (await self._connection.call(self._stub.ChangePassword, request, safe=False)).ended_count

    async def list_sessions(self) -> AsyncIterator[account_pb2.Session]:
        """The caller's sessions that have not ended, the newest first."""
        request = auth_service_pb2.ListSessionsRequest()
        while True:
            answer = await self._connection.call(self._stub.ListSessions, request, safe=True)
            for session in answer.sessions:
                yield session
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def revoke_session(self, session_id: str) -> None:
        """End one of the caller's sessions."""
        request = auth_service_pb2.RevokeSessionRequest(session_id=session_id)
        await self._connection.call(self._stub.RevokeSession, request, safe=True)

    async def begin_second_factor(
        self, password: str, *, totp_code: str = ""
    ) -> auth_service_pb2.BeginSecondFactorResponse:
        """A new secret for one-time codes, which is valid after `confirm_second_factor`.

        `totp_code` is a code of the current second factor, or a recovery code; SECOND_FACTOR_REQUIRED without it.
        """
        request = auth_service_pb2.BeginSecondFactorRequest(password=password, totp_code=totp_code)
        # Not repeated: a code works once.
        return await self._connection.call(self._stub.BeginSecondFactor, request)

    async def confirm_second_factor(self, totp_code: str) -> list[str]:
        """Turn the second factor on with a code of the new secret. Returns the recovery codes."""
        request = auth_service_pb2.ConfirmSecondFactorRequest(totp_code=totp_code)
        answer = await self._connection.call(self._stub.ConfirmSecondFactor, request)
        return list(answer.recovery_codes)

    async def remove_second_factor(self, password: str, *, totp_code: str = "") -> None:
        """Turn the second factor off. SECOND_FACTOR_NEEDED if the user's role or tenant requires one."""
        request = auth_service_pb2.RemoveSecondFactorRequest(password=password, totp_code=totp_code)
        await self._connection.call(self._stub.RemoveSecondFactor, request)

    async def holds(self, token: str) -> bool:
        """True if a token or API key of this tenant is valid now."""
        return (await self.introspect(token)).active

    async def introspect(self, token: str) -> auth_service_pb2.IntrospectTokenResponse:
        """Validity and content of a token or API key of this tenant; `active` is false for any other text."""
        request = auth_service_pb2.IntrospectTokenRequest(token=token)
        return await self._connection.call(self._stub.IntrospectToken, request, safe=True)

    async def jwks(self) -> list[account_pb2.Jwk]:
        """The public keys of access tokens, the current signing key first."""
        request = auth_service_pb2.GetJwksRequest()
        return list((await self._connection.call(self._stub.GetJwks, request, safe=True, public=True)).keys)

    async def create_api_key(
        self, display_name: str, scopes: Sequence[str], *, expire_time_s: float | None = None
    ) -> auth_service_pb2.CreateApiKeyResponse:
        """Make an API key; only this answer has its secret. `expire_time_s` is Unix time."""
        expire = None if expire_time_s is None else timestamp_pb2.Timestamp(seconds=int(expire_time_s))
        request = auth_service_pb2.CreateApiKeyRequest(
            display_name=display_name, scopes=scopes, expire_time=expire, request_id=str(uuid.uuid4())
        )
        # Not repeated: the answer to a repetition has no secret.
        return await self._connection.call(self._stub.CreateApiKey, request)

    async def list_api_keys(self) -> list[account_pb2.ApiKey]:
        """The tenant's API keys, without their secrets."""
        request = auth_service_pb2.ListApiKeysRequest()
        keys: list[account_pb2.ApiKey] = []
        while True:
            answer = await self._connection.call(self._stub.ListApiKeys, request)
            keys.extend(answer.api_keys)
            if not answer.next_page_token:
                return keys
            request.page_token = answer.next_page_token

    async def revoke_api_key(self, api_key_id: str) -> None:
        """Revoke an API key."""
        request = auth_service_pb2.RevokeApiKeyRequest(api_key_id=api_key_id)
        await self._connection.call(self._stub.RevokeApiKey, request, safe=True)


def mask(**fields: object) -> field_mask_pb2.FieldMask:
    """The mask of the fields that are not None."""
    return field_mask_pb2.FieldMask(paths=[name for name, value in fields.items() if value is not None])
