-- The schema as it is now, generated from the migrations.

CREATE SCHEMA comparison;

CREATE TABLE comparison.baselines (
    experiment_id uuid NOT NULL,
    run_id uuid NOT NULL,
    set_by uuid NOT NULL,
    set_at timestamp with time zone NOT NULL
);

CREATE TABLE comparison.comparisons (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    title text NOT NULL,
    notes text NOT NULL,
    view jsonb NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_by uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL
);

CREATE TABLE comparison.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE comparison.outbox (
    sink text NOT NULL,
    "position" bigint NOT NULL,
    event jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE comparison.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME comparison.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE comparison.outbox_sinks (
    name text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE comparison.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY comparison.baselines
    ADD CONSTRAINT baselines_pkey PRIMARY KEY (experiment_id);

ALTER TABLE ONLY comparison.comparisons
    ADD CONSTRAINT comparisons_pkey PRIMARY KEY (id);

ALTER TABLE ONLY comparison.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY comparison.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sink, "position");

ALTER TABLE ONLY comparison.outbox_sinks
    ADD CONSTRAINT outbox_sinks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY comparison.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

CREATE INDEX comparisons_project_idx ON comparison.comparisons USING btree (project_id, id DESC);

CREATE INDEX idempotency_keys_oldest_first ON comparison.idempotency_keys USING btree (created_at);
