"""SQL statements of merges, and their shared parts with those of superseding and reversal."""

from __future__ import annotations

from bossjy_server.imports.records import ExistingPolicy

STAGED = "pg_temp.bossjy_staged"

# The fields from a row, and the last change of the contact. Both are kept when another import changes the contact.
_TYPES = {
    "region": "text",
    "number_type": "smallint",
    "name": "text",
    "email": "text",
    "other_numbers": "text[]",
    "attributes": "jsonb",
    "carrier": "text",
    "place": "text",
    "extension": "text",
}
_CHANGE_TYPES = {"changed_import_id": "text", "changed_position": "bigint", "update_time": "timestamptz"}
# Former values from before contacts had these fields lack them.
_LATER = {"carrier", "place", "extension"}
NO_LATER_FIELDS = dict.fromkeys(_LATER, "")


def fields_of(table: str) -> str:
    """The fields in a statement, as columns of that table."""
    return ", ".join(f"{table}.{name}" for name in _TYPES)


FIELD_NAMES = frozenset(_TYPES)
FIELDS = ", ".join(_TYPES)
FIELDS_OF_CONTACT = fields_of("c")


def former_as_f(table: str) -> str:
    """The former values in that table's column `former`, as a table `f`."""
    columns = ", ".join(f"{name} {kind}" for name, kind in {**_TYPES, **_CHANGE_TYPES}.items())
    return f"jsonb_to_record({table}.former) AS f ({columns})"


# The fields of `f`.
FORMER_FIELDS = ", ".join(f"coalesce(f.{name}, '')" if name in _LATER else f"f.{name}" for name in _TYPES)

# PostgreSQL rejects COPY to a table with row-level security, so rows come by temporary tables, made once. A
# connection of a pooler can have the table of an earlier release.
STAGED_TABLE = """
DROP TABLE IF EXISTS pg_temp.bossjy_staged;
CREATE TEMPORARY TABLE bossjy_staged (
    e164           text COLLATE "C" NOT NULL,
    region         text COLLATE "C" NOT NULL,
    number_type    smallint NOT NULL,
    name           text NOT NULL,
    email          text NOT NULL,
    other_numbers  text[] NOT NULL,
    attributes     jsonb NOT NULL,
    carrier        text NOT NULL DEFAULT '',
    place          text NOT NULL DEFAULT '',
    extension      text NOT NULL DEFAULT '',
    position       bigint NOT NULL,
    line           integer NOT NULL
) ON COMMIT DELETE ROWS;
-- Rows that lost against another row of their import.
DROP TABLE IF EXISTS pg_temp.bossjy_lost;
CREATE TEMPORARY TABLE bossjy_lost (
    position       bigint NOT NULL,
    line           integer NOT NULL,
    e164           text COLLATE "C" NOT NULL,
    extension      text NOT NULL DEFAULT '',
    name           text NOT NULL,
    email          text NOT NULL,
    other_numbers  text[] NOT NULL,
    attributes     jsonb NOT NULL,
    row_text       text NOT NULL,
    -- -1 where the statement that keeps the row must look for the winner.
    winner_position  bigint NOT NULL,
    winner_line      integer NOT NULL
) ON COMMIT DELETE ROWS"""

# The planner knows nothing of the staged rows, and tables grow from nothing while a statement is prepared. A plan for
# an empty table reads all of it, and stays until the next statistics, a minute and a million rows later. So no table
# with an index is read in full until the transaction ends. The statement also tells if the connection has its table of
# staged rows.
SPARE_SCANS = "SELECT set_config('enable_seqscan', 'off', true), to_regclass('pg_temp.bossjy_lost') IS NOT NULL"
# Chooses staged rows by a subplan that is hashed for any estimate: `= ANY` of a parameter searches the whole array for
# each row once the plan is kept, and a plain IN may become a join. No statement below joins: each staged row is looked
# up in the index, by ON CONFLICT or by a subquery for each row.
CHOSEN = "(s.position IN (SELECT unnest($3::bigint[]))) IS TRUE"


def contact_of(table: str, values: str) -> str:
    """Values of the contact `c` of the number in that table, for a row of it: a row or none.

    Only the index of the numbers fits the requested order. Without an order, all indices seem equally good if a tenant
    seems to have no contacts, and each look-up in another index reads all contacts of the tenant.
    """
    return f"""SELECT {values} FROM bossjy.contacts c
        WHERE c.tenant_id = $1 AND c.e164 BETWEEN {table}.e164 AND {table}.e164 ORDER BY c.e164 LIMIT 1"""


CONTACTS_KEY = "contacts_pkey"

# New contacts, in the order in which they were staged: that of the index. Returns the positions of the new ones, as
# int8 in network order; the others were contacts before.
INSERT_NEW = f"""
WITH fresh AS (
    INSERT INTO bossjy.contacts (tenant_id, e164, {FIELDS},
        created_import_id, created_position, changed_import_id, changed_position, created_line)
    SELECT $1, e164, {FIELDS}, $2, position, $2, position, line
    FROM {STAGED} s
    ON CONFLICT ON CONSTRAINT {CONTACTS_KEY} DO NOTHING
    RETURNING created_position
)
SELECT string_agg(int8send(created_position), '') FROM fresh"""

# The same at less cost, without the lock and the second record in the log that ON CONFLICT needs for each row. Fails
# with a unique violation if another transaction makes one of the contacts at the same time.
INSERT_UNKNOWN = INSERT_NEW.replace(
    f"ON CONFLICT ON CONSTRAINT {CONTACTS_KEY} DO NOTHING", f"WHERE ({contact_of('s', 'true')}) IS NULL"
)

# The same for rows whose conflicting contact was deleted in the meantime.
INSERT_AGAIN = INSERT_NEW.replace("ON CONFLICT", f"WHERE {CHOSEN} ON CONFLICT")

