"""Checks of the service's login on a connection: its application role, and faults of the login."""

from __future__ import annotations

import asyncpg

from bossjy_server.errors import StartError

# Separates the hash of init.sql and the application role's name in the comment on the schema.
ROLE_MARK = " role:"

# The right to act as a role: with PostgreSQL 15 each membership has it, later ones can lack it.
ACTS = "CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END"

# The connected role and its rights. A recorded role that does not exist counts as none.
WHO = f"""
SELECT session_user::text AS login, me.rolsuper OR me.rolbypassrls AS mighty, recorded.role,
    coalesce(pg_has_role(me.oid, app.oid, {ACTS}), false) AS may_set,
    current_database()::text AS database, has_database_privilege('public', d.oid, 'CONNECT') AS open_to_all,
    ARRAY(SELECT rolname::text FROM pg_roles r
          WHERE NOT me.rolsuper AND r.oid NOT IN (me.oid, app.oid) AND pg_has_role(me.oid, r.oid, {ACTS})) AS others
FROM pg_roles me JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN LATERAL (
        SELECT split_part(obj_description(to_regnamespace('bossjy')::oid, 'pg_namespace'), $1, 2) AS role
    ) recorded ON true
    LEFT JOIN pg_roles app ON app.rolname = recorded.role
WHERE me.rolname = session_user"""


def recorded_role(mark: str) -> str:
    """The application role in the comment on the schema; '' if there is none."""
    return mark.partition(ROLE_MARK)[2]


def checked(who: asyncpg.Record, setting: str) -> tuple[str, tuple[str, ...]]:
    """The application role, and remarks for the operator. `who`: the row of WHO.

    Raises StartError with one line if the login cannot work as the role.
    """
    login, role, database = who["login"], who["role"], who["database"]
    if not role:
        raise StartError(
            f"the database {database!r} of {setting} is not set up: "
            "DATABASE_ADMIN_URL and DATABASE_URL must name the same database"
        )
    if not who["may_set"]:
        raise StartError(
            f"the user {login!r} of {setting} may not act as the application role: "
            f'as an administrator run `GRANT "{role}" TO "{login}"`, then start again'
        )
    remarks = []
    if who["mighty"]:
        remarks.append(
            f"the user {login!r} of {setting} is a superuser or has BYPASSRLS: set {setting} to a plain login role, "
            "and DATABASE_ADMIN_URL to the owner of the tables"
        )
    remarks.extend(
        f'the user {login!r} of {setting} can act as {other!r} too: run `REVOKE "{other}" FROM "{login}"`'
        for other in sorted(who["others"])
    )
    if who["open_to_all"]:
        remarks.append(
            f"every role of the server may connect to the database {database!r}: "
            f'as its owner run `REVOKE CONNECT, TEMPORARY ON DATABASE "{database}" FROM PUBLIC`'
        )
    return role, tuple(remarks)
