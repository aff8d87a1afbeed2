"""Which setting becomes which option of a room: the only place that knows both."""

from __future__ import annotations

from bossjy_server.auth.options import AuthOptions
from bossjy_server.config import Settings
from bossjy_server.imports.options import ImportOptions
from bossjy_server.lookup.options import LookupOptions
from bossjy_server.rpc.limits import LimitOptions
from bossjy_server.rpc.quotas import QuotaOptions
from bossjy_server.rpc.server import ServerOptions
from bossjy_server.rpc.streams import StreamOptions
from bossjy_server.storage.embedded import EmbeddedParts
from bossjy_server.storage.setup import DatabaseOptions


def auth_options(settings: Settings) -> AuthOptions:
    """How auth works, for the service and for the operator's commands."""
    return AuthOptions(
        registration=settings.registration,
        tenant_calls_per_minute=settings.tenant_calls_per_minute,
        key_reload_s=settings.key_reload_s,
        key_activation_s=settings.key_activation_s,
        account_failures=settings.account_failures,
        account_failures_of_all=settings.account_failures_of_all,
        address_failures=settings.address_failures,
        tenant_failures=settings.tenant_failures,
        audit_days=settings.audit_days,
        password_min_chars=settings.password_min_chars,
        password_max_chars=settings.password_max_chars,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        access_lifetime_s=settings.access_lifetime_s,
        session_lifetime_s=settings.session_lifetime_s,
        refresh_idle_s=settings.refresh_idle_s,
        refresh_grace_s=settings.refresh_grace_s,
        sessions_per_user_max=settings.sessions_per_user,
        revocations_lost=settings.revocations_lost,
        api_key_lifetime_s=settings.api_key_lifetime_s,
        api_key_lifetime_max_s=settings.api_key_lifetime_max_s,
        second_factor_roles=frozenset(settings.second_factor_roles),
        wrong_codes_max=settings.wrong_codes_max,
    )


def database_options(settings: Settings, parts: EmbeddedParts) -> DatabaseOptions:
    """Where the database is, and as whom the service works in it."""
    return DatabaseOptions(
        url=settings.database_url or parts.service_url,
        admin_url=settings.database_admin_url or settings.database_url or parts.database_url,
        admin_setting="DATABASE_ADMIN_URL" if settings.database_admin_url else "DATABASE_URL",
        role=settings.database_role,
        audit_days=settings.audit_days,
        make_login=not settings.database_url,
        pool=settings.database_pool,
        statement_cache=settings.database_statement_cache,
        wait_s=settings.database_wait_s,
        statement_timeout_s=settings.statement_timeout_s,
        tenant_share=settings.tenant_share,
        long_most=settings.database_long,
    )


def import_options(settings: Settings) -> ImportOptions:
    """The limits of imports."""
    return ImportOptions(
        max_file_bytes=settings.import_file_bytes,
        max_row_bytes=settings.import_row_bytes,
        max_columns=settings.import_columns,
        max_rejects_kept=settings.import_rejects,
        max_duplicates_kept=settings.import_duplicates,
        max_parts=settings.import_parts,
        max_open_imports=settings.open_imports,
        revert_days=settings.revert_days,
        # A client must be able to send the whole of a row, and of the few that tell what a file is.
        window_bytes=max(ImportOptions().window_bytes, 8 * settings.import_row_bytes),
    )


def lookup_options(settings: Settings) -> LookupOptions:
    """The provider of live look-ups, and how often it is asked."""
    return LookupOptions(
        url=settings.lookup_url,
        header=settings.lookup_header,
        secret=settings.lookup_secret,
        secret_file=settings.lookup_secret_file,
        ca_file=settings.lookup_ca_file,
        carrier=settings.lookup_carrier,
        line_status=settings.lookup_line_status,
        ported=settings.lookup_ported,
        timeout_s=settings.lookup_timeout_s,
        per_second=settings.lookup_per_second,
        per_day=settings.lookup_per_day,
        tenant_per_day=settings.lookup_tenant_per_day,
        ttl_s=settings.lookup_ttl_s,
        unknown_ttl_s=settings.lookup_unknown_ttl_s,
        running=settings.lookup_running,
    )


def limit_options(settings: Settings) -> LimitOptions:
    """How many calls of each class run and wait."""
    return LimitOptions(
        running=dict(settings.running_calls),
        queued=dict(settings.queued_calls),
        queue_s=settings.queue_s,
        address_per_minute=settings.calls_per_minute,
        tenant_share=settings.tenant_share,
    )


def quota_options(settings: Settings) -> QuotaOptions:
    """How often each user and tenant may call."""
    return QuotaOptions(
        user_per_minute=settings.user_calls_per_minute,
        tenant_per_minute=settings.tenant_calls_per_minute,
        tenant_streams=settings.tenant_streams,
        queue_s=settings.queue_s,
    )


def stream_options(settings: Settings) -> StreamOptions:
    """When an open stream is ended."""
    return StreamOptions(
        check_s=settings.stream_check_s, idle_s=settings.stream_idle_s, unsent_s=settings.stream_unsent_s
    )


def server_options(settings: Settings, worker: int) -> ServerOptions:
    """What the listening server allows a connection. More than one worker share a port."""
    return ServerOptions(
        max_streams_per_connection=settings.max_streams,
        max_connection_age_s=settings.max_connection_age_s,
        reuse_port=worker > 0,
    )
