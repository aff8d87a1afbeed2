"""AuthService: convert in, one call, convert out."""

from __future__ import annotations

from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy_server.auth import convert
from bossjy_server.auth.accounts import Accounts, NewTenant
from bossjy_server.auth.sessions import Client, Sessions
from bossjy_server.context import current_call, current_caller


class AuthServicer:
    """The methods of bossjy.auth.v1.AuthService; one that is not here answers METHOD_NOT_AVAILABLE."""

    def __init__(self, accounts: Accounts, sessions: Sessions) -> None:
        self._accounts = accounts
        self._sessions = sessions

    async def Register(self, request: pb.RegisterRequest) -> pb.RegisterResponse:
        """Make a tenant and its owner, and log the owner in."""
        new = NewTenant(
            display_name=request.tenant_display_name,
            email=request.email,
            password=request.password,
            owner_name=request.display_name,
            registration_token=request.registration_token,
        )
        tenant, user, tokens = await self._accounts.register(new, _client(request.device_name))
        _note("register", tenant.tenant_id, user.user_id)
        return pb.RegisterResponse(
            tenant=convert.tenant(tenant), user=convert.user(user), tokens=convert.tokens(tokens)
        )

    async def Login(self, request: pb.LoginRequest) -> pb.LoginResponse:
        """Open a session with a password."""
        tokens, user = await self._sessions.login(
            request.tenant_id, request.email, request.password, _client(request.device_name)
        )
        _note("login", user.tenant_id, user.user_id)
        return pb.LoginResponse(
            tokens=convert.tokens(tokens),
            user=convert.user(user),
            password_change_required=user.password_change_required,
        )

    async def GetMe(self, request: pb.GetMeRequest) -> pb.GetMeResponse:  # noqa: ARG002
        """Tell who calls."""
        caller = current_caller()
        user, tenant = await self._accounts.me(caller)
        return pb.GetMeResponse(
            user=convert.user(user),
            tenant=convert.tenant(tenant),
            scopes=sorted(caller.scopes),
            session_id=caller.session_id,
            api_key_id=caller.api_key_id,
        )


def _client(device_name: str) -> Client:
    call = current_call()
    return Client(device_name, call.user_agent, call.address)


def _note(event: str, tenant_id: str, user_id: str) -> None:
    """Put what happened into the call's log line: ids, never names, addresses or secrets."""
    current_call().log.update(auth_event=event, tenant_id=tenant_id, user_id=user_id)
