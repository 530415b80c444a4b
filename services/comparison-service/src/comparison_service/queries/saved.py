"""SQL on saved comparisons: one function, one statement."""

from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from comparison_service.models.saved import Comparison


async def select_comparison_project(connection: Connection, comparison_id: UUID) -> UUID | None:
    """The project that the comparison belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM comparisons WHERE id = $1", comparison_id
    )


async def select_comparison(connection: Connection, *, comparison_id: UUID) -> Comparison | None:
    """One comparison."""
    return await fetch_optional(
        connection,
        Comparison,
        """
        SELECT id, project_id, title, notes, view, created_by, created_at, updated_by, updated_at,
               version
        FROM comparisons
        WHERE id = $1
        """,
        comparison_id,
    )


async def lock_comparison(connection: Connection, *, comparison_id: UUID) -> Comparison | None:
    """One comparison, which nobody else changes until the transaction ends."""
    return await fetch_optional(
        connection,
        Comparison,
        """
        SELECT id, project_id, title, notes, view, created_by, created_at, updated_by, updated_at,
               version
        FROM comparisons
        WHERE id = $1
        FOR UPDATE
        """,
        comparison_id,
    )


async def select_comparisons(
    connection: Connection,
    *,
    project_id: UUID,
    contains: str | None,
    before: UUID | None,
    limit: int,
) -> list[Comparison]:
    """A project's comparisons whose titles contain a text, newest first, continuing after one."""
    return await fetch_all(
        connection,
        Comparison,
        """
        SELECT id, project_id, title, notes, view, created_by, created_at, updated_by, updated_at,
               version
        FROM comparisons
        WHERE project_id = $1
          AND ($2::text IS NULL OR strpos(lower(title), lower($2)) > 0)
          AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC
        LIMIT $4
        """,
        project_id,
        contains,
        before,
        limit,
    )


async def lock_project(connection: Connection, project_id: UUID) -> None:
    """Let new comparisons of a project take turns, until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('comparisons ' || $1::text, 0))",
        str(project_id),
    )


async def count_comparisons(connection: Connection, *, project_id: UUID) -> int:
    """How many the project has."""
    return await connection.fetchval(
        "SELECT count(*) FROM comparisons WHERE project_id = $1", project_id
    )


async def insert_comparison(connection: Connection, comparison: Comparison) -> None:
    """Save a comparison."""
    await connection.execute(
        """
        INSERT INTO comparisons (
            id, project_id, title, notes, view, created_by, created_at, updated_by, updated_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7)
        """,
        comparison.id,
        comparison.project_id,
        comparison.title,
        comparison.notes,
        comparison.view,
        comparison.created_by,
        comparison.created_at,
    )


async def update_comparison(
    connection: Connection, comparison: Comparison, *, by: UUID, at: datetime
) -> None:
    """Store what people edit of a comparison, and count the version up."""
    await connection.execute(
        """
        UPDATE comparisons
        SET title = $2, notes = $3, view = $4, updated_by = $5, updated_at = $6,
            version = version + 1
        WHERE id = $1
        """,
        comparison.id,
        comparison.title,
        comparison.notes,
        comparison.view,
        by,
        at,
    )


async def delete_comparison(connection: Connection, comparison_id: UUID) -> None:
    """Forget a comparison."""
    await connection.execute("DELETE FROM comparisons WHERE id = $1", comparison_id)
