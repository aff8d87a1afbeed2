-- Schema of a former release: upgrades from it are tested. It never changes.
--
-- The one definition of BossJy's database, and the one way to change it.
--
-- The server runs it at every start, inside one transaction and under an advisory lock. So it must be idempotent, safe
-- on an empty database, and safe on one made by any earlier release: tables by CREATE … IF NOT EXISTS, later columns by
-- ALTER TABLE … ADD COLUMN IF NOT EXISTS, functions by OR REPLACE, policies by drop and create. PostgreSQL 18 or later.
--
-- Rules
--   * Every table with tenant data has `tenant_id` first in its primary key, so that it can be spread by tenant later,
--     and a policy that admits the rows of `bossjy.tenant_id` alone. An unset tenant sees nothing.
--   * The service works as the role bossjy_app, which owns nothing: row-level security applies to it, and FORCE makes it
--     apply to the owner as well.
--   * Ids are made by the service (text, random), times are UTC, text of people is bounded by CHECK.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bossjy_app') THEN
        CREATE ROLE bossjy_app NOLOGIN NOBYPASSRLS NOSUPERUSER;
    END IF;
    EXECUTE format('GRANT bossjy_app TO %I', current_user);
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another database of the same cluster made it at the same moment
END
$$;

CREATE SCHEMA IF NOT EXISTS bossjy;
GRANT USAGE ON SCHEMA bossjy TO bossjy_app;

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
    calls_per_minute  integer NOT NULL DEFAULT 500 CHECK (calls_per_minute > 0),
    create_time       timestamptz NOT NULL DEFAULT now(),
    update_time       timestamptz NOT NULL DEFAULT now()
);

-- Tokens that admit one registration each, as SHA-256 of 256 random bits. Used up in the transaction that makes the
-- tenant. No tenant_id: they belong to the operator, and the service alone reads them.
CREATE TABLE IF NOT EXISTS bossjy.registration_tokens (
    token_hash   bytea PRIMARY KEY,
    -- The one that the first start makes; so two servers that start at once make one.
    first_start  boolean UNIQUE CHECK (first_start),
    create_time  timestamptz NOT NULL DEFAULT now(),
    used_time    timestamptz
);
GRANT SELECT, INSERT, UPDATE ON bossjy.registration_tokens TO bossjy_app;

CREATE TABLE IF NOT EXISTS bossjy.users (
    tenant_id                 text COLLATE "C" NOT NULL REFERENCES bossjy.tenants ON DELETE CASCADE,
    user_id                   text COLLATE "C" NOT NULL,
    email                     text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    -- What is compared: the address case-folded by the service.
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

-- A login. Access tokens name their session. Its refresh tokens are HMACs over the seed and the generation, under a
-- secret that is not in the database: one row holds a whole family, and the row alone gives no token away.
CREATE TABLE IF NOT EXISTS bossjy.sessions (
    tenant_id            text COLLATE "C" NOT NULL REFERENCES bossjy.tenants ON DELETE CASCADE,
    session_id           text COLLATE "C" NOT NULL,
    user_id              text COLLATE "C" NOT NULL,
    device_name          text NOT NULL DEFAULT '' CHECK (length(device_name) <= 200),
    user_agent           text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 400),
    address              text NOT NULL DEFAULT '' CHECK (length(address) <= 100),
    refresh_seed         bytea NOT NULL,
    -- The refresh token of this generation is the one that works; it came at rotate_time and ends at refresh_expire_time.
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

------------------------------------------------------------------------------------------------------------------------
-- Contacts: a contact is a number
------------------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS bossjy.contacts (
    tenant_id          text COLLATE "C" NOT NULL REFERENCES bossjy.tenants ON DELETE CASCADE,
    e164               text COLLATE "C" NOT NULL CHECK (e164 ~ '^\+[1-9][0-9]{1,19}$'),
    region             text COLLATE "C" NOT NULL,
    number_type        smallint NOT NULL, -- libphonenumber's PhoneNumberType
    name               text NOT NULL DEFAULT '',
    email              text NOT NULL DEFAULT '',
    other_numbers      text[] NOT NULL DEFAULT '{}',
    attributes         jsonb NOT NULL DEFAULT '{}',
    -- Which import brought the row, which changed it last, and where in that import's file the winning row begins.
    created_import_id  text COLLATE "C",
    changed_import_id  text COLLATE "C",
    changed_position   bigint,
    create_time        timestamptz NOT NULL DEFAULT now(),
    update_time        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contacts_pkey PRIMARY KEY (tenant_id, e164)
);

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
    -- What the caller asked for (ImportSpec as JSON) and what was decided when the header was read.
    spec            jsonb NOT NULL,
    resolved        jsonb NOT NULL DEFAULT '{}',
    part_count      integer NOT NULL DEFAULT 1 CHECK (part_count BETWEEN 1 AND 1000),
    revision        bigint NOT NULL DEFAULT 1,
    plan_version    text NOT NULL,
    create_time     timestamptz NOT NULL DEFAULT now(),
    update_time     timestamptz NOT NULL DEFAULT now(),
    end_time        timestamptz,
    PRIMARY KEY (tenant_id, import_id),
    CONSTRAINT imports_request_unique UNIQUE (tenant_id, request_id)
);
CREATE INDEX IF NOT EXISTS imports_by_time ON bossjy.imports (tenant_id, create_time DESC, import_id);

-- One row for each part of a file. Offset and counts change in the transaction that keeps the rows they stand for.
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
    -- What the decoder must know to go on after a restart, beside the offset (for example the state of a hash).
    decoder           jsonb NOT NULL DEFAULT '{}',
    finished          boolean NOT NULL DEFAULT false,
    -- The stream that holds the part now; a newer stream takes over by writing its own value.
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

------------------------------------------------------------------------------------------------------------------------
-- Row-level security and rights, for every table with a tenant
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
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON bossjy.%I TO bossjy_app', name);
    END LOOP;
END
$$;
