"""MLflow's dialect of HTTP: how its clients ask, what they are answered, how errors look.

A room named `mlflow` declares its calls here as `routing` does for our own API: a handler's
`message` is a pydantic model of the request, its result the JSON of the answer. Each call names
its policy and how the request leads to a project. Field names, habits and error codes are those
of MLflow 3 (its `service.proto` and `rest_store`); what a room answers is its own affair.
"""

import inspect
import math
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import UUID

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, from_json

from servicekit.application import IDENTITY, UnguardedRoute, problem_of
from servicekit.bodies import DEFAULT_LIMIT, holds_nul, read_body
from servicekit.denials import DENIED
from servicekit.events import note_actor
from servicekit.identity import ACCESS, PRINCIPAL, TAKES_BASIC
from servicekit.limits import Limit, count, identify_counted
from servicekit.policy import Policy
from servicekit.problems import (
    Conflict,
    Forbidden,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    respond_with,
)
from servicekit.routing import adapter_of, list_fields, plain

log = structlog.get_logger()

PREFIXES = ("/api", "/ajax-api")
"""Where MLflow's server answers: its client asks at the first, its web pages at the second."""

PROJECT_HEADER = "X-Runbench-Project"

NOBODYS = UUID(int=0)
"""What an id of another shape than ours means: the id of nothing."""

_OUR_ID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_THEIR_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")


# Errors


class MlflowError(Problem):
    """The request failed."""

    error_code: ClassVar[str] = "INTERNAL_ERROR"


class InvalidParameter(MlflowError):
    """A value of the request is not valid."""

    code, status, error_code = "invalid-parameter", 400, "INVALID_PARAMETER_VALUE"


class DoesNotExist(MlflowError):
    """There is nothing of that name or id, or you may not see it."""

    code, status, error_code = "does-not-exist", 404, "RESOURCE_DOES_NOT_EXIST"


class AlreadyExists(MlflowError):
    """There is one of that name already."""

    code, status, error_code = "already-exists", 400, "RESOURCE_ALREADY_EXISTS"


class EndpointNotFound(MlflowError):
    """Runbench does not have this part of MLflow's API."""

    code, status, error_code = "endpoint-not-found", 404, "ENDPOINT_NOT_FOUND"


SERVER_ERRORS = 500
_ERROR_CODES: Mapping[type[Problem], str] = {
    Unauthenticated: "UNAUTHENTICATED",
    Forbidden: "PERMISSION_DENIED",
    NotFound: "RESOURCE_DOES_NOT_EXIST",
    Conflict: "RESOURCE_CONFLICT",
    TooManyRequests: "REQUEST_LIMIT_EXCEEDED",
    Unavailable: "TEMPORARILY_UNAVAILABLE",
}


def mlflow_error(problem: Problem) -> tuple[str, int]:
    """MLflow's error code of a problem, and the status that goes with it.

    Clients repeat a request after 408, 429, 500, 502, 503 and 504, so that only what may pass
    by itself has one of these.
    """
    if isinstance(problem, MlflowError):
        return problem.error_code, problem.status
    for kind, error_code in _ERROR_CODES.items():
        if isinstance(problem, kind):
            return error_code, problem.status
    if problem.status in {400, 415, 422}:
        return "INVALID_PARAMETER_VALUE", 400
    return "BAD_REQUEST" if problem.status < SERVER_ERRORS else "INTERNAL_ERROR", problem.status


def answer_error(problem: Problem) -> web.Response:
    """The problem as MLflow clients read it."""
    error_code, status = mlflow_error(problem)
    message = " ".join([problem.detail or problem.title(), *_each(problem.errors)])
    return respond_with(
        problem,
        {"error_code": error_code, "message": message},
        status=status,
        media_type="application/json",
    )


def _each(errors: Iterable[Mapping[str, object]]) -> Iterator[str]:
    for error in errors:
        where = str(error.get("pointer") or error.get("parameter") or "").removeprefix("#/")
        yield f"{where}: {error['detail']}." if where else f"{error['detail']}."


# Numbers


def number(value: float) -> float | str:
    """A float as it stands in an answer: JSON has no number for the three that are not finite."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


# Requests


class Message(BaseModel):
    """What a request says: fields that we do not know are ignored, numbers may come as text."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def required(value: object) -> object:
    """Refuse an empty text where MLflow takes it for a missing one."""
    if value == "":
        raise PydanticCustomError("missing", "Field required")
    return value


def our_id(text: object) -> object:
    """An id of a run, experiment or model as clients hold it: our UUID as 32 hex digits.

    Raises:
        ValueError: it is none that any MLflow server could have given.
    """
    if not isinstance(text, str):
        return text
    if _OUR_ID.fullmatch(text):
        return UUID(text)
    required(text)
    if not _THEIR_ID.fullmatch(text):
        msg = f"{text[:300]!r} is no id"
        raise ValueError(msg)
    return NOBODYS


