"""SQL on the names and values that runs are searched by: one function, one statement.

Distinct keys are found by leaping from one to the next in an index, not by reading all rows.
"""

from collections.abc import Mapping
from typing import Literal, LiteralString
from uuid import UUID

from servicekit.database import Connection

from experiment_service.models.fields import FieldValue, RunField

SAMPLE = 20_000
# Keys that are looked at: a project has seldom more, and a list is for completion.
LEAPS = 10_000
# Runs of an experiment whose keys are looked at.
NEWEST: LiteralString = "2000"

type NamedKind = Literal["param", "tag", "metric"]

# Where the keys of a kind stand, and how the type of a key is found.
_NAMED: Mapping[NamedKind, tuple[LiteralString, LiteralString]] = {
    "param": (
        "experiment.run_params",
        """(
            SELECT CASE WHEN t.reading IS NOT NULL THEN 'number'
                        WHEN t.kind = 'boolean' THEN 'boolean' ELSE 'text' END
            FROM experiment.run_params t
            WHERE t.project_id = $1 AND t.key = keys.key
            LIMIT 1
        )""",
    ),
    "tag": ("experiment.run_tags", "'text'"),
    "metric": ("metrics.latest", "'number'"),
}


async def select_names(
    connection: Connection,
    kind: NamedKind,
    *,
    project_id: UUID,
    experiment_id: UUID | None,
    part: str | None,
    limit: int,
) -> list[RunField]:
    """Keys of params, tags or metrics by name, each with the type of one of its values.

    Those of an experiment are the keys of its newest runs.
    """
    table, type_of = _NAMED[kind]
    keys: LiteralString = f"""
        RECURSIVE leaps (key) AS (
            SELECT min(t.key) FROM {table} t WHERE t.project_id = $1
            UNION ALL
            SELECT (SELECT min(t.key) FROM {table} t WHERE t.project_id = $1 AND t.key > leaps.key)
            FROM leaps
            WHERE leaps.key IS NOT NULL
        ), keys AS (
            SELECT key FROM leaps WHERE key IS NOT NULL LIMIT $4
        )"""  # noqa: S608 - put together from literals, as the types say
    of_experiment: LiteralString = f"""
        newest AS MATERIALIZED (
            SELECT id FROM experiment.runs
            WHERE project_id = $1 AND experiment_id = $5
            ORDER BY created_at DESC
            LIMIT {NEWEST}
        ), keys AS (
            SELECT DISTINCT t.key FROM newest JOIN {table} t ON t.run_id = newest.id
            ORDER BY t.key
            LIMIT $4
        )"""  # noqa: S608 - as above
    sql: LiteralString = f"""
        WITH {of_experiment if experiment_id else keys}
        SELECT keys.key, {type_of} AS type
        FROM keys
        WHERE $2::text IS NULL OR strpos(lower(keys.key COLLATE "default"), lower($2)) > 0
        ORDER BY keys.key
        LIMIT $3
    """  # noqa: S608 - as above
    of = [experiment_id] if experiment_id else []
    rows = await connection.fetch(sql, project_id, part, limit, LEAPS, *of)
    return [RunField(kind=kind, key=row["key"], type=row["type"]) for row in rows]


async def select_param_values(
    connection: Connection,
    *,
    project_id: UUID,
    experiment_id: UUID | None,
    key: str,
    part: str | None,
    limit: int,
) -> list[FieldValue]:
    """Values of a param: texts as far as they are sorted by, numbers as numbers."""
    rows = await connection.fetch(
        """
        SELECT value, count(*) AS count
        FROM (
            SELECT CASE p.kind
                       WHEN 'text' THEN to_jsonb(p.text)
                       WHEN 'number' THEN to_jsonb(p.number)
                       WHEN 'boolean' THEN to_jsonb(p.number = 1)
                   END AS value
            FROM experiment.run_params p
            WHERE p.project_id = $1 AND p.key = $2 AND ($6::uuid IS NULL OR p.run_id IN (
                SELECT id FROM experiment.runs WHERE experiment_id = $6
            ))
            LIMIT $5
        ) AS sampled
        WHERE value IS NOT NULL
          AND ($3::text IS NULL OR strpos(lower(value #>> '{}'), lower($3)) > 0)
        GROUP BY value
        ORDER BY count(*) DESC, value
        LIMIT $4
        """,
        project_id,
        key,
        part,
        limit,
        SAMPLE,
        experiment_id,
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]


