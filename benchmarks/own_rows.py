"""As many runs as in MLflow's tables (`peer_rows`), and the same ones, put into ours."""

import psycopg

from benchmarks.peer_rows import METRICS, PARAMS

CHANGE = """
INSERT INTO experiment.project_changes (project_id, last_change)
VALUES (%(project)s::uuid, %(count)s)
ON CONFLICT (project_id) DO UPDATE SET last_change = project_changes.last_change + %(count)s
"""
# MLflow sends every param as text; ours holds them as they came.
RUNS = """
INSERT INTO experiment.runs (id, project_id, experiment_id, name, name_key, status,
                             status_changed_at, params, tags, source, created_by, created_at,
                             updated_at, started_at, finished_at, change)
SELECT md5('run-' || number)::uuid, %(project)s::uuid, %(experiment)s::uuid, 'run-' || number,
       'run-' || number, 'succeeded', ended, params,
       '{"mlflow.user": "bench", "mlflow.source.name": "train.py"}', 'train.py', %(owner)s::uuid,
       began, ended, began, ended, number
FROM generate_series(1, %(count)s) AS number,
     LATERAL (SELECT to_timestamp(1760000000 + number) AS began,
                     to_timestamp(1760000500 + number) AS ended) AS times,
     LATERAL (SELECT jsonb_object_agg(
                         CASE which WHEN 1 THEN 'optimizer' ELSE 'param-' || which END,
                         CASE WHEN which = 1 THEN (ARRAY['adam', 'sgd', 'lion'])[1 + number %% 3]
                              ELSE (number * which %% 1000)::text END) AS params
              FROM generate_series(1, %(params)s) AS which) AS all_params
"""
PARAMS_OF_RUNS = """
INSERT INTO experiment.run_params (run_id, project_id, key, kind, text)
SELECT id, project_id, param.key, 'text', param.value
FROM experiment.runs, LATERAL jsonb_each_text(params) AS param
WHERE experiment_id = %(experiment)s::uuid
"""
TAGS = """
INSERT INTO experiment.run_tags (run_id, project_id, key, value)
SELECT id, project_id, tag.key, tag.value
FROM experiment.runs, LATERAL jsonb_each_text(tags) AS tag
WHERE experiment_id = %(experiment)s::uuid
"""
OWNERS = """
INSERT INTO metrics.owners (id, ordinal, first_time)
SELECT md5('run-' || number)::uuid, 1, (1760000500 + number) * 1000000
FROM generate_series(1, %(count)s::bigint) AS number
"""
LATEST = """
INSERT INTO metrics.series (owner_id, scope_id, key, count, first_x, first_value, first_time,
                            last_x, last_value, last_time, min_value, min_x, max_value, max_x)
SELECT md5('run-' || number)::uuid, %(project)s::uuid,
       CASE which WHEN 1 THEN 'loss' ELSE 'metric-' || which END,
       1, 100, value, time, 100, value, time, value, 100, value, 100
FROM generate_series(1, %(count)s) AS number, generate_series(1, %(metrics)s) AS which,
     LATERAL (SELECT (hashint4(number * 31 + which)::bigint + 2147483648) / 4294967296.0 AS value,
                     (1760000500 + number) * 1000000::bigint AS time) AS last
"""


def make_runs(
    database_url: str, *, project_id: str, experiment_id: str, owner_id: str, count: int
) -> None:
    """Runs with 10 params and 10 metrics each, in an experiment that is there."""
    values = {
        "project": project_id,
        "experiment": experiment_id,
        "owner": owner_id,
        "count": count,
        "params": PARAMS,
        "metrics": METRICS,
    }
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in (CHANGE, RUNS, PARAMS_OF_RUNS, TAGS, OWNERS, LATEST):
            connection.execute(statement, values)
        connection.execute("VACUUM ANALYZE")
