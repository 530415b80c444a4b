"""Many runs put into Runbench's own tables, as its services would have stored them.

Run number N is the same in every database: its params, tags and latest metrics follow from N.

| What | How many runs |
|---|---|
| `params.optimizer` adam, sgd, lion | a third each |
| `params.lr` | 1,000 values |
| `params.depth` = 7 | one in 12 |
| `params.seed` | each its own |
| `metrics.loss`, `metrics.acc` = 1 - loss | even between 0 and 1 |
| `metrics.rare` | one in 1,000 has it |
| `tags.rig` | 50 values |
| `host` | 20 values |
| notes | one in 100 |
| archived | one in 50 |
"""

from uuid import UUID

import psycopg

_EXPERIMENT = """
INSERT INTO experiment.experiments (id, project_id, name, name_key, status, status_changed_at,
    created_by, created_at, updated_at)
VALUES (%(experiment)s, %(project)s, 'Many', 'many', 'running', now(), %(creator)s, now(), now())
"""
_RUNS = """
INSERT INTO experiment.runs (id, project_id, experiment_id, name, name_key, status,
    status_changed_at, status_before_archive, archived_at, params, tags, notes, git_commit,
    git_branch, git_dirty, source, host, change, created_by, created_at, updated_at, started_at,
    finished_at)
SELECT md5('run-' || n)::uuid, %(project)s, %(experiment)s, 'run-' || n, 'run-' || n,
    CASE WHEN n %% 50 = 0 THEN 'archived' WHEN n %% 10 = 1 THEN 'failed' ELSE 'succeeded' END,
    t, CASE WHEN n %% 50 = 0 THEN 'succeeded' END, CASE WHEN n %% 50 = 0 THEN t END,
    jsonb_build_object('optimizer', (ARRAY['adam', 'sgd', 'lion'])[1 + n %% 3],
        'lr', (n * 7919 %% 1000)::numeric / 1000, 'depth', n %% 12, 'seed', n,
        'data', 'set-' || n %% 100, 'batch', 2 ^ (n %% 8), 'augment', n %% 2 = 0,
        'dropout', (n %% 10)::numeric / 10, 'model', 'net-' || n %% 7,
        'note', 'text ' || md5(n::text)),
    jsonb_build_object('rig', 'R' || n %% 50, 'owner', 'person-' || n %% 9),
    CASE WHEN n %% 100 = 3 THEN 'Looked at run ' || n ELSE '' END,
    md5('commit-' || n / 10), 'main', n %% 5 = 0, 'train.py', 'host-' || n %% 20, n,
    %(creator)s, t, t, t, t + (n * 31 %% 5000) * interval '1 second'
FROM (
    SELECT n, timestamptz '2026-01-01Z' + n * interval '1 minute' AS t
    FROM generate_series(1, %(count)s) AS n
) AS numbered
"""
_PARAMS = """
INSERT INTO experiment.run_params (run_id, project_id, key, kind, number, text)
SELECT r.id, r.project_id, p.key,
    CASE jsonb_typeof(p.value) WHEN 'string' THEN 'text' ELSE jsonb_typeof(p.value) END,
    CASE jsonb_typeof(p.value) WHEN 'number' THEN (p.value #>> '{}')::numeric
        WHEN 'boolean' THEN (p.value::boolean)::int END,
    CASE jsonb_typeof(p.value) WHEN 'string' THEN left(p.value #>> '{}', 200) END
FROM experiment.runs r, jsonb_each(r.params) AS p
WHERE r.project_id = %(project)s
"""
_TAGS = """
INSERT INTO experiment.run_tags (run_id, project_id, key, value)
SELECT r.id, r.project_id, t.key, t.value FROM experiment.runs r, jsonb_each_text(r.tags) AS t
WHERE r.project_id = %(project)s
"""
_OWNERS = """
INSERT INTO metrics.owners (id, ordinal, first_time)
SELECT md5('run-' || n)::uuid, 1, 1767225600000000 FROM generate_series(1, %(count)s) AS n
"""
_METRICS = """
INSERT INTO metrics.series (owner_id, scope_id, key, count, first_x, first_value, first_time,
    last_x, last_value, last_time, min_value, min_x, max_value, max_x)
SELECT md5('run-' || n)::uuid, %(project)s, key, 100, 0, value, 1767225600000000,
    99, value, 1767225600000000, value, 0, value, 99
FROM generate_series(1, %(count)s) AS n,
    LATERAL (SELECT (hashint4(n)::bigint + 2147483648) / 4294967296.0 AS even) AS drawn,
    LATERAL (
        SELECT 'loss', even UNION ALL SELECT 'acc', 1 - even
        UNION ALL SELECT 'rare', even WHERE n %% 1000 = 7
        UNION ALL SELECT 'metric-' || which, (hashint4(n * 31 + which)::bigint + 2147483648)
            / 4294967296.0 FROM generate_series(3, 10) AS which
    ) AS metric (key, value)
"""


def make_runs(
    database_url: str, *, project_id: UUID, experiment_id: UUID, creator: UUID, count: int
) -> None:
    """A new experiment with so many runs, in a database that both services have migrated."""
    values = {
        "project": project_id,
        "experiment": experiment_id,
        "creator": creator,
        "count": count,
    }
    with psycopg.connect(database_url) as connection:
        connection.execute(_EXPERIMENT, values)
        connection.execute(_RUNS, values)
        # The rows follow from each other: to check each reference would take longest of all.
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in (_PARAMS, _TAGS, _OWNERS, _METRICS):
            connection.execute(statement, values)
