"""Assembly of live look-ups: `app` opens it for PhoneService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bossjy_server.blocking import in_thread
from bossjy_server.errors import StartError
from bossjy_server.lookup.budget import Budget
from bossjy_server.lookup.lookup import Lookup
from bossjy_server.lookup.options import LookupOptions
from bossjy_server.storage.cache import Cache
from bossjy_server.storage.redis import GuardedRedis

_ENTRIES = b"1"  # the version of cached answers: another version has other names


@asynccontextmanager
async def open_lookup(
    redis: GuardedRedis, options: LookupOptions, mac: Callable[..., bytes]
) -> AsyncIterator[Lookup | None]:
    """Look-ups by the provider in the options; None if they name none. Raises StartError.

    `mac(purpose, *parts)` is a keyed digest, which makes the names in the cache: there are so few numbers that a plain
    digest could be reversed.
    """
    if not options.url:
        yield None
        return
    try:
        options.check()
        tls_context = await in_thread(options.tls_context)
    except ValueError as error:
        raise StartError(str(error)) from error
    # Costs half a second and 6 MiB at start, which most servers never need.
    from bossjy_server.lookup.http import HttpProvider  # noqa: PLC0415

    provider = HttpProvider(options, tls_context)
    asked = [text.encode() for text in (options.url, options.carrier, options.line_status, options.ported)]

    def name_of(e164: str) -> str:
        return mac("lookup", _ENTRIES, *asked, e164.encode()).hex()

    cache = Cache(redis, "lookup", ttl_s=options.ttl_s, nothing_ttl_s=options.unknown_ttl_s)
    budget = Budget(redis, options.per_second, options.per_day, tenant_per_day=options.tenant_per_day)
    try:
        yield Lookup(provider, cache, budget, options, name_of=name_of)
    finally:
        await provider.close()
