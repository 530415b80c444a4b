"""A small service that uses every part of the kit: what the tests knock at."""

import asyncio
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.web import Request
from pydantic import Field, JsonValue
from servicekit import policy
from servicekit.application import Context, application
from servicekit.database import Connection, Database, constraint, database, fetch_all, fetch_one
from servicekit.fields import Answer, Body, Name, Text
from servicekit.idempotency import request_database
from servicekit.identity import Identity
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import Conflict, PreconditionFailed
from servicekit.routing import Routes

routes = Routes("notes")


class TitleTaken(Conflict):
    """Another note of this project has that title."""

    code = "title-taken"


class NewNote(Body):
    title: Name
    text: Text = ""
    weight: float = 1.0
    extra: dict[str, JsonValue] = Field(default_factory=dict)


class NoteChange(Body):
    title: Name


class NoteQuery(PageQuery):
    tag: list[str] = Field(default_factory=list)


class Note(Answer):
    id: UUID
    project_id: UUID
    title: str
    version: int


async def select_project(connection: Connection, note_id: UUID) -> UUID | None:
    return await connection.fetchval("SELECT project_id FROM notes WHERE id = $1", note_id)


OF_NOTE = policy.row("note_id", select_project)


@routes.post(
    "/api/v1/projects/{project_id}/notes",
    policy=policy.editor(),
    raises=(TitleTaken,),
    idempotent=True,
    body_limit=4096,
)
async def write_note(request: Request, project_id: UUID, body: NewNote) -> Note:
    """Write a note."""
    return await insert(request_database(request), project_id, body)


@routes.get("/api/v1/projects/{project_id}/notes", policy=policy.viewer())
async def list_notes(request: Request, project_id: UUID, query: NoteQuery) -> Page[Note]:
    """List notes by title."""
    after = Cursor.decode(query.cursor, sort="title").value_as(str) if query.cursor else ""
    async with request_database(request).acquire() as connection:
        notes = await fetch_all(
            connection,
            Note,
            "SELECT id, project_id, title, version FROM notes"
            " WHERE project_id = $1 AND title > $2 ORDER BY title LIMIT $3",
            project_id,
            after,
            query.limit + 1,
        )
    return page_of(
        notes, limit=query.limit, cursor=lambda note: Cursor(sort="title", value=note.title)
    )


@routes.patch("/api/v1/notes/{note_id}", policy=policy.editor(OF_NOTE))
async def change_note(
    request: Request, note_id: UUID, body: NoteChange, if_match: int | None
) -> Note:
    """Change a note."""
    async with request_database(request).acquire() as connection:
        row = await connection.fetchrow(
            "UPDATE notes SET title = $2, version = version + 1"
            " WHERE id = $1 AND ($3::int IS NULL OR version = $3)"
            " RETURNING id, project_id, title, version",
            note_id,
            body.title,
            if_match,
        )
    if row is None:
        raise PreconditionFailed
    return Note.model_validate(dict(row))


@routes.get("/api/v1/crash", policy=policy.public())
async def crash(request: Request) -> Note:
    """Fail in a way nobody foresaw."""
    raise ZeroDivisionError("secret internals")


@routes.get("/api/v1/admin/door", policy=policy.admin())
async def admin_door(request: Request) -> None:
    """Only for administrators."""


@routes.post("/api/v1/slow", policy=policy.public(), status=200)
async def slow(request: Request, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Take a while."""
    await asyncio.sleep(0.3)
    return body or {}


async def insert(database: Database, project_id: UUID, new: NewNote) -> Note:
    async with database.acquire() as connection, connection.transaction():
        with constraint("notes_title_key", otherwise=TitleTaken(f"{new.title!r} is in use.")):
            return await fetch_one(
                connection,
                Note,
                "INSERT INTO notes (project_id, title) VALUES ($1, $2)"
                " RETURNING id, project_id, title, version",
                project_id,
                new.title,
            )


@routes.get("/api/v1/cheap", policy=policy.public())
async def cheap(request: Request) -> None:
    """Cost what most requests cost."""


@routes.get("/api/v1/costly", policy=policy.public(), limit="costly")
async def costly(request: Request) -> None:
    """Cost much."""


@routes.get("/api/v1/recorded", policy=policy.signed_in(), limit="ingest")
async def recorded(request: Request) -> None:
    """Stand for a batch."""


@routes.get("/api/v1/inside", policy=policy.public(), limit="inside")
async def inside(request: Request) -> None:
    """Be asked by other services."""


@routes.get("/api/v1/free", policy=policy.public(), limit="none")
async def free(request: Request) -> None:
    """Cost nothing."""


@routes.get("/api/v1/mine", policy=policy.signed_in())
async def mine(request: Request) -> None:
    """Only for whoever is signed in."""


def create_app(database_url: str, identity: Identity, *more: Context) -> web.Application:
    return application(
        name="notes",
        version="1",
        routes=[routes],
        contexts=[database(database_url, schema="notes", size=5), *more],
        identity=identity,
    )
