"""The settings: one frozen object, read from the environment once. Nothing else reads the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from bossjy_server import setting_texts as read
from bossjy_server.auth_settings import AuthSettings
from bossjy_server.errors import StartError

# What the command-line tool reads: a shell may have it exported and start a server all the same.
_OF_THE_TOOL = frozenset({"BOSSJY_TOKEN", "BOSSJY_TARGET"})


_setting = read.setting


@dataclass(frozen=True, slots=True)
class Settings(AuthSettings):
    """Every setting, with its default. `bossjy-server settings` prints them with their meaning."""

    database_url: str = _setting(
        "DATABASE_URL",
        "",
        read.url("postgresql", "postgres"),
        "PostgreSQL 18 or later, as the login of the service. Empty: an embedded one is started.",
    )
    database_admin_url: str = _setting(
        "DATABASE_ADMIN_URL",
        "",
        read.url("postgresql", "postgres"),
        "The same database as the owner of the tables, to apply deploy/init.sql. Empty: DATABASE_URL.",
    )
    database_role: str = _setting(
        "BOSSJY_DATABASE_ROLE",
        "",
        read.role,
        "The application role, which has the service's rights in one database. Empty: `bossjy_app_` and its name.",
    )
    database_statement_cache: int = _setting(
        "BOSSJY_DATABASE_STATEMENT_CACHE",
        100,
        read.whole(0, 10_000),
        "Prepared statements that a connection keeps; 0 behind PgBouncer in transaction mode.",
    )
    redis_url: str = _setting(
        "REDIS_URL",
        "",
        read.url("redis", "rediss", "unix"),
        "Redis 7 or later. Empty: an embedded one is started.",
    )
    data_dir: Path = _setting(
        "BOSSJY_DATA_DIR",
        Path(".bossjy"),
        Path,
        "Keys, logs, tables of the plan, and the data of the embedded parts.",
    )
    host: str = _setting("BOSSJY_HOST", "127.0.0.1", read.host, "Address to listen on; `0.0.0.0` for all.")
    port: int = _setting("BOSSJY_PORT", 18001, read.whole(1, 65535), "Port of gRPC.")
    tls_certificate: str = _setting(
        "BOSSJY_TLS_CERTIFICATE",
        "",
        str,
        "PEM file of the server's certificate and those between it and its root. Empty: no TLS.",
    )
    tls_key: str = _setting("BOSSJY_TLS_KEY", "", str, "PEM file of the certificate's key.")
    tls_client_ca: str = _setting(
        "BOSSJY_TLS_CLIENT_CA",
        "",
        str,
        "PEM file of authorities: only clients with a certificate of theirs are let in. Empty: any client.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        "BOSSJY_TRUSTED_PROXIES",
        (),
        read.networks,
        "Networks of your proxies: `10.0.0.0/8,2001:db8::/32`. Only from them `x-forwarded-for` names the client.",
    )
    metrics_host: str = _setting(
        "BOSSJY_METRICS_HOST",
        "127.0.0.1",
        read.host,
        "Address of the metrics, which have neither TLS nor credentials.",
    )
    metrics_port: int = _setting("BOSSJY_METRICS_PORT", 18002, read.whole(0, 65535), "Port of the metrics; 0: none.")
    reflection: bool = _setting("BOSSJY_REFLECTION", False, read.switch, "Whether clients may ask for the contracts.")
    registration: Literal["open", "token", "closed"] = _setting(
        "BOSSJY_REGISTRATION",
        "token",
        read.choice("open", "token", "closed"),
        "Who may register a tenant: anybody, who has the registration token, nobody.",
    )
    account_failures: int = _setting(
        "BOSSJY_LOGIN_FAILURES_PER_ACCOUNT",
        10,
        read.whole(1, 10**6),
        "Wrong logins to one account from one network at once; then one in 30 seconds.",
    )
    account_failures_of_all: int = _setting(
        "BOSSJY_LOGIN_FAILURES_PER_ACCOUNT_OF_ALL",
        100,
        read.whole(1, 10**6),
        "Wrong logins to one account from all networks at once; then one in 10 seconds.",
    )
    address_failures: int = _setting(
        "BOSSJY_LOGIN_FAILURES_PER_ADDRESS",
        50,
        read.whole(0, 10**6),
        "Wrong logins from one network at once; then one in 2 seconds; 0: any number.",
    )
    tenant_failures: int = _setting(
        "BOSSJY_LOGIN_FAILURES_PER_TENANT", 500, read.whole(1, 10**6), "Wrong logins at once; then five a second."
    )
    key_reload_s: float = _setting(
        "BOSSJY_KEY_RELOAD_S", 15.0, read.decimal(0.1, 3600), "How often the folder of signing keys is looked at."
    )
    key_activation_s: int = _setting(
        "BOSSJY_KEY_ACTIVATION_S",
        60,
        read.whole(0, 86_400),
        "How long a new key is published before it signs; longer than BOSSJY_KEY_RELOAD_S.",
    )
    audit_days: int = _setting(
        "BOSSJY_AUDIT_DAYS", 400, read.kept_days, "Events of the audit log are removed after so many days; 0: never."
    )
    log_level: str = _setting(
        "BOSSJY_LOG_LEVEL", "info", read.choice("debug", "info", "warning", "error"), "Least level logged."
    )
    log_console: str = _setting(
        "BOSSJY_LOG_CONSOLE",
        "info",
        read.choice("debug", "info", "warning", "error", "off"),
        "Least level shown on the console as well.",
    )
    log_file_bytes: int = _setting(
        "BOSSJY_LOG_FILE_BYTES", 10_000_000, read.whole(10_000, 10**10), "A log file rotates at this size."
    )
    log_files: int = _setting("BOSSJY_LOG_FILES", 30, read.whole(1, 1000), "Log files that are kept.")
    log_refusals: int = _setting(
        "BOSSJY_LOG_REFUSALS_PER_MINUTE",
        60,
        read.whole(0, 10**6),
        "Lines about refused calls of one network; the others are summarised. 0: each has a line.",
    )
    otlp_endpoint: str = _setting(
        "BOSSJY_OTLP_ENDPOINT", "", read.url("http", "https"), "OTLP gRPC receiver of traces. Empty: no traces."
    )
    trace_ratio: float = _setting("BOSSJY_TRACE_RATIO", 0.01, read.decimal(0, 1), "Share of calls that are traced.")
    running_calls: tuple[tuple[str, int], ...] = _setting(
        "BOSSJY_RUNNING_CALLS",
        (),
        read.by_class,
        "Calls at once in one process, by class of methods: `contacts=64,bulk=200`.",
    )
    queued_calls: tuple[tuple[str, int], ...] = _setting(
        "BOSSJY_QUEUED_CALLS",
        (),
        read.by_class,
        "Calls that wait for a place in one process, by class of methods.",
    )
    queue_s: float = _setting(
        "BOSSJY_QUEUE_S", 2.0, read.decimal(0, 600), "Longest wait of a call for a place, within its deadline."
    )
    calls_per_minute: int = _setting(
        "BOSSJY_CALLS_PER_MINUTE_PER_ADDRESS",
        600_000,
        read.whole(0, 10**9),
        "Calls a minute from one network (IPv4 address, IPv6 /64), all processes together; 0: any number.",
    )
    tenant_calls_per_minute: int = _setting(
        "BOSSJY_CALLS_PER_MINUTE_PER_TENANT",
        500,
        read.whole(0, 10**9),
        "Calls a minute, of each class of methods, that a new tenant is granted: 100, 500 and 2,000 are usual; 0: any.",
    )
    user_calls_per_minute: int = _setting(
        "BOSSJY_CALLS_PER_MINUTE_PER_USER",
        0,
        read.whole(0, 10**9),
        "Calls a minute, of each class of methods, by one user; 0: as many as its tenant.",
    )
    tenant_streams: int = _setting(
        "BOSSJY_STREAMS_PER_TENANT",
        50,
        read.whole(0, 100_000),
        "Streams of one tenant at once, in one process; 0: any.",
    )
    tenant_share: float = _setting(
        "BOSSJY_TENANT_SHARE",
        0.5,
        read.decimal(0.1, 1),
        "What one tenant may hold of a class's slots, and of database connections, while no other holds any; 1: all.",
    )
    stream_check_s: float = _setting(
        "BOSSJY_STREAM_CHECK_S",
        2.0,
        read.decimal(0.1, 4),
        "How often open streams are checked: for ended sessions and keys, for silence, for clients that do not read.",
    )
    stream_idle_s: float = _setting(
        "BOSSJY_STREAM_IDLE_S",
        300.0,
        read.decimal(0, 86_400),
        "A stream without a message in either direction is closed after this; 0: never.",
    )
    stream_unsent_s: float = _setting(
        "BOSSJY_STREAM_UNSENT_S",
        60.0,
        read.decimal(0, 86_400),
        "A stream is closed when its client leaves one message unread for so long; 0: never.",
    )
    health_watches: int = _setting(
        "BOSSJY_HEALTH_WATCHES", 1000, read.whole(1, 10**6), "Streams of Health.Watch at once, in one process."
    )
    health_watches_per_address: int = _setting(
        "BOSSJY_HEALTH_WATCHES_PER_ADDRESS", 100, read.whole(1, 10**6), "Of these, by one address."
    )
    rate_exchange_s: float = _setting(
        "BOSSJY_RATE_EXCHANGE_S", 1.0, read.decimal(0.1, 60), "How often processes tell each other what they counted."
    )
    max_streams: int = _setting(
        "BOSSJY_MAX_STREAMS_PER_CONNECTION", 200, read.whole(1, 100_000), "Calls at once on one connection."
    )
    max_connection_age_s: float = _setting(
        "BOSSJY_MAX_CONNECTION_AGE_S",
        0.0,
        read.decimal(0, 86_400),
        "Connections are renewed after this; 0: never.",
    )
    phone_threads: int = _setting(
        "BOSSJY_PHONE_THREADS",
        2,
        read.whole(1, 64),
        "Threads that answer columns of numbers, in one process; one more answers what is short.",
    )
    phone_ahead: int = _setting(
        "BOSSJY_PHONE_AHEAD", 3, read.whole(1, 64), "Messages of one stream of numbers that are worked on at once."
    )
    phone_call_s: float = _setting(
        "BOSSJY_PHONE_CALL_S",
        5.0,
        read.decimal(0.1, 3600),
        "CPU time of one FindNumbers or ExplainNumber; beyond it the call is refused.",
    )
    lookup_url: str = _setting(
        "BOSSJY_LOOKUP_URL",
        "",
        read.url("https", "http"),
        "Provider of live look-ups that is asked by HTTP: a URL with {e164} for the number. Empty: none is asked.",
        shown=False,  # its query may hold a key
    )
    lookup_header: str = _setting(
        "BOSSJY_LOOKUP_HEADER", "Authorization", str, "Header that carries the provider's secret."
    )
    lookup_secret: str = _setting(
        "BOSSJY_LOOKUP_SECRET", "", str, "The header's whole value, such as `Bearer …`. Empty: no header.", shown=False
    )
    lookup_secret_file: str = _setting(
        "BOSSJY_LOOKUP_SECRET_FILE", "", str, "File that holds the header's value instead; read at start."
    )
    lookup_ca_file: str = _setting(
        "BOSSJY_LOOKUP_CA_FILE",
        "",
        str,
        "PEM file of the authorities that the provider's certificate may be of. Empty: the public ones.",
    )
    lookup_carrier: str = _setting(
        "BOSSJY_LOOKUP_CARRIER", "/carrier", str, "JSON pointer to the carrier in the provider's answer."
    )
    lookup_line_status: str = _setting(
        "BOSSJY_LOOKUP_LINE_STATUS", "/line_status", str, "JSON pointer to the line or its status."
    )
    lookup_ported: str = _setting(
        "BOSSJY_LOOKUP_PORTED", "/ported", str, "JSON pointer to whether the number was ported: true or false."
    )
    lookup_timeout_s: float = _setting(
        "BOSSJY_LOOKUP_TIMEOUT_S",
        2.0,
        read.decimal(0.05, 60),
        "Longest wait for the provider, within a call's deadline.",
    )
    lookup_per_second: int = _setting(
        "BOSSJY_LOOKUPS_PER_SECOND", 10, read.whole(1, 100_000), "Questions to the provider, all processes together."
    )
    lookup_per_day: int = _setting(
        "BOSSJY_LOOKUPS_PER_DAY", 1000, read.whole(1, 10**9), "The same for a day, from midnight UTC."
    )
    lookup_tenant_per_day: int = _setting(
        "BOSSJY_LOOKUPS_PER_DAY_PER_TENANT",
        0,
        read.whole(0, 10**9),
        "Of these, for one tenant; 0: as many as there are.",
    )
    lookup_ttl_s: float = _setting(
        "BOSSJY_LOOKUP_TTL_S", 86_400.0, read.decimal(1, 30 * 86_400), "How long an answer of the provider is kept."
    )
    lookup_unknown_ttl_s: float = _setting(
        "BOSSJY_LOOKUP_UNKNOWN_TTL_S",
        3600.0,
        read.decimal(1, 30 * 86_400),
        "How long it is kept that it knows no such number.",
    )
    lookup_running: int = _setting(
        "BOSSJY_LOOKUPS_RUNNING", 32, read.whole(1, 10_000), "Look-ups at once in one process."
    )
    import_file_bytes: int = _setting(
        "BOSSJY_IMPORT_FILE_BYTES",
        64 * 1024**3,
        read.whole(1, 2**47),
        "Largest part of an import's file, as it is sent.",
    )
    import_row_bytes: int = _setting(
        "BOSSJY_IMPORT_ROW_BYTES", 1024 * 1024, read.whole(256, 8 * 1024 * 1024), "Longest row of an import's file."
    )
    import_columns: int = _setting(
        "BOSSJY_IMPORT_COLUMNS", 1000, read.whole(1, 10_000), "Most columns of an import's file."
    )
    import_rejects: int = _setting(
        "BOSSJY_IMPORT_REJECTS",
        1_000_000,
        read.whole(1, 10**9),
        "Refused rows of one import that are kept to be listed.",
    )
    import_duplicates: int = _setting(
        "BOSSJY_IMPORT_DUPLICATES",
        1_000_000,
        read.whole(0, 10**9),
        "Duplicate rows of one import that are kept to be listed; 0: none.",
    )
    import_parts: int = _setting("BOSSJY_IMPORT_PARTS", 1000, read.whole(1, 1000), "Most parts of one import.")
    open_imports: int = _setting(
        "BOSSJY_OPEN_IMPORTS_PER_TENANT", 20, read.whole(1, 100_000), "Imports of one tenant that are open at once."
    )
    revert_days: int = _setting(
        "BOSSJY_REVERT_DAYS",
        90,
        read.whole(0, 36_500),
        "Imports that ended longer ago cannot be reverted, and their rows are forgotten; 0: never.",
    )
    workers: int = _setting(
        "BOSSJY_WORKERS", 1, read.whole(1, 256), "Processes that serve, on one port; as many as cores is good."
    )
    drain_s: float = _setting(
        "BOSSJY_DRAIN_S", 20.0, read.decimal(0, 3600), "Longest wait for running calls at the end."
    )
    health_interval_s: float = _setting(
        "BOSSJY_HEALTH_INTERVAL_S", 2.0, read.decimal(0.1, 600), "How often parts are asked for their health."
    )
    database_pool: int = _setting("BOSSJY_DATABASE_POOL", 20, read.whole(2, 1000), "Most connections to PostgreSQL.")
    database_long: int = _setting(
        "BOSSJY_DATABASE_LONG",
        0,
        read.whole(0, 1000),
        "Of these, connections that may do long work at once: imports, exports, counts; 0: half.",
    )
    database_wait_s: float = _setting(
        "BOSSJY_DATABASE_WAIT_S", 5.0, read.decimal(0.01, 600), "Longest wait for a connection."
    )
    statement_timeout_s: float = _setting(
        "BOSSJY_STATEMENT_TIMEOUT_S", 30.0, read.decimal(0.1, 3600), "Longest run of one statement."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings. Raises StartError that names every wrong one, and every BOSSJY_ name that is not one."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        known = {one.metadata["name"]: one for one in fields(cls)}
        for name, one in known.items():
            text = environment.get(name, "").strip()
            if not text:
                continue
            try:
                values[one.name] = one.metadata["read"](text)
            except ValueError as error:
                # The value is not shown: a URL may hold a password.
                faults.append(f"{name} must be {error}")
        faults.extend(
            f"{name} is no setting (`bossjy-server settings` lists them)"
            for name in sorted(environment)
            if name.startswith("BOSSJY_") and name not in known and name not in _OF_THE_TOOL
        )
        if bool(values.get("tls_certificate")) != bool(values.get("tls_key")):
            faults.append("BOSSJY_TLS_CERTIFICATE and BOSSJY_TLS_KEY must be set together")
        if values.get("tls_client_ca") and not values.get("tls_certificate"):
            faults.append("BOSSJY_TLS_CLIENT_CA needs BOSSJY_TLS_CERTIFICATE and BOSSJY_TLS_KEY")
        if values.get("database_admin_url") and not values.get("database_url"):
            faults.append("DATABASE_ADMIN_URL needs DATABASE_URL, the login of the service in the same database")
        settings = cls(**values)
        faults.extend(settings.auth_faults())
        if faults:
            raise StartError("wrong settings: " + "; ".join(faults))
        return settings

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """Name, default and meaning of each setting."""
        return [
            (one.metadata["name"], "" if one.default == () else str(one.default), one.metadata["about"])
            for one in fields(cls)
        ]

    @property
    def address(self) -> str:
        """What gRPC listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