async def select_tag_values(
    connection: Connection,
    *,
    project_id: UUID,
    experiment_id: UUID | None,
    key: str,
    part: str | None,
    limit: int,
) -> list[FieldValue]:
    """Values of a tag."""
    rows = await connection.fetch(
        """
        SELECT value, count(*) AS count
        FROM (
            SELECT t.value
            FROM experiment.run_tags t
            WHERE t.project_id = $1 AND t.key = $2 AND ($6::uuid IS NULL OR t.run_id IN (
                SELECT id FROM experiment.runs WHERE experiment_id = $6
            ))
            LIMIT $5
        ) AS sampled
        WHERE $3::text IS NULL OR strpos(lower(value COLLATE "default"), lower($3)) > 0
        GROUP BY value
        ORDER BY count(*) DESC, value
        LIMIT $4
        """,
        project_id,
        key,
        part,
        limit,
        SAMPLE,
        experiment_id,
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]


async def select_dataset_values(
    connection: Connection,
    *,
    project_id: UUID,
    experiment_id: UUID | None,
    key: str,
    part: str | None,
    limit: int,
) -> list[FieldValue]:
    """Names, digests or contexts of datasets."""
    rows = await connection.fetch(
        """
        SELECT value, count(*) AS count
        FROM (
            SELECT CASE $2::text WHEN 'name' THEN d.name WHEN 'digest' THEN d.digest
                   ELSE d.context END AS value
            FROM experiment.run_datasets d
            WHERE d.project_id = $1 AND ($6::uuid IS NULL OR d.run_id IN (
                SELECT id FROM experiment.runs WHERE experiment_id = $6
            ))
            LIMIT $5
        ) AS sampled
        WHERE value IS NOT NULL
          AND ($3::text IS NULL OR strpos(lower(value COLLATE "default"), lower($3)) > 0)
        GROUP BY value
        ORDER BY count(*) DESC, value
        LIMIT $4
        """,
        project_id,
        key,
        part,
        limit,
        SAMPLE,
        experiment_id,
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]


async def select_attribute_values(
    connection: Connection,
    *,
    project_id: UUID,
    experiment_id: UUID | None,
    key: str,
    part: str | None,
    limit: int,
) -> list[FieldValue]:
    """Values of an attribute that many runs share, of the newest runs."""
    rows = await connection.fetch(
        """
        SELECT value, count(*) AS count
        FROM (
            SELECT CASE $2::text
                       WHEN 'status' THEN r.status
                       WHEN 'host' THEN r.host
                       WHEN 'source' THEN r.source
                       WHEN 'git_branch' THEN r.git_branch
                       WHEN 'git_commit' THEN r.git_commit
                       WHEN 'name' THEN r.name
                       WHEN 'created_by' THEN r.created_by::text
                       WHEN 'experiment' THEN e.name
                   END AS value
            FROM (
                SELECT * FROM experiment.runs
                WHERE project_id = $1 AND ($6::uuid IS NULL OR experiment_id = $6)
                ORDER BY created_at DESC
                LIMIT $5
            ) AS r
            JOIN experiment.experiments e ON e.id = r.experiment_id
        ) AS sampled
        WHERE value IS NOT NULL AND ($3::text IS NULL OR strpos(lower(value), lower($3)) > 0)
        GROUP BY value
        ORDER BY count(*) DESC, value
        LIMIT $4
        """,
        project_id,
        key,
        part,
        limit,
        SAMPLE,
        experiment_id,
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]
