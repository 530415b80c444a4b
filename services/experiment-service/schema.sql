-- The schema as it is now, generated from the migrations.

CREATE SCHEMA experiment;

CREATE FUNCTION experiment.count_added_runs() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE experiment.experiments e
    SET run_count = e.run_count + counted.runs, running_count = e.running_count + counted.running
    FROM (
        SELECT experiment_id,
               count(*) FILTER (WHERE status <> 'archived') AS runs,
               count(*) FILTER (WHERE status = 'running') AS running
        FROM added
        GROUP BY experiment_id
    ) AS counted
    WHERE e.id = counted.experiment_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION experiment.count_changed_runs() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE experiment.experiments e
    SET run_count = e.run_count + counted.runs, running_count = e.running_count + counted.running
    FROM (
        SELECT experiment_id,
               coalesce(sum(sign) FILTER (WHERE status <> 'archived'), 0) AS runs,
               coalesce(sum(sign) FILTER (WHERE status = 'running'), 0) AS running
        FROM (
            SELECT experiment_id, status, 1 AS sign FROM after_change
            UNION ALL
            SELECT experiment_id, status, -1 FROM before_change
        ) AS signed
        GROUP BY experiment_id
    ) AS counted
    WHERE e.id = counted.experiment_id AND (counted.runs <> 0 OR counted.running <> 0);
    RETURN NULL;
END
$$;

CREATE FUNCTION experiment.stop_capture_session() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE experiment.capture_sessions
    SET status = 'stopped', version = version + 1,
        stop_reason = CASE WHEN stop_at <= NEW.status_changed_at THEN 'time' ELSE 'run' END,
        stopped_at = greatest(started_at, least(NEW.status_changed_at, stop_at)),
        ended_in_change = NEW.change
    WHERE run_id = NEW.id AND status = 'running';
    RETURN NULL;
END
$$;

CREATE TABLE experiment.capture_session_events (
    id uuid NOT NULL,
    capture_session_id uuid NOT NULL,
    project_id uuid NOT NULL,
    "time" timestamp with time zone NOT NULL,
    kind text NOT NULL,
    text text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE experiment.capture_session_profiles (
    capture_session_id uuid NOT NULL,
    sensor_id uuid NOT NULL,
    signal text NOT NULL COLLATE pg_catalog."C",
    profile_id uuid NOT NULL
);

CREATE TABLE experiment.capture_session_sensors (
    capture_session_id uuid NOT NULL,
    project_id uuid NOT NULL,
    sensor_id uuid NOT NULL,
    place integer NOT NULL
);

CREATE TABLE experiment.capture_sessions (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    ordinal integer NOT NULL,
    name text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    started_by uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    stop_after_seconds double precision,
    stop_at timestamp with time zone,
    stopped_by uuid,
    stopped_at timestamp with time zone,
    stop_reason text,
    version integer DEFAULT 1 NOT NULL,
    ended_in_change bigint,
    CONSTRAINT capture_sessions_reason_check CHECK ((stop_reason = ANY (ARRAY['person'::text, 'time'::text, 'run'::text]))),
    CONSTRAINT capture_sessions_span_check CHECK ((stopped_at >= started_at)),
    CONSTRAINT capture_sessions_status_check CHECK ((status = ANY (ARRAY['running'::text, 'stopped'::text]))),
    CONSTRAINT capture_sessions_stopped_check CHECK ((((status = 'stopped'::text) = (stopped_at IS NOT NULL)) AND ((status = 'stopped'::text) = (stop_reason IS NOT NULL))))
);

CREATE VIEW experiment.capture_windows AS
 SELECT id AS capture_session_id,
    run_id,
    project_id,
    ordinal,
    started_at,
    stopped_at,
    ARRAY( SELECT s.sensor_id
           FROM experiment.capture_session_sensors s
          WHERE (s.capture_session_id = c.id)
          ORDER BY s.place) AS sensor_ids,
    COALESCE(( SELECT jsonb_object_agg(pinned.sensor_id, pinned.by_signal) AS jsonb_object_agg
           FROM ( SELECT p.sensor_id,
                    jsonb_object_agg(p.signal, p.profile_id) AS by_signal
                   FROM experiment.capture_session_profiles p
                  WHERE (p.capture_session_id = c.id)
                  GROUP BY p.sensor_id) pinned), '{}'::jsonb) AS profiles
   FROM experiment.capture_sessions c;

COMMENT ON VIEW experiment.capture_windows IS 'Published for other services: what each capture session spans; profiles: sensor, signal, profile.';

CREATE TABLE experiment.conversion_profiles (
    id uuid NOT NULL,
    sensor_id uuid NOT NULL,
    project_id uuid NOT NULL,
    signal text NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    kind text NOT NULL,
    parameters jsonb NOT NULL,
    unit text DEFAULT ''::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    edition integer DEFAULT 1 NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    published_by uuid,
    published_at timestamp with time zone,
    valid_from timestamp with time zone,
    valid_to timestamp with time zone,
    CONSTRAINT conversion_profiles_kind_check CHECK ((kind = ANY (ARRAY['linear'::text, 'polynomial'::text, 'lookup_table'::text]))),
    CONSTRAINT conversion_profiles_published_check CHECK ((((published_at IS NOT NULL) = (valid_from IS NOT NULL)) AND ((published_at IS NOT NULL) = (published_by IS NOT NULL)) AND ((valid_to IS NULL) OR (valid_from IS NOT NULL)))),
    CONSTRAINT conversion_profiles_span_check CHECK ((valid_to >= valid_from))
);

CREATE TABLE experiment.experiments (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL,
    type text,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    status_changed_at timestamp with time zone NOT NULL,
    status_before_archive text,
    version integer DEFAULT 1 NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    archived_at timestamp with time zone,
    last_run_at timestamp with time zone,
    run_count integer DEFAULT 0 NOT NULL,
    running_count integer DEFAULT 0 NOT NULL,
    weight integer GENERATED ALWAYS AS (((octet_length(description) + octet_length((metadata)::text)) + octet_length((tags)::text))) STORED,
    CONSTRAINT experiments_archive_check CHECK ((((status = 'archived'::text) = (archived_at IS NOT NULL)) AND ((status = 'archived'::text) = (status_before_archive IS NOT NULL)))),
    CONSTRAINT experiments_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'archived'::text])))
);

