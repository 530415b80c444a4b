"""SQL on saved views: one function, one statement."""

from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.values import name_key
from experiment_service.models.views import View, ViewKind, Visibility


async def select_view_project(connection: Connection, view_id: UUID) -> UUID | None:
    """The project that the view belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.views WHERE id = $1", view_id
    )


async def select_view(connection: Connection, *, view_id: UUID, user_id: UUID) -> View | None:
    """A view that the person may see: a shared one, or their own."""
    return await fetch_optional(
        connection,
        View,
        """
        SELECT id, project_id, name, kind, visibility, state, is_default, created_by, created_at,
               updated_at, version
        FROM experiment.views
        WHERE id = $1 AND (visibility = 'shared' OR created_by = $2)
        """,
        view_id,
        user_id,
    )


async def select_views(
    connection: Connection,
    *,
    project_id: UUID,
    user_id: UUID,
    kind: ViewKind,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[View]:
    """Views that the person may see, by name, continuing after one."""
    name, view_id = after or (None, None)
    return await fetch_all(
        connection,
        View,
        """
        SELECT id, project_id, name, kind, visibility, state, is_default, created_by, created_at,
               updated_at, version
        FROM experiment.views
        WHERE project_id = $1 AND kind = $2 AND (visibility = 'shared' OR created_by = $3)
          AND ($4::text IS NULL OR (name_key, id) > ($4 COLLATE "C", $5::uuid))
        ORDER BY name_key, id
        LIMIT $6
        """,
        project_id,
        kind,
        user_id,
        name,
        view_id,
        limit,
    )


async def lock_views(connection: Connection, project_id: UUID) -> None:
    """Let changes of a project's views take turns, until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('views ' || $1::text, 0))", str(project_id)
    )


async def count_views(
    connection: Connection, *, project_id: UUID, user_id: UUID, visibility: Visibility
) -> int:
    """How many views of that visibility the project has: shared ones, or the person's own."""
    return await connection.fetchval(
        """
        SELECT count(*) FROM experiment.views
        WHERE project_id = $1 AND visibility = $2 AND ($2 = 'shared' OR created_by = $3)
        """,
        project_id,
        visibility,
        user_id,
    )


async def insert_view(connection: Connection, view: View) -> None:
    """Save a view."""
    await connection.execute(
        """
        INSERT INTO experiment.views (
            id, project_id, kind, visibility, name, name_key, state, is_default, created_by,
            created_at, updated_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        """,
        view.id,
        view.project_id,
        view.kind,
        view.visibility,
        view.name,
        name_key(view.name),
        view.state,
        view.is_default,
        view.created_by,
        view.created_at,
    )


async def update_view(connection: Connection, view: View, *, at: datetime) -> None:
    """Store what people edit of a view, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.views
        SET visibility = $2, name = $3, name_key = $4, state = $5, is_default = $6,
            updated_at = $7, version = version + 1
        WHERE id = $1
        """,
        view.id,
        view.visibility,
        view.name,
        name_key(view.name),
        view.state,
        view.is_default,
        at,
    )


async def update_no_default(
    connection: Connection,
    *,
    project_id: UUID,
    user_id: UUID,
    visibility: Visibility,
    kind: ViewKind,
) -> None:
    """Let no view of that kind and visibility be the default: shared ones, or the person's own."""
    await connection.execute(
        """
        UPDATE experiment.views
        SET is_default = false, version = version + 1
        WHERE project_id = $1 AND visibility = $2 AND ($2 = 'shared' OR created_by = $3)
          AND kind = $4 AND is_default
        """,
        project_id,
        visibility,
        user_id,
        kind,
    )


async def delete_view(connection: Connection, view_id: UUID) -> None:
    """Forget a view."""
    await connection.execute("DELETE FROM experiment.views WHERE id = $1", view_id)
