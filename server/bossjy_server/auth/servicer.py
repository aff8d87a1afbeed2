"""AuthService: converts requests, makes one call, converts the response."""

from __future__ import annotations

from datetime import UTC, datetime

from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy_server.auth import convert
from bossjy_server.auth.audit.audit_list import AuditLog
from bossjy_server.auth.credentials.apikeys import ApiKeys, NewApiKey
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.login.authenticator import Authenticator
from bossjy_server.auth.login.second_factor import SecondFactor
from bossjy_server.auth.login.sessions import Sessions
from bossjy_server.auth.people.accounts import Accounts, NewTenant
from bossjy_server.auth.people.users import Changes, NewUser, Users
from bossjy_server.auth.records import ApiKey, User, to_datetime
from bossjy_server.auth.requests import (
    caller_with_session,
    chosen,
    client_of,
    note,
    note_attempt,
    region,
    role,
    tag,
    time_of,
)
from bossjy_server.context import current_call, current_caller
from bossjy_server.errors import Unauthenticated
from bossjy_server.storage.pages import Pages

# The start of a listing by time: later than any row.
_NEWEST = (datetime.max.replace(tzinfo=UTC), "")


class AuthServicer:
    """The methods of bossjy.auth.v1.AuthService; a method that is not here answers METHOD_NOT_AVAILABLE."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        sessions: Sessions,
        users: Users,
        api_keys: ApiKeys,
        authenticator: Authenticator,
        second_factor: SecondFactor,
        audit_log: AuditLog,
        keys: Keys,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._users = users
        self._api_keys = api_keys
        self._authenticator = authenticator
        self._second_factor = second_factor
        self._audit_log = audit_log
        self._keys = keys
        self._pages = Pages(keys.mac)

    async def Register(self, request: pb.RegisterRequest) -> pb.RegisterResponse:
        """Create a tenant and its owner, and log the owner in."""
        new = NewTenant(
            display_name=request.tenant_display_name,
            email=request.email,
            password=request.password,
            owner_name=request.display_name,
            registration_token=request.registration_token,
        )
        tenant, user, tokens = await self._accounts.register(new, client_of(request.device_name))
        note("register", tenant_id=tenant.tenant_id, user_id=user.user_id)
        return pb.RegisterResponse(
            tenant=convert.tenant(tenant),
            user=convert.user(user),
            tokens=convert.tokens(tokens),
            second_factor_required=self._accounts.factor_due(user),
        )

    async def Login(self, request: pb.LoginRequest) -> pb.LoginResponse:
        """Open a session with a password."""
        note_attempt("login", request.tenant_id)
        tokens, user = await self._sessions.login(
            request.tenant_id, request.email, request.password, client_of(request.device_name), request.totp_code
        )
        note("login", tenant_id=user.tenant_id, user_id=user.user_id)
        return pb.LoginResponse(
            tokens=convert.tokens(tokens),
            user=convert.user(user),
            password_change_required=user.password_change_required,
            second_factor_required=self._accounts.factor_due(user),
        )

    async def RefreshToken(self, request: pb.RefreshTokenRequest) -> pb.RefreshTokenResponse:
        """Return new tokens for a refresh token."""
        tokens, user = await self._sessions.refresh(request.refresh_token)
        note("refresh", tenant_id=user.tenant_id, user_id=user.user_id)
        return pb.RefreshTokenResponse(tokens=convert.tokens(tokens))

    async def Logout(self, request: pb.LogoutRequest) -> pb.LogoutResponse:
        """End the session of the call, or all sessions of its user."""
        caller = caller_with_session()
        ended = await self._sessions.logout(caller, all_sessions=request.all_sessions)
        note("logout", ended_count=ended)
        return pb.LogoutResponse(ended_count=ended)

    async def GetJwks(self, request: pb.GetJwksRequest) -> pb.GetJwksResponse:  # noqa: ARG002
        """List the public keys."""
        return pb.GetJwksResponse(keys=map(convert.jwk, self._keys.published()))

    async def IntrospectToken(self, request: pb.IntrospectTokenRequest) -> pb.IntrospectTokenResponse:
        """Report if a token of the caller's tenant is valid."""
        try:
            subject = await self._authenticator.caller_of(request.token)
        except Unauthenticated:
            return pb.IntrospectTokenResponse(active=False)
        if subject.tenant_id != current_caller().tenant_id:
            return pb.IntrospectTokenResponse(active=False)
        return pb.IntrospectTokenResponse(
            active=True,
            tenant_id=subject.tenant_id,
            subject=subject.api_key_id or subject.user_id,
            scopes=sorted(subject.scopes),
            expire_time=convert.timestamp(to_datetime(subject.expire_time_s)),
            session_id=subject.session_id,
        )

    async def GetMe(self, request: pb.GetMeRequest) -> pb.GetMeResponse:  # noqa: ARG002
        """Return the caller."""
        caller = current_caller()
        own, tenant = await self._accounts.me(caller)
        return pb.GetMeResponse(
            user=None if isinstance(own, ApiKey) else convert.user(own),
            api_key=convert.api_key(own) if isinstance(own, ApiKey) else None,
            tenant=convert.tenant(tenant),
            scopes=sorted(caller.scopes),
            session_id=caller.session_id,
            api_key_id=caller.api_key_id,
            second_factor_required=isinstance(own, User) and self._accounts.factor_due(own),
        )

    async def UpdateMe(self, request: pb.UpdateMeRequest) -> pb.UpdateMeResponse:
        """Change the caller's own name or language."""
        values = chosen(request, request.update_mask, ("display_name", "language"))
        user = await self._accounts.update_me(
            caller_with_session(), values.get("display_name"), tag(values.get("language"))
        )
        return pb.UpdateMeResponse(user=convert.user(user))

    async def ChangePassword(self, request: pb.ChangePasswordRequest) -> pb.ChangePasswordResponse:
        """Change the caller's password."""
        ended = await self._accounts.change_password(
            caller_with_session(),
            request.current_password,
            request.new_password,
            current_call().address,
            end_others=request.end_other_sessions,
        )
        note("change_password", ended_count=ended)
        return pb.ChangePasswordResponse(ended_count=ended)

    async def BeginSecondFactor(self, request: pb.BeginSecondFactorRequest) -> pb.BeginSecondFactorResponse:
        """Return a secret for one-time codes."""
        note("begin_second_factor")
        secret, uri = await self._second_factor.begin(
            caller_with_session(), request.password, request.totp_code, current_call().address
        )
        return pb.BeginSecondFactorResponse(secret=secret, otpauth_uri=uri)

    async def ConfirmSecondFactor(self, request: pb.ConfirmSecondFactorRequest) -> pb.ConfirmSecondFactorResponse:
        """Turn the second factor on."""
        note("confirm_second_factor")
        codes = await self._second_factor.confirm(caller_with_session(), request.totp_code, current_call().address)
        return pb.ConfirmSecondFactorResponse(recovery_codes=codes)

    async def RemoveSecondFactor(self, request: pb.RemoveSecondFactorRequest) -> pb.RemoveSecondFactorResponse:
        """Turn the second factor off."""
        note("remove_second_factor")
        await self._second_factor.remove(
            caller_with_session(), request.password, request.totp_code, current_call().address
        )
        return pb.RemoveSecondFactorResponse()

    async def ListSessions(self, request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
        """List the caller's sessions, newest first."""
        caller = caller_with_session()
        page = self._pages.open(request, caller.tenant_id, caller.user_id, kinds=(datetime, str))
        rows = await self._sessions.page(caller, page.cursor or _NEWEST, page.limit)
        sessions, token = page.answer(
            rows, lambda row: convert.session(row, caller.session_id), lambda row: (row.create_time, row.session_id)
        )
        return pb.ListSessionsResponse(sessions=sessions, next_page_token=token)

    async def RevokeSession(self, request: pb.RevokeSessionRequest) -> pb.RevokeSessionResponse:
        """End one of the caller's sessions."""
        await self._sessions.revoke(caller_with_session(), request.session_id)
        note("revoke_session")
        return pb.RevokeSessionResponse()

    async def CreateApiKey(self, request: pb.CreateApiKeyRequest) -> pb.CreateApiKeyResponse:
        """Create an API key."""
        new = NewApiKey(
            display_name=request.display_name,
            scopes=frozenset(request.scopes),
            expire_time=time_of(request, "expire_time"),
            request_id=request.request_id,
        )
        key, secret = await self._api_keys.create(current_caller(), new)
        note("create_api_key", api_key_id=key.api_key_id)
        return pb.CreateApiKeyResponse(api_key=convert.api_key(key), secret=secret)

    async def ListApiKeys(self, request: pb.ListApiKeysRequest) -> pb.ListApiKeysResponse:
        """List the tenant's API keys, newest first."""
        caller = current_caller()
        page = self._pages.open(request, caller.tenant_id, kinds=(datetime, str))
        rows = await self._api_keys.page(caller, page.cursor or _NEWEST, page.limit)
        keys, token = page.answer(rows, convert.api_key, lambda row: (row.create_time, row.api_key_id))
        return pb.ListApiKeysResponse(api_keys=keys, next_page_token=token)

    async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest) -> pb.RevokeApiKeyResponse:
        """End an API key."""
        await self._api_keys.revoke(current_caller(), request.api_key_id)
        note("revoke_api_key", api_key_id=request.api_key_id)
        return pb.RevokeApiKeyResponse()

    async def CreateUser(self, request: pb.CreateUserRequest) -> pb.CreateUserResponse:
        """Create a user of the caller's tenant."""
        new = NewUser(
            email=request.email,
            display_name=request.display_name,
            role=convert.role_of(request.role),
            password=request.password,
            request_id=request.request_id,
        )
        user, password = await self._users.create(current_caller(), new)
        note("create_user", resource=user.user_id)
        return pb.CreateUserResponse(user=convert.user(user), password=password)

    async def GetUser(self, request: pb.GetUserRequest) -> pb.GetUserResponse:
        """Read a user."""
        return pb.GetUserResponse(user=convert.user(await self._users.get(current_caller(), request.user_id)))

    async def ListUsers(self, request: pb.ListUsersRequest) -> pb.ListUsersResponse:
        """List the tenant's users by mail address."""
        caller = current_caller()
        page = self._pages.open(request, caller.tenant_id, kinds=(str,))
        (after,) = page.cursor or ("",)
        rows = await self._users.page(caller, request.filter, after, page.limit)
        users, token = page.answer(rows, convert.user, lambda row: (row.user_id,))
        return pb.ListUsersResponse(users=users, next_page_token=token)

    async def UpdateUser(self, request: pb.UpdateUserRequest) -> pb.UpdateUserResponse:
        """Change a user."""
        values = chosen(request.user, request.update_mask, ("display_name", "language", "role"))
        changes = Changes(
            display_name=values.get("display_name"),
            language=tag(values.get("language")),
            role=role(values.get("role")),
            etag=request.user.etag,
        )
        user = await self._users.update(current_caller(), request.user.user_id, changes)
        note("update_user", resource=user.user_id)
        return pb.UpdateUserResponse(user=convert.user(user))

    async def DisableUser(self, request: pb.DisableUserRequest) -> pb.DisableUserResponse:
        """Disable a user."""
        user, ended = await self._users.disable(current_caller(), request.user_id)
        note("disable_user", resource=user.user_id, ended_count=ended)
        return pb.DisableUserResponse(user=convert.user(user), ended_count=ended)

    async def EnableUser(self, request: pb.EnableUserRequest) -> pb.EnableUserResponse:
        """Enable a user."""
        user = await self._users.enable(current_caller(), request.user_id)
        note("enable_user", resource=user.user_id)
        return pb.EnableUserResponse(user=convert.user(user))

    async def DeleteUser(self, request: pb.DeleteUserRequest) -> pb.DeleteUserResponse:
        """Delete a user."""
        ended = await self._users.delete(current_caller(), request.user_id)
        note("delete_user", resource=request.user_id, ended_count=ended)
        return pb.DeleteUserResponse(ended_count=ended)

    async def ResetPassword(self, request: pb.ResetPasswordRequest) -> pb.ResetPasswordResponse:
        """Set a new password for a user."""
        password = await self._users.reset_password(
            current_caller(), request.user_id, keep_api_keys=request.keep_api_keys
        )
        note("reset_password", resource=request.user_id)
        return pb.ResetPasswordResponse(password=password)

    async def RemoveUserSecondFactor(
        self, request: pb.RemoveUserSecondFactorRequest
    ) -> pb.RemoveUserSecondFactorResponse:
        """Turn off the second factor of another user."""
        user, ended = await self._users.remove_second_factor(current_caller(), request.user_id)
        note("remove_user_second_factor", resource=user.user_id, ended_count=ended)
        return pb.RemoveUserSecondFactorResponse(user=convert.user(user), ended_count=ended)

    async def GetTenant(self, request: pb.GetTenantRequest) -> pb.GetTenantResponse:  # noqa: ARG002
        """Read the caller's tenant."""
        return pb.GetTenantResponse(tenant=convert.tenant(await self._accounts.tenant(current_caller())))

    async def UpdateTenant(self, request: pb.UpdateTenantRequest) -> pb.UpdateTenantResponse:
        """Change the caller's tenant."""
        allowed = ("display_name", "default_region", "second_factor_required")
        values = chosen(request.tenant, request.update_mask, allowed, empty_name=False)
        tenant = await self._accounts.update_tenant(
            current_caller(),
            values.get("display_name"),
            region(values.get("default_region")),
            values.get("second_factor_required"),
        )
        note("update_tenant")
        return pb.UpdateTenantResponse(tenant=convert.tenant(tenant))

    async def ListAuditEvents(self, request: pb.ListAuditEventsRequest) -> pb.ListAuditEventsResponse:
        """List the audit events of the caller's tenant, newest first."""
        caller = current_caller()
        page = self._pages.open(request, caller.tenant_id, kinds=(str,))
        (before,) = page.cursor or ("",)
        rows = await self._audit_log.page(caller, request.filter, before, page.limit)
        events, token = page.answer(rows, convert.audit_event, lambda row: (row.event_id,))
        return pb.ListAuditEventsResponse(events=events, next_page_token=token)
