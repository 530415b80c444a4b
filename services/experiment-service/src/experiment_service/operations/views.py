"""Saved views: personal ones are their author's alone, shared ones every editor's."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from servicekit.database import Connection, Database, constraint
from servicekit.identity import Principal, Role
from servicekit.ids import uuid7
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import Forbidden, NotFound, PreconditionFailed

from experiment_service.errors import LimitExceeded, ViewNameTaken
from experiment_service.models.values import name_key
from experiment_service.models.views import (
    MAX_PERSONAL,
    MAX_SHARED,
    NewView,
    View,
    ViewChange,
    ViewQuery,
    Visibility,
)
from experiment_service.queries.views import (
    count_views,
    delete_view,
    insert_view,
    lock_views,
    select_view,
    select_views,
    update_no_default,
    update_view,
)


async def list_views(
    database: Database, principal: Principal, project_id: UUID, query: ViewQuery
) -> Page[View]:
    """One page of the shared views and one's own, by name."""
    after: tuple[str, UUID] | None = None
    if query.cursor:
        cursor = Cursor.decode(query.cursor, sort="name")
        after = cursor.value_as(str), cursor.row_id
    async with database.acquire() as connection:
        views = await select_views(
            connection,
            project_id=project_id,
            user_id=principal.user_id,
            kind=query.kind,
            after=after,
            limit=query.limit + 1,
        )
    return page_of(
        views,
        limit=query.limit,
        cursor=lambda view: Cursor(sort="name", value=name_key(view.name), id=view.id),
    )


async def get_view(database: Database, principal: Principal, view_id: UUID) -> View:
    """A view that the caller may see.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with database.acquire() as connection:
        return await _view(connection, principal, view_id)


async def create_view(
    database: Database, principal: Principal, project_id: UUID, role: Role, new: NewView
) -> View:
    """Save a view.

    Raises:
        Forbidden: it is shared, and the caller no editor.
        ViewNameTaken: a view of the same kind and reach has that name.
        LimitExceeded: there are as many as there may be.
    """
    _check_reach(new.visibility, role)
    now = datetime.now(UTC)
    view = View(
        id=uuid7(),
        project_id=project_id,
        name=new.name,
        kind=new.kind,
        visibility=new.visibility,
        state=new.state,
        is_default=new.is_default,
        created_by=principal.user_id,
        created_at=now,
        updated_at=now,
        version=1,
    )
    async with database.acquire() as connection, connection.transaction():
        await lock_views(connection, project_id)
        await _check_room(connection, view)
        if view.is_default:
            await _clear_default(connection, view)
        with _name_free(view.name):
            await insert_view(connection, view)
    return view


async def change_view(
    database: Database,
    principal: Principal,
    view_id: UUID,
    role: Role,
    change: ViewChange,
    *,
    if_match: int | None,
) -> View:
    """Change what the patch names; a view that is made shared, or personal again, keeps its id.

    Raises:
        NotFound, Forbidden, ViewNameTaken, LimitExceeded: as for a new one.
        PreconditionFailed: it is no longer the version that `if_match` names.
    """
    async with database.acquire() as connection, connection.transaction():
        before = await _view(connection, principal, view_id)
        await lock_views(connection, before.project_id)
        before = await _view(connection, principal, view_id)
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        edited = before.model_copy(update=change.given)
        _check_reach(before.visibility, role)
        _check_reach(edited.visibility, role)
        if edited.visibility == "personal" and before.created_by != principal.user_id:
            msg = "Only its author can make a shared view personal."
            raise Forbidden(msg)
        if edited == before:
            return before
        if edited.visibility != before.visibility:
            await _check_room(connection, edited)
        if edited.is_default and (not before.is_default or edited.visibility != before.visibility):
            await _clear_default(connection, edited)
        with _name_free(edited.name):
            await update_view(connection, edited, at=datetime.now(UTC))
        return await _view(connection, principal, view_id)


async def remove_view(database: Database, principal: Principal, view_id: UUID, role: Role) -> None:
    """Delete a view.

    Raises:
        NotFound, Forbidden: as for a change.
    """
    async with database.acquire() as connection, connection.transaction():
        view = await _view(connection, principal, view_id)
        _check_reach(view.visibility, role)
        await delete_view(connection, view_id)


async def _view(connection: Connection, principal: Principal, view_id: UUID) -> View:
    view = await select_view(connection, view_id=view_id, user_id=principal.user_id)
    if view is None:
        raise NotFound
    return view


def _check_reach(visibility: Visibility, role: Role) -> None:
    if visibility == "shared" and not role.includes(Role.EDITOR):
        msg = f"Shared views need the role editor; yours is {role}."
        raise Forbidden(msg)


async def _check_room(connection: Connection, view: View) -> None:
    most = MAX_SHARED if view.visibility == "shared" else MAX_PERSONAL
    count = await count_views(
        connection,
        project_id=view.project_id,
        user_id=view.created_by,
        visibility=view.visibility,
    )
    if count >= most:
        msg = f"There are {count} {view.visibility} views, which is the most there may be."
        raise LimitExceeded(msg)


async def _clear_default(connection: Connection, view: View) -> None:
    await update_no_default(
        connection,
        project_id=view.project_id,
        user_id=view.created_by,
        visibility=view.visibility,
        kind=view.kind,
    )


@contextmanager
def _name_free(name: str) -> Generator[None]:
    taken = ViewNameTaken(f"There is a view {name!r} already.")
    with (
        constraint("views_personal_name_key", otherwise=taken),
        constraint("views_shared_name_key", otherwise=taken),
    ):
        yield
