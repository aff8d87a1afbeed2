"""Options of the gRPC front end: address, TLS, slots, quotas, rates, open streams. Light to import: no gRPC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting

# The contract states it per message.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
CLASSES = ("phone", "contacts", "imports", "login", "auth", "admin", "bulk", "other")


def by_class(text: str) -> dict[str, int]:
    """`contacts=64,bulk=200` as classes of methods and their numbers."""
    values: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in CLASSES or not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 100_000:
            raise ValueError("`CLASS=NUMBER,…` of the classes " + ", ".join(CLASSES) + " and numbers from 1 to 100000")
        values[name] = int(number)
    return values


def origins(text: str) -> tuple[str, ...]:
    """`https://a.example.com,http://localhost:3000` as origins, or `*`."""
    found = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    if any(one != "*" and not _ORIGIN.fullmatch(one) for one in found):
        raise ValueError("a list of origins such as `https://a.example.com,http://localhost:3000`, or `*`")
    return found


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Address, TLS and limits of the transport. Sizes in bytes, times in seconds."""

    host: str = setting("BOSSJY_HOST", "127.0.0.1", read.host, "Address to listen on; `0.0.0.0` for all.")
    port: int = setting("BOSSJY_PORT", 18001, read.whole(1, 65535), "Port of gRPC.")
    front: str = setting(
        "BOSSJY_FRONT",
        "aio",
        read.choice("aio", "native"),
        "Front end: `aio` is grpc.aio; `native` is EXPERIMENTAL, faster, and serves JSON on the same port.",
    )
    tls_certificate: str = setting(
        "BOSSJY_TLS_CERTIFICATE",
        "",
        str,
        "PEM file of the server's certificate and those between it and its root. If empty, no TLS.",
    )
    tls_key: str = setting("BOSSJY_TLS_KEY", "", str, "PEM file of the certificate's key.")
    tls_client_ca: str = setting(
        "BOSSJY_TLS_CLIENT_CA",
        "",
        str,
        "PEM file of authorities: only clients with a certificate of theirs are admitted. If empty, any client.",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "BOSSJY_TRUSTED_PROXIES",
        (),
        read.networks,
        "Networks of your proxies: `10.0.0.0/8,2001:db8::/32`. Only from them `x-forwarded-for` is trusted.",
    )
    warm_up_s: float = setting(
        "BOSSJY_WARM_UP_S",
        3.0,
        read.decimal(0, 60),
        "Longest wait at the start for tables and limits that calls ask for first; 0: none are loaded.",
    )
    reflection: bool = setting(
        "BOSSJY_REFLECTION", False, read.switch, "Allow clients to read the contracts by server reflection."
    )
    cors_origins: tuple[str, ...] = setting(
        "BOSSJY_CORS_ORIGINS",
        (),
        origins,
        "Origins whose pages may call JSON on the native front end: `https://a.example.com`, `*` for all.",
    )
    openapi: bool = setting(
        "BOSSJY_OPENAPI",
        False,
        read.switch,
        "Serve `/openapi.json` and `/docs`, a page of it, on the port of the native front end.",
    )
    max_streams_per_connection: int = setting(
        "BOSSJY_MAX_STREAMS_PER_CONNECTION", 200, read.whole(1, 100_000), "Simultaneous calls on one connection."
    )
    max_connection_age_s: float = setting(
        "BOSSJY_MAX_CONNECTION_AGE_S",
        0.0,
        read.decimal(0, 86_400),
        "Seconds after which a connection is renewed; 0: never.",
    )
    health_interval_s: float = setting(
        "BOSSJY_HEALTH_INTERVAL_S",
        2.0,
        read.decimal(0.1, 600),
        "Seconds between health checks of PostgreSQL and Redis.",
    )
    health_watches: int = setting(
        "BOSSJY_HEALTH_WATCHES", 1000, read.whole(1, 10**6), "Simultaneous streams of Health.Watch in one process."
    )
    health_watches_per_address: int = setting(
        "BOSSJY_HEALTH_WATCHES_PER_ADDRESS",
        100,
        read.whole(1, 10**6),
        "Simultaneous streams of Health.Watch from one address.",
    )
    # More than the contracts state: a refusal by gRPC has no ErrorInfo, one by validation has.
    max_received_bytes: int = 2 * MAX_MESSAGE_BYTES
    max_sent_bytes: int = 2 * MAX_MESSAGE_BYTES
    max_metadata_bytes: int = 16 * 1024
    min_ping_interval_s: float = 10.0
    keepalive_s: float = 60.0
    reuse_port: bool = False  # true if other processes of this server listen on the port as well

    @property
    def address(self) -> str:
        """The address on which gRPC listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def faults(self) -> list[str]:
        """Contradictions between these settings, each a line that names them."""
        faults = []
        if bool(self.tls_certificate) != bool(self.tls_key):
            faults.append("BOSSJY_TLS_CERTIFICATE and BOSSJY_TLS_KEY must be set together")
        if self.tls_client_ca and not self.tls_certificate:
            faults.append("BOSSJY_TLS_CLIENT_CA needs BOSSJY_TLS_CERTIFICATE and BOSSJY_TLS_KEY")
        if self.front != "native" and (self.cors_origins or self.openapi):
            faults.append("BOSSJY_CORS_ORIGINS and BOSSJY_OPENAPI need BOSSJY_FRONT=native")
        return faults


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """Slots of the classes of methods. `running` and `queued` by class; a missing class has the default."""

    running: Mapping[str, int] = setting(
        "BOSSJY_RUNNING_CALLS",
        {},
        by_class,
        "Simultaneous calls in one process, by class of methods: `contacts=64,bulk=200`.",
    )
    queued: Mapping[str, int] = setting(
        "BOSSJY_QUEUED_CALLS",
        {},
        by_class,
        "Calls that wait for a slot in one process, by class of methods.",
    )
    queue_s: float = setting(
        "BOSSJY_QUEUE_S",
        2.0,
        read.decimal(0, 600),
        "Longest wait in seconds of a call for a slot, within its deadline.",
    )
    address_per_minute: int = setting(
        "BOSSJY_CALLS_PER_MINUTE_PER_ADDRESS",
        600_000,
        read.whole(0, 10**9),
        "Calls per minute from one network (IPv4 address, IPv6 /64), all processes together; 0: no limit.",
    )
    tenant_share: float = setting(
        "BOSSJY_TENANT_SHARE",
        0.5,
        read.decimal(0.1, 1),
        "Share of a class's slots, and of database connections, for one tenant while no other holds any; 1: all.",
    )


@dataclass(frozen=True, slots=True)
class QuotaOptions:
    """Quotas of users and tenants. 0: none."""

    user_per_minute: int = setting(
        "BOSSJY_CALLS_PER_MINUTE_PER_USER",
        0,
        read.whole(0, 10**9),
        "Calls per minute of one user, for each class of methods; 0: as many as its tenant.",
    )
    tenant_streams: int = setting(
        "BOSSJY_STREAMS_PER_TENANT",
        50,
        read.whole(0, 100_000),
        "Simultaneous streams of one tenant in one process; 0: no limit.",
    )
    tenant_per_minute: int = 500  # until the tenant's own limit is known
    limit_known_s: float = 30.0  # then a tenant's limit is read again
    tenants_max: int = 10_000  # number of tenants whose limits are cached
    queue_s: float = 2.0  # the longest wait of a call whose tenant holds its share of a class


@dataclass(frozen=True, slots=True)
class RateOptions:
    """Times in seconds. `burst_s`: a bucket holds the tokens of this time. `subjects_max`: of each limiter."""

    interval_s: float = setting(
        "BOSSJY_RATE_EXCHANGE_S",
        1.0,
        read.decimal(0.1, 60),
        "Seconds between exchanges of counted calls by the processes.",
    )
    hurry_s: float = 0.05  # the shortest time between two exchanges
    burst_s: float = 10.0
    subjects_max: int = 10_000
    exchange_max: int = 500  # buckets in one message to Redis


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Ends of open streams. Times in seconds. Idle and unsent 0: no limit."""

    check_s: float = setting(
        "BOSSJY_STREAM_CHECK_S",
        2.0,
        read.decimal(0.1, 4),
        "Seconds between checks of open streams: for ended sessions and keys, silence, clients that do not read.",
    )
    idle_s: float = setting(
        "BOSSJY_STREAM_IDLE_S",
        300.0,
        read.decimal(0, 86_400),
        "Seconds without a message in either direction after which a stream is closed; 0: never.",
    )
    unsent_s: float = setting(
        "BOSSJY_STREAM_UNSENT_S",
        60.0,
        read.decimal(0, 86_400),
        "Seconds after which a stream is closed whose client leaves a message unread; 0: never.",
    )
    unverified_s: float = 60.0  # while the authority of the caller cannot be read
