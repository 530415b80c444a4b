CREATE TABLE published_runs (
    run_id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    experiment_id uuid NOT NULL,
    status text NOT NULL
);

CREATE VIEW run_projects AS SELECT run_id, project_id, experiment_id, status FROM published_runs;

CREATE TABLE published_models (
    model_id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    experiment_id uuid NOT NULL,
    source_run_id uuid,
    deleted boolean NOT NULL
);

CREATE VIEW logged_model_projects AS
SELECT model_id, project_id, experiment_id, source_run_id, deleted FROM published_models;
