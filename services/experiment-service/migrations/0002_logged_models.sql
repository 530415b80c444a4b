-- One row is a model that a client has logged, as MLflow's clients do: its files are kept by
-- artifact-service, its metrics below. Its params never change once they are set.
CREATE TABLE logged_models (
    id             uuid         PRIMARY KEY,
    project_id     uuid         NOT NULL,
    experiment_id  uuid         NOT NULL,
    source_run_id  uuid,
    name           text         NOT NULL,
    model_type     text         NOT NULL DEFAULT '',
    status         text         NOT NULL DEFAULT 'pending',
    params         jsonb        NOT NULL DEFAULT '{}',
    tags           jsonb        NOT NULL DEFAULT '{}',
    created_by     uuid         NOT NULL,
    created_at     timestamptz  NOT NULL,
    updated_at     timestamptz  NOT NULL,
    deleted_at     timestamptz,
    CONSTRAINT logged_models_project_key UNIQUE (project_id, id),
    CONSTRAINT logged_models_experiment_fkey
        FOREIGN KEY (project_id, experiment_id) REFERENCES experiments (project_id, id),
    CONSTRAINT logged_models_run_fkey
        FOREIGN KEY (project_id, source_run_id) REFERENCES runs (project_id, id),
    CONSTRAINT logged_models_status_check
        CHECK (status IN ('unspecified', 'pending', 'ready', 'upload_failed'))
);

CREATE INDEX logged_models_of_experiment ON logged_models (experiment_id, created_at, id);
CREATE INDEX logged_models_of_run ON logged_models (source_run_id)
    WHERE source_run_id IS NOT NULL;

-- One row is a model that a run has read (an input) or made at a step (an output).
CREATE TABLE run_models (
    run_id      uuid    NOT NULL,
    project_id  uuid    NOT NULL,
    direction   text    NOT NULL,
    model_id    uuid    NOT NULL,
    step        bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, direction, model_id),
    CONSTRAINT run_models_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id),
    CONSTRAINT run_models_model_fkey
        FOREIGN KEY (project_id, model_id) REFERENCES logged_models (project_id, id),
    CONSTRAINT run_models_direction_check CHECK (direction IN ('input', 'output'))
);

CREATE INDEX run_models_by_model ON run_models (model_id);

-- One row is a metric that a run has logged for a model. The run's own series of it is in
-- metrics-service; here stands what a model is found and compared by. time_ms is the client's.
CREATE TABLE logged_model_metrics (
    model_id        uuid              NOT NULL,
    project_id      uuid              NOT NULL,
    run_id          uuid              NOT NULL,
    key             text              COLLATE "C" NOT NULL,
    step            bigint            NOT NULL,
    time_ms         bigint            NOT NULL,
    value           double precision  NOT NULL,
    dataset_name    text              NOT NULL DEFAULT '',
    dataset_digest  text              NOT NULL DEFAULT '',
    PRIMARY KEY (model_id, key, time_ms, step, run_id),
    CONSTRAINT logged_model_metrics_model_fkey
        FOREIGN KEY (project_id, model_id) REFERENCES logged_models (project_id, id),
    CONSTRAINT logged_model_metrics_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id)
);

-- Published: which project a logged model belongs to, and whether it still takes files.
CREATE VIEW logged_model_projects AS
    SELECT id AS model_id, project_id, experiment_id, source_run_id,
           deleted_at IS NOT NULL AS deleted
    FROM logged_models;
