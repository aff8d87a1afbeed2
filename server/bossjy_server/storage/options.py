"""Options of PostgreSQL and Redis."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """Options of PostgreSQL and its use. Times in seconds."""

    url: str = setting(
        "DATABASE_URL",
        "",
        read.url("postgresql", "postgres"),
        "PostgreSQL 15 to 18, as the login of the service. If empty, an embedded one is started.",
        secret=True,
    )
    admin_url: str = setting(
        "DATABASE_ADMIN_URL",
        "",
        read.url("postgresql", "postgres"),
        "The same database as the owner of the tables, to apply deploy/init.sql. If empty, DATABASE_URL.",
        secret=True,
    )
    role: str = setting(
        "BOSSJY_DATABASE_ROLE",
        "",
        read.role,
        "Application role with the service's rights in one database. If empty, `bossjy_app_` and the database name.",
    )
    statement_cache: int = setting(
        "BOSSJY_DATABASE_STATEMENT_CACHE",
        100,
        read.whole(0, 10_000),
        "Prepared statements cached per connection; 0 behind PgBouncer in transaction mode.",
    )
    pool: int = setting("BOSSJY_DATABASE_POOL", 20, read.whole(2, 1000), "Maximum number of connections to PostgreSQL.")
    long_most: int = setting(
        "BOSSJY_DATABASE_LONG",
        0,
        read.whole(0, 1000),
        "Connections for simultaneous long work: imports, exports, counts; 0: half of all.",
    )
    wait_s: float = setting(
        "BOSSJY_DATABASE_WAIT_S", 5.0, read.decimal(0.01, 600), "Longest wait in seconds for a connection."
    )
    start_wait_s: float = setting(
        "BOSSJY_DATABASE_START_WAIT_S",
        60.0,
        read.decimal(0, 3600),
        "Longest wait in seconds at the start for a PostgreSQL that does not answer yet; 0: none.",
    )
    statement_timeout_s: float = setting(
        "BOSSJY_STATEMENT_TIMEOUT_S", 30.0, read.decimal(0.1, 3600), "Longest run in seconds of one statement."
    )
    # Set by `app`.
    admin_setting: str = "DATABASE_URL"  # the setting that contains the owner's URL
    make_login: bool = False  # the service creates its own login: an embedded database
    audit_days: int = 0  # the minimum retention of the audit log; 0: no limit
    tenant_share: float = 0.5  # of the connections, for one tenant

    def faults(self) -> list[str]:
        """Contradictions between these settings, each a line that names them."""
        if self.admin_url and not self.url:
            return ["DATABASE_ADMIN_URL needs DATABASE_URL, the login of the service in the same database"]
        return []


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """Options of Redis."""

    url: str = setting(
        "REDIS_URL",
        "",
        read.url("redis", "rediss", "unix"),
        "Redis 7 or later. If empty, an embedded one is started.",
        secret=True,
    )
