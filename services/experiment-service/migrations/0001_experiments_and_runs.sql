-- One row is a project in which something has changed here, and how often. Every change
-- takes its turn by counting up first and holds the row until it commits: so the numbers
-- appear in their order, and who reads past one has missed none before it.
CREATE TABLE project_changes (
    project_id   uuid    PRIMARY KEY,
    last_change  bigint  NOT NULL
);

-- One row is an experiment: a named line of enquiry in a project. weight is how many bytes it
-- adds to a list, about: so that a page can be cut short before it fills the memory.
-- name_key is the name as it is compared and sorted, without regard to case. The counts of
-- its runs that are not archived stand here, kept by a trigger: counting 100,000 takes too long.
CREATE TABLE experiments (
    id                     uuid         PRIMARY KEY,
    project_id             uuid         NOT NULL,
    name                   text         NOT NULL,
    name_key               text         COLLATE "C" NOT NULL,
    description            text         NOT NULL DEFAULT '',
    type                   text,
    tags                   jsonb        NOT NULL DEFAULT '{}',
    metadata               jsonb        NOT NULL DEFAULT '{}',
    status                 text         NOT NULL DEFAULT 'draft',
    status_changed_at      timestamptz  NOT NULL,
    status_before_archive  text,
    version                integer      NOT NULL DEFAULT 1,
    created_by             uuid         NOT NULL,
    created_at             timestamptz  NOT NULL,
    updated_at             timestamptz  NOT NULL,
    started_at             timestamptz,
    finished_at            timestamptz,
    archived_at            timestamptz,
    last_run_at            timestamptz,
    run_count              integer      NOT NULL DEFAULT 0,
    running_count          integer      NOT NULL DEFAULT 0,
    weight                 integer      GENERATED ALWAYS AS (
        octet_length(description) + octet_length(metadata::text) + octet_length(tags::text)
    ) STORED,
    CONSTRAINT experiments_project_key UNIQUE (project_id, id),
    CONSTRAINT experiments_name_key UNIQUE (project_id, name_key),
    CONSTRAINT experiments_status_check
        CHECK (status IN ('draft', 'running', 'succeeded', 'failed', 'archived')),
    CONSTRAINT experiments_archive_check CHECK (
        (status = 'archived') = (archived_at IS NOT NULL)
        AND (status = 'archived') = (status_before_archive IS NOT NULL)
    )
);

CREATE INDEX experiments_by_creation ON experiments (project_id, created_at, id);
CREATE INDEX experiments_by_last_run ON experiments (project_id, last_run_at, id);

-- One row is a run: one attempt of an experiment. Its params never change once they are
-- set; they stand here as JSON to be shown, and in run_params to be sorted by.
-- change is the project's count of changes when this row was last changed.
CREATE TABLE runs (
    id                       uuid              PRIMARY KEY,
    project_id               uuid              NOT NULL,
    experiment_id            uuid              NOT NULL,
    parent_run_id            uuid,
    name                     text              NOT NULL,
    name_key                 text              COLLATE "C" NOT NULL,
    status                   text              NOT NULL,
    status_changed_at        timestamptz       NOT NULL,
    status_before_archive    text,
    archived_with_experiment boolean           NOT NULL DEFAULT false,
    params                   jsonb             NOT NULL DEFAULT '{}',
    tags                     jsonb             NOT NULL DEFAULT '{}',
    notes                    text              NOT NULL DEFAULT '',
    git_commit               text,
    git_branch               text,
    git_dirty                boolean,
    environment              jsonb             NOT NULL DEFAULT '{}',
    source                   text,
    host                     text,
    auto_complete_minutes    integer,
    version                  integer           NOT NULL DEFAULT 1,
    change                   bigint            NOT NULL,
    created_by               uuid              NOT NULL,
    created_at               timestamptz       NOT NULL,
    updated_at               timestamptz       NOT NULL,
    started_at               timestamptz,
    finished_at              timestamptz,
    duration_seconds         double precision
        GENERATED ALWAYS AS (extract(epoch FROM finished_at - started_at)) STORED,
    last_heartbeat_at        timestamptz,
    archived_at              timestamptz,
    weight                   integer           GENERATED ALWAYS AS (
        octet_length(params::text) + octet_length(tags::text) + octet_length(notes)
        + octet_length(environment::text)
    ) STORED,
    CONSTRAINT runs_project_key UNIQUE (project_id, id),
    CONSTRAINT runs_experiment_fkey
        FOREIGN KEY (project_id, experiment_id) REFERENCES experiments (project_id, id),
    CONSTRAINT runs_parent_fkey
        FOREIGN KEY (project_id, parent_run_id) REFERENCES runs (project_id, id),
    CONSTRAINT runs_parent_check CHECK (parent_run_id <> id),
    CONSTRAINT runs_status_check CHECK (
        status IN ('draft', 'running', 'succeeded', 'failed', 'interrupted', 'archived')
    ),
    CONSTRAINT runs_archive_check CHECK (
        (status = 'archived') = (archived_at IS NOT NULL)
        AND (status = 'archived') = (status_before_archive IS NOT NULL)
        AND (status = 'archived' OR NOT archived_with_experiment)
    ),
    CONSTRAINT runs_time_check CHECK (finished_at >= started_at)
);