CREATE VIEW experiment.experiment_projects AS
 SELECT id AS experiment_id,
    project_id
   FROM experiment.experiments;

COMMENT ON VIEW experiment.experiment_projects IS 'Published for other services: each experiment and its project.';

CREATE TABLE experiment.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE experiment.sensors (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    type text,
    description text DEFAULT ''::text NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    decommissioned_at timestamp with time zone,
    CONSTRAINT sensors_decommissioned_check CHECK (((status = 'decommissioned'::text) = (decommissioned_at IS NOT NULL))),
    CONSTRAINT sensors_status_check CHECK ((status = ANY (ARRAY['active'::text, 'decommissioned'::text])))
);

CREATE VIEW experiment.ingest_sensors AS
 SELECT id AS sensor_id,
    project_id,
    status
   FROM experiment.sensors;

COMMENT ON VIEW experiment.ingest_sensors IS 'Published for other services: each sensor, its home project, and whether it is in use.';

CREATE TABLE experiment.sensor_signals (
    sensor_id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    name_key text NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    input_unit text DEFAULT ''::text NOT NULL,
    display_unit text DEFAULT ''::text NOT NULL,
    expected_rate_hz double precision,
    CONSTRAINT sensor_signals_rate_check CHECK ((expected_rate_hz > (0)::double precision))
);

CREATE VIEW experiment.ingest_signals AS
 SELECT sensor_id,
    name AS signal,
    input_unit,
    display_unit
   FROM experiment.sensor_signals;

COMMENT ON VIEW experiment.ingest_signals IS 'Published for other services: the signals of each sensor.';

CREATE TABLE experiment.sensor_tokens (
    id uuid NOT NULL,
    sensor_id uuid NOT NULL,
    project_id uuid NOT NULL,
    key_id text NOT NULL COLLATE pg_catalog."C",
    secret_hash bytea NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone
);

CREATE VIEW experiment.ingest_tokens AS
 SELECT t.key_id,
    t.secret_hash,
    t.sensor_id,
    t.expires_at
   FROM (experiment.sensor_tokens t
     JOIN experiment.sensors s ON ((s.id = t.sensor_id)))
  WHERE ((s.status = 'active'::text) AND (t.revoked_at IS NULL) AND ((t.expires_at IS NULL) OR (t.expires_at > clock_timestamp())));

COMMENT ON VIEW experiment.ingest_tokens IS 'Published for other services: tokens by which sensors may send now; expires_at null: no end.';

CREATE TABLE experiment.logged_model_metrics (
    model_id uuid NOT NULL,
    project_id uuid NOT NULL,
    run_id uuid NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    step bigint NOT NULL,
    time_ms bigint NOT NULL,
    value double precision NOT NULL,
    dataset_name text DEFAULT ''::text NOT NULL,
    dataset_digest text DEFAULT ''::text NOT NULL
);

CREATE TABLE experiment.logged_models (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    experiment_id uuid NOT NULL,
    source_run_id uuid,
    name text NOT NULL,
    model_type text DEFAULT ''::text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT logged_models_status_check CHECK ((status = ANY (ARRAY['unspecified'::text, 'pending'::text, 'ready'::text, 'upload_failed'::text])))
);

