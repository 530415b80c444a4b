"""Endpoints: a handler's signature is its contract.

A handler takes the request first, then any of: path parameters by their own
names, `query` and `body` (pydantic models) and `if_match` (the version that an
If-Match header names). Its return annotation is the response. The same
signature validates requests and writes the OpenAPI document.

The last parameter of a path may be written `{name...}`: it takes the rest of the
address, slashes and all, decoded once.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from servicekit.bodies import (
    DEFAULT_LIMIT,
    check_json,
    check_json_type,
    escape_pointer,
    read_body,
)
from servicekit.limits import Limit
from servicekit.policy import Policy
from servicekit.problems import Invalid, Malformed, Problem

type Handler = Callable[..., Awaitable[Any]]

_PARAMETER = re.compile(r"{(\w+)}")
_REST = re.compile(r"{(\w+)\.\.\.}$")
_ETAG = re.compile(r'"(\d{1,18})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method on one path, with everything the contract says about it."""

    method: str
    path: str
    tag: str
    status: int
    policy: Policy | None
    raises: tuple[type[Problem], ...]
    handler: Handler
    path_parameters: Mapping[str, TypeAdapter[Any]]
    query: TypeAdapter[Any] | None
    body: TypeAdapter[Any] | None
    returns: TypeAdapter[Any] | None
    body_limit: int = DEFAULT_LIMIT
    body_optional: bool = False
    takes_if_match: bool = False
    idempotent: bool = False
    streams: bool = False
    takes: str = ""
    describes: TypeAdapter[Any] | None = None
    sends: tuple[str, ...] = ()
    rest: str = ""
    limit: Limit = "ordinary"
    lists: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def pattern(self) -> str:
        """The path as the router takes it."""
        return (
            self.path.replace(f"{{{self.rest}}}", f"{{{self.rest}:(?s:.+)}}")
            if self.rest
            else self.path
        )

    def path_arguments(self, request: web.Request) -> dict[str, Any]:
        """The path's parameters as the handler's annotations say.

        Raises:
            Invalid: one does not fit.
        """
        values: dict[str, Any] = {}
        for name, adapter in self.path_parameters.items():
            given = self._given(request, name)
            try:
                values[name] = adapter.validate_python(plain(given))
            except ValidationError as exc:
                raise Invalid(errors=_parameter_errors(exc, name)) from exc
        return values

    async def arguments(self, request: web.Request) -> tuple[dict[str, Any], bytes]:
        """What the handler takes beside the path, and the body as it came.

        Raises:
            Malformed, Invalid, TooLarge, UnsupportedMediaType, RequestTimeout: see `bodies`.
        """
        values: dict[str, Any] = {}
        if self.query:
            values["query"] = self._query(self.query, request)
        if self.takes_if_match:
            values["if_match"] = _if_match(request)
        raw = b""
        if self.body:
            raw = await read_body(request, limit=self.body_limit)
            values["body"] = self._body(self.body, request, raw)
        return values, raw

    def answer(self, result: object) -> web.StreamResponse:
        """The handler's result as HTTP: JSON, nothing, or a stream that it made itself."""
        if isinstance(result, web.StreamResponse):
            return result
        if self.returns is None:
            return web.Response(status=self.status)
        response = web.Response(
            status=self.status,
            body=self.returns.dump_json(result),
            content_type="application/json",
        )
        # What has versions in another sense counts its editions.
        version = getattr(result, "edition", getattr(result, "version", None))
        if isinstance(version, int):
            response.headers["ETag"] = f'"{version}"'
        elif isinstance(etag := getattr(result, "etag", None), str):
            response.headers["ETag"] = f'"{etag}"'
        return response

    def _given(self, request: web.Request, name: str) -> str:
        if name != self.rest:
            return request.match_info[name]
        return rest_of_path(request, after=self.path.split("/").index(f"{{{name}}}"))

    def _query(self, adapter: TypeAdapter[Any], request: web.Request) -> Any:
        values: dict[str, Any] = {}
        for name in request.query:
            given = [plain(value) for value in request.query.getall(name)]
            if name in self.lists:
                values[name] = given
            elif len(given) > 1:
                raise Invalid(errors=[{"parameter": name, "detail": "may be given once"}])
            else:
                values[name] = given[0]
        try:
            return adapter.validate_python(values)
        except ValidationError as exc:
            raise Invalid(errors=_parameter_errors(exc)) from exc

    def _body(self, adapter: TypeAdapter[Any], request: web.Request, raw: bytes) -> Any:
        if not raw and self.body_optional:
            return None
        check_json_type(request)
        check_json(raw)
        try:
            return adapter.validate_json(raw, strict=True)
        except ValidationError as exc:
            if exc.errors()[0]["type"] == "json_invalid":
                msg = "The body is nested too deeply."
                raise Malformed(msg) from exc
            raise Invalid(errors=list(_body_errors(exc))) from exc