# For a dry run, which keeps no contacts: the numbers of its earlier blocks, and those of this block.
FIND_NAMED = f"""
SELECT string_agg(int8send(s.position), '') FROM {STAGED} s
WHERE (SELECT m.position FROM bossjy.import_changes m
       WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.e164 = s.e164) IS NOT NULL"""

DROP_STAGED = f"DELETE FROM {STAGED} WHERE (position IN (SELECT unnest($1::bigint[]))) IS TRUE"

NAME_STAGED = f"""
INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position, line)
SELECT $1, $2, e164, position, line FROM {STAGED}
ON CONFLICT ON CONSTRAINT import_changes_pkey DO NOTHING"""


def fields_json(table: str) -> str:
    """The fields of a row of that table as a JSON object."""
    return "jsonb_build_object(" + ", ".join(f"'{name}', {table}.{name}" for name in _TYPES) + ")"


# Merges of a tenant's blocks share this lock. A reversal takes it exclusively: it merges layers again, and no merge may
# come between. The wait is short, so that a block is abandoned and tried again before its statement timeout.
SHARE_LAYERS = """
SET LOCAL lock_timeout = '5s';
SELECT pg_advisory_xact_lock_shared(hashtextextended('bossjy.layers ' || current_setting('bossjy.tenant_id'), 0));
SET LOCAL lock_timeout = 0"""

OWN_LAYERS = "SELECT pg_advisory_xact_lock(hashtextextended('bossjy.layers ' || $1, 0))"

# A contact `c` in the form of import_changes.former.
FORMER = "jsonb_build_object(" + ", ".join(f"'{name}', c.{name}" for name in (*_TYPES, *_CHANGE_TYPES)) + ")"

MERGED_VALUES = {
    # Fields that the row has replace those of the contact.
    ExistingPolicy.OVERWRITE: (
        "excluded.region",
        "excluded.number_type",
        "CASE WHEN excluded.name <> '' THEN excluded.name ELSE c.name END",
        "CASE WHEN excluded.email <> '' THEN excluded.email ELSE c.email END",
        "CASE WHEN excluded.other_numbers <> '{}' THEN excluded.other_numbers ELSE c.other_numbers END",
        "c.attributes || excluded.attributes",
        "CASE WHEN excluded.carrier <> '' THEN excluded.carrier ELSE c.carrier END",
        "CASE WHEN excluded.place <> '' THEN excluded.place ELSE c.place END",
        "CASE WHEN excluded.extension <> '' THEN excluded.extension ELSE c.extension END",
    ),
    # Fields that the contact lacks are filled.
    ExistingPolicy.FILL_EMPTY: (
        "c.region",
        "c.number_type",
        "CASE WHEN c.name <> '' THEN c.name ELSE excluded.name END",
        "CASE WHEN c.email <> '' THEN c.email ELSE excluded.email END",
        "CASE WHEN c.other_numbers <> '{}' THEN c.other_numbers ELSE excluded.other_numbers END",
        "excluded.attributes || c.attributes",
        "CASE WHEN c.carrier <> '' THEN c.carrier ELSE excluded.carrier END",
        "CASE WHEN c.place <> '' THEN c.place ELSE excluded.place END",
        "CASE WHEN c.extension <> '' THEN c.extension ELSE excluded.extension END",
    ),
}


def differs_from(policy: ExistingPolicy, rows: str) -> str:
    """A condition: the merge of the row of that table would change the contact `c`."""
    if policy not in MERGED_VALUES:
        return "false"
    values = ", ".join(MERGED_VALUES[policy]).replace("excluded.", f"{rows}.")
    return f"({FIELDS_OF_CONTACT}) IS DISTINCT FROM ROW ({values})"


def mark_seen(policy: ExistingPolicy) -> str:
    """The statement that classifies staged rows, none of which became a new contact.

    It marks the first row of this import that names a contact from before it; if two parts race, the index admits one.
    The mark of a row that would change the contact gets its present values. Returns positions: of the marked rows, of
    those among them that would change the contact, and of those whose contact is gone. The others come after another
    row of this import. For those whose contact the import created itself, it returns the position, and position and
    line of the row that won. `since`: the oldest transaction that the statement could not read.
    """
    differs = differs_from(policy, "s")
    same = f"({FIELDS_OF_CONTACT}) IS NOT DISTINCT FROM ROW ({fields_of('s')})"
    found = f"""c.created_import_id IS NOT DISTINCT FROM $2 AS own, {same} AS same,
        CASE WHEN {differs} THEN {FORMER} END AS former, c.created_position, c.created_line"""
    return f"""
WITH known AS MATERIALIZED (
    SELECT s.e164, s.position, s.line, found.own, found.former IS NOT NULL AS differs, found.former,
        found.created_position, found.created_line, CASE WHEN NOT found.same THEN {fields_json("s")} END AS fields
    FROM {STAGED} s LEFT JOIN LATERAL (
        {contact_of("s", found)}) found ON true
    WHERE {CHOSEN}
), seen AS (
    INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position, line, fields, former)
    SELECT $1, $2, e164, position, line, fields, former FROM known WHERE NOT own
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO NOTHING
    RETURNING position
)
SELECT (SELECT string_agg(int8send(position), '') FROM seen) AS seen,
    (SELECT string_agg(int8send(position), '') FROM known WHERE NOT own AND differs) AS differ,
    (SELECT string_agg(int8send(position), '') FROM known WHERE own IS NULL) AS missing,
    (SELECT string_agg(int8send(position) || int8send(created_position) || int8send(coalesce(created_line, 0)), '')
     FROM known WHERE own) AS behind,
    pg_snapshot_xmin(pg_current_snapshot())::text AS since"""
