-- The schema as it is now, generated from the migrations.

CREATE SCHEMA auth;

CREATE FUNCTION auth.audit_field(value text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog'
    AS $$ SELECT CASE WHEN value IS NULL THEN '-' ELSE octet_length(value) || ':' || value END || E'\n' $$;

CREATE FUNCTION auth.chain_audit_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'auth', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
    own uuid := coalesce(NEW.project_id, '00000000-0000-0000-0000-000000000000');
    head audit_chains;
BEGIN
    SELECT * INTO head FROM audit_chains WHERE chain = own FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_chains (chain, length, hash, began_at) VALUES (own, 0, '\x', now())
        ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_chains WHERE chain = own FOR UPDATE;
    END IF;
    IF EXISTS (SELECT FROM audit_events WHERE id = NEW.id AND at = NEW.at) THEN
        RETURN NULL;
    END IF;
    NEW.chain_number := head.length + 1;
    NEW.hash := sha256(head.hash || convert_to(
        audit_field(NEW.chain_number::text)
        || audit_field(NEW.id::text)
        || audit_field(to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || audit_field(NEW.action)
        || audit_field(NEW.result)
        || audit_field(NEW.actor_kind)
        || audit_field(NEW.actor_id::text)
        || audit_field(NEW.actor_name)
        || audit_field(NEW.project_id::text)
        || audit_field(NEW.target_type)
        || audit_field(NEW.target_id)
        || audit_field(host(NEW.address))
        || audit_field(NEW.details::text)
        || audit_field(NEW.trace_id), 'UTF8'));
    UPDATE audit_chains SET length = NEW.chain_number, hash = NEW.hash WHERE chain = own;
    RETURN NEW;
END
$$;

CREATE FUNCTION auth.forget_chains(part text, before timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'auth', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
BEGIN
    EXECUTE format($q$
        INSERT INTO audit_forgotten (chain, first, last, hash)
        SELECT chain, min(chain_number), max(chain_number),
               (array_agg(hash ORDER BY chain_number DESC))[1]
        FROM (
            SELECT coalesce(project_id, '00000000-0000-0000-0000-000000000000') AS chain,
                   chain_number, hash,
                   chain_number - row_number() OVER (PARTITION BY project_id ORDER BY chain_number)
                       AS island
            FROM %I
            WHERE chain_number IS NOT NULL AND at < $1
        ) AS gone
        GROUP BY chain, island
        $q$, part) USING before;
END
$_$;

CREATE PROCEDURE auth.grant_rights()
    LANGUAGE plpgsql
    SET search_path TO 'auth', 'pg_temp'
    AS $$
DECLARE
    name text;
    rights text;
BEGIN
    IF to_regrole('runbench_auth_app') IS NULL THEN
        BEGIN
            CREATE ROLE runbench_auth_app NOLOGIN;
        EXCEPTION
            WHEN insufficient_privilege THEN RETURN;
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'runbench_auth_app', 'SET') THEN
        BEGIN
            EXECUTE format('GRANT runbench_auth_app TO %I', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN NULL;
        END;
    END IF;
    GRANT USAGE ON SCHEMA auth TO runbench_auth_app;
    FOR name IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'auth'::regnamespace AND relkind IN ('r', 'p', 'v')
          AND NOT relispartition
    LOOP
        rights := CASE name
            WHEN 'audit_events' THEN 'SELECT, INSERT'
            WHEN 'audit_chains' THEN 'SELECT'
            WHEN 'audit_forgotten' THEN 'SELECT'
            WHEN 'schema_migrations' THEN 'SELECT'
            ELSE 'SELECT, INSERT, UPDATE, DELETE'
        END;
        EXECUTE format('GRANT %s ON %I TO runbench_auth_app', rights, name);
    END LOOP;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA auth TO runbench_auth_app;
    GRANT EXECUTE ON FUNCTION keep_audit(integer) TO runbench_auth_app;
END
$$;

CREATE FUNCTION auth.keep_audit(keep_days integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'auth', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET lock_timeout TO '2s'
    AS $_$
DECLARE
    this_month timestamptz := date_trunc('month', now());
    -- Months before this one are not kept.
    first_kept timestamptz := '-infinity';
    month timestamptz;
    part text;
    gone bigint;
BEGIN
    IF keep_days <> 0 AND keep_days < 30 THEN
        RAISE EXCEPTION 'audit events are kept for 30 days or longer';
    END IF;
    IF keep_days <> 0 THEN
        first_kept := date_trunc('month', now() - make_interval(days => keep_days));
    END IF;

    -- This month comes first: from then on nothing new goes where the other months are moved from.
    SELECT wanted.month INTO month
    FROM (
        SELECT generate_series(this_month, this_month + interval '2 months', '1 month') AS month
        UNION
        SELECT DISTINCT date_trunc('month', at) FROM audit_events_default
        WHERE at >= first_kept AND at < this_month
    ) AS wanted
    WHERE to_regclass('auth.audit_events_' || to_char(wanted.month, 'YYYY_MM')) IS NULL
    ORDER BY wanted.month <> this_month, wanted.month
    LIMIT 1;
    IF month IS NOT NULL THEN
        RETURN make_audit_month(month);
    END IF;

    SELECT relname INTO part
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'audit_events'::regclass
      AND relname ~ '^audit_events_\d{4}_\d{2}$'
      AND to_timestamp(right(relname, 7), 'YYYY_MM') < first_kept
    ORDER BY relname
    LIMIT 1;
    IF part IS NOT NULL THEN
        -- Nobody adds to it any more between what is noted of it and its end.
        EXECUTE format('LOCK TABLE audit_events, %I IN ACCESS EXCLUSIVE MODE', part);
        PERFORM forget_chains(part, 'infinity');
        EXECUTE format('SELECT count(*) FROM %I', part) INTO gone;
        EXECUTE format('DROP TABLE %I', part);
    ELSIF EXISTS (SELECT FROM audit_events_default WHERE at < first_kept) THEN
        part := 'audit_events_default';
        ALTER TABLE audit_events_default DISABLE TRIGGER USER;
        PERFORM forget_chains(part, first_kept);
        DELETE FROM audit_events_default WHERE at < first_kept;
        GET DIAGNOSTICS gone = ROW_COUNT;
        ALTER TABLE audit_events_default ENABLE TRIGGER USER;
    ELSE
        RETURN NULL;
    END IF;
    INSERT INTO audit_events (id, action, actor_kind, target_type, target_id, result, details)
    VALUES (
        gen_random_uuid(), 'audit.forget', 'system', 'audit', part, 'success',
        jsonb_build_object('before', first_kept, 'events', gone, 'keep_days', keep_days)
    );
    RETURN 'dropped ' || part;
END
$_$;

CREATE FUNCTION auth.make_audit_month(month timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'auth', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
DECLARE
    part text := 'audit_events_' || to_char(month, 'YYYY_MM');
    next_month timestamptz := month + interval '1 month';
BEGIN
    -- Writers wait here, not at the part for the rest: there they would already have chosen it.
    LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    IF EXISTS (SELECT FROM audit_events_default WHERE at >= month AND at < next_month) THEN
        ALTER TABLE audit_events_default DISABLE TRIGGER USER;
        EXECUTE format(
            'WITH moved AS (DELETE FROM audit_events_default WHERE at >= $1 AND at < $2 RETURNING *)'
            ' INSERT INTO %I SELECT * FROM moved', part
        ) USING month, next_month;
        ALTER TABLE audit_events_default ENABLE TRIGGER USER;
    END IF;
    EXECUTE format(
        'ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, month, next_month
    );
    EXECUTE format(
        'CREATE TRIGGER audit_events_keep_all BEFORE TRUNCATE ON %I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part
    );
    RETURN 'made ' || part;
END
$_$;

CREATE FUNCTION auth.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'audit events are only ever added';
END
$$;

CREATE TABLE auth.api_tokens (
    id uuid NOT NULL,
    key_id text NOT NULL,
    secret_hash bytea NOT NULL,
    name text NOT NULL,
    project_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_tokens_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'editor'::text, 'owner'::text])))
);

CREATE TABLE auth.audit_chains (
    chain uuid NOT NULL,
    length bigint NOT NULL,
    hash bytea NOT NULL,
    began_at timestamp with time zone NOT NULL
);

CREATE TABLE auth.audit_events (
    id uuid CONSTRAINT audit_events_id_not_null1 NOT NULL,
    at timestamp with time zone DEFAULT now() CONSTRAINT audit_events_at_not_null1 NOT NULL,
    action text CONSTRAINT audit_events_action_not_null1 NOT NULL,
    actor_id uuid,
    actor_name text,
    project_id uuid,
    target_type text,
    target_id text,
    address inet,
    result text CONSTRAINT audit_events_result_not_null1 NOT NULL,
    details jsonb CONSTRAINT audit_events_details_not_null1 NOT NULL,
    trace_id text,
    actor_kind text,
    chain_number bigint,
    hash bytea,
    CONSTRAINT audit_events_result_check CHECK ((result = ANY (ARRAY['success'::text, 'failure'::text, 'denied'::text])))
)
PARTITION BY RANGE (at);

CREATE TABLE auth.audit_events_default (
    id uuid CONSTRAINT audit_events_id_not_null NOT NULL,
    at timestamp with time zone DEFAULT now() CONSTRAINT audit_events_at_not_null NOT NULL,
    action text CONSTRAINT audit_events_action_not_null NOT NULL,
    actor_id uuid,
    actor_name text,
    project_id uuid,
    target_type text,
    target_id text,
    address inet,
    result text CONSTRAINT audit_events_result_not_null NOT NULL,
    details jsonb CONSTRAINT audit_events_details_not_null NOT NULL,
    trace_id text,
    actor_kind text,
    chain_number bigint,
    hash bytea,
    CONSTRAINT audit_events_result_check CHECK ((result = ANY (ARRAY['success'::text, 'failure'::text, 'denied'::text])))
);

CREATE TABLE auth.audit_forgotten (
    chain uuid NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    hash bytea NOT NULL
);

CREATE TABLE auth.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE auth.members (
    project_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT members_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'editor'::text, 'owner'::text])))
);

