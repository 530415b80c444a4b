-- One row is a sensor: something at a rig that sends readings of one or more signals. It belongs
-- to one project and may be shared with others. One that is decommissioned sends no more; what it
-- sent stays, and its name is free again.
CREATE TABLE sensors (
    id                 uuid         PRIMARY KEY,
    project_id         uuid         NOT NULL,
    name               text         NOT NULL,
    name_key           text         COLLATE "C" NOT NULL,
    type               text,
    description        text         NOT NULL DEFAULT '',
    tags               jsonb        NOT NULL DEFAULT '{}',
    status             text         NOT NULL DEFAULT 'active',
    version            integer      NOT NULL DEFAULT 1,
    created_by         uuid         NOT NULL,
    created_at         timestamptz  NOT NULL,
    updated_at         timestamptz  NOT NULL,
    decommissioned_at  timestamptz,
    CONSTRAINT sensors_project_key UNIQUE (project_id, id),
    CONSTRAINT sensors_status_check CHECK (status IN ('active', 'decommissioned')),
    CONSTRAINT sensors_decommissioned_check
        CHECK ((status = 'decommissioned') = (decommissioned_at IS NOT NULL))
);

CREATE UNIQUE INDEX sensors_name_key ON sensors (project_id, name_key) WHERE status = 'active';
CREATE INDEX sensors_by_name ON sensors (project_id, name_key, id);
CREATE INDEX sensors_by_creation ON sensors (project_id, created_at, id);

-- One row is a signal of a sensor: a quantity of which it sends readings, in the unit in which
-- they come and the one in which people read them.
CREATE TABLE sensor_signals (
    sensor_id         uuid              NOT NULL REFERENCES sensors,
    name              text              COLLATE "C" NOT NULL,
    place             integer           NOT NULL,
    title             text              NOT NULL DEFAULT '',
    input_unit        text              NOT NULL DEFAULT '',
    display_unit      text              NOT NULL DEFAULT '',
    expected_rate_hz  double precision,
    PRIMARY KEY (sensor_id, name),
    CONSTRAINT sensor_signals_rate_check CHECK (expected_rate_hz > 0)
);

-- One row is a token by which a sensor sends. Only the SHA-256 of its secret is kept. One that was
-- replaced ends when its grace does.
CREATE TABLE sensor_tokens (
    id           uuid         PRIMARY KEY,
    sensor_id    uuid         NOT NULL REFERENCES sensors,
    key_id       text         COLLATE "C" NOT NULL,
    secret_hash  bytea        NOT NULL,
    created_by   uuid         NOT NULL,
    created_at   timestamptz  NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT sensor_tokens_key_id_key UNIQUE (key_id)
);

CREATE INDEX sensor_tokens_of_sensor ON sensor_tokens (sensor_id, created_at);

-- One row is a project, other than its own, whose members may see and use a sensor.
CREATE TABLE sensor_shares (
    sensor_id   uuid         NOT NULL REFERENCES sensors,
    project_id  uuid         NOT NULL,
    created_by  uuid         NOT NULL,
    created_at  timestamptz  NOT NULL,
    PRIMARY KEY (sensor_id, project_id)
);

CREATE INDEX sensor_shares_of_project ON sensor_shares (project_id, sensor_id);

-- One row is a version of how raw readings of a signal become physical values. A published one
-- is valid from a moment, to another once a later one follows or it is retired; of one signal no
-- two are valid at the same moment.
CREATE TABLE conversion_profiles (
    id            uuid         PRIMARY KEY,
    sensor_id     uuid         NOT NULL,
    signal        text         COLLATE "C" NOT NULL,
    version       integer      NOT NULL,
    kind          text         NOT NULL,
    parameters    jsonb        NOT NULL,
    unit          text         NOT NULL DEFAULT '',
    note          text         NOT NULL DEFAULT '',
    created_by    uuid         NOT NULL,
    created_at    timestamptz  NOT NULL,
    updated_at    timestamptz  NOT NULL,
    published_at  timestamptz,
    valid_from    timestamptz,
    valid_to      timestamptz,
    CONSTRAINT conversion_profiles_signal_fkey
        FOREIGN KEY (sensor_id, signal) REFERENCES sensor_signals (sensor_id, name),
    CONSTRAINT conversion_profiles_version_key UNIQUE (sensor_id, signal, version),
    CONSTRAINT conversion_profiles_kind_check
        CHECK (kind IN ('linear', 'polynomial', 'lookup_table')),
    CONSTRAINT conversion_profiles_published_check
        CHECK ((published_at IS NOT NULL) = (valid_from IS NOT NULL)),
    CONSTRAINT conversion_profiles_valid_check CHECK (valid_to >= valid_from)
);

-- One row is a sensor of a run: what its capture sessions record unless they say otherwise.
CREATE TABLE run_sensors (
    run_id       uuid         NOT NULL,
    project_id   uuid         NOT NULL,
    sensor_id    uuid         NOT NULL REFERENCES sensors,
    attached_by  uuid         NOT NULL,
    attached_at  timestamptz  NOT NULL,
    PRIMARY KEY (run_id, sensor_id),
    CONSTRAINT run_sensors_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id)
);

CREATE INDEX run_sensors_of_sensor ON run_sensors (sensor_id);

