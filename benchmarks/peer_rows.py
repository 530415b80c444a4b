"""Many runs and long histories put into MLflow's tables: through its API they would take hours."""

import psycopg

PARAMS = METRICS = 10

# One row of `wanted` is a run that ended; its params and last metrics follow from its number.
RUNS = """
INSERT INTO runs (run_uuid, name, source_type, source_name, user_id, status, start_time, end_time,
                  lifecycle_stage, artifact_uri, experiment_id)
SELECT md5('run-' || number), 'run-' || number, 'LOCAL', 'train.py', 'bench', 'FINISHED',
       1760000000000 + number * 1000, 1760000500000 + number * 1000, 'active',
       'mlflow-artifacts:/' || %(experiment)s || '/' || md5('run-' || number) || '/artifacts',
       %(experiment)s::integer
FROM generate_series(1, %(count)s) AS number
"""
TAGS = """
INSERT INTO tags (run_uuid, key, value)
SELECT md5('run-' || number), key, value
FROM generate_series(1, %(count)s) AS number,
     LATERAL (VALUES ('mlflow.runName', 'run-' || number), ('mlflow.user', 'bench'),
                     ('mlflow.source.name', 'train.py')) AS tag (key, value)
"""
PARAMS_OF_RUNS = """
INSERT INTO params (run_uuid, key, value)
SELECT md5('run-' || number), CASE which WHEN 1 THEN 'optimizer' ELSE 'param-' || which END,
       CASE WHEN which = 1 THEN (ARRAY['adam', 'sgd', 'lion'])[1 + number %% 3]
            ELSE (number * which %% 1000)::text END
FROM generate_series(1, %(count)s) AS number, generate_series(1, %(each)s) AS which
"""
LATEST = """
INSERT INTO latest_metrics (run_uuid, key, value, timestamp, step, is_nan)
SELECT md5('run-' || number), CASE which WHEN 1 THEN 'loss' ELSE 'metric-' || which END,
       (hashint4(number * 31 + which)::bigint + 2147483648) / 4294967296.0,
       1760000500000 + number * 1000, 100, false
FROM generate_series(1, %(count)s) AS number, generate_series(1, %(each)s) AS which
"""
HISTORY = """
INSERT INTO metrics (run_uuid, key, value, timestamp, step, is_nan)
SELECT %(run)s, %(key)s, exp(-step / 1e6) + sin(step / 1000.0) / 10, 1760000000000 + step * 100,
       step, false
FROM generate_series(0, %(points)s - 1) AS step
"""


def make_runs(database_url: str, experiment_id: str, count: int) -> None:
    """Runs with 10 params and 10 metrics each."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        values = {"experiment": experiment_id, "count": count, "each": PARAMS}
        for statement in (RUNS, TAGS, PARAMS_OF_RUNS, LATEST):
            connection.execute(statement, values)
        connection.execute("ANALYZE")


def make_history(database_url: str, run_id: str, key: str, points: int) -> None:
    """A metric of one run with so many points."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(HISTORY, {"run": run_id, "key": key, "points": points})
        connection.execute("ANALYZE metrics")
