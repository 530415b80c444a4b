"""Errors as problem details (RFC 9457): raised anywhere, answered in one place."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import ClassVar

import orjson
from aiohttp import web

from servicekit.tracing import current_trace_id


class Problem(Exception):
    """Something failed on our side."""

    code: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str | int]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title())
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    @classmethod
    def title(cls) -> str:
        """The first line of the class docstring: the same words for everyone."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]

    def document(self) -> dict[str, object]:
        """The problem as JSON members, with the trace that leads to the log."""
        body: dict[str, object] = {
            "type": f"/problems/{self.code}",
            "title": self.title(),
            "status": self.status,
        }
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = self.errors
        return body | {"trace_id": current_trace_id()}


class Malformed(Problem):
    """The request cannot be read."""

    code, status = "malformed", 400


class InvalidCursor(Problem):
    """The cursor does not belong to this list."""

    code, status = "invalid-cursor", 400


class Unauthenticated(Problem):
    """This needs a valid token."""

    code, status = "unauthenticated", 401

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """You may not do this."""

    code, status = "forbidden", 403


class NotFound(Problem):
    """There is nothing here, or you may not see it."""

    code, status = "not-found", 404


class MethodNotAllowed(Problem):
    """This address does not take that method."""

    code, status = "method-not-allowed", 405


class RequestTimeout(Problem):
    """The request arrived too slowly."""

    code, status = "request-timeout", 408

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Connection": "close"})


class Conflict(Problem):
    """The request contradicts what is stored."""

    code, status = "conflict", 409


class ProjectArchived(Conflict):
    """The project is archived and takes no changes."""

    code = "project-archived"


class PreconditionFailed(Problem):
    """Somebody else changed this in the meantime."""

    code, status = "precondition-failed", 412


class TooLarge(Problem):
    """The request body is larger than this route takes."""

    code, status = "too-large", 413


class UnsupportedMediaType(Problem):
    """The request body must be JSON."""

    code, status = "unsupported-media-type", 415


class Invalid(Problem):
    """The request does not have the documented shape."""

    code, status = "invalid", 422


class TooManyRequests(Problem):
    """Too many requests; try again later."""

    code, status = "too-many-requests", 429

    def __init__(self, detail: str = "", *, retry_after: float = 1) -> None:
        # Rounded up: who waits so long is let in.
        super().__init__(detail, headers={"Retry-After": str(max(1, ceil(retry_after)))})


class Unavailable(Problem):
    """Something this needs does not answer; try again shortly."""

    code, status = "unavailable", 503

    def __init__(self, detail: str = "", *, retry_after: float = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(max(1, round(retry_after)))})


class RequestRefused(Problem):
    """The request could not be served."""

    code = "request-refused"


def respond(problem: Problem, status: int | None = None) -> web.Response:
    """The problem as an HTTP answer; `status` overrides where HTTP itself chose one."""
    document = problem.document() | ({"status": status} if status else {})
    return respond_with(
        problem, document, status=status or problem.status, media_type="application/problem+json"
    )


def respond_with(
    problem: Problem, document: Mapping[str, object], *, status: int, media_type: str
) -> web.Response:
    """The problem in other words than its own, with its headers."""
    response = web.Response(
        status=status,
        body=orjson.dumps(document),
        content_type=media_type,
        headers=problem.headers,
    )
    if response.headers.get("Connection") == "close":
        response.force_close()
    return response
