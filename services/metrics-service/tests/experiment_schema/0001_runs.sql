CREATE TABLE published_runs (
    run_id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    experiment_id uuid NOT NULL,
    status text NOT NULL
);

CREATE VIEW run_projects AS SELECT run_id, project_id, experiment_id, status FROM published_runs;
