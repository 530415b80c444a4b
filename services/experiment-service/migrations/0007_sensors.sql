-- One row is a sensor: something at a rig that sends readings of one or more signals. It belongs
-- to one project, its home. One that is decommissioned sends no more; what it sent stays, and its
-- name is free again.
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

-- One row is a project in which a sensor may be used: its home, and those that it is shared with.
-- A share that has ended stays, because runs of that time refer to it.
CREATE TABLE sensor_places (
    sensor_id        uuid         NOT NULL,
    project_id       uuid         NOT NULL,
    home_project_id  uuid         NOT NULL,
    shared_by        uuid         NOT NULL,
    shared_at        timestamptz  NOT NULL,
    ended_at         timestamptz,
    PRIMARY KEY (sensor_id, project_id),
    CONSTRAINT sensor_places_sensor_fkey
        FOREIGN KEY (home_project_id, sensor_id) REFERENCES sensors (project_id, id),
    CONSTRAINT sensor_places_home_check
        CHECK (project_id <> home_project_id OR ended_at IS NULL)
);

CREATE INDEX sensor_places_by_project ON sensor_places (project_id, sensor_id);

-- One row is a signal of a sensor: one series of readings in one unit.
CREATE TABLE sensor_signals (
    sensor_id         uuid              NOT NULL,
    project_id        uuid              NOT NULL,
    name              text              COLLATE "C" NOT NULL,
    name_key          text              COLLATE "C" NOT NULL,
    position          integer           NOT NULL,
    title             text              NOT NULL DEFAULT '',
    input_unit        text              NOT NULL DEFAULT '',
    display_unit      text              NOT NULL DEFAULT '',
    expected_rate_hz  double precision,
    PRIMARY KEY (sensor_id, name),
    CONSTRAINT sensor_signals_name_key UNIQUE (sensor_id, name_key),
    CONSTRAINT sensor_signals_sensor_fkey
        FOREIGN KEY (project_id, sensor_id) REFERENCES sensors (project_id, id),
    CONSTRAINT sensor_signals_rate_check CHECK (expected_rate_hz > 0)
);

-- One row is a token of a sensor. The current one has no end; those before it end when their
-- grace is over, or were revoked.
CREATE TABLE sensor_tokens (
    id           uuid         PRIMARY KEY,
    sensor_id    uuid         NOT NULL,
    project_id   uuid         NOT NULL,
    key_id       text         COLLATE "C" NOT NULL,
    secret_hash  bytea        NOT NULL,
    created_by   uuid         NOT NULL,
    created_at   timestamptz  NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT sensor_tokens_key_id_key UNIQUE (key_id),
    CONSTRAINT sensor_tokens_sensor_fkey
        FOREIGN KEY (project_id, sensor_id) REFERENCES sensors (project_id, id)
);

CREATE INDEX sensor_tokens_by_sensor ON sensor_tokens (sensor_id, created_at, id);
CREATE UNIQUE INDEX sensor_tokens_current_key ON sensor_tokens (sensor_id)
    WHERE expires_at IS NULL AND revoked_at IS NULL;

-- One row is a conversion profile: a version of how a signal's raw values become physical ones.
-- A draft has no times. The spans of published ones do not overlap; one that was retired before
-- it began has an empty span.
CREATE TABLE conversion_profiles (
    id            uuid         PRIMARY KEY,
    sensor_id     uuid         NOT NULL,
    project_id    uuid         NOT NULL,
    signal        text         COLLATE "C" NOT NULL,
    version       integer      NOT NULL,
    kind          text         NOT NULL,
    parameters    jsonb        NOT NULL,
    unit          text         NOT NULL DEFAULT '',
    note          text         NOT NULL DEFAULT '',
    edition       integer      NOT NULL DEFAULT 1,
    created_by    uuid         NOT NULL,
    created_at    timestamptz  NOT NULL,
    published_by  uuid,
    published_at  timestamptz,
    valid_from    timestamptz,
    valid_to      timestamptz,
    CONSTRAINT conversion_profiles_version_key UNIQUE (sensor_id, signal, version),
    CONSTRAINT conversion_profiles_signal_key UNIQUE (sensor_id, signal, id),
    CONSTRAINT conversion_profiles_sensor_fkey
        FOREIGN KEY (project_id, sensor_id) REFERENCES sensors (project_id, id),
    CONSTRAINT conversion_profiles_signal_fkey
        FOREIGN KEY (sensor_id, signal) REFERENCES sensor_signals (sensor_id, name),
    CONSTRAINT conversion_profiles_kind_check CHECK (kind IN ('linear', 'polynomial', 'lookup_table')),
    CONSTRAINT conversion_profiles_published_check CHECK (
        (published_at IS NOT NULL) = (valid_from IS NOT NULL)
        AND (published_at IS NOT NULL) = (published_by IS NOT NULL)
        AND (valid_to IS NULL OR valid_from IS NOT NULL)
    ),
    CONSTRAINT conversion_profiles_span_check CHECK (valid_to >= valid_from)
);