CREATE VIEW experiment.logged_model_projects AS
 SELECT id AS model_id,
    project_id,
    experiment_id,
    source_run_id,
    (deleted_at IS NOT NULL) AS deleted
   FROM experiment.logged_models;

CREATE TABLE experiment.metric_alarms (
    watch_id uuid NOT NULL,
    run_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    value double precision NOT NULL,
    step bigint
);

CREATE TABLE experiment.metric_watches (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    key text NOT NULL,
    direction text NOT NULL,
    threshold double precision NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT metric_watches_direction_check CHECK ((direction = ANY (ARRAY['above'::text, 'below'::text])))
);

CREATE TABLE experiment.notification_rules (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    user_id uuid NOT NULL,
    event_types text[] NOT NULL,
    only_mine boolean NOT NULL,
    experiment_id uuid,
    name_part text,
    language text NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT notification_rules_language_check CHECK ((language = ANY (ARRAY['en'::text, 'ru'::text]))),
    CONSTRAINT notification_rules_state_check CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text])))
);

CREATE TABLE experiment.notifications (
    id uuid NOT NULL,
    rule_id uuid,
    project_id uuid NOT NULL,
    user_id uuid NOT NULL,
    language text NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    event jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    failure text,
    next_try_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    mail_id uuid,
    CONSTRAINT notifications_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'dead'::text, 'dropped'::text])))
);

CREATE TABLE experiment.outbox (
    sink text NOT NULL,
    "position" bigint NOT NULL,
    event jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE experiment.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME experiment.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE experiment.outbox_sinks (
    name text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE experiment.project_changes (
    project_id uuid NOT NULL,
    last_change bigint NOT NULL
);

CREATE VIEW experiment.published_profiles AS
 SELECT id AS profile_id,
    sensor_id,
    signal,
    kind,
    parameters,
    unit,
    valid_from,
    valid_to
   FROM experiment.conversion_profiles
  WHERE (published_at IS NOT NULL);

COMMENT ON VIEW experiment.published_profiles IS 'Published for other services: profiles and their spans from valid_from up to before valid_to.';

CREATE TABLE experiment.run_datasets (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL,
    source_type text NOT NULL,
    source text NOT NULL,
    schema text,
    profile text,
    context text,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE experiment.run_models (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    direction text NOT NULL,
    model_id uuid NOT NULL,
    step bigint DEFAULT 0 NOT NULL,
    CONSTRAINT run_models_direction_check CHECK ((direction = ANY (ARRAY['input'::text, 'output'::text])))
);

CREATE TABLE experiment.run_params (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    number numeric,
    text text COLLATE pg_catalog."C",
    reading numeric GENERATED ALWAYS AS (
CASE
    WHEN (kind = 'number'::text) THEN number
    WHEN ((kind = 'text'::text) AND (length(text) <= 40) AND (text ~ '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$'::text)) THEN (text)::numeric
    ELSE NULL::numeric
END) STORED,
    CONSTRAINT run_params_kind_check CHECK ((((kind = ANY (ARRAY['number'::text, 'boolean'::text, 'null'::text])) AND (number IS NOT NULL) AND (text IS NULL)) OR ((kind = 'text'::text) AND (text IS NOT NULL) AND (number IS NULL))))
);

CREATE TABLE experiment.runs (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    experiment_id uuid NOT NULL,
    parent_run_id uuid,
    name text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    status_changed_at timestamp with time zone NOT NULL,
    status_before_archive text,
    archived_with_experiment boolean DEFAULT false NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    notes text DEFAULT ''::text NOT NULL,
    git_commit text,
    git_branch text,
    git_dirty boolean,
    environment jsonb DEFAULT '{}'::jsonb NOT NULL,
    source text,
    host text,
    auto_complete_minutes integer,
    version integer DEFAULT 1 NOT NULL,
    change bigint NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    duration_seconds double precision GENERATED ALWAYS AS (EXTRACT(epoch FROM (finished_at - started_at))) STORED,
    last_heartbeat_at timestamp with time zone,
    archived_at timestamp with time zone,
    weight integer GENERATED ALWAYS AS ((((octet_length((params)::text) + octet_length((tags)::text)) + octet_length(notes)) + octet_length((environment)::text))) STORED,
    CONSTRAINT runs_archive_check CHECK ((((status = 'archived'::text) = (archived_at IS NOT NULL)) AND ((status = 'archived'::text) = (status_before_archive IS NOT NULL)) AND ((status = 'archived'::text) OR (NOT archived_with_experiment)))),
    CONSTRAINT runs_parent_check CHECK ((parent_run_id <> id)),
    CONSTRAINT runs_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'interrupted'::text, 'archived'::text]))),
    CONSTRAINT runs_time_check CHECK ((finished_at >= started_at))
);

