-- Run search compares a param that reads as a number with numbers, also where a client sends all
-- params as text (MLflow's does): so each row carries the number that it reads as. The table is
-- written anew for it, once, before the service serves.
-- squawk-ignore adding-field-with-default
ALTER TABLE run_params ADD COLUMN reading numeric GENERATED ALWAYS AS (
    CASE
        WHEN kind = 'number' THEN number
        WHEN kind = 'text' AND length(text) <= 40
            AND text ~ '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$' THEN text::numeric
    END
) STORED;

-- A migration runs in a transaction, so none of these CONCURRENTLY.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX run_params_by_reading ON run_params (project_id, key, reading, run_id)
    WHERE reading IS NOT NULL;

-- Runs that are not archived, in the order of their lists, read from the index alone.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_living_by_creation ON runs (project_id, created_at, id)
    WHERE archived_at IS NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_of_experiment_living_by_creation ON runs (experiment_id, created_at, id)
    WHERE archived_at IS NULL;

-- Attributes that search compares: found in an index, not by reading every run.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_by_host ON runs (project_id, host, id) WHERE host IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_by_source ON runs (project_id, source, id) WHERE source IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_by_git_commit ON runs (project_id, git_commit, id) WHERE git_commit IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_by_git_branch ON runs (project_id, git_branch, id) WHERE git_branch IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_by_finish ON runs (project_id, finished_at, id) WHERE finished_at IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_by_update ON runs (project_id, updated_at, id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_by_creator ON runs (project_id, created_by, id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_with_notes ON runs (project_id, id) WHERE notes <> '';
