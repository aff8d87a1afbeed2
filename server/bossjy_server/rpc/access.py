"""Access control of calls: credentials are checked against the access rule of the method. Deny by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bossjy_server.context import Caller
from bossjy_server.errors import PermissionDenied, Reason, Unauthenticated
from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method
from bossjy_server.scopes import why_missing

# Authenticates the caller by the metadata entry `authorization`, or by the name in a client certificate. Raises
# Unauthenticated.
Authenticate = Callable[[str], Awaitable[Caller]]

# Records that a caller lacked a scope.
Refused = Callable[[Caller, str], Awaitable[None]]


def access_concern(
    authenticate: Authenticate, by_certificate: Authenticate | None = None, refused: Refused | None = None
) -> Concern:
    """Admit calls by the rule of their method. Public methods read no credentials.

    `by_certificate` is called if a call has no `authorization` entry and its connection a verified client certificate.
    If it is None, certificates do not authenticate. `refused` is called for every SCOPE_MISSING, also for those that a
    method itself decides.
    """

    async def caller_otherwise(call: Call) -> Caller:
        if "authorization" in call.repeated:
            raise Unauthenticated(Reason.CREDENTIALS_AMBIGUOUS, "more than one `authorization` entry: send exactly one")
        names = call.peer_names() if by_certificate else ()
        if len(names) > 1:
            raise Unauthenticated(
                Reason.CREDENTIALS_AMBIGUOUS,
                "the client certificate has more than one URI: use one with a single URI, or send `authorization`",
            )
        if by_certificate and names:
            return await by_certificate(names[0])
        raise Unauthenticated(
            Reason.CREDENTIALS_MISSING,
            "this method needs credentials: send the metadata entry `authorization: Bearer TOKEN` (see Login)",
        )

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        if method.access.public:
            return proceed
        scope = method.access.scope

        async def access(call: Call) -> None:
            value = call.metadata.get("authorization")
            caller = await (
                caller_otherwise(call) if value is None or "authorization" in call.repeated else authenticate(value)
            )
            call.context.caller, call.context.scope = caller, scope
            try:
                _check_scope(caller, scope)
                await proceed(call)
            except PermissionDenied as error:
                await _tell(refused, caller, error)
                raise

        return access

    return wrap


def _check_scope(caller: Caller, scope: str) -> None:
    if scope and scope not in caller.scopes:
        text, metadata = why_missing(scope, caller.role, by_key=bool(caller.api_key_id), due=caller.due)
        raise PermissionDenied(Reason.SCOPE_MISSING, text, metadata=metadata)


async def _tell(refused: Refused | None, caller: Caller, error: PermissionDenied) -> None:
    if refused is not None and error.reason is Reason.SCOPE_MISSING:
        await refused(caller, error.metadata.get("scope", ""))