CREATE VIEW experiment.run_projects AS
 SELECT id AS run_id,
    project_id,
    experiment_id,
    status
   FROM experiment.runs;

CREATE TABLE experiment.run_sensors (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    sensor_id uuid NOT NULL,
    added_by uuid NOT NULL,
    added_at timestamp with time zone NOT NULL
);

CREATE TABLE experiment.run_tags (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE experiment.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE experiment.sensor_crossings_told (
    one boolean DEFAULT true NOT NULL,
    "position" bigint NOT NULL,
    CONSTRAINT sensor_crossings_told_one CHECK (one)
);

CREATE TABLE experiment.sensor_places (
    sensor_id uuid NOT NULL,
    project_id uuid NOT NULL,
    home_project_id uuid NOT NULL,
    shared_by uuid NOT NULL,
    shared_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT sensor_places_home_check CHECK (((project_id <> home_project_id) OR (ended_at IS NULL)))
);

CREATE TABLE experiment.sensor_presence (
    sensor_id uuid NOT NULL,
    offline boolean NOT NULL,
    since timestamp with time zone NOT NULL
);

CREATE VIEW experiment.sensor_projects AS
 SELECT sensor_id,
    project_id
   FROM experiment.sensor_places
  WHERE (ended_at IS NULL);

COMMENT ON VIEW experiment.sensor_projects IS 'Published for other services: the projects whose members see a sensor: home and shared.';

CREATE TABLE experiment.sensor_watches (
    id uuid NOT NULL,
    sensor_id uuid NOT NULL,
    signal text NOT NULL COLLATE pg_catalog."C",
    direction text NOT NULL,
    threshold double precision NOT NULL,
    rearm_at double precision,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT sensor_watches_direction_check CHECK ((direction = ANY (ARRAY['above'::text, 'below'::text]))),
    CONSTRAINT sensor_watches_rearm_check CHECK (
CASE direction
    WHEN 'above'::text THEN (rearm_at <= threshold)
    ELSE (rearm_at >= threshold)
END)
);

CREATE VIEW experiment.signal_limits AS
 SELECT w.id AS watch_id,
    w.sensor_id,
    w.signal,
    w.direction,
    w.threshold,
    COALESCE(w.rearm_at, w.threshold) AS rearm_at,
    w.created_at
   FROM (experiment.sensor_watches w
     JOIN experiment.sensors s ON ((s.id = w.sensor_id)))
  WHERE (s.status = 'active'::text);

COMMENT ON VIEW experiment.signal_limits IS 'Published for other services: limits on signals of sensors in use, and since when each holds.';

CREATE TABLE experiment.views (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    kind text NOT NULL,
    visibility text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    state jsonb NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT views_kind_check CHECK ((kind = 'runs'::text)),
    CONSTRAINT views_visibility_check CHECK ((visibility = ANY (ARRAY['personal'::text, 'shared'::text])))
);

CREATE TABLE experiment.webhook_attempts (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamp with time zone NOT NULL,
    status integer,
    failure text,
    duration_ms integer NOT NULL
);

CREATE TABLE experiment.webhook_deliveries (
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    project_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    body text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text])))
);

CREATE TABLE experiment.webhooks (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    event_types text[] NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    pause_reason text,
    failing_since timestamp with time zone,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_until timestamp with time zone,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT webhooks_pause_reason_check CHECK (((state = 'paused'::text) = (pause_reason IS NOT NULL))),
    CONSTRAINT webhooks_pause_reason_known CHECK ((pause_reason = ANY (ARRAY['by-hand'::text, 'failing'::text, 'gone'::text]))),
    CONSTRAINT webhooks_state_check CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text])))
);

ALTER TABLE ONLY experiment.capture_session_events
    ADD CONSTRAINT capture_session_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.capture_session_profiles
    ADD CONSTRAINT capture_session_profiles_pkey PRIMARY KEY (capture_session_id, sensor_id, signal);

ALTER TABLE ONLY experiment.capture_session_sensors
    ADD CONSTRAINT capture_session_sensors_pkey PRIMARY KEY (capture_session_id, sensor_id);

ALTER TABLE ONLY experiment.capture_sessions
    ADD CONSTRAINT capture_sessions_ordinal_key UNIQUE (run_id, ordinal);

ALTER TABLE ONLY experiment.capture_sessions
    ADD CONSTRAINT capture_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.capture_sessions
    ADD CONSTRAINT capture_sessions_project_key UNIQUE (project_id, id);

ALTER TABLE ONLY experiment.conversion_profiles
    ADD CONSTRAINT conversion_profiles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.conversion_profiles
    ADD CONSTRAINT conversion_profiles_signal_key UNIQUE (sensor_id, signal, id);

ALTER TABLE ONLY experiment.conversion_profiles
    ADD CONSTRAINT conversion_profiles_version_key UNIQUE (sensor_id, signal, version);

