-- One row is one run that has metrics: how many batches it has taken. Its lock puts the
-- batches of a run in one order, so that a live view which goes on after ordinal N misses none.
CREATE TABLE runs (
    run_id uuid PRIMARY KEY,
    ordinal bigint NOT NULL
) WITH (fillfactor = 70);

-- One row is one accepted call: its place in the run's order, and the name that makes a
-- repeat of it harmless.
CREATE TABLE batches (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    ordinal bigint NOT NULL,
    batch_id uuid,
    points integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, ordinal),
    CONSTRAINT batches_batch_id_key UNIQUE (run_id, batch_id)
);

-- One row is one metric of one run and its summary. First and last go by step; of points with
-- the same step the first is the one logged first, the last the one logged last. Min and max
-- leave NaN out and are null where every value is NaN.
CREATE TABLE series (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    first_step bigint NOT NULL,
    first_value double precision NOT NULL,
    first_time timestamptz NOT NULL,
    last_step bigint NOT NULL,
    last_value double precision NOT NULL,
    last_time timestamptz NOT NULL,
    min double precision,
    max double precision,
    CONSTRAINT series_key UNIQUE (run_id, key)
) WITH (fillfactor = 70);

-- One row is the points that one batch added to one series, in the order they were logged.
-- The columns are little-endian arrays of 8-byte items: int64 steps, float64 values, int64
-- microseconds since 1970.
CREATE TABLE chunks (
    series_id bigint NOT NULL REFERENCES series ON DELETE CASCADE,
    ordinal bigint NOT NULL,
    run_id uuid NOT NULL,
    min_step bigint NOT NULL,
    max_step bigint NOT NULL,
    step bytea NOT NULL,
    value bytea NOT NULL,
    time bytea NOT NULL,
    PRIMARY KEY (series_id, ordinal)
);

-- Numbers of 8 bytes do not shrink enough to be worth PostgreSQL's own compression.
ALTER TABLE chunks ALTER COLUMN step SET STORAGE EXTERNAL;
ALTER TABLE chunks ALTER COLUMN value SET STORAGE EXTERNAL;
ALTER TABLE chunks ALTER COLUMN time SET STORAGE EXTERNAL;

-- What a live view of a run reads next.
CREATE INDEX chunks_run_ordinal_idx ON chunks (run_id, ordinal);

-- Published: the latest value of every metric of every run, for whoever lists or sorts runs.
CREATE VIEW latest AS
SELECT run_id, key, last_value AS value, last_step AS step, last_time AS time
FROM series;

COMMENT ON VIEW latest IS
    'Published for other services: the latest value of each metric of each run, by greatest step.';
