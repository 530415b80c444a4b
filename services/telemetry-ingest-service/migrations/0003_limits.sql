-- One row is a sensor on whose signals limits are set: up to which of its batches was looked.
CREATE TABLE limit_places (
    sensor_id  uuid    PRIMARY KEY,
    ordinal    bigint  NOT NULL
) WITH (fillfactor = 50);

-- One row is a limit that was crossed and is not watched again before a value is back behind it.
CREATE TABLE limits_crossed (
    watch_id  uuid  PRIMARY KEY
);

-- One row is a crossing: the reading that was the first beyond a limit, and of what arrived with it
-- the one furthest beyond. Positions are in the order of the commits: one process looks at a time.
CREATE TABLE crossings (
    position  bigint            PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    watch_id  uuid              NOT NULL,
    value     double precision  NOT NULL,
    most      double precision  NOT NULL,
    unit      text              NOT NULL,
    taken_at  timestamptz       NOT NULL,
    found_at  timestamptz       NOT NULL DEFAULT now()
);
CREATE INDEX crossings_oldest_first ON crossings USING brin (found_at);

-- Published for experiment-service.
CREATE VIEW signal_crossings AS
    SELECT position, watch_id, value, most, unit, taken_at, found_at FROM crossings;
COMMENT ON VIEW signal_crossings IS
    'Published: readings that crossed a limit on a signal, of the last days.';
