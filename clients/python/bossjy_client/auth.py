"""Client of AuthService: sessions, the caller's own account and API keys."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from google.protobuf import timestamp_pb2

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
        registration_token: str = "",
        device_name: str = "",
    ) -> auth_service_pb2.RegisterResponse:
        """Make a tenant and its owner. Never repeated automatically: a second call would make a second tenant."""
        request = auth_service_pb2.RegisterRequest(
            tenant_display_name=tenant_display_name,
            email=email,
            password=password,
            registration_token=registration_token,
            device_name=device_name,
        )
        return await self._connection.call(self._stub.Register, request, public=True)

    async def login(
        self, tenant_id: str, email: str, password: str, *, totp_code: str = "", device_name: str = ""
    ) -> auth_service_pb2.LoginResponse:
        """Open a session. LOGIN_REFUSED hides the reason; LOGIN_THROTTLED says how long to wait."""
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
        request = auth_service_pb2.IntrospectTokenRequest(token=token)
        return (await self._connection.call(self._stub.IntrospectToken, request, safe=True)).active

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