class Routes:
    """The endpoints of one routes module, in reading order."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.endpoints: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self.endpoints)

    def get[H: Handler](
        self,
        path: str,
        *,
        policy: Policy,
        raises: tuple[type[Problem], ...] = (),
        streams: bool = False,
        sends: tuple[str, ...] = (),
        limit: Limit = "ordinary",
    ) -> Callable[[H], H]:
        """A read; `streams` for a handler that answers an event stream, `sends` for one that
        answers bytes of one of these media types, `limit` for what it costs its caller."""
        return self._add("GET", path, policy, raises, streams=streams, sends=sends, limit=limit)

    def head[H: Handler](
        self, path: str, *, policy: Policy, raises: tuple[type[Problem], ...] = ()
    ) -> Callable[[H], H]:
        """What a read would say of itself, without its body."""
        return self._add("HEAD", path, policy, raises)

    def post[H: Handler](
        self,
        path: str,
        *,
        policy: Policy,
        raises: tuple[type[Problem], ...] = (),
        status: int = 201,
        body_limit: int = DEFAULT_LIMIT,
        idempotent: bool = False,
        takes: str = "",
        describes: Any = None,
        sends: tuple[str, ...] = (),
        limit: Limit = "ordinary",
    ) -> Callable[[H], H]:
        """A creation (201), or with `status` an action; `limit` is what it costs its caller.

        `takes` and `describes` are for a handler that reads the body itself: as bytes of that media
        type, and as JSON that the model describes; `sends` is for one that answers bytes of one of
        these.

        `idempotent` lets the caller repeat it safely with an Idempotency-Key; every
        change of the handler must then go through `request[DATABASE]`.
        """
        return self._add(
            "POST",
            path,
            policy,
            raises,
            status=status,
            body_limit=body_limit,
            idempotent=idempotent,
            takes=takes,
            describes=adapter_of(describes) if describes else None,
            sends=sends,
            limit=limit,
        )

    def put[H: Handler](
        self,
        path: str,
        *,
        policy: Policy,
        raises: tuple[type[Problem], ...] = (),
        takes: str = "",
        limit: Limit = "ordinary",
    ) -> Callable[[H], H]:
        """A replacement; `takes` for a handler that reads bytes of that media type itself."""
        return self._add("PUT", path, policy, raises, takes=takes, limit=limit)

    def patch[H: Handler](
        self, path: str, *, policy: Policy, raises: tuple[type[Problem], ...] = ()
    ) -> Callable[[H], H]:
        """A change by JSON merge patch (RFC 7396)."""
        return self._add("PATCH", path, policy, raises)

    def delete[H: Handler](
        self, path: str, *, policy: Policy, raises: tuple[type[Problem], ...] = ()
    ) -> Callable[[H], H]:
        """A removal."""
        return self._add("DELETE", path, policy, raises)

    def _add[H: Handler](
        self,
        method: str,
        path: str,
        policy: Policy,
        raises: tuple[type[Problem], ...],
        *,
        status: int = 200,
        **more: Any,
    ) -> Callable[[H], H]:
        def register(handler: H) -> H:
            self.endpoints.append(
                _read_signature(handler, method, path, self.tag, policy, raises, status, more)
            )
            return handler

        return register


def _read_signature(
    handler: Handler,
    method: str,
    path: str,
    tag: str,
    policy: Policy,
    raises: tuple[type[Problem], ...],
    status: int,
    more: dict[str, Any],
) -> Endpoint:
    signature = inspect.signature(handler, eval_str=True)
    _request, *parameters = signature.parameters.values()
    annotations = {parameter.name: parameter.annotation for parameter in parameters}
    takes_if_match = annotations.pop("if_match", None) is not None
    rest = _REST.search(path)
    path = _REST.sub(r"{\1}", path)
    adapters = {name: adapter_of(annotation) for name, annotation in annotations.items()}
    query, body = adapters.pop("query", None), adapters.pop("body", None)
    if adapters.keys() != set(_PARAMETER.findall(path)):
        msg = f"{method} {path} and the parameters of {handler.__qualname__} disagree."
        raise TypeError(msg)
    returns = signature.return_annotation
    typed = returns is not None and not _is_response(returns)
    # None is refused with a name for it where the application is put together.
    if getattr(policy, "kind", None) == "service":
        more["limit"] = "inside"
    return Endpoint(
        method=method,
        path=path,
        tag=tag,
        status=204 if returns is None else status,
        policy=policy,
        raises=raises,
        handler=handler,
        path_parameters=adapters,
        query=query,
        body=body,
        body_optional=body is not None and _takes_none(body),
        returns=adapter_of(returns) if typed else None,
        takes_if_match=takes_if_match,
        rest=rest[1] if rest else "",
        lists=list_fields(query) if query else frozenset(),
        **more,
    )


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """Validation and schema of whatever an annotation names."""
    return TypeAdapter(annotation)


def _is_response(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, web.StreamResponse)


def _takes_none(adapter: TypeAdapter[Any]) -> bool:
    try:
        adapter.validate_python(None)
    except ValidationError:
        return False
    return True


def list_fields(adapter: TypeAdapter[Any]) -> frozenset[str]:
    """The fields that may be given several times."""
    properties = cast("dict[str, dict[str, Any]]", adapter.json_schema().get("properties", {}))
    return frozenset(
        name
        for name, schema in properties.items()
        if any(part.get("type") == "array" for part in [schema, *schema.get("anyOf", [])])
    )


def rest_of_path(request: web.Request, *, after: int) -> str:
    """What follows the first slashes of the address, decoded once.

    It is read from the address as it came: what aiohttp hands out no longer tells `%25` from
    `%2525`, nor what is no UTF-8 from its escape.

    Raises:
        Malformed: it is not UTF-8.
    """
    raw = request.rel_url.raw_path.split("/", after)[after]
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as exc:
        msg = "The address is not UTF-8."
        raise Malformed(msg) from exc


def plain(text: str) -> str:
    """Refuse what no parameter may hold: NUL, and bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        msg = "The address is not UTF-8."
        raise Malformed(msg) from exc
    if "\0" in text:
        msg = "The address must not contain the NUL character."
        raise Invalid(msg)
    return text


def _if_match(request: web.Request) -> int | None:
    value = request.headers.get("If-Match")
    if value is None or value.strip() == "*":
        return None
    match = _ETAG.fullmatch(value.strip())
    if match is None:
        msg = 'If-Match takes the ETag of an earlier answer, for example "3".'
        raise Malformed(msg)
    return int(match[1])


def _parameter_errors(exc: ValidationError, name: str | None = None) -> list[dict[str, str]]:
    return [
        {
            "parameter": name or str(error["loc"][0] if error["loc"] else ""),
            "detail": _sentence(error["msg"]),
        }
        for error in exc.errors(include_url=False, include_context=False, include_input=False)
    ]


def _body_errors(exc: ValidationError) -> Iterator[dict[str, str]]:
    for error in exc.errors(include_url=False, include_context=False, include_input=False):
        # pydantic marks a key that does not fit by one more step; JSON pointers have none.
        parts = error["loc"][:-1] if error["loc"][-1:] == ("[key]",) else error["loc"]
        pointer = "".join(f"/{escape_pointer(str(part))}" for part in parts)
        yield {"pointer": f"#{pointer}", "detail": _sentence(error["msg"])}


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
