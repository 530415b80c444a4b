-- Readings stand in the series store's own tables (libs/seriesstore, sql/0001_seriesstore.sql): the
-- owner is the sensor, the key its signal, the scope its project; x is when a reading was taken
-- (µs since 1970), value what the sensor sent, time when it was received.

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

-- One row is a sensor that has ever sent: when it was heard last, by the server's clock, and how
-- much it has sent.
CREATE TABLE activity (
    sensor_id         uuid         PRIMARY KEY,
    last_received_at  timestamptz  NOT NULL,
    last_reading_at   timestamptz,
    readings          bigint       NOT NULL
) WITH (fillfactor = 50);

-- One row is a minute in which a sensor sent: how much, and how long after it was measured.
CREATE TABLE heartbeats (
    sensor_id       uuid         NOT NULL,
    minute          timestamptz  NOT NULL,
    readings        bigint       NOT NULL,
    batches         integer      NOT NULL,
    max_latency_us  bigint       NOT NULL,
    PRIMARY KEY (sensor_id, minute)
) WITH (fillfactor = 70);

CREATE INDEX heartbeats_oldest_first ON heartbeats USING brin (minute);

-- One row is a kind of mistake in what a sensor sent in one minute: how many readings it cost, and
-- one of them.
CREATE TABLE errors (
    sensor_id   uuid         NOT NULL,
    minute      timestamptz  NOT NULL,
    signal      text         NOT NULL COLLATE "C",
    reason      text         NOT NULL,
    count       bigint       NOT NULL,
    example     text         NOT NULL,
    last_at     timestamptz  NOT NULL,
    PRIMARY KEY (sensor_id, minute, signal, reason)
);

-- Published for experiment-service.
CREATE VIEW sensor_activity AS
    SELECT sensor_id, last_received_at, last_reading_at, readings FROM activity;
COMMENT ON VIEW sensor_activity IS
    'Published: when each sensor was heard last, by the clock of the server, and how much it sent.';
