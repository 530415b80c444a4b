-- The schema as it is now, generated from the migrations.

CREATE SCHEMA metrics;

CREATE TABLE metrics.batches (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    ordinal bigint CONSTRAINT batches_ordinal_not_null1 NOT NULL,
    points integer CONSTRAINT batches_points_not_null1 NOT NULL,
    received_at timestamp with time zone DEFAULT now() CONSTRAINT batches_received_at_not_null1 NOT NULL
);

CREATE TABLE metrics.chunks (
    series_id bigint CONSTRAINT chunks_series_id_not_null1 NOT NULL,
    owner_id uuid NOT NULL,
    first_ordinal bigint NOT NULL,
    last_ordinal bigint NOT NULL,
    part integer DEFAULT 0 NOT NULL,
    count integer NOT NULL,
    first_x bigint NOT NULL,
    last_x bigint NOT NULL,
    first_time bigint,
    last_time bigint,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    points bytea NOT NULL,
    finite integer,
    sum_value double precision,
    min_value double precision,
    max_value double precision,
    outline bytea,
    coarse_count integer,
    coarse bytea,
    outline_by_time bytea,
    coarse_by_time_count integer,
    coarse_by_time bytea,
    CONSTRAINT chunks_count_check CHECK ((count > 0))
);
ALTER TABLE ONLY metrics.chunks ALTER COLUMN points SET STORAGE EXTERNAL;
ALTER TABLE ONLY metrics.chunks ALTER COLUMN outline SET STORAGE PLAIN;
ALTER TABLE ONLY metrics.chunks ALTER COLUMN coarse SET STORAGE EXTERNAL;
ALTER TABLE ONLY metrics.chunks ALTER COLUMN outline_by_time SET STORAGE PLAIN;
ALTER TABLE ONLY metrics.chunks ALTER COLUMN coarse_by_time SET STORAGE EXTERNAL;

CREATE TABLE metrics.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE metrics.series (
    id bigint CONSTRAINT series_id_not_null1 NOT NULL,
    owner_id uuid NOT NULL,
    scope_id uuid,
    key text CONSTRAINT series_key_not_null1 NOT NULL COLLATE pg_catalog."C",
    count bigint CONSTRAINT series_count_not_null1 NOT NULL,
    first_x bigint NOT NULL,
    first_value double precision CONSTRAINT series_first_value_not_null1 NOT NULL,
    first_time bigint,
    last_x bigint NOT NULL,
    last_value double precision CONSTRAINT series_last_value_not_null1 NOT NULL,
    last_time bigint,
    min_value double precision,
    min_x bigint,
    max_value double precision,
    max_x bigint
)
WITH (fillfactor='70');

CREATE VIEW metrics.latest AS
 SELECT scope_id AS project_id,
    owner_id AS run_id,
    key,
    last_value AS value,
    last_x AS step,
    ('1970-01-01 00:00:00+00'::timestamp with time zone + ((last_time)::double precision * '00:00:00.000001'::interval)) AS "time"
   FROM metrics.series;

COMMENT ON VIEW metrics.latest IS 'Published for other services: the latest value of each metric of each run, by greatest step.';

CREATE TABLE metrics.outbox (
    sink text NOT NULL,
    "position" bigint NOT NULL,
    event jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE metrics.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME metrics.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE metrics.outbox_sinks (
    name text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE metrics.owners (
    id uuid NOT NULL,
    ordinal bigint NOT NULL,
    first_time bigint
)
WITH (fillfactor='70');

CREATE TABLE metrics.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE metrics.series ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME metrics.series_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY metrics.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (owner_id, id);

ALTER TABLE ONLY metrics.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (series_id, first_ordinal, part);

ALTER TABLE ONLY metrics.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY metrics.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sink, "position");

ALTER TABLE ONLY metrics.outbox_sinks
    ADD CONSTRAINT outbox_sinks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY metrics.owners
    ADD CONSTRAINT owners_pkey PRIMARY KEY (id);

ALTER TABLE ONLY metrics.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY metrics.series
    ADD CONSTRAINT series_owner_id_key_key UNIQUE (owner_id, key);

ALTER TABLE ONLY metrics.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (id);

CREATE INDEX batches_oldest_first ON metrics.batches USING brin (received_at);

CREATE INDEX chunks_by_owner ON metrics.chunks USING btree (owner_id, last_ordinal);

CREATE INDEX chunks_to_compact ON metrics.chunks USING btree (series_id, first_ordinal) WHERE (coarse IS NULL);

CREATE INDEX idempotency_keys_oldest_first ON metrics.idempotency_keys USING btree (created_at);

CREATE INDEX series_by_last_value ON metrics.series USING btree (scope_id, key, last_value, owner_id);
