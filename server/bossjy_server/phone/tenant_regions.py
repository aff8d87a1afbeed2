"""Default regions of tenants, for requests that name no region."""

from __future__ import annotations

from bossjy_server.context import current_caller
from bossjy_server.phone.terms import NO_REGION
from bossjy_server.tenant_settings import KnownTenants


class TenantRegions:
    """Chooses the region of a request."""

    def __init__(self, tenants: KnownTenants) -> None:
        self._tenants = tenants

    async def chosen(self, named: str) -> str:
        """The region that a request names, else the default region of its tenant. Empty: none.

        Only the first call of a tenant in a process waits for the database. Raises Unavailable if it does not answer.
        """
        if named:
            return "" if named == NO_REGION else named
        tenant_id = current_caller().tenant_id
        known = self._tenants.of(tenant_id) or await self._tenants.wait_for(tenant_id)
        return known.default_region