ALTER TABLE ONLY experiment.experiments
    ADD CONSTRAINT experiments_name_key UNIQUE (project_id, name_key);

ALTER TABLE ONLY experiment.experiments
    ADD CONSTRAINT experiments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.experiments
    ADD CONSTRAINT experiments_project_key UNIQUE (project_id, id);

ALTER TABLE ONLY experiment.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY experiment.logged_model_metrics
    ADD CONSTRAINT logged_model_metrics_pkey PRIMARY KEY (model_id, key, time_ms, step, run_id);

ALTER TABLE ONLY experiment.logged_models
    ADD CONSTRAINT logged_models_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.logged_models
    ADD CONSTRAINT logged_models_project_key UNIQUE (project_id, id);

ALTER TABLE ONLY experiment.metric_alarms
    ADD CONSTRAINT metric_alarms_pkey PRIMARY KEY (watch_id, run_id);

ALTER TABLE ONLY experiment.metric_watches
    ADD CONSTRAINT metric_watches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.notification_rules
    ADD CONSTRAINT notification_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.notifications
    ADD CONSTRAINT notifications_event_key UNIQUE (project_id, user_id, event_id);

ALTER TABLE ONLY experiment.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sink, "position");

ALTER TABLE ONLY experiment.outbox_sinks
    ADD CONSTRAINT outbox_sinks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY experiment.project_changes
    ADD CONSTRAINT project_changes_pkey PRIMARY KEY (project_id);

ALTER TABLE ONLY experiment.run_datasets
    ADD CONSTRAINT run_datasets_pkey PRIMARY KEY (run_id, name, digest);

ALTER TABLE ONLY experiment.run_models
    ADD CONSTRAINT run_models_pkey PRIMARY KEY (run_id, direction, model_id);

ALTER TABLE ONLY experiment.run_params
    ADD CONSTRAINT run_params_pkey PRIMARY KEY (run_id, key);

ALTER TABLE ONLY experiment.run_sensors
    ADD CONSTRAINT run_sensors_pkey PRIMARY KEY (run_id, sensor_id);

ALTER TABLE ONLY experiment.run_tags
    ADD CONSTRAINT run_tags_pkey PRIMARY KEY (run_id, key);

ALTER TABLE ONLY experiment.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.runs
    ADD CONSTRAINT runs_project_key UNIQUE (project_id, id);

ALTER TABLE ONLY experiment.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY experiment.sensor_crossings_told
    ADD CONSTRAINT sensor_crossings_told_pkey PRIMARY KEY (one);

ALTER TABLE ONLY experiment.sensor_places
    ADD CONSTRAINT sensor_places_pkey PRIMARY KEY (sensor_id, project_id);

ALTER TABLE ONLY experiment.sensor_presence
    ADD CONSTRAINT sensor_presence_pkey PRIMARY KEY (sensor_id);

ALTER TABLE ONLY experiment.sensor_signals
    ADD CONSTRAINT sensor_signals_name_key UNIQUE (sensor_id, name_key);

ALTER TABLE ONLY experiment.sensor_signals
    ADD CONSTRAINT sensor_signals_pkey PRIMARY KEY (sensor_id, name);

ALTER TABLE ONLY experiment.sensor_tokens
    ADD CONSTRAINT sensor_tokens_key_id_key UNIQUE (key_id);

ALTER TABLE ONLY experiment.sensor_tokens
    ADD CONSTRAINT sensor_tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.sensor_watches
    ADD CONSTRAINT sensor_watches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.sensors
    ADD CONSTRAINT sensors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.sensors
    ADD CONSTRAINT sensors_project_key UNIQUE (project_id, id);

ALTER TABLE ONLY experiment.views
    ADD CONSTRAINT views_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.webhook_attempts
    ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (delivery_id, number);

ALTER TABLE ONLY experiment.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_event_key UNIQUE (webhook_id, event_id);

ALTER TABLE ONLY experiment.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY experiment.webhooks
    ADD CONSTRAINT webhooks_id_project_key UNIQUE (id, project_id);

ALTER TABLE ONLY experiment.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);

CREATE INDEX capture_session_events_by_time ON experiment.capture_session_events USING btree (capture_session_id, "time", id);

CREATE INDEX capture_session_profiles_by_profile ON experiment.capture_session_profiles USING btree (sensor_id, signal, profile_id);

CREATE INDEX capture_session_sensors_by_sensor ON experiment.capture_session_sensors USING btree (sensor_id, project_id);

CREATE UNIQUE INDEX capture_sessions_active_key ON experiment.capture_sessions USING btree (run_id) WHERE (status = 'running'::text);

CREATE INDEX capture_sessions_by_project ON experiment.capture_sessions USING btree (project_id, started_at, id);

