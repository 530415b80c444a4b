-- One row is a limit that somebody has set on a signal of a sensor, in the unit that people read:
-- physical values where the signal has a published profile, raw ones where it has none. Once it was
-- crossed it is watched again when a value is back behind rearm_at, or the threshold itself.
CREATE TABLE sensor_watches (
    id          uuid              PRIMARY KEY,
    sensor_id   uuid              NOT NULL,
    signal      text              COLLATE "C" NOT NULL,
    direction   text              NOT NULL,
    threshold   double precision  NOT NULL,
    rearm_at    double precision,
    created_by  uuid              NOT NULL,
    created_at  timestamptz       NOT NULL,
    CONSTRAINT sensor_watches_direction_check CHECK (direction IN ('above', 'below')),
    CONSTRAINT sensor_watches_rearm_check CHECK (
        CASE direction WHEN 'above' THEN rearm_at <= threshold ELSE rearm_at >= threshold END
    ),
    CONSTRAINT sensor_watches_signal_fkey FOREIGN KEY (sensor_id, signal)
        REFERENCES sensor_signals (sensor_id, name) ON DELETE CASCADE
);
CREATE INDEX sensor_watches_sensor ON sensor_watches (sensor_id, id);

-- One row is the place up to which the crossings that telemetry-ingest-service publishes were told
-- of; there is no other.
CREATE TABLE sensor_crossings_told (
    one       boolean  PRIMARY KEY DEFAULT true,
    position  bigint   NOT NULL,
    CONSTRAINT sensor_crossings_told_one CHECK (one)
);
INSERT INTO sensor_crossings_told (position) VALUES (0);

CREATE VIEW signal_limits AS
    SELECT w.id AS watch_id, w.sensor_id, w.signal, w.direction, w.threshold,
           coalesce(w.rearm_at, w.threshold) AS rearm_at, w.created_at
    FROM sensor_watches AS w
    JOIN sensors AS s ON s.id = w.sensor_id
    WHERE s.status = 'active';

COMMENT ON VIEW signal_limits IS
    'Published for other services: limits on signals of sensors in use, and since when each holds.';