-- One row is a capture session: a window of time in a run, and the sensors whose readings in it
-- count. profiles pins conversion profiles, {sensor id: {signal: profile id}}.
CREATE TABLE capture_sessions (
    id          uuid         PRIMARY KEY,
    project_id  uuid         NOT NULL,
    run_id      uuid         NOT NULL,
    ordinal     integer      NOT NULL,
    name        text         NOT NULL DEFAULT '',
    note        text         NOT NULL DEFAULT '',
    status      text         NOT NULL DEFAULT 'running',
    profiles    jsonb        NOT NULL DEFAULT '{}',
    version     integer      NOT NULL DEFAULT 1,
    started_by  uuid         NOT NULL,
    started_at  timestamptz  NOT NULL,
    -- When it stops by itself.
    stop_at     timestamptz,
    -- Null where the end of the run or of the time stopped it.
    stopped_by  uuid,
    stopped_at  timestamptz,
    updated_at  timestamptz  NOT NULL,
    CONSTRAINT capture_sessions_project_key UNIQUE (project_id, id),
    CONSTRAINT capture_sessions_ordinal_key UNIQUE (run_id, ordinal),
    CONSTRAINT capture_sessions_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id),
    CONSTRAINT capture_sessions_status_check CHECK (status IN ('running', 'stopped')),
    CONSTRAINT capture_sessions_stopped_check
        CHECK ((status = 'stopped') = (stopped_at IS NOT NULL)),
    CONSTRAINT capture_sessions_time_check CHECK (stopped_at >= started_at)
);

-- A run records one session at a time.
CREATE UNIQUE INDEX capture_sessions_running_key ON capture_sessions (run_id)
    WHERE status = 'running';
CREATE INDEX capture_sessions_to_stop ON capture_sessions (stop_at) WHERE status = 'running';

-- One row is a sensor of a capture session.
CREATE TABLE capture_session_sensors (
    capture_session_id  uuid     NOT NULL REFERENCES capture_sessions,
    sensor_id           uuid     NOT NULL REFERENCES sensors,
    place               integer  NOT NULL,
    PRIMARY KEY (capture_session_id, sensor_id)
);

CREATE INDEX capture_session_sensors_of_sensor ON capture_session_sensors (sensor_id);

-- One row is something that happened in a capture session, for its timeline.
CREATE TABLE capture_events (
    id                  uuid         PRIMARY KEY,
    capture_session_id  uuid         NOT NULL REFERENCES capture_sessions,
    time                timestamptz  NOT NULL,
    kind                text         NOT NULL,
    text                text         NOT NULL DEFAULT '',
    created_by          uuid         NOT NULL,
    created_at          timestamptz  NOT NULL
);

CREATE INDEX capture_events_of_session ON capture_events (capture_session_id, time, id);

-- Whoever ends runs, their capture sessions end in the same statement. A run that only fell
-- silent may come back, and its rig goes on meanwhile.
CREATE FUNCTION stop_capture_of_ended_runs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE experiment.capture_sessions s
    SET status = 'stopped', stopped_at = greatest(s.started_at, r.status_changed_at),
        updated_at = r.status_changed_at, version = s.version + 1
    FROM after_change r
    WHERE s.run_id = r.id AND s.status = 'running'
      AND r.status IN ('succeeded', 'failed', 'archived');
    RETURN NULL;
END
$$;

CREATE TRIGGER runs_ended AFTER UPDATE ON runs
    REFERENCING NEW TABLE AS after_change
    FOR EACH STATEMENT EXECUTE FUNCTION stop_capture_of_ended_runs();

-- Published for telemetry-ingest-service.
CREATE VIEW ingest_sensors AS
    SELECT id AS sensor_id, project_id, status FROM sensors;
COMMENT ON VIEW ingest_sensors IS 'Published: sensors, and whether they may send.';

CREATE VIEW ingest_signals AS
    SELECT sensor_id, name AS signal, input_unit, display_unit FROM sensor_signals;
COMMENT ON VIEW ingest_signals IS 'Published: which signals a sensor has, and their units.';

CREATE VIEW ingest_tokens AS
    SELECT t.key_id, t.secret_hash, t.sensor_id, t.expires_at
    FROM sensor_tokens t
    JOIN sensors s ON s.id = t.sensor_id
    WHERE s.status = 'active' AND t.revoked_at IS NULL
      AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp());
COMMENT ON VIEW ingest_tokens IS 'Published: tokens by which sensors may send now.';

CREATE VIEW sensor_projects AS
    SELECT id AS sensor_id, project_id FROM sensors
    UNION ALL
    SELECT sensor_id, project_id FROM sensor_shares;
COMMENT ON VIEW sensor_projects IS
    'Published: the projects whose members may see a sensor, its own and those it is shared with.';

CREATE VIEW published_profiles AS
    SELECT id AS profile_id, sensor_id, signal, kind, parameters, unit, valid_from, valid_to
    FROM conversion_profiles
    WHERE published_at IS NOT NULL;
COMMENT ON VIEW published_profiles IS
    'Published: how raw readings become physical values, from valid_from to before valid_to.';

CREATE VIEW capture_windows AS
    SELECT s.id AS capture_session_id, s.run_id, s.project_id, s.ordinal, s.started_at, s.stopped_at,
           ARRAY(
               SELECT m.sensor_id FROM capture_session_sensors m
               WHERE m.capture_session_id = s.id
               ORDER BY m.place
           ) AS sensor_ids,
           s.profiles
    FROM capture_sessions s;
COMMENT ON VIEW capture_windows IS
    'Published: what a capture session holds, the readings of its sensors from its start to its stop.';
