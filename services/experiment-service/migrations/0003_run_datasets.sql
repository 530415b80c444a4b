-- One row is a dataset that a run reads, described as its client does it; what it is read for
-- (training, evaluation) is the context. The same name and digest count once in a run.
CREATE TABLE run_datasets (
    run_id       uuid      NOT NULL,
    project_id   uuid      NOT NULL,
    name         text      COLLATE "C" NOT NULL,
    digest       text      COLLATE "C" NOT NULL,
    position     integer   NOT NULL,
    source_type  text      NOT NULL,
    source       text      NOT NULL,
    schema       text,
    profile      text,
    context      text,
    tags         jsonb     NOT NULL DEFAULT '{}',
    PRIMARY KEY (run_id, name, digest),
    CONSTRAINT run_datasets_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id)
);

CREATE INDEX run_datasets_by_name ON run_datasets (project_id, name, run_id);
