-- squawk-ignore-file renaming-object, renaming-table, ban-drop-table, ban-drop-view, ban-drop-function, require-concurrent-index-creation
-- Metrics move to the series store (libs/seriesstore): its tables take over what the tables of
-- before held, so that everything reads as it did.
DROP VIEW latest;

ALTER TABLE batches RENAME TO old_batches;
ALTER TABLE series RENAME TO old_series;
ALTER TABLE chunks RENAME TO old_chunks;
ALTER INDEX batches_pkey RENAME TO old_batches_pkey;
ALTER INDEX series_pkey RENAME TO old_series_pkey;
ALTER INDEX chunks_pkey RENAME TO old_chunks_pkey;
ALTER SEQUENCE series_id_seq RENAME TO old_series_id_seq;

-- The store's own tables, as its sql/0001_seriesstore.sql has them.

-- One row is an owner of series (a run, a sensor) and how many batches it has taken. Its lock
-- puts them in one order, so that a reader who goes on behind ordinal N misses none.
CREATE TABLE owners (
    id          uuid    PRIMARY KEY,
    ordinal     bigint  NOT NULL,
    -- The earliest time among all its points (µs since 1970).
    first_time  bigint
) WITH (fillfactor = 70);

-- One row is a named batch that was stored: a repeat of its name changes nothing.
CREATE TABLE batches (
    owner_id     uuid        NOT NULL,
    id           uuid        NOT NULL,
    ordinal      bigint      NOT NULL,
    points       integer     NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, id)
);

CREATE INDEX batches_oldest_first ON batches USING brin (received_at);

-- One row is a series: one long list of points (x, value, time) of an owner under a key, and its
-- summary. First and last go by x, among equal x by the order logged; NaN is never least or
-- greatest. The scope is whatever the owner belongs to: kept for the indexes of who uses this.
CREATE TABLE series (
    id           bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id     uuid             NOT NULL,
    scope_id     uuid,
    key          text             NOT NULL COLLATE "C",
    count        bigint           NOT NULL,
    first_x      bigint           NOT NULL,
    first_value  double precision NOT NULL,
    first_time   bigint,
    last_x       bigint           NOT NULL,
    last_value   double precision NOT NULL,
    last_time    bigint,
    min_value    double precision,
    min_x        bigint,
    max_value    double precision,
    max_x        bigint,
    CONSTRAINT series_owner_id_key_key UNIQUE (owner_id, key)
) WITH (fillfactor = 70);

-- One row is a chunk: some points of one series as packed columns (`codec.py`). Chunks of a
-- series may overlap in x and in time; among equal x the lower (first_ordinal, part) came first.
CREATE TABLE chunks (
    series_id       bigint      NOT NULL,
    owner_id        uuid        NOT NULL,
    -- The batches from which the points came.
    first_ordinal   bigint      NOT NULL,
    last_ordinal    bigint      NOT NULL,
    part            integer     NOT NULL DEFAULT 0,
    count           integer     NOT NULL CHECK (count > 0),
    first_x         bigint      NOT NULL,
    last_x          bigint      NOT NULL,
    first_time      bigint,
    last_time       bigint,
    received_at     timestamptz NOT NULL DEFAULT now(),
    points          bytea       NOT NULL,
    -- What compaction adds. Figures of the values: the sum is of the finite ones, least and
    -- greatest leave NaN out.
    finite          integer,
    sum_value       double precision,
    min_value       double precision,
    max_value       double precision,
    -- Up to five of its points that keep its outline, 24 bytes each, and the packed outline of each
    -- 64 points. Those by time are there only where x and time are not in the same order.
    outline         bytea,
    coarse_count    integer,
    coarse          bytea,
    outline_by_time bytea,
    coarse_by_time_count integer,
    coarse_by_time  bytea,
    PRIMARY KEY (series_id, first_ordinal, part)
);

-- Compressed already, or too young to be worth it.
ALTER TABLE chunks
    ALTER COLUMN points SET STORAGE EXTERNAL,
    ALTER COLUMN outline SET STORAGE PLAIN,
    ALTER COLUMN outline_by_time SET STORAGE PLAIN,
    ALTER COLUMN coarse SET STORAGE EXTERNAL,
    ALTER COLUMN coarse_by_time SET STORAGE EXTERNAL;

CREATE INDEX chunks_by_owner ON chunks (owner_id, last_ordinal);
CREATE INDEX chunks_to_compact ON chunks (series_id, first_ordinal) WHERE coarse IS NULL;
-- One row is a run and its project, as far as experiment-service has published it.
CREATE TEMPORARY TABLE known_projects (run_id uuid PRIMARY KEY, project_id uuid NOT NULL)
ON COMMIT DROP;

DO $$
BEGIN
    IF to_regclass('experiment.run_projects') IS NOT NULL THEN
        INSERT INTO known_projects SELECT run_id, project_id FROM experiment.run_projects;
    END IF;
END
$$;

