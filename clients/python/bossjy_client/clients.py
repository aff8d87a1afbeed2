"""The two clients, of one shape: AsyncClient for asyncio, SyncClient for all other programs.

`clients.pyi`, made by `make generate`, has the types of all their methods.
"""

from __future__ import annotations

from bossjy_client.client import AsyncClient
from bossjy_client.synchronous import SyncClient

__all__ = ["AsyncClient", "SyncClient"]
