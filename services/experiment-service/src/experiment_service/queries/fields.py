"""SQL on the names and values that runs are searched by: one function, one statement.

Distinct keys are found by leaping from one to the next in an index, not by reading all rows.
"""

from uuid import UUID

from servicekit.database import Connection

from experiment_service.models.fields import FieldValue, RunField

SAMPLE = 20_000
# Keys that are looked at: a project has seldom more, and a list is for completion.
LEAPS = 10_000


async def select_param_fields(
    connection: Connection, *, project_id: UUID, part: str | None, limit: int
) -> list[RunField]:
    """Keys of params, each with the type of one of its values."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE keys (key) AS (
            SELECT min(p.key) FROM experiment.run_params p WHERE p.project_id = $1
            UNION ALL
            SELECT (
                SELECT min(p.key) FROM experiment.run_params p
                WHERE p.project_id = $1 AND p.key > keys.key
            )
            FROM keys
            WHERE keys.key IS NOT NULL
        )
        SELECT found.key, (
            SELECT CASE WHEN p.reading IS NOT NULL THEN 'number'
                        WHEN p.kind = 'boolean' THEN 'boolean' ELSE 'text' END
            FROM experiment.run_params p
            WHERE p.project_id = $1 AND p.key = found.key
            LIMIT 1
        ) AS type
        FROM (SELECT key FROM keys WHERE key IS NOT NULL LIMIT $4) AS found
        WHERE $2::text IS NULL OR strpos(lower(found.key COLLATE "default"), lower($2)) > 0
        LIMIT $3
        """,
        project_id,
        part,
        limit,
        LEAPS,
    )
    return [RunField(kind="param", key=row["key"], type=row["type"]) for row in rows]


async def select_tag_fields(
    connection: Connection, *, project_id: UUID, part: str | None, limit: int
) -> list[RunField]:
    """Keys of tags."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE keys (key) AS (
            SELECT min(t.key) FROM experiment.run_tags t WHERE t.project_id = $1
            UNION ALL
            SELECT (
                SELECT min(t.key) FROM experiment.run_tags t
                WHERE t.project_id = $1 AND t.key > keys.key
            )
            FROM keys
            WHERE keys.key IS NOT NULL
        )
        SELECT found.key
        FROM (SELECT key FROM keys WHERE key IS NOT NULL LIMIT $4) AS found
        WHERE $2::text IS NULL OR strpos(lower(found.key COLLATE "default"), lower($2)) > 0
        LIMIT $3
        """,
        project_id,
        part,
        limit,
        LEAPS,
    )
    return [RunField(kind="tag", key=row["key"], type="text") for row in rows]


async def select_metric_fields(
    connection: Connection, *, project_id: UUID, part: str | None, limit: int
) -> list[RunField]:
    """Keys of metrics, where metrics are published."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE keys (key) AS (
            SELECT min(l.key) FROM metrics.latest l WHERE l.project_id = $1
            UNION ALL
            SELECT (
                SELECT min(l.key) FROM metrics.latest l
                WHERE l.project_id = $1 AND l.key > keys.key
            )
            FROM keys
            WHERE keys.key IS NOT NULL
        )
        SELECT found.key
        FROM (SELECT key FROM keys WHERE key IS NOT NULL LIMIT $4) AS found
        WHERE $2::text IS NULL OR strpos(lower(found.key COLLATE "default"), lower($2)) > 0
        LIMIT $3
        """,
        project_id,
        part,
        limit,
        LEAPS,
    )
    return [RunField(kind="metric", key=row["key"], type="number") for row in rows]


async def select_param_values(
    connection: Connection, *, project_id: UUID, key: str, part: str | None, limit: int
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
            WHERE p.project_id = $1 AND p.key = $2
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
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]


async def select_tag_values(
    connection: Connection, *, project_id: UUID, key: str, part: str | None, limit: int
) -> list[FieldValue]:
    """Values of a tag."""
    rows = await connection.fetch(
        """
        SELECT value, count(*) AS count
        FROM (
            SELECT t.value
            FROM experiment.run_tags t
            WHERE t.project_id = $1 AND t.key = $2
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
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]


async def select_dataset_values(
    connection: Connection, *, project_id: UUID, key: str, part: str | None, limit: int
) -> list[FieldValue]:
    """Names, digests or contexts of datasets."""
    rows = await connection.fetch(
        """
        SELECT value, count(*) AS count
        FROM (
            SELECT CASE $2::text WHEN 'name' THEN d.name WHEN 'digest' THEN d.digest
                   ELSE d.context END AS value
            FROM experiment.run_datasets d
            WHERE d.project_id = $1
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
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]


async def select_attribute_values(
    connection: Connection, *, project_id: UUID, key: str, part: str | None, limit: int
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
                WHERE project_id = $1
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
    )
    return [FieldValue(value=row["value"], count=row["count"]) for row in rows]
