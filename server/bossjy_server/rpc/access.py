"""Who may call: credentials are read and held against the access rule of the method. Deny by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bossjy_server.context import Caller
from bossjy_server.errors import PermissionDenied, Reason, Unauthenticated
from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method

# Turns the value of the metadata entry `authorization`, or the name in a client certificate, into a caller. Raises
# Unauthenticated.
Authenticate = Callable[[str], Awaitable[Caller]]


def access_concern(authenticate: Authenticate, by_certificate: Authenticate | None = None) -> Concern:
    """Admit calls by the rule of their method. Public methods read no credentials.

    `by_certificate` is asked where a call has no `authorization` entry and its connection a verified client
    certificate. None: certificates stand for nobody.
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
            if scope and scope not in caller.scopes:
                raise PermissionDenied(
                    Reason.SCOPE_MISSING,
                    f"these credentials do not carry the scope {scope}: ask an administrator of your tenant",
                    metadata={"scope": scope},
                )
            await proceed(call)

        return access

    return wrap
