"""Who may call: credentials are read and held against the access rule of the method. Deny by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bossjy_server.context import Caller
from bossjy_server.errors import PermissionDenied, Reason, Unauthenticated
from bossjy_server.rpc.call import Call, Concern, Proceed
from bossjy_server.rpc.method import Method

# Turns the value of the metadata entry `authorization` into a caller. Raises Unauthenticated.
Authenticate = Callable[[str], Awaitable[Caller]]


def access_concern(authenticate: Authenticate) -> Concern:
    """Admit calls by the rule of their method. Public methods read no credentials."""

    def wrap(method: Method, proceed: Proceed) -> Proceed:
        if method.access.public:
            return proceed
        scope = method.access.scope

        async def access(call: Call) -> None:
            values = call.metadata.get("authorization", ())
            if len(values) != 1:
                if values:
                    raise Unauthenticated(
                        Reason.CREDENTIALS_AMBIGUOUS, "more than one `authorization` entry: send exactly one"
                    )
                raise Unauthenticated(
                    Reason.CREDENTIALS_MISSING,
                    "this method needs credentials: send the metadata entry `authorization: Bearer TOKEN` (see Login)",
                )
            caller = await authenticate(values[0])
            call.context.caller = caller
            if scope and scope not in caller.scopes:
                raise PermissionDenied(
                    Reason.SCOPE_MISSING,
                    f"these credentials do not carry the scope {scope}: ask an administrator of your tenant",
                    metadata={"scope": scope},
                )
            await proceed(call)

        return access

    return wrap
