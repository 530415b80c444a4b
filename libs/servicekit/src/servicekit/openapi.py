"""The OpenAPI 3.1 document, written from the endpoints themselves."""

import inspect
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter

from servicekit.problems import (
    Forbidden,
    NotFound,
    Problem,
    ProjectArchived,
    TooManyRequests,
    Unauthenticated,
)
from servicekit.routing import Endpoint

type Schema = dict[str, Any]

_REF = "#/components/schemas/{model}"
_PROBLEM: Schema = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "parameter": {"type": "string"},
                    "position": {"type": "integer"},
                    "length": {"type": "integer"},
                    "detail": {"type": "string"},
                },
            },
        },
        "trace_id": {"type": ["string", "null"]},
    },
}

_HEADERS: Schema = {
    "Retry-After": {
        "description": "Seconds after which the same request is let in.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit": {
        "description": "How the caller stands: `r` requests are left, all again in `t` seconds.",
        "schema": {"type": "string", "examples": ['"ordinary";r=9999;t=1']},
    },
    "RateLimit-Policy": {
        "description": "The limit: `q` requests at once, which fill up again in `w` seconds.",
        "schema": {"type": "string", "examples": ['"ordinary";q=10000;w=10']},
    },
}
_LIMIT_HEADERS: Schema = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}

_BYTES: Schema = {"schema": {"type": "string", "format": "binary"}}


def document(title: str, version: str, endpoints: Iterable[Endpoint]) -> Schema:
    """The contract of a service; the same input gives the same document."""
    components = Components({"Problem": _PROBLEM})
    paths: dict[str, Schema] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "headers": _HEADERS,
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


class Components(dict[str, Schema]):
    """Named schemas, collected while endpoints are described."""

    def describe(self, adapter: TypeAdapter[Any], *, answer: bool = False) -> Schema:
        """A schema with its definitions moved here."""
        schema = adapter.json_schema(
            ref_template=_REF, mode="serialization" if answer else "validation"
        )
        self.update(schema.pop("$defs", {}))
        return schema

    def name(self, adapter: TypeAdapter[Any], *, answer: bool = False) -> Schema:
        """A reference to the schema under its own name, where it has one."""
        schema = self.describe(adapter, answer=answer)
        name = re.sub(r"\W+", "_", schema.get("title", "")).strip("_")
        if not name:
            return schema
        self[name] = schema
        return {"$ref": _REF.format(model=name)}


def _operation(endpoint: Endpoint, components: Components) -> Schema:
    summary, _, description = inspect.cleandoc(endpoint.handler.__doc__ or "").partition("\n\n")
    operation: Schema = {
        "operationId": endpoint.handler.__name__,
        "tags": [endpoint.tag],
        "summary": summary.strip(),
        "x-policy": str(endpoint.policy),
        "x-limit": endpoint.limit,
        "parameters": list(_parameters(endpoint, components)),
        "responses": _responses(endpoint, components),
    }
    if endpoint.policy and endpoint.policy.people_only:
        operation["x-people-only"] = True
    if description.strip():
        operation["description"] = description.strip()
    operation["security"] = [] if str(endpoint.policy) == "public" else [{"bearer": []}]
    if endpoint.body:
        operation["requestBody"] = {
            "required": not endpoint.body_optional,
            "content": {"application/json": {"schema": components.name(endpoint.body)}},
        }
    if endpoint.takes or endpoint.describes:
        content: Schema = {endpoint.takes: _BYTES} if endpoint.takes else {}
        if endpoint.describes:
            content["application/json"] = {"schema": components.name(endpoint.describes)}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: Endpoint, components: Components) -> Iterator[Schema]:
    for name, adapter in endpoint.path_parameters.items():
        schema = components.describe(adapter)
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if endpoint.query:
        model = components.describe(endpoint.query)
        for name, schema in model.get("properties", {}).items():
            parameter = {"name": name, "in": "query", "required": name in model.get("required", ())}
            if described := schema.pop("description", None):
                parameter["description"] = described
            yield parameter | {"schema": schema}
    if endpoint.takes_if_match:
        yield _header("If-Match", "The ETag that the change is based on; 412 when it is outdated.")
    if endpoint.idempotent:
        yield _header("Idempotency-Key", "Makes a repeat of this request safe for a day.")


def _header(name: str, description: str) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


def _responses(endpoint: Endpoint, components: Components) -> Schema:
    answer: Schema = {"description": "Done."}
    if endpoint.returns:
        schema = components.name(endpoint.returns, answer=True)
        answer["content"] = {"application/json": {"schema": schema}}
    elif endpoint.streams:
        answer["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif endpoint.sends:
        answer["content"] = dict.fromkeys(endpoint.sends, _BYTES)
    responses: Schema = {str(endpoint.status): answer}
    problems = sorted({*endpoint.raises, *_usual_problems(endpoint)}, key=_order)
    for status, group in groupby(problems, key=lambda problem: problem.status):
        responses[str(status)] = _problem_response(list(group))
    responses["default"] = _problem_response([])
    return responses


def _usual_problems(endpoint: Endpoint) -> Iterator[type[Problem]]:
    policy = endpoint.policy
    if endpoint.limit != "none":
        yield TooManyRequests
    if policy is None or policy.kind == "public":
        return
    yield Unauthenticated
    if policy.kind != "signed_in":
        yield Forbidden
    if policy.kind == "member":
        yield NotFound
        if not policy.when_archived:
            yield ProjectArchived


def _problem_response(problems: list[type[Problem]]) -> Schema:
    described = " ".join(f"`{problem.code}`: {problem.title()}" for problem in problems)
    response: Schema = {
        "description": described or "A problem, explained.",
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
    }
    if any(issubclass(problem, TooManyRequests) for problem in problems):
        response["headers"] = _LIMIT_HEADERS
    return response


def _order(problem: type[Problem]) -> tuple[int, str]:
    return problem.status, problem.code