type Required = Annotated[str, BeforeValidator(required)]
"""A text that must be there."""

type Id = Annotated[UUID, BeforeValidator(our_id)]
"""The id of a run or a model; one that is not ours becomes one that nobody has."""


type Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""A whole number, which may come as text."""


async def read_message[M](
    request: web.Request, adapter: TypeAdapter[M], lists: frozenset[str], limit: int
) -> M:
    """The request as MLflow reads it: a GET from behind the `?`, all others from their JSON.

    Raises:
        InvalidParameter: it is not JSON, lacks something, or holds what does not fit.
        TooLarge, RequestTimeout: see `bodies.read_body`.
    """
    try:
        in_path = {name: plain(value) for name, value in request.match_info.items()}
        if request.method in {"GET", "HEAD"} and (request.query or in_path):
            return adapter.validate_python(_in_query(request, lists) | in_path)
        raw = await read_json(request, limit=limit)
        if in_path:
            return adapter.validate_python(_object(raw or b"{}") | in_path)
        return adapter.validate_json(raw or b"{}")
    except ValidationError as exc:
        raise InvalidParameter(" ".join(_mistakes(exc))) from exc


async def read_json(request: web.Request, *, limit: int) -> bytes:
    """The body of a request, as far as that can be told of it unread.

    Raises:
        InvalidParameter: it is not declared as JSON, or holds a NUL.
        TooLarge, RequestTimeout: see `bodies.read_body`.
    """
    raw = await read_body(request, limit=limit)
    if raw and request.content_type != "application/json":
        msg = f"Send application/json, not {request.content_type}."
        raise InvalidParameter(msg)
    if holds_nul(raw):
        msg = "A text must not contain the NUL character."
        raise InvalidParameter(msg)
    return raw


def _in_query(request: web.Request, lists: frozenset[str]) -> dict[str, object]:
    given = request.query
    values = {name: [plain(value) for value in given.getall(name)] for name in given}
    return {name: several if name in lists else several[0] for name, several in values.items()}


def _object(raw: bytes) -> dict[str, object]:
    try:
        return TypeAdapter(dict[str, object]).validate_python(from_json(raw))
    except ValueError as exc:
        msg = "The body is not a JSON object."
        raise InvalidParameter(msg) from exc


def _mistakes(exc: ValidationError) -> Iterator[str]:
    for error in exc.errors(include_url=False, include_context=False)[:20]:
        where = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]
        ).removeprefix(".")
        if error["type"] == "missing" or (error["input"] is None and where):
            yield f"Missing value for required parameter '{where}'."
        elif error["type"] == "json_invalid":
            yield f"The body is not JSON: {error['msg']}."
        else:
            message = error["msg"].removeprefix("Value error, ")
            yield f"Invalid value for parameter '{where}': {message}."


# The project


async def chosen_project(request: web.Request, name: str | None = None) -> UUID:
    """The project that the request is about, where no row of ours says it.

    It is the one that the API token is limited to. A person's own token has no such limit: then
    the header `X-Runbench-Project` names it by id or slug, or else the experiment's name does
    with `slug/` before it.

    Raises:
        InvalidParameter: nothing says which project is meant.
        Forbidden: the header names another project than the token's.
        DoesNotExist: the caller is a member of no such project.
    """
    principal = request[PRINCIPAL]
    given = request.headers.get(PROJECT_HEADER)
    if principal.scope and given is None:
        return principal.scope.project_id
    slug, slash, _ = (name or "").partition("/")
    wanted = given or (slug if slash else None)
    if wanted is None:
        msg = (
            "Which project? Use an API token, which belongs to one, send its id or slug in the"
            f" header {PROJECT_HEADER}, or write its slug before the experiment's name: slug/name."
        )
        raise InvalidParameter(msg)
    project_id = await _project_named(request, wanted)
    if principal.scope and principal.scope.project_id != project_id:
        msg = f"The API token belongs to another project than {PROJECT_HEADER} names."
        raise Forbidden(msg)
    if project_id is None:
        msg = f"There is no project {wanted!r}, or you have no part in it."
        raise DoesNotExist(msg)
    return project_id


async def _project_named(request: web.Request, wanted: str) -> UUID | None:
    if _OUR_ID.fullmatch(wanted):
        return UUID(wanted)
    return await request.app[IDENTITY].find_project(request, request[PRINCIPAL], wanted)


def is_named_by_prefix(request: web.Request) -> bool:
    """Whether experiments are called `slug/name` here: nothing else says which project."""
    return request[PRINCIPAL].scope is None and PROJECT_HEADER not in request.headers


def name_in_project(request: web.Request, name: str) -> str:
    """An experiment's name without the project that it may begin with."""
    prefix, _, rest = name.partition("/")
    access = request[ACCESS]
    return rest if is_named_by_prefix(request) and prefix == access.slug else name


