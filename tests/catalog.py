"""The catalog of a database: all that deploy/init.sql defines, as texts that can be compared with another database."""

from __future__ import annotations

import asyncpg


def _rights(acl: str, kind: str, owner: str) -> str:
    """Rights as a text, in a fixed order; those of an object that has only the usual ones are written out."""
    all_rights = f"unnest(coalesce({acl}, acldefault({kind}, {owner})))"
    return f"(SELECT string_agg(r::text, ' ' ORDER BY r::text) FROM {all_rights} r)"


_KIND = """CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END"""
# Each query gives a name and a definition. Numbers of objects and the order of columns are not part of them.
_QUERIES = {
    "schema": f"""
        SELECT nspname, ROW(nspowner::regrole, {_rights("nspacl", "'n'", "nspowner")})::text
        FROM pg_namespace WHERE nspname = 'bossjy'""",
    "relations": f"""
        SELECT relname, ROW(relkind, relpersistence, relowner::regrole, relrowsecurity, relforcerowsecurity,
            reloptions::text, {_rights("relacl", _KIND, "relowner")}, obj_description(oid, 'pg_class'))::text
        FROM pg_class WHERE relnamespace = 'bossjy'::regnamespace""",
    "columns": """
        SELECT c.relname || '.' || a.attname, ROW(format_type(a.atttypid, a.atttypmod), a.attnotnull,
            l.collname, a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attstattarget, a.attacl,
            pg_get_expr(d.adbin, d.adrelid),
            col_description(c.oid, a.attnum))::text
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relnamespace = 'bossjy'::regnamespace AND c.relkind IN ('r', 'p', 'v')""",
    "constraints": """
        SELECT conrelid::regclass || ' ' || conname, ROW(convalidated, pg_get_constraintdef(oid))::text
        FROM pg_constraint WHERE connamespace = 'bossjy'::regnamespace""",
    "indexes": """
        SELECT indexrelid::regclass::text, ROW(indisvalid, indisunique, pg_get_indexdef(indexrelid))::text
        FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'bossjy'::regnamespace""",
    "policies": """
        SELECT tablename || ' ' || policyname, ROW(permissive, roles::text, cmd, qual, with_check)::text
        FROM pg_policies WHERE schemaname = 'bossjy'""",
    "functions": f"""
        SELECT oid::regprocedure::text, ROW(proowner::regrole, {_rights("proacl", "'f'", "proowner")},
            pg_get_functiondef(oid), obj_description(oid, 'pg_proc'))::text
        FROM pg_proc WHERE pronamespace = 'bossjy'::regnamespace""",
    "triggers": """
        SELECT tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND c.relnamespace = 'bossjy'::regnamespace""",
    "types": f"""
        SELECT typname, ROW(typtype, typowner::regrole, {_rights("typacl", "'T'", "typowner")})::text
        FROM pg_type WHERE typnamespace = 'bossjy'::regnamespace""",
    "sequences": """
        SELECT seqrelid::regclass::text,
            ROW(seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)::text
        FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid WHERE c.relnamespace = 'bossjy'::regnamespace""",
    "default rights": """
        SELECT defaclrole::regrole || ' ' || defaclobjtype::text, defaclacl::text FROM pg_default_acl""",
    "database": """
        SELECT 'rights', a::text FROM pg_database, unnest(datacl) a WHERE datname = current_database() ORDER BY 2""",
}

Catalog = dict[str, list[tuple[str, str]]]


async def catalog(url: str, names: dict[str, str]) -> Catalog:
    """Names and definitions by kind. Each name of a role in `names` is replaced by its value."""
    connection = await asyncpg.connect(url)
    try:
        return {
            kind: sorted((name, _replaced(definition, names)) for name, definition in await connection.fetch(query))
            for kind, query in _QUERIES.items()
        }
    finally:
        await connection.close()


def _replaced(definition: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        definition = definition.replace(name, value)
    return definition
