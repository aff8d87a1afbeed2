"""Databases that tests use one after the other: emptied after each test, dropped if a test changed more than rows.

To make and to drop a database takes PostgreSQL several times as long as to empty one.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg

from bossjy_server.storage.roles import role_for

# Everything but rows: objects, rights, owners, settings, roles.
_SHAPE = """
SELECT md5(string_agg(each::text, ';' ORDER BY each::text)) FROM (
    SELECT (oid, relname, relnamespace, relowner, relacl, relkind, relrowsecurity, relforcerowsecurity, reloptions)
        FROM pg_class WHERE oid >= 16384 AND relnamespace <> 'pg_toast'::regnamespace AND relpersistence <> 't'
    UNION ALL SELECT (attrelid, attnum, attname, atttypid, attnotnull, attisdropped, attacl)
        FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
    UNION ALL SELECT ('proc', oid, xmin, proacl) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT ('type', oid, xmin, typacl) FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT ('policy', oid, xmin) FROM pg_policy
    UNION ALL SELECT ('constraint', oid, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT ('trigger', oid, xmin) FROM pg_trigger
    UNION ALL SELECT ('default', oid, xmin) FROM pg_attrdef
    UNION ALL SELECT ('schema', oid, nspname, nspowner, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_t'
    UNION ALL SELECT ('extension', oid, xmin) FROM pg_extension
    UNION ALL SELECT ('database', datname, datdba, datacl, datallowconn, datconnlimit)
        FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT ('setting', setdatabase, setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
           OR setrole IN (SELECT oid FROM pg_roles WHERE rolname = ANY ($1))
    UNION ALL SELECT ('role', oid, xmin) FROM pg_authid WHERE rolname = ANY ($1)
    UNION ALL SELECT ('member', m.roleid, m.member, m.admin_option) FROM pg_auth_members m
        JOIN pg_roles r ON r.oid IN (m.roleid, m.member) WHERE r.rolname = ANY ($1)
) each
"""
_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
# Deleted rows stay in the files until PostgreSQL cleans up, and slow later tests down.
_MOST_BYTES = 4 * 1024 * 1024
_BYTES = """
SELECT coalesce(sum(pg_relation_size(oid)), 0) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'bossjy'::regnamespace
"""
_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'bossjy'::regnamespace"
# Without triggers and foreign keys: the application's roles may not delete all of this.
_EMPTY = """
DO $$
DECLARE
    name text; used boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT oid::regclass::text FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'bossjy'::regnamespace LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO used;
        IF used THEN
            EXECUTE format('DELETE FROM %s', name);
        END IF;
    END LOOP;
    FOR name IN SELECT oid::regclass::text FROM pg_class
                WHERE relkind = 'S' AND relnamespace = 'bossjy'::regnamespace LOOP
        EXECUTE format('ALTER SEQUENCE %s RESTART', name);
    END LOOP;
END $$
"""


class CleanDatabase:
    """A database for tests, and its state before the first of them."""

    def __init__(self, url: str, shape: str, rows: dict[str, str]) -> None:
        self.url, self._shape, self._rows = url, shape, rows

    @classmethod
    async def known(cls, url: str) -> CleanDatabase:
        """The database at `url`, as it is now. `url` is the superuser's."""
        connection = await asyncpg.connect(url)
        try:
            rows = {}
            for record in await connection.fetch(_TABLES):
                table = record[0]
                found = await connection.fetchval(f"SELECT json_agg(t) FROM {table} t")
                if found:
                    rows[table] = found
            return cls(url, await _shape(connection, url), rows)
        finally:
            await connection.close()

    async def restore(self) -> bool:
        """Restore the rows of the beginning. False if more than rows changed, or too many: use it no longer."""
        try:
            connection = await asyncpg.connect(self.url)
        except (OSError, asyncpg.PostgresError):
            return False
        try:
            await connection.execute(_OTHERS)
            if await _shape(connection, self.url) != self._shape or await connection.fetchval(_BYTES) > _MOST_BYTES:
                return False
            async with connection.transaction():
                await connection.execute(_EMPTY)
                for table, rows in self._rows.items():
                    insert = f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1)"
                    await connection.execute(insert, rows)
        finally:
            await connection.close()
        return True


async def _shape(connection: asyncpg.Connection[asyncpg.Record], url: str) -> str:
    name = urlsplit(url).path[1:]
    shape: str = await connection.fetchval(_SHAPE, [role_for(name), f"service_of_{name}"])
    return shape
