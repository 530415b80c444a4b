"""Saved comparisons: every member of the project opens them, editors change them."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, Database
from servicekit.events import EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.outbox import emit
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import NotFound, PreconditionFailed

from comparison_service.errors import LimitExceeded
from comparison_service.models.events import (
    COMPARISON_CHANGED,
    COMPARISON_CREATED,
    COMPARISON_REMOVED,
    FieldsData,
    NoData,
)
from comparison_service.models.saved import (
    MAX_SAVED,
    Comparison,
    ComparisonChange,
    ComparisonQuery,
    NewComparison,
)
from comparison_service.queries.saved import (
    count_comparisons,
    delete_comparison,
    insert_comparison,
    lock_comparison,
    lock_project,
    select_comparison,
    select_comparisons,
    update_comparison,
)


async def list_comparisons(
    database: Database, project_id: UUID, query: ComparisonQuery
) -> Page[Comparison]:
    """One page of a project's comparisons, the newest first."""
    before = Cursor.decode(query.cursor, sort="-created_at").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_comparisons(
            connection,
            project_id=project_id,
            contains=query.q,
            before=before,
            limit=query.limit + 1,
        )
    return page_of(
        found, limit=query.limit, cursor=lambda one: Cursor(sort="-created_at", id=one.id)
    )


async def get_comparison(database: Database, comparison_id: UUID) -> Comparison:
    """One comparison.

    Raises:
        NotFound: there is none.
    """
    async with database.acquire() as connection:
        found = await select_comparison(connection, comparison_id=comparison_id)
    if found is None:
        raise NotFound
    return found


async def create_comparison(
    database: Database, principal: Principal, project_id: UUID, new: NewComparison
) -> Comparison:
    """Save a comparison.

    Raises:
        LimitExceeded: the project has as many as there may be.
    """
    now = datetime.now(UTC)
    comparison = Comparison(
        id=uuid7(),
        project_id=project_id,
        title=new.title,
        notes=new.notes,
        view=new.view,
        created_by=principal.user_id,
        created_at=now,
        updated_by=principal.user_id,
        updated_at=now,
        version=1,
    )
    async with database.acquire() as connection, connection.transaction():
        await lock_project(connection, project_id)
        count = await count_comparisons(connection, project_id=project_id)
        if count >= MAX_SAVED:
            msg = f"There are {count} saved comparisons, which is the most a project may have."
            raise LimitExceeded(msg)
        await insert_comparison(connection, comparison)
        await _tell(connection, COMPARISON_CREATED, NoData(), comparison)
    return comparison


async def change_comparison(
    database: Database,
    principal: Principal,
    comparison_id: UUID,
    change: ComparisonChange,
    *,
    if_match: int | None,
) -> Comparison:
    """Change what the patch names.

    Raises:
        NotFound: there is none.
        PreconditionFailed: it is no longer the version that `if_match` names.
    """
    async with database.acquire() as connection, connection.transaction():
        before = await lock_comparison(connection, comparison_id=comparison_id)
        if before is None:
            raise NotFound
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        edited = before.model_copy(update=change.given)
        if edited == before:
            return before
        await update_comparison(connection, edited, by=principal.user_id, at=datetime.now(UTC))
        fields = FieldsData(fields=list(change.given))
        await _tell(connection, COMPARISON_CHANGED, fields, edited)
    return await get_comparison(database, comparison_id)


async def remove_comparison(database: Database, comparison_id: UUID) -> None:
    """Forget a comparison; what it compares stays."""
    async with database.acquire() as connection, connection.transaction():
        comparison = await lock_comparison(connection, comparison_id=comparison_id)
        if comparison:
            await delete_comparison(connection, comparison_id)
            await _tell(connection, COMPARISON_REMOVED, NoData(), comparison)


async def _tell[D: BaseModel](
    connection: Connection, kind: EventKind[D], data: D, comparison: Comparison
) -> None:
    event = kind.event(
        data,
        project_id=comparison.project_id,
        subject_id=comparison.id,
        subject_name=comparison.title,
    )
    await emit(connection, [event])