-- One index for each order of a project's and of an experiment's runs.
CREATE INDEX runs_by_creation ON runs (project_id, created_at, id);
CREATE INDEX runs_by_start ON runs (project_id, started_at, id);
CREATE INDEX runs_by_name ON runs (project_id, name_key, id);
CREATE INDEX runs_by_status ON runs (project_id, status, created_at, id);
CREATE INDEX runs_by_duration ON runs (project_id, duration_seconds, id);
CREATE INDEX runs_of_experiment_by_creation ON runs (experiment_id, created_at, id);
CREATE INDEX runs_of_experiment_by_start ON runs (experiment_id, started_at, id);
CREATE INDEX runs_of_experiment_by_name ON runs (experiment_id, name_key, id);
CREATE INDEX runs_of_experiment_by_status ON runs (experiment_id, status, created_at, id);
CREATE INDEX runs_of_experiment_by_duration ON runs (experiment_id, duration_seconds, id);
CREATE INDEX runs_archived ON runs (project_id, created_at, id) WHERE archived_at IS NOT NULL;
CREATE INDEX runs_by_change ON runs (project_id, change, id);
CREATE INDEX runs_by_parent ON runs (parent_run_id) WHERE parent_run_id IS NOT NULL;
-- Without last_heartbeat_at, so that a heartbeat touches no index.
CREATE INDEX runs_running ON runs (project_id, id) WHERE status = 'running';

-- Finds runs by a part of their name quickly. A database where this extension may not be
-- installed does without and reads through the names.
DO $$
DECLARE
    extension_schema name;
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    SELECT n.nspname INTO STRICT extension_schema
    FROM pg_extension e
    JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
    EXECUTE format(
        'CREATE INDEX runs_by_part_of_name ON runs USING gin (name_key %I.gin_trgm_ops)',
        extension_schema
    );
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
        RAISE NOTICE 'pg_trgm cannot be installed: names are searched without an index';
END
$$;

-- Whoever changes runs, the counts of their experiments follow in the same statement.
CREATE FUNCTION count_added_runs() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION count_changed_runs() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER runs_added AFTER INSERT ON runs
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_added_runs();
CREATE TRIGGER runs_changed AFTER UPDATE ON runs
    REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_runs();

-- One row is a param of a run. number and text hold what orders it among its kind: the
-- number exactly, 0 and 1 for booleans, the beginning of a text.
CREATE TABLE run_params (
    run_id      uuid      NOT NULL,
    project_id  uuid      NOT NULL,
    key         text      COLLATE "C" NOT NULL,
    kind        text      NOT NULL,
    number      numeric,
    text        text      COLLATE "C",
    PRIMARY KEY (run_id, key),
    CONSTRAINT run_params_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id),
    CONSTRAINT run_params_kind_check CHECK (
        kind IN ('number', 'boolean', 'null') AND number IS NOT NULL AND text IS NULL
        OR kind = 'text' AND text IS NOT NULL AND number IS NULL
    )
);

CREATE INDEX run_params_by_number ON run_params (project_id, key, kind, number, run_id);
CREATE INDEX run_params_by_text ON run_params (project_id, key, text, run_id)
    WHERE kind = 'text';

-- One row is a tag of a run, for finding runs by tag.
CREATE TABLE run_tags (
    run_id      uuid  NOT NULL,
    project_id  uuid  NOT NULL,
    key         text  COLLATE "C" NOT NULL,
    value       text  COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id, key),
    CONSTRAINT run_tags_run_fkey
        FOREIGN KEY (project_id, run_id) REFERENCES runs (project_id, id)
);

-- Long values are cut in the index: an index row has room for 2,700 bytes.
CREATE INDEX run_tags_by_value ON run_tags (project_id, key, left(value, 200), run_id);

-- Published: which project a run belongs to, and whether it still takes data.
CREATE VIEW run_projects AS
    SELECT id AS run_id, project_id, experiment_id, status FROM runs;
