-- The schema as it is now, generated from the migrations.

CREATE SCHEMA auth;

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

CREATE TABLE auth.audit_events (
    id uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    actor_name text,
    project_id uuid,
    target_type text,
    target_id text,
    address inet,
    result text NOT NULL,
    details jsonb NOT NULL,
    trace_id text,
    CONSTRAINT audit_events_result_check CHECK ((result = ANY (ARRAY['success'::text, 'failure'::text, 'denied'::text])))
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

ALTER TABLE ONLY auth.api_tokens
    ADD CONSTRAINT api_tokens_key_id_key UNIQUE (key_id);

ALTER TABLE ONLY auth.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY auth.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id);

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

CREATE INDEX audit_events_by_action ON auth.audit_events USING btree (action, at DESC, id DESC);

CREATE INDEX audit_events_newest_first ON auth.audit_events USING btree (at DESC, id DESC);

CREATE INDEX audit_events_of_actor ON auth.audit_events USING btree (actor_id, at DESC, id DESC);

CREATE INDEX audit_events_of_project ON auth.audit_events USING btree (project_id, at DESC, id DESC);

CREATE INDEX idempotency_keys_oldest_first ON auth.idempotency_keys USING btree (created_at);

CREATE INDEX members_of_user ON auth.members USING btree (user_id);

CREATE INDEX password_resets_of_user ON auth.password_resets USING btree (user_id, created_at DESC);

CREATE INDEX sessions_by_revocation ON auth.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

CREATE INDEX sessions_of_user ON auth.sessions USING btree (user_id, id DESC);

CREATE INDEX throttles_oldest_first ON auth.throttles USING btree (last_at);

CREATE TRIGGER audit_events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON auth.audit_events FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change();

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
