-- Runs are sorted by the latest value of a metric: the list follows this index instead of reading
-- the metrics of every run. A migration runs in a transaction, so not CONCURRENTLY.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX series_by_last_value ON series (key, last_value, run_id);
