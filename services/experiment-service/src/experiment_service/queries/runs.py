"""SQL on runs: one function, one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.runs import NewRun, Run
from experiment_service.models.values import ParamValue, name_key

_RUN = """
    SELECT r.id, r.project_id, r.experiment_id, e.name AS experiment_name, r.name, r.status,
           r.params, r.tags, r.notes, r.git_commit, r.git_branch, r.git_dirty, r.environment,
           r.source, r.host, r.parent_run_id, r.auto_complete_minutes, r.created_by,
           r.created_at, r.updated_at, r.started_at, r.finished_at, r.duration_seconds,
           r.last_heartbeat_at, r.archived_at, r.version, '{}'::jsonb AS metrics,
           (
               SELECT count(*)
               FROM experiment.runs c
               WHERE c.parent_run_id = r.id AND c.status <> 'archived'
           ) AS child_count,
           (
               SELECT s.id
               FROM experiment.capture_sessions s
               WHERE s.run_id = r.id AND s.status = 'running'
           ) AS active_capture_session_id
    FROM experiment.runs r
    JOIN experiment.experiments e ON e.id = r.experiment_id
"""


async def select_project(connection: Connection, run_id: UUID) -> UUID | None:
    """The project that the run belongs to."""
    return await connection.fetchval("SELECT project_id FROM experiment.runs WHERE id = $1", run_id)


async def select_run(connection: Connection, *, run_id: UUID) -> Run | None:
    """One run, without its metrics."""
    return await fetch_optional(connection, Run, _RUN + "WHERE r.id = $1", run_id)


async def select_runs(connection: Connection, *, run_ids: Sequence[UUID]) -> list[Run]:
    """Runs in the order of their ids as given, without their metrics."""
    return await fetch_all(
        connection,
        Run,
        _RUN + "WHERE r.id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], r.id)",
        run_ids,
    )


async def select_projects_of_runs(
    connection: Connection, *, run_ids: Sequence[UUID]
) -> dict[UUID, UUID]:
    """The project of each of the runs that there are."""
    rows = await connection.fetch(
        "SELECT id, project_id FROM experiment.runs WHERE id = ANY($1::uuid[])", run_ids
    )
    return {row["id"]: row["project_id"] for row in rows}


async def select_runs_of_project(
    connection: Connection, *, project_id: UUID, run_ids: Sequence[UUID]
) -> list[UUID]:
    """Those of the runs that are the project's."""
    rows = await connection.fetch(
        "SELECT id FROM experiment.runs WHERE project_id = $1 AND id = ANY($2)",
        project_id,
        run_ids,
    )
    return [row["id"] for row in rows]


async def insert_run(
    connection: Connection,
    new: NewRun,
    *,
    run_id: UUID,
    project_id: UUID,
    experiment_id: UUID,
    name: str,
    created_by: UUID,
    at: datetime,
    started_at: datetime,
    change: int,
) -> None:
    """Record a run."""
    await connection.execute(
        """
        INSERT INTO experiment.runs (
            id, project_id, experiment_id, parent_run_id, name, name_key, status, params, tags,
            notes, git_commit, git_branch, git_dirty, environment, source, host,
            auto_complete_minutes, created_by, change,
            created_at, updated_at, status_changed_at, started_at
        )
        VALUES (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20, $20, $20, CASE WHEN $7 = 'running' THEN $21::timestamptz END
        )
        """,
        run_id,
        project_id,
        experiment_id,
        new.parent_run_id,
        name,
        name_key(name),
        new.status,
        new.params,
        new.tags,
        new.notes,
        new.git_commit,
        new.git_branch,
        new.git_dirty,
        new.environment,
        new.source,
        new.host,
        new.auto_complete_minutes,
        created_by,
        change,
        at,
        started_at,
    )


async def update_run(connection: Connection, run: Run, *, at: datetime, change: int) -> None:
    """Store what people edit of a run, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.runs
        SET name = $2, name_key = $3, notes = $4, tags = $5, auto_complete_minutes = $6,
            version = version + 1, updated_at = $7, change = $8
        WHERE id = $1
        """,
        run.id,
        run.name,
        name_key(run.name),
        run.notes,
        run.tags,
        run.auto_complete_minutes,
        at,
        change,
    )


async def update_run_params(
    connection: Connection,
    *,
    run_id: UUID,
    params: Mapping[str, ParamValue],
    at: datetime,
    change: int,
) -> None:
    """Store the params of a run as they are shown, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.runs
        SET params = $2, version = version + 1, updated_at = $3, change = $4
        WHERE id = $1
        """,
        run_id,
        params,
        at,
        change,
    )


async def update_run_tags(
    connection: Connection,
    *,
    run_ids: Sequence[UUID],
    added: dict[str, str],
    removed: Sequence[str],
    at: datetime,
    change: int,
) -> list[int]:
    """Set and remove tags where that changes something; answers how many tags each has now."""
    rows = await connection.fetch(
        """
        UPDATE experiment.runs
        SET tags = (tags - $3::text[]) || $2::jsonb,
            version = version + 1, updated_at = $4, change = $5
        WHERE id = ANY($1) AND (tags - $3::text[]) || $2::jsonb <> tags
        RETURNING (SELECT count(*) FROM jsonb_object_keys(tags)) AS count
        """,
        run_ids,
        added,
        removed,
        at,
        change,
    )
    return [row["count"] for row in rows]