CREATE INDEX capture_sessions_due ON experiment.capture_sessions USING btree (stop_at) WHERE ((status = 'running'::text) AND (stop_at IS NOT NULL));

CREATE INDEX capture_sessions_ended ON experiment.capture_sessions USING btree (project_id, ended_in_change) WHERE (ended_in_change IS NOT NULL);

CREATE UNIQUE INDEX conversion_profiles_begin_key ON experiment.conversion_profiles USING btree (sensor_id, signal, valid_from) WHERE ((valid_from IS NOT NULL) AND (valid_to IS DISTINCT FROM valid_from));

CREATE UNIQUE INDEX conversion_profiles_latest_key ON experiment.conversion_profiles USING btree (sensor_id, signal) WHERE ((valid_from IS NOT NULL) AND (valid_to IS NULL));

CREATE INDEX experiments_by_creation ON experiment.experiments USING btree (project_id, created_at, id);

CREATE INDEX experiments_by_last_run ON experiment.experiments USING btree (project_id, last_run_at, id);

CREATE INDEX idempotency_keys_oldest_first ON experiment.idempotency_keys USING btree (created_at);

CREATE INDEX logged_models_of_experiment ON experiment.logged_models USING btree (experiment_id, created_at, id);

CREATE INDEX logged_models_of_run ON experiment.logged_models USING btree (source_run_id) WHERE (source_run_id IS NOT NULL);

CREATE INDEX metric_watches_project ON experiment.metric_watches USING btree (project_id, id);

CREATE INDEX notification_rules_project ON experiment.notification_rules USING btree (project_id, user_id, id);

CREATE INDEX notifications_by_rule ON experiment.notifications USING btree (rule_id);

CREATE INDEX notifications_by_time ON experiment.notifications USING btree (created_at);

CREATE INDEX notifications_due ON experiment.notifications USING btree (next_try_at) WHERE (next_try_at IS NOT NULL);

CREATE INDEX notifications_of_person ON experiment.notifications USING btree (project_id, user_id, id DESC);

CREATE INDEX notifications_sent ON experiment.notifications USING btree (user_id, sent_at) WHERE (sent_at IS NOT NULL);

CREATE INDEX run_datasets_by_name ON experiment.run_datasets USING btree (project_id, name, run_id);

CREATE INDEX run_models_by_model ON experiment.run_models USING btree (model_id);

CREATE INDEX run_params_by_number ON experiment.run_params USING btree (project_id, key, kind, number, run_id);

CREATE INDEX run_params_by_reading ON experiment.run_params USING btree (project_id, key, reading, run_id) WHERE (reading IS NOT NULL);

CREATE INDEX run_params_by_text ON experiment.run_params USING btree (project_id, key, text, run_id) WHERE (kind = 'text'::text);

CREATE INDEX run_sensors_by_sensor ON experiment.run_sensors USING btree (sensor_id, project_id);

CREATE INDEX run_tags_by_value ON experiment.run_tags USING btree (project_id, key, "left"(value, 200), run_id);

CREATE INDEX runs_archived ON experiment.runs USING btree (project_id, created_at, id) WHERE (archived_at IS NOT NULL);

CREATE INDEX runs_by_change ON experiment.runs USING btree (project_id, change, id);

CREATE INDEX runs_by_creation ON experiment.runs USING btree (project_id, created_at, id);

CREATE INDEX runs_by_creator ON experiment.runs USING btree (project_id, created_by, id);

CREATE INDEX runs_by_duration ON experiment.runs USING btree (project_id, duration_seconds, id);

CREATE INDEX runs_by_finish ON experiment.runs USING btree (project_id, finished_at, id) WHERE (finished_at IS NOT NULL);

CREATE INDEX runs_by_git_branch ON experiment.runs USING btree (project_id, git_branch, id) WHERE (git_branch IS NOT NULL);

CREATE INDEX runs_by_git_commit ON experiment.runs USING btree (project_id, git_commit, id) WHERE (git_commit IS NOT NULL);

CREATE INDEX runs_by_host ON experiment.runs USING btree (project_id, host, id) WHERE (host IS NOT NULL);

CREATE INDEX runs_by_name ON experiment.runs USING btree (project_id, name_key, id);

CREATE INDEX runs_by_parent ON experiment.runs USING btree (parent_run_id) WHERE (parent_run_id IS NOT NULL);

CREATE INDEX runs_by_part_of_name ON experiment.runs USING gin (name_key experiment.gin_trgm_ops);

CREATE INDEX runs_by_source ON experiment.runs USING btree (project_id, source, id) WHERE (source IS NOT NULL);

CREATE INDEX runs_by_start ON experiment.runs USING btree (project_id, started_at, id);

CREATE INDEX runs_by_status ON experiment.runs USING btree (project_id, status, created_at, id);

