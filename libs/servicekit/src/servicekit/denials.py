"""Who was refused what: a 403 is a row of the audit trail."""

from typing import Protocol
from uuid import UUID

import structlog
from aiohttp import web
from pydantic import Field

from servicekit.database import DATABASE, TROUBLE
from servicekit.events import EventKind, current_address
from servicekit.fields import Answer
from servicekit.identity import PRINCIPAL
from servicekit.lately import LATELY
from servicekit.outbox import note
from servicekit.problems import Forbidden, Problem

log = structlog.get_logger()

MOST_PATH = 500

ACTS_IN = web.RequestKey("acts_in", UUID)
"""The project that the request acts in, of which the caller is a member."""


class Denied(Protocol):
    """What a service does about a refusal before it is answered."""

    async def __call__(self, request: web.Request, problem: Problem, /) -> None: ...


DENIED: web.AppKey[Denied] = web.AppKey("denied", Denied)


class DenialData(Answer):
    """What was asked for, and why it was refused."""

    method: str
    route: str | None
    path: str = Field(description="The first 500 characters.")
    reason: str | None


ACCESS_DENIED = EventKind(
    "access.denied",
    "Somebody signed in asked for what is not theirs to do.",
    subject="project",
    data=DenialData,
)


async def note_denial(request: web.Request, problem: Problem) -> None:
    """Tell the audit trail of a 403; of one caller and address once in five minutes.

    A subclass of `Forbidden` is no denial but another answer, or one that another service noted.
    """
    principal = request.get(PRINCIPAL)
    if principal is None or type(problem) is not Forbidden or DATABASE not in request.app:
        return
    resource = request.match_info.route.resource
    project_id = request.get(ACTS_IN)
    data = DenialData(
        method=request.method,
        route=resource.canonical if resource else None,
        path=request.path[:MOST_PATH],
        reason=problem.detail,
    )
    # What was asked for has a project, or it is the caller alone of whom something is known.
    event = ACCESS_DENIED.event(
        data, project_id=project_id, subject_id=project_id or principal.user_id
    )
    if project_id is None:
        subject = event.subject.model_copy(update={"kind": principal.kind})
        event = event.model_copy(update={"subject": subject})

    async def write() -> None:
        async with request.app[DATABASE].acquire() as connection:
            await note(connection, [event], result="denied")

    try:
        key = ("denied", principal.key, current_address(), request.method, request.path)
        await request.app[LATELY].once(key, write)
    except TROUBLE:
        # The caller is refused all the same.
        log.warning("denial.not_noted", path=request.path)
