-- The schema as it is now, generated from the migrations.

CREATE SCHEMA metrics;

CREATE TABLE metrics.batches (
    run_id uuid NOT NULL,
    ordinal bigint NOT NULL,
    batch_id uuid,
    points integer NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE metrics.chunks (
    series_id bigint NOT NULL,
    ordinal bigint NOT NULL,
    run_id uuid NOT NULL,
    min_step bigint NOT NULL,
    max_step bigint NOT NULL,
    step bytea NOT NULL,
    value bytea NOT NULL,
    "time" bytea NOT NULL
);
ALTER TABLE ONLY metrics.chunks ALTER COLUMN step SET STORAGE EXTERNAL;
ALTER TABLE ONLY metrics.chunks ALTER COLUMN value SET STORAGE EXTERNAL;
ALTER TABLE ONLY metrics.chunks ALTER COLUMN "time" SET STORAGE EXTERNAL;

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
    id bigint NOT NULL,
    run_id uuid NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL,
    first_step bigint NOT NULL,
    first_value double precision NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_step bigint NOT NULL,
    last_value double precision NOT NULL,
    last_time timestamp with time zone NOT NULL,
    min double precision,
    max double precision
)
WITH (fillfactor='70');

CREATE VIEW metrics.latest AS
 SELECT run_id,
    key,
    last_value AS value,
    last_step AS step,
    last_time AS "time"
   FROM metrics.series;

COMMENT ON VIEW metrics.latest IS 'Published for other services: the latest value of each metric of each run, by greatest step.';

CREATE TABLE metrics.runs (
    run_id uuid NOT NULL,
    ordinal bigint NOT NULL
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
    ADD CONSTRAINT batches_batch_id_key UNIQUE (run_id, batch_id);

ALTER TABLE ONLY metrics.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (run_id, ordinal);

ALTER TABLE ONLY metrics.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (series_id, ordinal);

ALTER TABLE ONLY metrics.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY metrics.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY metrics.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY metrics.series
    ADD CONSTRAINT series_key UNIQUE (run_id, key);

ALTER TABLE ONLY metrics.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (id);

CREATE INDEX chunks_run_ordinal_idx ON metrics.chunks USING btree (run_id, ordinal);

CREATE INDEX idempotency_keys_oldest_first ON metrics.idempotency_keys USING btree (created_at);

CREATE INDEX series_by_last_value ON metrics.series USING btree (key, last_value, run_id);

ALTER TABLE ONLY metrics.batches
    ADD CONSTRAINT batches_run_id_fkey FOREIGN KEY (run_id) REFERENCES metrics.runs(run_id) ON DELETE CASCADE;

ALTER TABLE ONLY metrics.chunks
    ADD CONSTRAINT chunks_series_id_fkey FOREIGN KEY (series_id) REFERENCES metrics.series(id) ON DELETE CASCADE;

ALTER TABLE ONLY metrics.series
    ADD CONSTRAINT series_run_id_fkey FOREIGN KEY (run_id) REFERENCES metrics.runs(run_id) ON DELETE CASCADE;
