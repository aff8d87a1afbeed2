-- The only definition of BossJy's database. Every change of the database is a change of this file.
--
-- The server runs it at every start, inside one transaction and under an advisory lock. So it must be idempotent, safe
-- on an empty database, and safe on one made by any earlier release: tables by CREATE … IF NOT EXISTS, later columns by
-- ALTER TABLE … ADD COLUMN IF NOT EXISTS, functions by OR REPLACE, policies by drop and create. PostgreSQL 15 or later.
-- A test upgrades databases of deploy/released/*.sql, and compares them with a new one.
--
-- Servers of the former release run, and start, with this definition: a change must not break their statements. The
-- number is one more than that of the last file in deploy/released, if anything has changed since.
-- Release of the definition: 2
--
-- Rules
--   * Every table with tenant data has `tenant_id` first in its primary key, so that it can be distributed by tenant
--     later, and a policy that admits only the rows of `bossjy.tenant_id`. An unset tenant sees nothing.
--   * The service works as an application role, which owns nothing: row-level security applies to it, and FORCE makes it
--     apply to the owner as well. Its name differs between databases, so no statement here names it: all
--     its rights are in bossjy.grant_to_service, at the end, which the server calls with the name.
--   * Ids are made by the service (text, random), times are UTC, text of people is bounded by CHECK.

CREATE SCHEMA IF NOT EXISTS bossjy;

-- The tenant of the running transaction, or NULL. The service sets it with set_config(…, is_local => true).
CREATE OR REPLACE FUNCTION bossjy.current_tenant() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('bossjy.tenant_id', true), '');

------------------------------------------------------------------------------------------------------------------------
-- Tenants, users, sessions
------------------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS bossjy.tenants (
    tenant_id         text COLLATE "C" PRIMARY KEY CHECK (tenant_id ~ '^[a-z0-9-]{3,40}$'),
    display_name      text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    default_region    text COLLATE "C" NOT NULL DEFAULT '' CHECK (default_region ~ '^([A-Z]{2})?$'),
    -- Of each class of methods; 0: no limit.
    calls_per_minute  integer NOT NULL DEFAULT 500
        CONSTRAINT tenants_calls_per_minute_granted CHECK (calls_per_minute >= 0),
    create_time       timestamptz NOT NULL DEFAULT now(),
    update_time       timestamptz NOT NULL DEFAULT now()
);

-- Earlier releases required a number above 0.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'tenants_calls_per_minute_check'
               AND conrelid = 'bossjy.tenants'::regclass) THEN
        ALTER TABLE bossjy.tenants DROP CONSTRAINT tenants_calls_per_minute_check,
            ADD CONSTRAINT tenants_calls_per_minute_granted CHECK (calls_per_minute >= 0);
    END IF;
END
$$;

-- Every user of the tenant except its services needs a second factor.
ALTER TABLE bossjy.tenants ADD COLUMN IF NOT EXISTS second_factor_required boolean NOT NULL DEFAULT false;

-- When the operator deleted the tenant: its data is gone, its audit log and the records of its erasures stay.
ALTER TABLE bossjy.tenants ADD COLUMN IF NOT EXISTS delete_time timestamptz;

-- Limits that the operator set for one tenant. NULL: the server's setting; streams 0: no limit.
ALTER TABLE bossjy.tenants ADD COLUMN IF NOT EXISTS streams_most integer
    CONSTRAINT tenants_streams_bounded CHECK (streams_most BETWEEN 0 AND 100000);
ALTER TABLE bossjy.tenants ADD COLUMN IF NOT EXISTS open_imports_most integer
    CONSTRAINT tenants_open_imports_bounded CHECK (open_imports_most BETWEEN 1 AND 100000);
ALTER TABLE bossjy.tenants ADD COLUMN IF NOT EXISTS users_most integer
    CONSTRAINT tenants_users_bounded CHECK (users_most BETWEEN 1 AND 1000000);
ALTER TABLE bossjy.tenants ADD COLUMN IF NOT EXISTS api_keys_most integer
    CONSTRAINT tenants_api_keys_bounded CHECK (api_keys_most BETWEEN 1 AND 1000000);

-- Tokens that admit one registration each, as SHA-256 of 256 random bits. Used up in the transaction that makes the
-- tenant. No tenant_id: they belong to the operator, and only the service reads them.
CREATE TABLE IF NOT EXISTS bossjy.registration_tokens (
    token_hash   bytea PRIMARY KEY,
    -- True for the token of the first start, so that two servers that start at once make only one.
    first_start  boolean UNIQUE CHECK (first_start),
    create_time  timestamptz NOT NULL DEFAULT now(),
    used_time    timestamptz
);

CREATE TABLE IF NOT EXISTS bossjy.users (
    tenant_id                 text COLLATE "C" NOT NULL REFERENCES bossjy.tenants ON DELETE CASCADE,
    user_id                   text COLLATE "C" NOT NULL,
    email                     text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    -- The address in the form that is compared, made by the service (auth/mail_addresses.py).
    email_key                 text COLLATE "C" NOT NULL,
    display_name              text NOT NULL DEFAULT '' CHECK (length(display_name) <= 200),
    language                  text NOT NULL DEFAULT '' CHECK (length(language) <= 35),
    password_hash             text NOT NULL,
    password_change_required  boolean NOT NULL DEFAULT false,
    password_time             timestamptz NOT NULL DEFAULT now(),
    role                      text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'service')),
    state                     text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    revision                  bigint NOT NULL DEFAULT 1, -- the etag; a login does not change it
    -- The call that made the user, so that it can be repeated.
    request_id                text COLLATE "C",
    request_hash              bytea,
    create_time               timestamptz NOT NULL DEFAULT now(),
    update_time               timestamptz NOT NULL DEFAULT now(),
    last_login_time           timestamptz,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT users_email_unique UNIQUE (tenant_id, email_key),
    CONSTRAINT users_request_unique UNIQUE (tenant_id, request_id)
);

ALTER TABLE bossjy.users ADD COLUMN IF NOT EXISTS second_factor boolean NOT NULL DEFAULT false;

-- When the user was deleted: the row has no personal data then, and its id remains in the audit log.
ALTER TABLE bossjy.users ADD COLUMN IF NOT EXISTS delete_time timestamptz;

-- Earlier releases compared addresses without NFKC, and with invisible characters. Their rows are converted once. If
-- two users of a tenant have addresses that are now the same, the key of the second stays: both can log in with the
-- address as it was typed, and the upgrade does not fail. Pure ASCII is the same in both forms. These releases needed
-- PostgreSQL 18; earlier versions cannot fold the case in this way, so the keys of a copy there stay.
DO $$
DECLARE
    old record;
    new_key text;
BEGIN
    IF col_description('bossjy.users'::regclass, (SELECT attnum FROM pg_attribute
            WHERE attrelid = 'bossjy.users'::regclass AND attname = 'email_key')) IS NOT DISTINCT FROM 'NFKC' THEN
        RETURN;
    END IF;
    -- The owner is no superuser everywhere. FORCE comes back at the end of this file, in the same transaction.
    ALTER TABLE bossjy.users NO FORCE ROW LEVEL SECURITY;
    IF getdatabaseencoding() = 'UTF8' AND current_setting('server_version_num')::integer >= 180000 THEN
        FOR old IN SELECT tenant_id, user_id, email, email_key FROM bossjy.users
                   WHERE email_key ~ '[^\x01-\x7f]' ORDER BY create_time, user_id
        LOOP
            new_key := btrim(normalize(casefold(regexp_replace(normalize(old.email, NFKC),
                '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f'
                '\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]', '', 'g')
                COLLATE pg_unicode_fast), NFKC));
            IF new_key <> old.email_key AND NOT EXISTS (SELECT FROM bossjy.users
                    WHERE tenant_id = old.tenant_id AND email_key = new_key) THEN
                UPDATE bossjy.users SET email_key = new_key
                WHERE tenant_id = old.tenant_id AND user_id = old.user_id;
            END IF;
        END LOOP;
    END IF;
    COMMENT ON COLUMN bossjy.users.email_key IS 'NFKC';
END
$$;

-- One-time codes as a second factor. The secrets are encrypted with a key that is not in the database; `pending` is not
-- yet confirmed by its user. No code of last_step (RFC 6238) or an earlier step is accepted.
CREATE TABLE IF NOT EXISTS bossjy.second_factors (
    tenant_id    text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    secret       bytea,
    pending      bytea,
    last_step    bigint NOT NULL DEFAULT 0,
    update_time  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES bossjy.users ON DELETE CASCADE
);

-- Wrong codes in a row: one-time codes of `secret`, one-time codes of `pending`. Each attempt is counted before its
-- code is compared, so parallel attempts cannot exceed the bound.
ALTER TABLE bossjy.second_factors ADD COLUMN IF NOT EXISTS wrong_codes integer NOT NULL DEFAULT 0;
ALTER TABLE bossjy.second_factors ADD COLUMN IF NOT EXISTS wrong_pending integer NOT NULL DEFAULT 0;

-- Recovery codes for a lost device, as HMACs under a secret that is not in the database. Each works once.
CREATE TABLE IF NOT EXISTS bossjy.recovery_codes (
    tenant_id  text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    code_mac   bytea NOT NULL,
    use_time   timestamptz,
    PRIMARY KEY (tenant_id, user_id, code_mac),
    FOREIGN KEY (tenant_id, user_id) REFERENCES bossjy.users ON DELETE CASCADE
);

-- A login. Access tokens name their session. Its refresh tokens are HMACs over the seed and the generation, under a
-- secret that is not in the database: one row represents a whole family, and reveals no token.
CREATE TABLE IF NOT EXISTS bossjy.sessions (
    tenant_id            text COLLATE "C" NOT NULL REFERENCES bossjy.tenants ON DELETE CASCADE,
    session_id           text COLLATE "C" NOT NULL,
    user_id              text COLLATE "C" NOT NULL,
    device_name          text NOT NULL DEFAULT '' CHECK (length(device_name) <= 200),
    user_agent           text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 400),
    address              text NOT NULL DEFAULT '' CHECK (length(address) <= 100),
    refresh_seed         bytea NOT NULL,
    -- The refresh token of this generation is valid; it was made at rotate_time and ends at refresh_expire_time.
    generation           integer NOT NULL DEFAULT 1,
    rotate_time          timestamptz NOT NULL DEFAULT now(),
    refresh_expire_time  timestamptz NOT NULL,
    create_time          timestamptz NOT NULL DEFAULT now(),
    last_use_time        timestamptz NOT NULL DEFAULT now(),
    expire_time          timestamptz NOT NULL,
    end_time             timestamptz,
    PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES bossjy.users ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS sessions_by_user ON bossjy.sessions (tenant_id, user_id, create_time DESC);

-- Client networks from which a user has logged in, as HMACs under a secret that is not in the database. While others
-- guess at the account, the right password passes from these.
CREATE TABLE IF NOT EXISTS bossjy.login_networks (
    tenant_id      text COLLATE "C" NOT NULL,
    user_id        text COLLATE "C" NOT NULL,
    network_mac    bytea NOT NULL,
    last_use_time  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, user_id, network_mac),
    FOREIGN KEY (tenant_id, user_id) REFERENCES bossjy.users ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS bossjy.api_keys (
    tenant_id      text COLLATE "C" NOT NULL REFERENCES bossjy.tenants ON DELETE CASCADE,
    api_key_id     text COLLATE "C" NOT NULL,
    secret_hash    bytea NOT NULL, -- SHA-256 of 256 random bits
    display_name   text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    scopes         text[] NOT NULL,
    created_by     text COLLATE "C" NOT NULL,
    request_id     text COLLATE "C",
    request_hash   bytea,
    create_time    timestamptz NOT NULL DEFAULT now(),
    expire_time    timestamptz NOT NULL,
    last_use_time  timestamptz,
    end_time       timestamptz,
    PRIMARY KEY (tenant_id, api_key_id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES bossjy.users ON DELETE CASCADE,
    CONSTRAINT api_keys_request_unique UNIQUE (tenant_id, request_id)
);
CREATE INDEX IF NOT EXISTS api_keys_by_time ON bossjy.api_keys (tenant_id, create_time DESC, api_key_id DESC);

-- The API key that made this one, or NULL. It ends in the statement that ends its parent.
ALTER TABLE bossjy.api_keys ADD COLUMN IF NOT EXISTS parent_key_id text COLLATE "C";
CREATE INDEX IF NOT EXISTS api_keys_by_parent ON bossjy.api_keys (tenant_id, parent_key_id)
    WHERE parent_key_id IS NOT NULL;

-- The API keys of verified client certificates. No tenant_id: the table is read before the tenant is known, and belongs
-- to the operator, who knows the authority. The service may only read it; `bossjy-server services bind` writes it.
CREATE TABLE IF NOT EXISTS bossjy.certificates (
    name          text COLLATE "C" PRIMARY KEY CHECK (length(name) BETWEEN 4 AND 200),
    bound_tenant  text COLLATE "C" NOT NULL,
    api_key_id    text COLLATE "C" NOT NULL,
    create_time   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (bound_tenant, api_key_id) REFERENCES bossjy.api_keys ON DELETE CASCADE
);

-- The audit log: actor, action, resource and network of each event. It has only ids, and no personal data in clear.
-- event_id ascends in time. The service may add and read events, not change them; only the function at the end deletes.
CREATE TABLE IF NOT EXISTS bossjy.audit_events (
    tenant_id   text COLLATE "C" NOT NULL REFERENCES bossjy.tenants,
    event_id    text COLLATE "C" NOT NULL,
    event_time  timestamptz NOT NULL DEFAULT now(),
    actor       text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(actor) <= 64),
    action      text COLLATE "C" NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    resource    text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(resource) <= 128),
    address     text NOT NULL DEFAULT '' CHECK (length(address) <= 64),
    outcome     text COLLATE "C" NOT NULL DEFAULT 'OK' CHECK (length(outcome) BETWEEN 1 AND 32),
    request_id  text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(request_id) <= 200),
    PRIMARY KEY (tenant_id, event_id)
);
-- Detail of the event: `member -> owner`, the missing scope.
ALTER TABLE bossjy.audit_events ADD COLUMN IF NOT EXISTS detail text NOT NULL DEFAULT ''
    CONSTRAINT audit_events_detail_short CHECK (length(detail) <= 200);

-- Events of the operator that concern the whole server, such as a new signing key. No tenant_id: ListAuditEvents shows
-- them to every tenant. The command makes the id, so several servers can add the same event. The service adds and reads
-- rows, and may not change or delete one. There are few, so they are kept.
CREATE TABLE IF NOT EXISTS bossjy.operator_events (
    event_id    text COLLATE "C" PRIMARY KEY,
    event_time  timestamptz NOT NULL DEFAULT now(),
    action      text COLLATE "C" NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    resource    text COLLATE "C" NOT NULL CHECK (length(resource) <= 128)
);
-- Number of calls of the event: many wrong logins of one minute are one event.
ALTER TABLE bossjy.audit_events ADD COLUMN IF NOT EXISTS times integer NOT NULL DEFAULT 1
    CONSTRAINT audit_events_times_positive CHECK (times > 0);
-- Finds the oldest events. Rows are added in this order, so a few bytes for each megabyte are enough.
CREATE INDEX IF NOT EXISTS audit_events_by_time ON bossjy.audit_events
    USING brin (event_time) WITH (autosummarize = on);

------------------------------------------------------------------------------------------------------------------------
-- Contacts: a contact is a number
------------------------------------------------------------------------------------------------------------------------

-- No foreign key to the tenant: its check costs each row of an import more than the row itself. Row-level security
-- admits no tenant that the service did not name.
CREATE TABLE IF NOT EXISTS bossjy.contacts (
    tenant_id          text COLLATE "C" NOT NULL,
    -- Between `+1` and `+:` means a plus and a digit; a regular expression would double the cost of a row.
    e164               text COLLATE "C" NOT NULL CHECK (e164 >= '+1' AND e164 < '+:' AND length(e164) BETWEEN 3 AND 21),
    region             text COLLATE "C" NOT NULL,
    number_type        smallint NOT NULL, -- libphonenumber's PhoneNumberType
    name               text NOT NULL DEFAULT '',
    email              text NOT NULL DEFAULT '',
    other_numbers      text[] NOT NULL DEFAULT '{}',
    attributes         jsonb NOT NULL DEFAULT '{}',
    carrier            text NOT NULL DEFAULT '',
    place              text NOT NULL DEFAULT '',
    -- The import that created the contact, the import that last changed it, and the position of the winning row in
    -- each: 48 bits of byte offset below the number of the part.
    created_import_id  text COLLATE "C",
    created_position   bigint,
    changed_import_id  text COLLATE "C",
    changed_position   bigint,
    create_time        timestamptz NOT NULL DEFAULT now(),
    update_time        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contacts_pkey PRIMARY KEY (tenant_id, e164)
);
-- The first release had a foreign key, a check by regular expression, and fewer columns.
ALTER TABLE bossjy.contacts ADD COLUMN IF NOT EXISTS carrier text NOT NULL DEFAULT '';
ALTER TABLE bossjy.contacts ADD COLUMN IF NOT EXISTS place text NOT NULL DEFAULT '';
ALTER TABLE bossjy.contacts ADD COLUMN IF NOT EXISTS created_position bigint;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'contacts_tenant_id_fkey'
               AND conrelid = 'bossjy.contacts'::regclass) THEN
        ALTER TABLE bossjy.contacts DROP CONSTRAINT contacts_tenant_id_fkey, DROP CONSTRAINT contacts_e164_check,
            ADD CONSTRAINT contacts_e164_check
                CHECK (e164 >= '+1' AND e164 < '+:' AND length(e164) BETWEEN 3 AND 21);
    END IF;
END
$$;
-- The orders of ListContacts. Blocks of an import have these orders, so both indexes grow at their end, which is cheap.
CREATE INDEX IF NOT EXISTS contacts_by_create_time ON bossjy.contacts (tenant_id, create_time, e164);
CREATE INDEX IF NOT EXISTS contacts_by_update_time ON bossjy.contacts (tenant_id, update_time, e164);
-- Digits of the extension; empty if the number has none. `created_line` is the line at created_position: lists of duplicate
-- rows name it. NULL or 0: not known.
ALTER TABLE bossjy.contacts ADD COLUMN IF NOT EXISTS extension text NOT NULL DEFAULT '';
ALTER TABLE bossjy.contacts ADD COLUMN IF NOT EXISTS created_line integer;

-- Records of erasures: time, user, purpose. Of the numbers they contain only HMACs, under a secret that is not in the
-- database: with the number and the secret the erasure can be proved, and nobody can recover the number.
CREATE TABLE IF NOT EXISTS bossjy.erasures (
    tenant_id      text COLLATE "C" NOT NULL REFERENCES bossjy.tenants,
    erasure_id     text COLLATE "C" NOT NULL,
    -- The call that made it, so that it can be repeated; the MAC is that of its request.
    request_id     text COLLATE "C",
    request_mac    bytea NOT NULL,
    purpose        text NOT NULL CHECK (length(purpose) <= 200),
    erased_by      text COLLATE "C" NOT NULL,
    call_id        text COLLATE "C" NOT NULL, -- in the log
    number_macs    bytea[] NOT NULL,
    erased_count   integer NOT NULL,
    missing_count  integer NOT NULL,
    create_time    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, erasure_id),
    CONSTRAINT erasures_request_unique UNIQUE (tenant_id, request_id)
);

-- In earlier releases both records were deleted with their tenant. Now a tenant that has records cannot be deleted.
DO $$
DECLARE
    record_table text;
BEGIN
    FOREACH record_table IN ARRAY ARRAY['audit_events', 'erasures'] LOOP
        IF EXISTS (SELECT FROM pg_constraint WHERE conname = record_table || '_tenant_id_fkey'
                   AND conrelid = ('bossjy.' || record_table)::regclass AND confdeltype <> 'a') THEN
            EXECUTE format('ALTER TABLE bossjy.%I DROP CONSTRAINT %I, ADD FOREIGN KEY (tenant_id) REFERENCES bossjy.tenants',
                record_table, record_table || '_tenant_id_fkey');
        END IF;
    END LOOP;
END
$$;

------------------------------------------------------------------------------------------------------------------------
-- Imports
------------------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS bossjy.imports (
    tenant_id       text COLLATE "C" NOT NULL REFERENCES bossjy.tenants ON DELETE CASCADE,
    import_id       text COLLATE "C" NOT NULL,
    request_id      text COLLATE "C",
    request_hash    bytea,
    created_by      text COLLATE "C" NOT NULL,
    state           text NOT NULL CHECK (state IN ('open', 'succeeded', 'cancelled', 'failed', 'reverted')),
    -- The requested options (ImportSpec as JSON), and those that were determined when the header was read.
    spec            jsonb NOT NULL,
    resolved        jsonb NOT NULL DEFAULT '{}',
    part_count      integer NOT NULL DEFAULT 1 CHECK (part_count BETWEEN 1 AND 1000),
    revision        bigint NOT NULL DEFAULT 1,
    plan_version    text NOT NULL,
    -- A dry run: every block is merged and rolled back; its counts and rejects stay.
    validate_only   boolean NOT NULL DEFAULT false,
    failure         text NOT NULL DEFAULT '',
    rejects_truncated boolean NOT NULL DEFAULT false,
    create_time     timestamptz NOT NULL DEFAULT now(),
    update_time     timestamptz NOT NULL DEFAULT now(),
    end_time        timestamptz,
    PRIMARY KEY (tenant_id, import_id),
    CONSTRAINT imports_request_unique UNIQUE (tenant_id, request_id)
);
-- The first release lacked these columns.
ALTER TABLE bossjy.imports ADD COLUMN IF NOT EXISTS validate_only boolean NOT NULL DEFAULT false;
ALTER TABLE bossjy.imports ADD COLUMN IF NOT EXISTS failure text NOT NULL DEFAULT '';
ALTER TABLE bossjy.imports ADD COLUMN IF NOT EXISTS rejects_truncated boolean NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS imports_by_time ON bossjy.imports (tenant_id, create_time DESC, import_id);
-- Rejected rows by reason: `{"3": 12, "3+": 10}` are 12 rows with reason 3, of which 10 have a suggestion.
ALTER TABLE bossjy.imports ADD COLUMN IF NOT EXISTS reject_counts jsonb NOT NULL DEFAULT '{}';

-- One row for each part of a file. Offset and counts change in the transaction that keeps their rows.
CREATE TABLE IF NOT EXISTS bossjy.import_parts (
    tenant_id         text COLLATE "C" NOT NULL,
    import_id         text COLLATE "C" NOT NULL,
    part              integer NOT NULL,
    committed_offset  bigint NOT NULL DEFAULT 0,
    committed_lines   bigint NOT NULL DEFAULT 0,
    rows_in           bigint NOT NULL DEFAULT 0,
    inserted          bigint NOT NULL DEFAULT 0,
    updated           bigint NOT NULL DEFAULT 0,
    unchanged         bigint NOT NULL DEFAULT 0,
    duplicate         bigint NOT NULL DEFAULT 0,
    rejected          bigint NOT NULL DEFAULT 0,
    -- State with which the decoder resumes after a restart, besides the offset (for example the state of a hash).
    decoder           jsonb NOT NULL DEFAULT '{}',
    finished          boolean NOT NULL DEFAULT false,
    -- The stream that now uploads the part; a newer stream takes over by writing its own value.
    holder            text COLLATE "C",
    update_time       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, import_id, part),
    FOREIGN KEY (tenant_id, import_id) REFERENCES bossjy.imports ON DELETE CASCADE,
    CONSTRAINT import_parts_identity
        CHECK (rows_in = inserted + updated + unchanged + duplicate + rejected)
);

CREATE TABLE IF NOT EXISTS bossjy.import_rejects (
    tenant_id    text COLLATE "C" NOT NULL,
    import_id    text COLLATE "C" NOT NULL,
    part         integer NOT NULL,
    byte_offset  bigint NOT NULL, -- of the row's first byte, in its part
    line         bigint NOT NULL, -- of the row's first line, in its part, from 1
    reason       smallint NOT NULL, -- bossjy.imports.v1.RejectReason
    column_name  text NOT NULL DEFAULT '',
    original     text NOT NULL DEFAULT '',
    suggestion   text NOT NULL DEFAULT '',
    row_text     text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, import_id, part, byte_offset),
    FOREIGN KEY (tenant_id, import_id) REFERENCES bossjy.imports ON DELETE CASCADE
);

-- Earlier contacts that a row of an import named: the first such row, and the former values of the contact if it
-- changed them. It makes later rows with the number duplicates; RevertImport restores the former values. Contacts that
-- the import created itself have its id in contacts.created_import_id. No foreign key, for the same reason as above.
CREATE TABLE IF NOT EXISTS bossjy.import_changes (
    tenant_id  text COLLATE "C" NOT NULL,
    import_id  text COLLATE "C" NOT NULL,
    e164       text COLLATE "C" NOT NULL,
    position   bigint NOT NULL,
    former     jsonb, -- NULL if nothing was changed
    CONSTRAINT import_changes_pkey PRIMARY KEY (tenant_id, import_id, e164)
);
-- The fields of the row (NULL: the contact had just these), and the order in which imports named a number: RevertImport
-- merges the rows of the other imports again.
ALTER TABLE bossjy.import_changes ADD COLUMN IF NOT EXISTS fields jsonb;
ALTER TABLE bossjy.import_changes ADD COLUMN IF NOT EXISTS sequence bigint GENERATED ALWAYS AS IDENTITY;
-- The line at `position`. NULL or 0: not known.
ALTER TABLE bossjy.import_changes ADD COLUMN IF NOT EXISTS line integer;

-- Rows that lost against another row of their import with the same number, and their values. `winner_position` and
-- `winner_line` are those at the time; a later row can win over that row. No foreign key: its check doubles the cost of a
-- row.
CREATE TABLE IF NOT EXISTS bossjy.import_duplicates (
    tenant_id        text COLLATE "C" NOT NULL,
    import_id        text COLLATE "C" NOT NULL,
    part             integer NOT NULL,
    byte_offset      bigint NOT NULL, -- of the row's first byte, in its part
    line             integer NOT NULL, -- of the row's first line, in its part, from 1; 0: not known
    e164             text COLLATE "C" NOT NULL,
    winner_position  bigint, -- as contacts.created_position
    winner_line      integer,
    extension        text NOT NULL DEFAULT '',
    name             text NOT NULL DEFAULT '',
    email            text NOT NULL DEFAULT '',
    other_numbers    text[] NOT NULL DEFAULT '{}',
    attributes       jsonb NOT NULL DEFAULT '{}',
    row_text         text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, import_id, part, byte_offset)
);
ALTER TABLE bossjy.imports ADD COLUMN IF NOT EXISTS duplicates_truncated boolean NOT NULL DEFAULT false;

-- Contacts that RevertImport did not change, because somebody had changed them after the import.
CREATE TABLE IF NOT EXISTS bossjy.revert_conflicts (
    tenant_id          text COLLATE "C" NOT NULL,
    import_id          text COLLATE "C" NOT NULL,
    e164               text COLLATE "C" NOT NULL,
    changed_import_id  text COLLATE "C",
    update_time        timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, import_id, e164),
    FOREIGN KEY (tenant_id, import_id) REFERENCES bossjy.imports ON DELETE CASCADE
);

------------------------------------------------------------------------------------------------------------------------
-- Row-level security, for every table with a tenant
------------------------------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.table_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'bossjy' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE'
    LOOP
        EXECUTE format('ALTER TABLE bossjy.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE bossjy.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('DROP POLICY IF EXISTS tenant ON bossjy.%I', name);
        EXECUTE format(
            'CREATE POLICY tenant ON bossjy.%I USING (tenant_id = (SELECT bossjy.current_tenant())) '
            'WITH CHECK (tenant_id = (SELECT bossjy.current_tenant()))', name);
    END LOOP;
END
$$;

-- `bossjy-server tenants list` shows the operator, who owns the tables, all rows of this one table.
DO $$
BEGIN
    DROP POLICY IF EXISTS operator_sees ON bossjy.tenants;
    EXECUTE format('CREATE POLICY operator_sees ON bossjy.tenants FOR SELECT TO %I USING (true)',
        (SELECT tableowner FROM pg_tables WHERE schemaname = 'bossjy' AND tablename = 'tenants'));
END
$$;

-- Returns the sessions and API keys that are valid at `at`, of several tenants in one round trip, for the check of open
-- streams. `tenants` and `credentials` (ids of sessions and keys) have equal length. Works with the rights of its
-- caller, so row-level security shows it one tenant after the other. `granted` is NULL for a session.
CREATE OR REPLACE FUNCTION bossjy.live_credentials(tenants text[], credentials text[], at timestamptz)
RETURNS TABLE (credential text, user_role text, must_change_password boolean, granted text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant text;
    wanted text[];
BEGIN
    FOR tenant, wanted IN
        SELECT a.t, array_agg(a.c) FROM unnest(tenants, credentials) AS a (t, c) GROUP BY a.t
    LOOP
        PERFORM set_config('bossjy.tenant_id', tenant, true);
        RETURN QUERY
            SELECT s.session_id, u.role, u.password_change_required, NULL::text[]
            FROM bossjy.sessions s JOIN bossjy.users u ON u.tenant_id = s.tenant_id AND u.user_id = s.user_id
            WHERE s.tenant_id = tenant AND s.session_id = ANY (wanted) AND s.end_time IS NULL AND s.expire_time > at
                AND s.refresh_expire_time > at AND u.state = 'active'
            UNION ALL
            SELECT k.api_key_id, u.role, false, k.scopes
            FROM bossjy.api_keys k JOIN bossjy.users u ON u.tenant_id = k.tenant_id AND u.user_id = k.created_by
            WHERE k.tenant_id = tenant AND k.api_key_id = ANY (wanted) AND k.end_time IS NULL AND k.expire_time > at
                AND u.state = 'active';
    END LOOP;
    PERFORM set_config('bossjy.tenant_id', '', true);
END
$$;

-- Returns the settings of several tenants that calls need, in one round trip. It works like live_credentials.
CREATE OR REPLACE FUNCTION bossjy.tenant_settings(tenants text[])
RETURNS TABLE (tenant text, calls_per_minute integer, default_region text, streams_most integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY tenants
    LOOP
        PERFORM set_config('bossjy.tenant_id', wanted, true);
        RETURN QUERY
            SELECT t.tenant_id, t.calls_per_minute, t.default_region, t.streams_most
            FROM bossjy.tenants t WHERE t.tenant_id = wanted AND t.delete_time IS NULL;
    END LOOP;
    PERFORM set_config('bossjy.tenant_id', '', true);
END
$$;

-- The audit log ends by age. The function works with the rights of the tables' owner, whom row-level security admits to
-- events of more than 30 days of all tenants (as always, it does not apply if the owner is a superuser). The function
-- itself refuses a lower age, so no caller can remove newer events.
DO $$
BEGIN
    DROP POLICY IF EXISTS old_seen ON bossjy.audit_events;
    DROP POLICY IF EXISTS old_removed ON bossjy.audit_events;
    EXECUTE format(
        'CREATE POLICY old_seen ON bossjy.audit_events FOR SELECT TO %1$I '
        'USING (event_time < now() - interval ''30 days''); '
        'CREATE POLICY old_removed ON bossjy.audit_events FOR DELETE TO %1$I '
        'USING (event_time < now() - interval ''30 days'')',
        (SELECT tableowner FROM pg_tables WHERE schemaname = 'bossjy' AND tablename = 'audit_events'));
END
$$;

-- The minimum time for which events are kept: one row, which only the owner of the tables may read and change. So even
-- a compromised service removes nothing before the operator's BOSSJY_AUDIT_DAYS.
CREATE TABLE IF NOT EXISTS bossjy.retention (
    one_row     boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    audit_days  integer NOT NULL DEFAULT 30 CHECK (audit_days BETWEEN 30 AND 36500)
);
INSERT INTO bossjy.retention DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Removes at most `most` events of all tenants that are older than `kept_days` and the owner's days. Returns their
-- number, and 0 while another transaction removes events.
CREATE OR REPLACE FUNCTION bossjy.remove_old_audit_events(kept_days integer, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    IF kept_days IS NULL OR kept_days NOT BETWEEN 30 AND 36500 OR most IS NULL OR most < 1 THEN
        RAISE EXCEPTION 'events of the audit log are kept for 30 to 36500 days'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT pg_try_advisory_xact_lock(108230817835642) THEN -- one more than the lock for applying this file
        RETURN 0;
    END IF;
    DELETE FROM bossjy.audit_events WHERE (tenant_id, event_id) IN (
        SELECT tenant_id, event_id FROM bossjy.audit_events
        WHERE event_time < now() - make_interval(
            days => greatest(kept_days, (SELECT audit_days FROM bossjy.retention))) LIMIT most);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION bossjy.remove_old_audit_events FROM PUBLIC;

------------------------------------------------------------------------------------------------------------------------
-- Rights of the application role
------------------------------------------------------------------------------------------------------------------------

-- Gives `service_role` exactly the rights that the service needs in this database. Revokes all rights of `former_role`,
-- which had them before: in an earlier release, or in the database that this one is a copy of.
CREATE OR REPLACE FUNCTION bossjy.grant_to_service(service_role name, former_role name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    here constant name := current_database();
    one record;
BEGIN
    IF former_role <> service_role AND EXISTS (SELECT FROM pg_roles WHERE rolname = former_role) THEN
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA bossjy FROM %1$I; '
            'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bossjy FROM %1$I; REVOKE ALL ON SCHEMA bossjy FROM %1$I', former_role);
    END IF;

    -- No role of the cluster may connect by default. Only the database's owner can revoke that right.
    IF (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = here) THEN
        EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', here);
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', here, service_role);
        IF former_role <> service_role AND EXISTS (SELECT FROM pg_roles WHERE rolname = former_role) THEN
            EXECUTE format('REVOKE ALL ON DATABASE %I FROM %I', here, former_role);
        END IF;
    END IF;

    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA bossjy FROM %1$I; REVOKE ALL ON SCHEMA bossjy FROM %1$I; '
        'GRANT USAGE ON SCHEMA bossjy TO %1$I', service_role);
    -- In tables with a tenant: records are written once, at the time of the database. Neither a tenant nor a user is
    -- deleted or gets another tenant_id. Rights by column cost a copy of a database its time, so only these have them.
    FOR one IN
        SELECT c.relname AS name, c.relname NOT IN ('audit_events', 'erasures') AS changes,
            c.relname NOT IN ('audit_events', 'erasures', 'tenants', 'users') AS goes,
            string_agg(quote_ident(a.attname), ', ') FILTER (WHERE a.attname <> 'tenant_id') AS changed,
            string_agg(quote_ident(a.attname), ', ') FILTER (WHERE (c.relname, a.attname) NOT IN (
                ('audit_events', 'event_time'), ('erasures', 'create_time'))) AS written
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'bossjy'::regnamespace AND c.relkind IN ('r', 'p')
        GROUP BY c.oid, c.relname HAVING bool_or(a.attname = 'tenant_id')
    LOOP
        EXECUTE CASE
            WHEN one.goes THEN format('GRANT SELECT, INSERT, UPDATE, DELETE ON bossjy.%I TO %I', one.name, service_role)
            WHEN one.changes THEN format(
                'GRANT SELECT, INSERT, UPDATE (%s) ON bossjy.%I TO %I', one.changed, one.name, service_role)
            ELSE format('GRANT SELECT, INSERT (%s) ON bossjy.%I TO %I', one.written, one.name, service_role)
        END;
    END LOOP;
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON bossjy.registration_tokens TO %1$I; '
        'GRANT SELECT ON bossjy.certificates TO %1$I; '
        'GRANT SELECT, INSERT ON bossjy.operator_events TO %1$I; '
        'GRANT EXECUTE ON FUNCTION bossjy.remove_old_audit_events TO %1$I', service_role);
END
$$;
REVOKE ALL ON FUNCTION bossjy.grant_to_service FROM PUBLIC;