def shown_name(request: web.Request, name: str) -> str:
    """An experiment's name as the client has to say it."""
    return f"{request[ACCESS].slug}/{name}" if is_named_by_prefix(request) else name


# Calls

type Finder = Callable[[web.Request, Any], Awaitable[UUID | None]]
"""How a request and its message lead to the project; None where there is no such row."""


async def project_chosen(request: web.Request, message: Message) -> UUID:  # noqa: ARG001
    """The project of calls that name no row: see `chosen_project`."""
    return await chosen_project(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One method on one path of MLflow's API."""

    method: str
    path: str
    policy: Policy | None
    project: Finder
    handler: Callable[..., Awaitable[Any]]
    message: TypeAdapter[Any] | None
    read: Callable[[bytes], Any] | None
    lists: frozenset[str]
    body_limit: int
    limit: Limit

    @property
    def paths(self) -> list[str]:
        """Every address of it: `/api/2.0/mlflow/…` and `/ajax-api/2.0/mlflow/…`."""
        if self.path.startswith("/"):
            return [self.path]
        return [f"{prefix}/{self.path}" for prefix in PREFIXES]


class Calls:
    """The calls of one module of an `mlflow` room, in reading order.

    A path without a slash before it stands below `/api` and `/ajax-api`: `2.0/mlflow/runs/get`.
    Parameters of the path are fields of the message.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def add[H: Callable[..., Awaitable[Any]]](
        self,
        method: str,
        path: str,
        *,
        policy: Policy,
        project: Finder = project_chosen,
        body_limit: int = DEFAULT_LIMIT,
        read: Callable[[bytes], Any] | None = None,
        limit: Limit = "ordinary",
    ) -> Callable[[H], H]:
        """A call; its handler takes the request, and the `message` unless it reads by itself.

        `read` makes the message of the JSON in the place of pydantic, where a body is too long
        to become an object for each of its parts.
        """

        def register(handler: H) -> H:
            signature = inspect.signature(handler, eval_str=True)
            parameter = signature.parameters.get("message")
            message = adapter_of(parameter.annotation) if parameter and not read else None
            self.calls.append(
                Call(
                    method=method,
                    path=path,
                    policy=policy,
                    project=project,
                    handler=handler,
                    message=message,
                    read=read,
                    lists=list_fields(message) if message else frozenset(),
                    body_limit=body_limit,
                    limit=limit,
                )
            )
            return handler

        return register


def doors(calls: Iterable[Call]) -> list[web.RouteDef]:
    """The calls as routes for `application(doors=…)`.

    Raises:
        UnguardedRoute: a call without a policy.
    """
    found: list[web.RouteDef] = []
    for call in calls:
        if call.policy is None:
            raise UnguardedRoute(f"{call.method} {call.path}")
        handler = _serve(call, call.policy)
        found += [web.route(call.method, path, handler) for path in call.paths]
    return found


def _serve(call: Call, policy: Policy) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return _answer(await _call(call, policy, request))
        except Problem as problem:
            log.info("request.problem", code=problem.code, detail=problem.detail)
            await request.app[DENIED](request, problem)
            return answer_error(problem)
        except web.HTTPException:
            raise
        except Exception as exc:
            return answer_error(problem_of(exc))

    return serve


async def _call(call: Call, policy: Policy, request: web.Request) -> object:
    request[TAKES_BASIC] = True
    message: Any = None
    if policy.kind == "public":
        await count(request, call.limit)
    else:
        principal = await identify_counted(request, request.app[IDENTITY], call.limit)
        if principal is None:
            msg = (
                "Set MLFLOW_TRACKING_TOKEN to an API token of Runbench, or"
                " MLFLOW_TRACKING_PASSWORD beside any MLFLOW_TRACKING_USERNAME."
            )
            raise Unauthenticated(msg)
        request[PRINCIPAL] = principal
        note_actor(principal)
    if call.read:
        message = call.read(await read_json(request, limit=call.body_limit))
    elif call.message:
        message = await read_message(request, call.message, call.lists, call.body_limit)
    if policy.kind == "member":
        project_id = await call.project(request, message)
        await policy.admit(request, request.app[IDENTITY], {"project_id": project_id})
    if call.read or call.message:
        return await call.handler(request, message)
    return await call.handler(request)


def _answer(result: object) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    return web.Response(body=orjson.dumps(result or {}), content_type="application/json")
