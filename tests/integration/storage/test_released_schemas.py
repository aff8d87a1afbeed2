"""Upgrades: a database of each released schema, brought up to date, equals a new one and keeps its rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.storage.roles import role_for
from tests.catalog import Catalog, catalog
from tests.parts import fresh_database, set_up

_FOLDER = Path(__file__).parents[3] / "deploy" / "released"
RELEASED = {path.stem: path.read_text("utf-8") for path in sorted(_FOLDER.glob("*.sql"))}

# Rows of every table of the first schema, in an order that foreign keys allow. Later schemas have these columns too.
ROWS = """
INSERT INTO bossjy.tenants (tenant_id, display_name, default_region, calls_per_minute)
    VALUES ('acme-1', 'Acme', 'CN', 500), ('other-2', 'Other', '', 20);
INSERT INTO bossjy.registration_tokens (token_hash, first_start) VALUES ('\\x01', true), ('\\x02', NULL);
INSERT INTO bossjy.users (tenant_id, user_id, email, email_key, password_hash, role)
    VALUES ('acme-1', 'u1', 'Ann@Example.com', 'ann@example.com', 'h', 'owner'),
        ('acme-1', 'u2', 'bob@example.com', 'bob@example.com', 'h', 'member'),
        ('other-2', 'u1', 'Ann@Example.com', 'ann@example.com', 'h', 'admin');
INSERT INTO bossjy.sessions (tenant_id, session_id, user_id, refresh_seed, refresh_expire_time, expire_time)
    VALUES ('acme-1', 's1', 'u1', '\\x03', now() + interval '1 day', now() + interval '9 days');
INSERT INTO bossjy.api_keys (tenant_id, api_key_id, secret_hash, display_name, scopes, created_by, expire_time)
    VALUES ('acme-1', 'k1', '\\x04', 'Key', '{phone.read}', 'u1', now() + interval '1 day');
INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type, name, other_numbers, attributes, created_import_id)
    VALUES ('acme-1', '+8613800138000', 'CN', 1, '安', '{+8613900139000}', '{"city": "上海"}', 'i1'),
        ('other-2', '+8613800138000', 'CN', 1, '', '{}', '{}', NULL);
INSERT INTO bossjy.imports (tenant_id, import_id, created_by, state, spec, plan_version)
    VALUES ('acme-1', 'i1', 'u1', 'succeeded', '{"default_region": "CN"}', '9.0.43');
INSERT INTO bossjy.import_parts (tenant_id, import_id, part, rows_in, inserted, rejected)
    VALUES ('acme-1', 'i1', 0, 2, 1, 1);
INSERT INTO bossjy.import_rejects (tenant_id, import_id, part, byte_offset, line, reason)
    VALUES ('acme-1', 'i1', 0, 40, 3, 2);
"""


@pytest.mark.parametrize("schema", RELEASED.values(), ids=RELEASED)
async def test_an_upgrade(parts: EmbeddedParts, empty_database_url: str, schema: str) -> None:
    owner = await asyncpg.connect(empty_database_url)
    try:
        await owner.execute(schema)
        await owner.execute(ROWS)
        before = await _rows(owner)
        assert min(len(rows) for rows in before.values()) > 0
        await set_up(empty_database_url)
        after = await _rows(owner)
        for table, rows in before.items():
            assert len(after[table]) == len(rows)
            kept = [{name: row[name] for name in rows[0]} for row in after[table]]
            assert all(row in kept for row in rows), table
        upgraded = await _catalog_of(empty_database_url)
        new = await _new_catalog(parts)
        for kind, definitions in new.items():
            assert upgraded[kind] == definitions, kind
        await set_up(empty_database_url)  # the second time changes nothing
        assert await _catalog_of(empty_database_url) == upgraded
        assert await _rows(owner) == after
    finally:
        await owner.close()


async def test_rights_of_the_former_role_are_gone(empty_database_url: str) -> None:
    owner = await asyncpg.connect(empty_database_url)
    try:
        await owner.execute(next(iter(RELEASED.values())))
        await set_up(empty_database_url)
        held = "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'bossjy_app'"
        assert await owner.fetchval(held) == 0
        assert not await owner.fetchval("SELECT has_schema_privilege('bossjy_app', 'bossjy', 'USAGE')")
    finally:
        await owner.close()


async def _rows(connection: asyncpg.Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows of each table, in a fixed order."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'bossjy' ORDER BY 1")
    return {
        name: [
            json.loads(row)
            for (row,) in await connection.fetch(f"SELECT to_jsonb(t)::text FROM bossjy.{name} t ORDER BY 1")
        ]
        for (name,) in tables
    }


async def _new_catalog(parts: EmbeddedParts) -> Catalog:
    found: list[Catalog] = []
    async for url in fresh_database(parts.database_url, "template1"):
        await set_up(url)
        found.append(await _catalog_of(url))
    return found[0]


async def _catalog_of(url: str) -> Catalog:
    return await catalog(url, {role_for(urlsplit(url).path[1:]): "service"})