CREATE INDEX runs_by_update ON experiment.runs USING btree (project_id, updated_at, id);

CREATE INDEX runs_living_by_creation ON experiment.runs USING btree (project_id, created_at, id) WHERE (archived_at IS NULL);

CREATE INDEX runs_of_experiment_by_creation ON experiment.runs USING btree (experiment_id, created_at, id);

CREATE INDEX runs_of_experiment_by_duration ON experiment.runs USING btree (experiment_id, duration_seconds, id);

CREATE INDEX runs_of_experiment_by_name ON experiment.runs USING btree (experiment_id, name_key, id);

CREATE INDEX runs_of_experiment_by_start ON experiment.runs USING btree (experiment_id, started_at, id);

CREATE INDEX runs_of_experiment_by_status ON experiment.runs USING btree (experiment_id, status, created_at, id);

CREATE INDEX runs_of_experiment_by_time ON experiment.runs USING btree (experiment_id, COALESCE(started_at, created_at) DESC, id);

CREATE INDEX runs_of_experiment_living_by_creation ON experiment.runs USING btree (experiment_id, created_at, id) WHERE (archived_at IS NULL);

CREATE INDEX runs_running ON experiment.runs USING btree (project_id, id) WHERE (status = 'running'::text);

CREATE INDEX runs_with_notes ON experiment.runs USING btree (project_id, id) WHERE (notes <> ''::text);

CREATE INDEX sensor_places_by_project ON experiment.sensor_places USING btree (project_id, sensor_id);

CREATE INDEX sensor_tokens_by_sensor ON experiment.sensor_tokens USING btree (sensor_id, created_at, id);

