"""Networks of users' logins in the database. Every function runs inside the transaction of one tenant.

A network is stored as an HMAC under a secret that is not in the database, so the table does not reveal locations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bossjy_server.storage.postgres import Connection

# A login of the user $2 from the network $3 at $4. Of the user's other networks, the $5 most recently used stay, and
# none last used before $6. A network of today is not written again.
REMEMBER_NETWORK = """
WITH surplus AS (
    DELETE FROM bossjy.login_networks
    WHERE tenant_id = $1 AND user_id = $2 AND network_mac <> $3 AND (last_use_time < $6 OR network_mac IN (
        SELECT network_mac FROM bossjy.login_networks
        WHERE tenant_id = $1 AND user_id = $2 AND network_mac <> $3
        ORDER BY last_use_time DESC, network_mac OFFSET $5)))
INSERT INTO bossjy.login_networks AS kept (tenant_id, user_id, network_mac, last_use_time)
VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, user_id, network_mac) DO UPDATE SET last_use_time = excluded.last_use_time
    WHERE kept.last_use_time < excluded.last_use_time - interval '1 day'"""

# True if the user $2 has logged in from the network $3 after $4. Sessions of earlier releases record only their
# addresses, $5.
IS_KNOWN_NETWORK = """
SELECT EXISTS (
        SELECT FROM bossjy.login_networks
        WHERE tenant_id = $1 AND user_id = $2 AND network_mac = $3 AND last_use_time > $4)
    OR EXISTS (
        SELECT FROM bossjy.sessions
        WHERE tenant_id = $1 AND user_id = $2 AND create_time > $4 AND address = ANY($5))"""


@dataclass(frozen=True, slots=True)
class UserNetwork:
    """A network of a user. `user_id` is '' if the user does not exist."""

    tenant_id: str
    user_id: str
    mac: bytes


async def remember(
    connection: Connection, network: UserNetwork, now: datetime, *, most: int, forget_before: datetime
) -> None:
    """Record a login of a user from a network. The user's latest `most` networks are kept."""
    values = (network.tenant_id, network.user_id, network.mac)
    await connection.execute(REMEMBER_NETWORK, *values, now, most - 1, forget_before)


async def is_known(
    connection: Connection, network: UserNetwork, since: datetime, addresses: Sequence[str] = ()
) -> bool:
    """True if the user has logged in from the network since then, or opened a session from one of the addresses."""
    values = (network.tenant_id, network.user_id, network.mac)
    return bool(await connection.fetchval(IS_KNOWN_NETWORK, *values, since, list(addresses)))
