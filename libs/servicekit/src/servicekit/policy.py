"""Who may call a route; a route that does not say so stops the service from starting.

The project of a request always comes from the path or from the row that the path
names, never from a header or a body.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

from aiohttp import web

from servicekit.database import DATABASE, Connection, Database
from servicekit.denials import ACTS_IN
from servicekit.events import note_actor
from servicekit.identity import ACCESS, PRINCIPAL, Identity, Principal, Role, bearer_token
from servicekit.problems import Forbidden, NotFound, ProjectArchived, Unauthenticated

_GUESTS_READ = "It belongs to another project, whose members alone may do this."
_PEOPLE_ONLY = "An API token may not do this; sign in instead."
_SENSORS_ONLY = "Only a sensor may do this, by its own token."
_NO_SENSORS = "A sensor may send its readings, and nothing else."

SERVICE_SECRETS = web.AppKey("service_secrets", tuple[bytes, ...])
"""What services know each other by; where there is none, no route is for services."""


class ProjectOf(Protocol):
    """How a route finds the project that it acts in.

    Of several the first is the home: it alone decides on changes, the others only show.
    """

    async def __call__(
        self, database: Database, path: Mapping[str, Any]
    ) -> UUID | Sequence[UUID] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who is let in: anybody, the signed in, people, administrators, members, sensors, services."""

    kind: Literal["public", "signed_in", "person", "admin", "member", "sensor", "service"]
    role: Role | None = None
    project: ProjectOf | None = None
    when_archived: bool = True
    people_only: bool = False

    def __str__(self) -> str:
        """As it stands in the OpenAPI document under `x-policy`."""
        return str(self.role) if self.role else self.kind

    async def admit(
        self, request: web.Request, identity: Identity, path: Mapping[str, Any]
    ) -> None:
        """Let the request in and note who it is, or refuse it.

        Raises:
            Unauthenticated: no valid credentials where some are needed.
            NotFound: no such row, or a project that the caller has no part in.
            Forbidden: a member whose role, or a program whose token, does not reach.
            ProjectArchived: a change in an archived project.
        """
        if self.kind == "public":
            return
        if self.kind == "service":
            _admit_service(request)
            return
        # Asked every time: an open stream comes back here to hear whether it may go on.
        await self.allow(request, identity, await identity.identify(request), path)

    async def allow(
        self,
        request: web.Request,
        identity: Identity,
        principal: Principal | None,
        path: Mapping[str, Any],
    ) -> None:
        """Let the principal in and note who it is, or refuse it; see `admit`."""
        if principal is None:
            raise Unauthenticated
        request[PRINCIPAL] = principal
        note_actor(principal)
        if (self.kind == "sensor") != (principal.kind == "sensor"):
            raise Forbidden(_SENSORS_ONLY if self.kind == "sensor" else _NO_SENSORS)
        if self.kind in {"person", "admin"} and principal.kind != "user":
            raise Forbidden(_PEOPLE_ONLY)
        if self.kind == "admin" and not await identity.is_admin(request, principal):
            msg = "Only an administrator may do this."
            raise Forbidden(msg)
        if self.role and self.project:
            await self._admit_member(request, identity, principal, self.role, self.project, path)

    async def _admit_member(
        self,
        request: web.Request,
        identity: Identity,
        principal: Principal,
        role: Role,
        project: ProjectOf,
        path: Mapping[str, Any],
    ) -> None:
        found = await project(request.app[DATABASE], path)
        projects = [found] if isinstance(found, UUID) else list(found or [])
        access = None
        for project_id in projects:
            if access := await identity.access(request, principal, project_id):
                break
        if not access:
            raise NotFound
        request[ACTS_IN] = access.project_id
        if role != Role.VIEWER and access.project_id != projects[0]:
            raise Forbidden(_GUESTS_READ)
        if not access.role.includes(role):
            msg = f"This needs the role {role}; yours is {access.role}."
            raise Forbidden(msg)
        if self.people_only and principal.kind != "user":
            raise Forbidden(_PEOPLE_ONLY)
        if access.archived and not self.when_archived:
            raise ProjectArchived
        request[ACCESS] = access


def _admit_service(request: web.Request) -> None:
    secrets = request.app.get(SERVICE_SECRETS, ())
    if not secrets:
        raise NotFound
    given = (bearer_token(request) or "").encode(errors="surrogateescape")
    # Every secret is compared, so that the time tells neither how far nor which one.
    equal = [hmac.compare_digest(given, secret) for secret in secrets]
    if not any(equal):
        raise Unauthenticated


async def _project_in_path(
    database: Database,  # noqa: ARG001 - the signature of ProjectOf
    path: Mapping[str, Any],
) -> UUID | None:
    return path["project_id"]


def row(parameter: str, select: Callable[[Connection, UUID], Awaitable[UUID | None]]) -> ProjectOf:
    """The project of the row that the path parameter names, found by `select`."""

    async def project_of_row(database: Database, path: Mapping[str, Any]) -> UUID | None:
        async with database.acquire() as connection:
            return await select(connection, path[parameter])

    return project_of_row


def rows(
    parameter: str, select: Callable[[Connection, UUID], Awaitable[Sequence[UUID]]]
) -> ProjectOf:
    """The projects that share the row which the path parameter names, its home first."""

    async def projects_of_row(database: Database, path: Mapping[str, Any]) -> Sequence[UUID]:
        async with database.acquire() as connection:
            return await select(connection, path[parameter])

    return projects_of_row


def public() -> Policy:
    """Anybody."""
    return Policy(kind="public")


def signed_in() -> Policy:
    """Whoever has valid credentials: a person or a program."""
    return Policy(kind="signed_in")


def person() -> Policy:
    """People with a session; API tokens are refused."""
    return Policy(kind="person")


def sensor() -> Policy:
    """Sensors, by their own tokens."""
    return Policy(kind="sensor")


def service() -> Policy:
    """Other services of this Runbench, by SERVICE_SECRET; the gateway leads nobody there."""
    return Policy(kind="service")


def admin() -> Policy:
    """People who manage the platform."""
    return Policy(kind="admin")


def viewer(
    project: ProjectOf = _project_in_path,
    *,
    when_archived: bool = True,
    people_only: bool = False,
) -> Policy:
    """Members of the project: they may read; `people_only` refuses their programs."""
    return Policy(
        kind="member",
        role=Role.VIEWER,
        project=project,
        when_archived=when_archived,
        people_only=people_only,
    )


def editor(project: ProjectOf = _project_in_path) -> Policy:
    """Members who may write; not while the project is archived."""
    return Policy(kind="member", role=Role.EDITOR, project=project, when_archived=False)


def owner(
    project: ProjectOf = _project_in_path,
    *,
    when_archived: bool = False,
    people_only: bool = False,
) -> Policy:
    """Owners of the project; `when_archived` for what brings it back."""
    return Policy(
        kind="member",
        role=Role.OWNER,
        project=project,
        when_archived=when_archived,
        people_only=people_only,
    )
