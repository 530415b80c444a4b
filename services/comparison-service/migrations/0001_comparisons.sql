-- One row is a saved comparison: a screen of runs side by side, under a title, with notes. What view
-- holds is the portal's business; it is stored as it came.
CREATE TABLE comparisons (
    id          uuid         PRIMARY KEY,
    project_id  uuid         NOT NULL,
    title       text         NOT NULL,
    notes       text         NOT NULL,
    view        jsonb        NOT NULL,
    created_by  uuid         NOT NULL,
    created_at  timestamptz  NOT NULL,
    updated_by  uuid         NOT NULL,
    updated_at  timestamptz  NOT NULL,
    version     integer      NOT NULL DEFAULT 1
);

-- A project's list, the newest first: ids are made in the order of time.
CREATE INDEX comparisons_project_idx ON comparisons (project_id, id DESC);

-- One row is the run that the others of an experiment are compared with.
CREATE TABLE baselines (
    experiment_id  uuid         PRIMARY KEY,
    run_id         uuid         NOT NULL,
    set_by         uuid         NOT NULL,
    set_at         timestamptz  NOT NULL
);
