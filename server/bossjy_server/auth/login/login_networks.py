"""Client networks of a user's logins. From them the right password works while others guess at the account."""

from __future__ import annotations

import time
from collections.abc import Callable

from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.login import network_store
from bossjy_server.auth.login.network_store import UserNetwork
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.records import User, to_datetime
from bossjy_server.network import network_of
from bossjy_server.storage.postgres import Connection


class LoginNetworks:
    """Records and checks the networks of logins."""

    def __init__(self, keys: Keys, options: AuthOptions, clock: Callable[[], float] = time.time) -> None:
        self._keys, self._options, self._clock = keys, options, clock

    async def remember(self, connection: Connection, user: User, address: str) -> None:
        """Record a login, inside its transaction. A caller without an address has no network."""
        network = network_of(address)
        if not network:
            return
        now = self._clock()
        await network_store.remember(
            connection,
            self._of(user.tenant_id, user.user_id, network),
            to_datetime(now),
            most=self._options.known_networks_max,
            forget_before=to_datetime(now - self._options.known_network_s),
        )

    async def knows(self, connection: Connection, tenant_id: str, user: User | None, address: str) -> bool:
        """True if the user has logged in from the network of that address.

        This always asks the database, so the time does not reveal if the user exists.
        """
        network = network_of(address)
        one = self._of(tenant_id, user.user_id if user else "", network)
        since = to_datetime(self._clock() - self._options.known_network_s)
        known = await network_store.is_known(connection, one, since, [address] if network else [])
        return known and bool(network)

    def _of(self, tenant_id: str, user_id: str, network: str) -> UserNetwork:
        mac = self._keys.mac("login-network", tenant_id.encode(), user_id.encode(), network.encode())
        return UserNetwork(tenant_id, user_id, mac)