CREATE UNIQUE INDEX conversion_profiles_begin_key ON conversion_profiles (sensor_id, signal, valid_from)
    WHERE valid_from IS NOT NULL AND valid_to IS DISTINCT FROM valid_from;
CREATE UNIQUE INDEX conversion_profiles_latest_key ON conversion_profiles (sensor_id, signal)
    WHERE valid_from IS NOT NULL AND valid_to IS NULL;

-- One row is a sensor that the capture sessions of a run record, unless they name others.
CREATE TABLE run_sensors (
    run_id      uuid         NOT NULL,
    project_id  uuid         NOT NULL,
    sensor_id   uuid         NOT NULL,
    added_by    uuid         NOT NULL,
    added_at    timestamptz  NOT NULL,
    PRIMARY KEY (run_id, sensor_id),
    CONSTRAINT run_sensors_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id),
    CONSTRAINT run_sensors_sensor_fkey
        FOREIGN KEY (sensor_id, project_id) REFERENCES sensor_places (sensor_id, project_id)
);

CREATE INDEX run_sensors_by_sensor ON run_sensors (sensor_id, project_id);

-- One row is a capture session: a span of a run's time in which sensors are recorded. What it
-- holds is whatever they measured in that span, however late that arrives.
CREATE TABLE capture_sessions (
    id                  uuid              PRIMARY KEY,
    run_id              uuid              NOT NULL,
    project_id          uuid              NOT NULL,
    ordinal             integer           NOT NULL,
    name                text              NOT NULL,
    note                text              NOT NULL DEFAULT '',
    status              text              NOT NULL DEFAULT 'running',
    started_by          uuid              NOT NULL,
    started_at          timestamptz       NOT NULL,
    stop_after_seconds  double precision,
    stop_at             timestamptz,
    stopped_by          uuid,
    stopped_at          timestamptz,
    stop_reason         text,
    version             integer           NOT NULL DEFAULT 1,
    CONSTRAINT capture_sessions_project_key UNIQUE (project_id, id),
    CONSTRAINT capture_sessions_ordinal_key UNIQUE (run_id, ordinal),
    CONSTRAINT capture_sessions_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id),
    CONSTRAINT capture_sessions_status_check CHECK (status IN ('running', 'stopped')),
    CONSTRAINT capture_sessions_stopped_check CHECK (
        (status = 'stopped') = (stopped_at IS NOT NULL)
        AND (status = 'stopped') = (stop_reason IS NOT NULL)
    ),
    CONSTRAINT capture_sessions_reason_check CHECK (stop_reason IN ('person', 'time', 'run')),
    CONSTRAINT capture_sessions_span_check CHECK (stopped_at >= started_at)
);

CREATE UNIQUE INDEX capture_sessions_active_key ON capture_sessions (run_id)
    WHERE status = 'running';
CREATE INDEX capture_sessions_due ON capture_sessions (stop_at)
    WHERE status = 'running' AND stop_at IS NOT NULL;
CREATE INDEX capture_sessions_by_project ON capture_sessions (project_id, started_at, id);

-- One row is a sensor that a capture session records.
CREATE TABLE capture_session_sensors (
    capture_session_id  uuid     NOT NULL,
    project_id          uuid     NOT NULL,
    sensor_id           uuid     NOT NULL,
    place               integer  NOT NULL,
    PRIMARY KEY (capture_session_id, sensor_id),
    CONSTRAINT capture_session_sensors_session_fkey
        FOREIGN KEY (project_id, capture_session_id) REFERENCES capture_sessions (project_id, id),
    CONSTRAINT capture_session_sensors_sensor_fkey
        FOREIGN KEY (sensor_id, project_id) REFERENCES sensor_places (sensor_id, project_id)
);

CREATE INDEX capture_session_sensors_by_sensor ON capture_session_sensors (sensor_id, project_id);