-- Item n (from 0) of an array of little-endian 64-bit integers.
CREATE FUNCTION item(items bytea, n integer) RETURNS bigint
LANGUAGE sql IMMUTABLE RETURN
    get_byte(items, n * 8)::bigint
    | (get_byte(items, n * 8 + 1)::bigint << 8)
    | (get_byte(items, n * 8 + 2)::bigint << 16)
    | (get_byte(items, n * 8 + 3)::bigint << 24)
    | (get_byte(items, n * 8 + 4)::bigint << 32)
    | (get_byte(items, n * 8 + 5)::bigint << 40)
    | (get_byte(items, n * 8 + 6)::bigint << 48)
    | (get_byte(items, n * 8 + 7)::bigint << 56);

-- Some bytes the other way around.
CREATE FUNCTION turned(bytes bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE RETURN (
    SELECT string_agg(substr(bytes, n, 1), ''::bytea ORDER BY n DESC)
    FROM generate_series(1, octet_length(bytes)) AS n
);

-- A raw column of a pack: its codec, its length, its bytes.
CREATE FUNCTION raw_column(items bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE RETURN
    '\x00'::bytea || turned(int4send(octet_length(items))) || items;

INSERT INTO chunks (
    series_id, owner_id, first_ordinal, last_ordinal, count, first_x, last_x,
    first_time, last_time, received_at, points
)
SELECT
    old.series_id, old.run_id, old.ordinal, old.ordinal, old.count, old.min_step, old.max_step,
    times.first, times.last, old_batches.received_at,
    '\x01'::bytea || raw_column(old.step) || raw_column(old.value) || raw_column(old.time)
FROM (
    -- Put together with nothing, a column is read once and not once an item.
    SELECT series_id, run_id, ordinal, min_step, max_step, octet_length(step) / 8 AS count,
           step, value, time || ''::bytea AS time
    FROM old_chunks
    OFFSET 0
) AS old
JOIN old_batches ON old_batches.run_id = old.run_id AND old_batches.ordinal = old.ordinal
CROSS JOIN LATERAL (
    SELECT min(item(old.time, n)) AS first, max(item(old.time, n)) AS last
    FROM generate_series(0, old.count - 1) AS n
) AS times;

INSERT INTO owners (id, ordinal, first_time)
SELECT run_id, ordinal, (SELECT min(first_time) FROM chunks WHERE owner_id = run_id)
FROM runs;

INSERT INTO batches (owner_id, id, ordinal, points, received_at)
SELECT run_id, batch_id, ordinal, points, received_at
FROM old_batches
WHERE batch_id IS NOT NULL;

-- Where the least and the greatest value stand is new: they are looked for among the bytes.
-- 0.0 and -0.0 are equal and have different ones.
CREATE FUNCTION step_of(wanted_series bigint, wanted double precision) RETURNS bigint
LANGUAGE sql STABLE RETURN (
    SELECT item(old.step, n)
    FROM (
        SELECT ordinal, step || ''::bytea AS step, value || ''::bytea AS value
        FROM old_chunks
        WHERE series_id = wanted_series
          AND (position(turned(float8send(wanted)) IN value) > 0
               OR position(turned(float8send(-wanted)) IN value) > 0)
        OFFSET 0
    ) AS old
    CROSS JOIN LATERAL generate_series(0, octet_length(old.step) / 8 - 1) AS n
    WHERE substr(old.value, n * 8 + 1, 8) = turned(float8send(wanted))
       OR (wanted = 0 AND substr(old.value, n * 8 + 1, 8) = turned(float8send(-wanted)))
    ORDER BY old.ordinal, 1
    LIMIT 1
);

INSERT INTO series (
    id, owner_id, scope_id, key, count, first_x, first_value, first_time,
    last_x, last_value, last_time, min_value, min_x, max_value, max_x
)
OVERRIDING SYSTEM VALUE
SELECT
    id, run_id, project_id, key, count,
    first_step, first_value, (extract(epoch FROM first_time) * 1000000)::bigint,
    last_step, last_value, (extract(epoch FROM last_time) * 1000000)::bigint,
    min, step_of(id, min), max, step_of(id, max)
FROM old_series
LEFT JOIN known_projects USING (run_id);

SELECT setval(pg_get_serial_sequence('series', 'id'), greatest(max(id), 1)) FROM series;

DROP FUNCTION step_of;
DROP FUNCTION raw_column;
DROP FUNCTION turned;
DROP FUNCTION item;
DROP TABLE old_chunks;
DROP TABLE old_series;
DROP TABLE old_batches;
DROP TABLE runs;

-- Runs of a project are sorted and filtered by the latest value of a metric: by this index, not
-- by reading the metrics of every run.
CREATE INDEX series_by_last_value ON series (scope_id, key, last_value, owner_id);

-- Published: the latest value of every metric of every run, for whoever lists or sorts runs.
CREATE VIEW latest AS
SELECT scope_id AS project_id, owner_id AS run_id, key, last_value AS value, last_x AS step,
       timestamptz 'epoch' + last_time * interval '1 microsecond' AS time
FROM series;

COMMENT ON VIEW latest IS
    'Published for other services: the latest value of each metric of each run, by greatest step.';