CREATE UNIQUE INDEX sensor_tokens_current_key ON experiment.sensor_tokens USING btree (sensor_id) WHERE ((expires_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX sensor_watches_sensor ON experiment.sensor_watches USING btree (sensor_id, id);

CREATE UNIQUE INDEX sensors_name_key ON experiment.sensors USING btree (project_id, name_key) WHERE (status = 'active'::text);

CREATE UNIQUE INDEX views_personal_default_key ON experiment.views USING btree (project_id, kind, created_by) WHERE ((visibility = 'personal'::text) AND is_default);

CREATE UNIQUE INDEX views_personal_name_key ON experiment.views USING btree (project_id, kind, created_by, name_key) WHERE (visibility = 'personal'::text);

CREATE UNIQUE INDEX views_shared_default_key ON experiment.views USING btree (project_id, kind) WHERE ((visibility = 'shared'::text) AND is_default);

CREATE UNIQUE INDEX views_shared_name_key ON experiment.views USING btree (project_id, kind, name_key) WHERE (visibility = 'shared'::text);

CREATE INDEX webhook_deliveries_by_time ON experiment.webhook_deliveries USING btree (created_at);

CREATE INDEX webhook_deliveries_due ON experiment.webhook_deliveries USING btree (next_try_at) WHERE (next_try_at IS NOT NULL);

CREATE INDEX webhook_deliveries_newest ON experiment.webhook_deliveries USING btree (webhook_id, id DESC);

CREATE INDEX webhooks_project ON experiment.webhooks USING btree (project_id, id);

CREATE TRIGGER runs_added AFTER INSERT ON experiment.runs REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION experiment.count_added_runs();

CREATE TRIGGER runs_changed AFTER UPDATE ON experiment.runs REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION experiment.count_changed_runs();

CREATE TRIGGER runs_ended AFTER UPDATE OF status ON experiment.runs FOR EACH ROW WHEN ((new.status = ANY (ARRAY['succeeded'::text, 'failed'::text, 'archived'::text]))) EXECUTE FUNCTION experiment.stop_capture_session();

ALTER TABLE ONLY experiment.capture_session_events
    ADD CONSTRAINT capture_session_events_session_fkey FOREIGN KEY (project_id, capture_session_id) REFERENCES experiment.capture_sessions(project_id, id);

ALTER TABLE ONLY experiment.capture_session_profiles
    ADD CONSTRAINT capture_session_profiles_profile_fkey FOREIGN KEY (sensor_id, signal, profile_id) REFERENCES experiment.conversion_profiles(sensor_id, signal, id);

ALTER TABLE ONLY experiment.capture_session_profiles
    ADD CONSTRAINT capture_session_profiles_sensor_fkey FOREIGN KEY (capture_session_id, sensor_id) REFERENCES experiment.capture_session_sensors(capture_session_id, sensor_id);

ALTER TABLE ONLY experiment.capture_session_sensors
    ADD CONSTRAINT capture_session_sensors_sensor_fkey FOREIGN KEY (sensor_id, project_id) REFERENCES experiment.sensor_places(sensor_id, project_id);

ALTER TABLE ONLY experiment.capture_session_sensors
    ADD CONSTRAINT capture_session_sensors_session_fkey FOREIGN KEY (project_id, capture_session_id) REFERENCES experiment.capture_sessions(project_id, id);

ALTER TABLE ONLY experiment.capture_sessions
    ADD CONSTRAINT capture_sessions_run_fkey FOREIGN KEY (project_id, run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.conversion_profiles
    ADD CONSTRAINT conversion_profiles_sensor_fkey FOREIGN KEY (project_id, sensor_id) REFERENCES experiment.sensors(project_id, id);

ALTER TABLE ONLY experiment.conversion_profiles
    ADD CONSTRAINT conversion_profiles_signal_fkey FOREIGN KEY (sensor_id, signal) REFERENCES experiment.sensor_signals(sensor_id, name);

ALTER TABLE ONLY experiment.logged_model_metrics
    ADD CONSTRAINT logged_model_metrics_model_fkey FOREIGN KEY (project_id, model_id) REFERENCES experiment.logged_models(project_id, id);

ALTER TABLE ONLY experiment.logged_model_metrics
    ADD CONSTRAINT logged_model_metrics_run_fkey FOREIGN KEY (project_id, run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.logged_models
    ADD CONSTRAINT logged_models_experiment_fkey FOREIGN KEY (project_id, experiment_id) REFERENCES experiment.experiments(project_id, id);

ALTER TABLE ONLY experiment.logged_models
    ADD CONSTRAINT logged_models_run_fkey FOREIGN KEY (project_id, source_run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.metric_alarms
    ADD CONSTRAINT metric_alarms_watch_fkey FOREIGN KEY (watch_id) REFERENCES experiment.metric_watches(id) ON DELETE CASCADE;

ALTER TABLE ONLY experiment.notifications
    ADD CONSTRAINT notifications_rule_fkey FOREIGN KEY (rule_id) REFERENCES experiment.notification_rules(id) ON DELETE CASCADE;

ALTER TABLE ONLY experiment.run_datasets
    ADD CONSTRAINT run_datasets_run_fkey FOREIGN KEY (project_id, run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.run_models
    ADD CONSTRAINT run_models_model_fkey FOREIGN KEY (project_id, model_id) REFERENCES experiment.logged_models(project_id, id);

ALTER TABLE ONLY experiment.run_models
    ADD CONSTRAINT run_models_run_fkey FOREIGN KEY (project_id, run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.run_params
    ADD CONSTRAINT run_params_run_fkey FOREIGN KEY (project_id, run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.run_sensors
    ADD CONSTRAINT run_sensors_run_fkey FOREIGN KEY (project_id, run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.run_sensors
    ADD CONSTRAINT run_sensors_sensor_fkey FOREIGN KEY (sensor_id, project_id) REFERENCES experiment.sensor_places(sensor_id, project_id);

ALTER TABLE ONLY experiment.run_tags
    ADD CONSTRAINT run_tags_run_fkey FOREIGN KEY (project_id, run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.runs
    ADD CONSTRAINT runs_experiment_fkey FOREIGN KEY (project_id, experiment_id) REFERENCES experiment.experiments(project_id, id);

ALTER TABLE ONLY experiment.runs
    ADD CONSTRAINT runs_parent_fkey FOREIGN KEY (project_id, parent_run_id) REFERENCES experiment.runs(project_id, id);

ALTER TABLE ONLY experiment.sensor_places
    ADD CONSTRAINT sensor_places_sensor_fkey FOREIGN KEY (home_project_id, sensor_id) REFERENCES experiment.sensors(project_id, id);

ALTER TABLE ONLY experiment.sensor_presence
    ADD CONSTRAINT sensor_presence_sensor_fkey FOREIGN KEY (sensor_id) REFERENCES experiment.sensors(id);

ALTER TABLE ONLY experiment.sensor_signals
    ADD CONSTRAINT sensor_signals_sensor_fkey FOREIGN KEY (project_id, sensor_id) REFERENCES experiment.sensors(project_id, id);

ALTER TABLE ONLY experiment.sensor_tokens
    ADD CONSTRAINT sensor_tokens_sensor_fkey FOREIGN KEY (project_id, sensor_id) REFERENCES experiment.sensors(project_id, id);

ALTER TABLE ONLY experiment.sensor_watches
    ADD CONSTRAINT sensor_watches_signal_fkey FOREIGN KEY (sensor_id, signal) REFERENCES experiment.sensor_signals(sensor_id, name) ON DELETE CASCADE;

ALTER TABLE ONLY experiment.webhook_attempts
    ADD CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (delivery_id) REFERENCES experiment.webhook_deliveries(id) ON DELETE CASCADE;

ALTER TABLE ONLY experiment.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_webhook_fkey FOREIGN KEY (webhook_id, project_id) REFERENCES experiment.webhooks(id, project_id) ON DELETE CASCADE;