-- One row is a profile that a capture session keeps to for a signal, whatever is published later.
CREATE TABLE capture_session_profiles (
    capture_session_id  uuid  NOT NULL,
    sensor_id           uuid  NOT NULL,
    signal              text  COLLATE "C" NOT NULL,
    profile_id          uuid  NOT NULL,
    PRIMARY KEY (capture_session_id, sensor_id, signal),
    CONSTRAINT capture_session_profiles_sensor_fkey
        FOREIGN KEY (capture_session_id, sensor_id)
        REFERENCES capture_session_sensors (capture_session_id, sensor_id),
    CONSTRAINT capture_session_profiles_profile_fkey
        FOREIGN KEY (sensor_id, signal, profile_id) REFERENCES conversion_profiles (sensor_id, signal, id)
);

CREATE INDEX capture_session_profiles_by_profile
    ON capture_session_profiles (sensor_id, signal, profile_id);

-- One row is something worth remembering that happened at a moment of a capture session.
CREATE TABLE capture_session_events (
    id                  uuid         PRIMARY KEY,
    capture_session_id  uuid         NOT NULL,
    project_id          uuid         NOT NULL,
    time                timestamptz  NOT NULL,
    kind                text         NOT NULL,
    text                text         NOT NULL,
    created_by          uuid         NOT NULL,
    created_at          timestamptz  NOT NULL,
    CONSTRAINT capture_session_events_session_fkey
        FOREIGN KEY (project_id, capture_session_id) REFERENCES capture_sessions (project_id, id)
);

CREATE INDEX capture_session_events_by_time
    ON capture_session_events (capture_session_id, time, id);

-- Whoever ends a run, its capture session ends in the same statement. A run that only fell silent
-- may come back, and its rig goes on meanwhile.
CREATE FUNCTION stop_capture_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE experiment.capture_sessions
    SET status = 'stopped', stop_reason = 'run', version = version + 1,
        stopped_at = greatest(started_at, least(NEW.status_changed_at, stop_at))
    WHERE run_id = NEW.id AND status = 'running';
    RETURN NULL;
END
$$;

CREATE TRIGGER runs_ended AFTER UPDATE OF status ON runs
    FOR EACH ROW WHEN (NEW.status IN ('succeeded', 'failed', 'archived'))
    EXECUTE FUNCTION stop_capture_session();

CREATE VIEW ingest_sensors AS
    SELECT id AS sensor_id, project_id, status FROM sensors;

COMMENT ON VIEW ingest_sensors IS
    'Published for other services: each sensor, its home project, and whether it is in use.';

CREATE VIEW ingest_signals AS
    SELECT sensor_id, name AS signal, input_unit, display_unit FROM sensor_signals;

COMMENT ON VIEW ingest_signals IS
    'Published for other services: the signals of each sensor.';

CREATE VIEW ingest_tokens AS
    SELECT t.key_id, t.secret_hash, t.sensor_id, t.expires_at
    FROM sensor_tokens t
    JOIN sensors s ON s.id = t.sensor_id
    WHERE s.status = 'active' AND t.revoked_at IS NULL
      AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp());

COMMENT ON VIEW ingest_tokens IS
    'Published for other services: tokens by which sensors may send now; expires_at null: no end.';

CREATE VIEW sensor_projects AS
    SELECT sensor_id, project_id FROM sensor_places WHERE ended_at IS NULL;

COMMENT ON VIEW sensor_projects IS
    'Published for other services: the projects whose members see a sensor: home and shared.';

CREATE VIEW published_profiles AS
    SELECT id AS profile_id, sensor_id, signal, kind, parameters, unit, valid_from, valid_to
    FROM conversion_profiles
    WHERE published_at IS NOT NULL;

COMMENT ON VIEW published_profiles IS
    'Published for other services: profiles and their spans from valid_from up to before valid_to.';

CREATE VIEW capture_windows AS
    SELECT c.id AS capture_session_id, c.run_id, c.project_id, c.ordinal, c.started_at,
           c.stopped_at,
           ARRAY(
               SELECT s.sensor_id
               FROM capture_session_sensors s
               WHERE s.capture_session_id = c.id
               ORDER BY s.place
           ) AS sensor_ids,
           coalesce(
               (
                   SELECT jsonb_object_agg(pinned.sensor_id, pinned.by_signal)
                   FROM (
                       SELECT p.sensor_id, jsonb_object_agg(p.signal, p.profile_id) AS by_signal
                       FROM capture_session_profiles p
                       WHERE p.capture_session_id = c.id
                       GROUP BY p.sensor_id
                   ) AS pinned
               ),
               '{}'
           ) AS profiles
    FROM capture_sessions c;

COMMENT ON VIEW capture_windows IS
    'Published for other services: what each capture session spans; profiles: sensor, signal, profile.';
