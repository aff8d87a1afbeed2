"""Client of the caller's tenant: its settings and its audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bossjy.auth.v1 import account_pb2, auth_service_pb2, auth_service_pb2_grpc
from bossjy_client.auth import mask
from bossjy_client.connection import Connection


class TenantClient:
    """The caller's tenant. Every method raises BossjyError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = auth_service_pb2_grpc.AuthServiceStub(connection.channel)

    async def get(self) -> account_pb2.Tenant:
        """Name, default region and limits. Needs the scope `tenants.read`."""
        return (
            await self._connection.call(self._stub.GetTenant, auth_service_pb2.GetTenantRequest(), safe=True)
        ).tenant

    async def update(
        self,
        *,
        display_name: str | None = None,
        default_region: str | None = None,
        second_factor_required: bool | None = None,
    ) -> account_pb2.Tenant:
        """Change the tenant. None leaves a field unchanged. Needs the scope `tenants.write`.

        `default_region` is a code such as "CN"; if empty, the tenant has none.
        """
        tenant = account_pb2.Tenant(
            display_name=display_name or "",
            default_region=(default_region or "").upper(),
            second_factor_required=bool(second_factor_required),
        )
        request = auth_service_pb2.UpdateTenantRequest(
            tenant=tenant,
            update_mask=mask(
                display_name=display_name,
                default_region=default_region,
                second_factor_required=second_factor_required,
            ),
        )
        return (await self._connection.call(self._stub.UpdateTenant, request, safe=True)).tenant

    async def audit_events(
        self,
        filter: str = "",  # noqa: A002 (the contract's name)
        *,
        page_size: int = 0,
    ) -> AsyncIterator[account_pb2.AuditEvent]:
        """The events of the audit log that pass the filter, the newest first, fetched page by page.

        `filter` is AIP-160 text over actor, action, resource, outcome and event_time; if empty, all. Needs the scope
        `audit.read`.
        """
        request = auth_service_pb2.ListAuditEventsRequest(filter=filter, page_size=page_size)
        while True:
            answer = await self._connection.call(self._stub.ListAuditEvents, request, safe=True)
            for event in answer.events:
                yield event
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token
