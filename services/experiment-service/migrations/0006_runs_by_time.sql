-- MLflow's clients list the runs of an experiment by when they started, the latest first.
-- A migration runs in a transaction, so not CONCURRENTLY.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX runs_of_experiment_by_time
    ON runs (experiment_id, (coalesce(started_at, created_at)) DESC, id);
