-- The schema as it is now, generated from the migrations.

CREATE SCHEMA telemetry;

CREATE TABLE telemetry.activity (
    sensor_id uuid NOT NULL,
    last_received_at timestamp with time zone NOT NULL,
    last_reading_at timestamp with time zone,
    readings bigint NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE telemetry.batches (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    ordinal bigint NOT NULL,
    points integer NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE telemetry.buffer_places (
    shard integer NOT NULL,
    stream text NOT NULL,
    "position" bigint NOT NULL,
    moved_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE telemetry.chunks (
    series_id bigint NOT NULL,
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
ALTER TABLE ONLY telemetry.chunks ALTER COLUMN points SET STORAGE EXTERNAL;
ALTER TABLE ONLY telemetry.chunks ALTER COLUMN outline SET STORAGE PLAIN;
ALTER TABLE ONLY telemetry.chunks ALTER COLUMN coarse SET STORAGE EXTERNAL;
ALTER TABLE ONLY telemetry.chunks ALTER COLUMN outline_by_time SET STORAGE PLAIN;
ALTER TABLE ONLY telemetry.chunks ALTER COLUMN coarse_by_time SET STORAGE EXTERNAL;

CREATE TABLE telemetry.crossings (
    "position" bigint NOT NULL,
    watch_id uuid NOT NULL,
    value double precision NOT NULL,
    most double precision NOT NULL,
    unit text NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE telemetry.crossings ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME telemetry.crossings_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE telemetry.errors (
    sensor_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    signal text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL,
    count bigint NOT NULL,
    example text NOT NULL,
    last_at timestamp with time zone NOT NULL
);

CREATE TABLE telemetry.heartbeats (
    sensor_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    readings bigint NOT NULL,
    batches integer NOT NULL,
    max_latency_us bigint NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE telemetry.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE telemetry.limit_places (
    sensor_id uuid NOT NULL,
    ordinal bigint NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE telemetry.limits_crossed (
    watch_id uuid NOT NULL
);

CREATE TABLE telemetry.outbox (
    sink text NOT NULL,
    "position" bigint NOT NULL,
    event jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE telemetry.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME telemetry.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE telemetry.outbox_sinks (
    name text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE telemetry.owners (
    id uuid NOT NULL,
    ordinal bigint NOT NULL,
    first_time bigint
)
WITH (fillfactor='70');

CREATE TABLE telemetry.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW telemetry.sensor_activity AS
 SELECT sensor_id,
    last_received_at,
    last_reading_at,
    readings
   FROM telemetry.activity;

COMMENT ON VIEW telemetry.sensor_activity IS 'Published: when each sensor was heard last, by the clock of the server, and how much it sent.';

CREATE TABLE telemetry.series (
    id bigint NOT NULL,
    owner_id uuid NOT NULL,
    scope_id uuid,
    key text NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL,
    first_x bigint NOT NULL,
    first_value double precision NOT NULL,
    first_time bigint,
    last_x bigint NOT NULL,
    last_value double precision NOT NULL,
    last_time bigint,
    min_value double precision,
    min_x bigint,
    max_value double precision,
    max_x bigint
)
WITH (fillfactor='70');

ALTER TABLE telemetry.series ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME telemetry.series_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE telemetry.set_aside (
    id uuid NOT NULL,
    sensor_id uuid,
    project_id uuid,
    batch_id uuid,
    received_at timestamp with time zone NOT NULL,
    set_aside_at timestamp with time zone DEFAULT now() NOT NULL,
    reason text NOT NULL,
    readings bigint NOT NULL,
    signals text[] NOT NULL,
    record bytea NOT NULL
);

CREATE VIEW telemetry.signal_crossings AS
 SELECT "position",
    watch_id,
    value,
    most,
    unit,
    taken_at,
    found_at
   FROM telemetry.crossings;

COMMENT ON VIEW telemetry.signal_crossings IS 'Published: readings that crossed a limit on a signal, of the last days.';

ALTER TABLE ONLY telemetry.activity
    ADD CONSTRAINT activity_pkey PRIMARY KEY (sensor_id);

ALTER TABLE ONLY telemetry.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (owner_id, id);

ALTER TABLE ONLY telemetry.buffer_places
    ADD CONSTRAINT buffer_places_pkey PRIMARY KEY (shard);

ALTER TABLE ONLY telemetry.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (series_id, first_ordinal, part);

ALTER TABLE ONLY telemetry.crossings
    ADD CONSTRAINT crossings_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY telemetry.errors
    ADD CONSTRAINT errors_pkey PRIMARY KEY (sensor_id, minute, signal, reason);

ALTER TABLE ONLY telemetry.heartbeats
    ADD CONSTRAINT heartbeats_pkey PRIMARY KEY (sensor_id, minute);

ALTER TABLE ONLY telemetry.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY telemetry.limit_places
    ADD CONSTRAINT limit_places_pkey PRIMARY KEY (sensor_id);

ALTER TABLE ONLY telemetry.limits_crossed
    ADD CONSTRAINT limits_crossed_pkey PRIMARY KEY (watch_id);

ALTER TABLE ONLY telemetry.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sink, "position");

ALTER TABLE ONLY telemetry.outbox_sinks
    ADD CONSTRAINT outbox_sinks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY telemetry.owners
    ADD CONSTRAINT owners_pkey PRIMARY KEY (id);

ALTER TABLE ONLY telemetry.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY telemetry.series
    ADD CONSTRAINT series_owner_id_key_key UNIQUE (owner_id, key);

ALTER TABLE ONLY telemetry.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (id);

ALTER TABLE ONLY telemetry.set_aside
    ADD CONSTRAINT set_aside_batch_key UNIQUE (sensor_id, batch_id);

ALTER TABLE ONLY telemetry.set_aside
    ADD CONSTRAINT set_aside_pkey PRIMARY KEY (id);

CREATE INDEX batches_oldest_first ON telemetry.batches USING brin (received_at);

CREATE INDEX chunks_by_owner ON telemetry.chunks USING btree (owner_id, last_ordinal);

CREATE INDEX chunks_to_compact ON telemetry.chunks USING btree (series_id, first_ordinal) WHERE (coarse IS NULL);

CREATE INDEX crossings_oldest_first ON telemetry.crossings USING brin (found_at);

CREATE INDEX heartbeats_oldest_first ON telemetry.heartbeats USING brin (minute);

CREATE INDEX idempotency_keys_oldest_first ON telemetry.idempotency_keys USING btree (created_at);

CREATE INDEX set_aside_by_project ON telemetry.set_aside USING btree (project_id, id);