CREATE TABLE auth.outbox (
    sink text NOT NULL,
    "position" bigint NOT NULL,
    event jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE auth.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME auth.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE auth.outbox_sinks (
    name text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE auth.password_resets (
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE auth.projects (
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    archived_at timestamp with time zone
);

CREATE TABLE auth.refresh_tokens (
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    generation integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE auth.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE auth.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    user_agent text NOT NULL,
    address inet NOT NULL,
    network cidr NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    absolute_expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

CREATE TABLE auth.signing_keys (
    kid text NOT NULL,
    first_seen timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE auth.throttles (
    subject bytea NOT NULL,
    failures integer NOT NULL,
    not_before timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    noted boolean NOT NULL
);

CREATE TABLE auth.users (
    id uuid NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    password_version integer DEFAULT 1 NOT NULL,
    is_admin boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_login_at timestamp with time zone,
    deactivated_at timestamp with time zone
);

ALTER TABLE ONLY auth.audit_events ATTACH PARTITION auth.audit_events_default DEFAULT;

ALTER TABLE ONLY auth.api_tokens
    ADD CONSTRAINT api_tokens_key_id_key UNIQUE (key_id);

ALTER TABLE ONLY auth.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY auth.audit_chains
    ADD CONSTRAINT audit_chains_pkey PRIMARY KEY (chain);

ALTER TABLE ONLY auth.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id, at);

ALTER TABLE ONLY auth.audit_events_default
    ADD CONSTRAINT audit_events_default_pkey PRIMARY KEY (id, at);

ALTER TABLE ONLY auth.audit_forgotten
    ADD CONSTRAINT audit_forgotten_pkey PRIMARY KEY (chain, first);

ALTER TABLE ONLY auth.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY auth.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (project_id, user_id);

ALTER TABLE ONLY auth.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sink, "position");

ALTER TABLE ONLY auth.outbox_sinks
    ADD CONSTRAINT outbox_sinks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY auth.password_resets
    ADD CONSTRAINT password_resets_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY auth.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY auth.projects
    ADD CONSTRAINT projects_slug_key UNIQUE (slug);

ALTER TABLE ONLY auth.refresh_tokens
    ADD CONSTRAINT refresh_tokens_generation_key UNIQUE (session_id, generation);

ALTER TABLE ONLY auth.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY auth.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY auth.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY auth.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY auth.throttles
    ADD CONSTRAINT throttles_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_email_key UNIQUE (email_key);

ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE INDEX api_tokens_of_project ON auth.api_tokens USING btree (project_id, id DESC);

CREATE INDEX api_tokens_of_user ON auth.api_tokens USING btree (user_id, id DESC);

CREATE INDEX audit_events_by_action ON ONLY auth.audit_events USING btree (action, at DESC, id DESC);

CREATE INDEX audit_events_default_by_action ON auth.audit_events_default USING btree (action, at DESC, id DESC);

CREATE INDEX audit_events_newest_first ON ONLY auth.audit_events USING btree (at DESC, id DESC);

CREATE INDEX audit_events_default_newest_first ON auth.audit_events_default USING btree (at DESC, id DESC);

CREATE INDEX audit_events_of_actor ON ONLY auth.audit_events USING btree (actor_id, at DESC, id DESC);

CREATE INDEX audit_events_default_of_actor ON auth.audit_events_default USING btree (actor_id, at DESC, id DESC);

CREATE INDEX audit_events_of_project ON ONLY auth.audit_events USING btree (project_id, at DESC, id DESC);

CREATE INDEX audit_events_default_of_project ON auth.audit_events_default USING btree (project_id, at DESC, id DESC);

CREATE INDEX audit_events_in_chain ON ONLY auth.audit_events USING btree (project_id, chain_number) WHERE (chain_number IS NOT NULL);

CREATE INDEX audit_events_default_project_id_chain_number_idx ON auth.audit_events_default USING btree (project_id, chain_number) WHERE (chain_number IS NOT NULL);

CREATE INDEX audit_events_of_target ON ONLY auth.audit_events USING btree (target_id, at DESC, id DESC);

CREATE INDEX audit_events_default_target_id_at_id_idx ON auth.audit_events_default USING btree (target_id, at DESC, id DESC);

CREATE INDEX idempotency_keys_oldest_first ON auth.idempotency_keys USING btree (created_at);

CREATE INDEX members_of_user ON auth.members USING btree (user_id);

CREATE INDEX password_resets_of_user ON auth.password_resets USING btree (user_id, created_at DESC);

CREATE INDEX sessions_by_revocation ON auth.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

CREATE INDEX sessions_of_user ON auth.sessions USING btree (user_id, id DESC);

CREATE INDEX throttles_oldest_first ON auth.throttles USING btree (last_at);

ALTER INDEX auth.audit_events_by_action ATTACH PARTITION auth.audit_events_default_by_action;

ALTER INDEX auth.audit_events_newest_first ATTACH PARTITION auth.audit_events_default_newest_first;

ALTER INDEX auth.audit_events_of_actor ATTACH PARTITION auth.audit_events_default_of_actor;

ALTER INDEX auth.audit_events_of_project ATTACH PARTITION auth.audit_events_default_of_project;

ALTER INDEX auth.audit_events_pkey ATTACH PARTITION auth.audit_events_default_pkey;

ALTER INDEX auth.audit_events_in_chain ATTACH PARTITION auth.audit_events_default_project_id_chain_number_idx;

ALTER INDEX auth.audit_events_of_target ATTACH PARTITION auth.audit_events_default_target_id_at_id_idx;

CREATE TRIGGER audit_events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON auth.audit_events FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change();

CREATE TRIGGER audit_events_chained BEFORE INSERT ON auth.audit_events FOR EACH ROW EXECUTE FUNCTION auth.chain_audit_event();

CREATE TRIGGER audit_events_keep_all BEFORE TRUNCATE ON auth.audit_events_default FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change();

CREATE TRIGGER audit_events_rows_append_only BEFORE DELETE OR UPDATE ON auth.audit_events FOR EACH ROW EXECUTE FUNCTION auth.refuse_change();

ALTER TABLE ONLY auth.api_tokens
    ADD CONSTRAINT api_tokens_project_id_fkey FOREIGN KEY (project_id) REFERENCES auth.projects(id);

ALTER TABLE ONLY auth.api_tokens
    ADD CONSTRAINT api_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id);

ALTER TABLE ONLY auth.members
    ADD CONSTRAINT members_project_id_fkey FOREIGN KEY (project_id) REFERENCES auth.projects(id);

ALTER TABLE ONLY auth.members
    ADD CONSTRAINT members_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id);

ALTER TABLE ONLY auth.password_resets
    ADD CONSTRAINT password_resets_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id);

ALTER TABLE ONLY auth.projects
    ADD CONSTRAINT projects_created_by_fkey FOREIGN KEY (created_by) REFERENCES auth.users(id);

ALTER TABLE ONLY auth.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES auth.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY auth.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id);
