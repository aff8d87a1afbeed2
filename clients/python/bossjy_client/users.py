"""Client of the users of a tenant: AuthService for administrators."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from bossjy.auth.v1 import account_pb2, auth_service_pb2, auth_service_pb2_grpc
from bossjy_client.auth import mask
from bossjy_client.connection import Connection


class UserClient:
    """The users of the caller's tenant. Changes need the scope `users.write`. Every method raises BossjyError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = auth_service_pb2_grpc.AuthServiceStub(connection.channel)

    async def create(
        self,
        email: str,
        role: account_pb2.Role.ValueType,
        *,
        display_name: str = "",
        password: str = "",
        request_id: str = "",
    ) -> auth_service_pb2.CreateUserResponse:
        """Create a user. Without `password` the server makes one, and only this answer has it.

        People must change the first password at their first login. USER_EXISTS if the tenant has a user with this
        address. The role is at most the caller's own.
        """
        request = auth_service_pb2.CreateUserRequest(
            email=email,
            role=role,
            display_name=display_name,
            password=password,
            request_id=request_id or str(uuid.uuid4()),
        )
        # Without a password it is not repeated: the answer to a repetition has none.
        return await self._connection.call(self._stub.CreateUser, request, safe=bool(password))

    async def get(self, user_id: str) -> account_pb2.User:
        """One user. RESOURCE_NOT_FOUND if the tenant has none with this id."""
        request = auth_service_pb2.GetUserRequest(user_id=user_id)
        return (await self._connection.call(self._stub.GetUser, request, safe=True)).user

    async def list(
        self,
        filter: str = "",  # noqa: A002 (the contract's name)
        *,
        page_size: int = 0,
    ) -> AsyncIterator[account_pb2.User]:
        """The users that pass the filter, by mail address, fetched page by page as they are read.

        `filter` is AIP-160 text over role, state, email, display_name and create_time; if empty, all.
        """
        request = auth_service_pb2.ListUsersRequest(filter=filter, page_size=page_size)
        while True:
            answer = await self._connection.call(self._stub.ListUsers, request, safe=True)
            for user in answer.users:
                yield user
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def update(
        self,
        user_id: str,
        *,
        display_name: str | None = None,
        language: str | None = None,
        role: account_pb2.Role.ValueType | None = None,
        etag: str = "",
    ) -> account_pb2.User:
        """Change a user. None leaves a field unchanged; with `etag` only if the user has not changed since.

        A new role applies at once. LAST_OWNER if the tenant would have no owner.
        """
        user = account_pb2.User(
            user_id=user_id,
            display_name=display_name or "",
            language=language or "",
            role=role or account_pb2.ROLE_UNSPECIFIED,
            etag=etag,
        )
        request = auth_service_pb2.UpdateUserRequest(
            user=user, update_mask=mask(display_name=display_name, language=language, role=role)
        )
        return (await self._connection.call(self._stub.UpdateUser, request, safe=not etag)).user

    async def disable(self, user_id: str) -> auth_service_pb2.DisableUserResponse:
        """End all sessions and API keys of a user, and refuse logins until `enable`."""
        request = auth_service_pb2.DisableUserRequest(user_id=user_id)
        return await self._connection.call(self._stub.DisableUser, request, safe=True)

    async def enable(self, user_id: str) -> account_pb2.User:
        """Let a disabled user log in again."""
        request = auth_service_pb2.EnableUserRequest(user_id=user_id)
        return (await self._connection.call(self._stub.EnableUser, request, safe=True)).user

    async def delete(self, user_id: str) -> int:
        """Delete a user's personal data and end all sessions and API keys. Returns the number of ended sessions.

        The id remains in the audit log. Contacts and imports belong to the tenant and stay.
        """
        request = auth_service_pb2.DeleteUserRequest(user_id=user_id)
        # Not repeated: after a success there is no such user.
        return (await self._connection.call(self._stub.DeleteUser, request, safe=False)).ended_count

    async def reset_password(self, user_id: str, *, keep_api_keys: bool = False) -> str:
        """Give a user a new password, which must be changed at the next login, and return it.

        All sessions of the user end, and all API keys unless `keep_api_keys`.
        """
        request = auth_service_pb2.ResetPasswordRequest(user_id=user_id, keep_api_keys=keep_api_keys)
        return (await self._connection.call(self._stub.ResetPassword, request, safe=True)).password

    async def remove_second_factor(self, user_id: str) -> auth_service_pb2.RemoveUserSecondFactorResponse:
        """Turn off the second factor of a user who has lost it, and end all sessions of that user."""
        request = auth_service_pb2.RemoveUserSecondFactorRequest(user_id=user_id)
        return await self._connection.call(self._stub.RemoveUserSecondFactor, request, safe=True)
