"""Every operation meets the same bad input: a clear 4xx, never a crash, nothing half-written."""

from uuid import uuid4

import httpx
import pytest
from support.operations import Operation, http
from support.world import World

from scripts.stack import Stack

JSON = {"Content-Type": "application/json"}
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "malformed": (b'{"name": ', JSON),
    "truncated": (b'{"name": "a', JSON),
    "empty": (b"", JSON),
    "byte order mark": (b"\xef\xbb\xbf{}", JSON),
    "not UTF-8": (b'{"name": "\xff\xfe"}', JSON),
    "lone surrogate": (b'{"name": "\\ud800"}', JSON),
    "null": (b"null", JSON),
    "array": (b"[]", JSON),
    "string": (b'"text"', JSON),
    "number": (b"1e999", JSON),
    "NaN": (b'{"name": NaN}', JSON),
    "5000 digits": (b'{"name": ' + b"9" * 5000 + b"}", JSON),
    "nested deeply": (b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}", JSON),
    "nested a little too deeply": (b'{"name": ' + b"[" * 600 + b"]" * 600 + b"}", JSON),
    "unknown field": (b'{"no_such_field": true}', JSON),
    "form": (b"name=a", {"Content-Type": "application/x-www-form-urlencoded"}),
    "text": (b'{"name": "a"}', {"Content-Type": "text/plain"}),
    "unknown charset": (b"{}", {"Content-Type": "application/json; charset=klingon"}),
    "false gzip": (b"not gzip at all", JSON | {"Content-Encoding": "gzip"}),
}
REFUSED = {400, 403, 404, 409, 413, 415, 422, 429}
TEXTS = ["a\0b", "x" * 20_000, "\x1b[31m", "' OR 1=1 --", "\u202e", "../../etc/passwd"]


def _refused(response: httpx.Response) -> bool:
    return response.status_code in REFUSED and response.headers.get("Content-Type", "").startswith(
        "application/problem+json"
    )


def _caller(operation: Operation) -> str:
    return operation.policy if operation.policy in {"admin", "sensor", "service"} else "owner"


@pytest.mark.parametrize("kind", BODIES)
def test_a_bad_body_is_refused_everywhere(
    stack: Stack, world: World, operations: list[Operation], kind: str
) -> None:
    content, headers = BODIES[kind]
    wrong: list[str] = []
    for operation in operations:
        optional = not operation.spec.get("requestBody", {}).get("required", True)
        if operation.body_schema is None or (optional and kind in {"empty", "null"}):
            continue
        url = stack.service_urls[operation.service] + operation.address(world.places["own"].ids)
        response = http.request(
            operation.method,
            url,
            content=content,
            headers=headers | world.header(_caller(operation)),
        )
        if not _refused(response):
            wrong.append(f"{operation.name}: {response.status_code} {response.text[:200]}")

    assert not wrong, "\n".join(wrong)


def test_no_text_in_any_field_is_a_crash(
    stack: Stack, world: World, operations: list[Operation]
) -> None:
    wrong: list[str] = []
    for operation in operations:
        schema = operation.body_schema
        if not schema or operation.policy == "public" or operation.method == "DELETE":
            continue
        url = stack.service_urls[operation.service] + operation.address(
            world.places["missing"].ids
            if operation.method in {"PUT", "PATCH"}
            else world.places["own"].ids
        )
        for field in schema.get("properties", {}):
            for value in [*TEXTS, 2**63, 2**53 + 1, -1, 1.5, True, None, [], {}, [[]], {"a": {}}]:
                response = http.request(
                    operation.method,
                    url,
                    json={field: value, "no_such_field": 1},
                    headers=world.header(_caller(operation)),
                )
                if not _refused(response):
                    wrong.append(f"{operation.name} {field}={value!r:.40}: {response.status_code}")

    assert not wrong, "\n".join(wrong)


def test_no_query_is_a_crash(stack: Stack, world: World, operations: list[Operation]) -> None:
    wrong: list[str] = []
    values = ["", "a%00b", "%ff", "-1", "0", "1e9", "9" * 400, "'", "null", "NaN", "..%2f", "%25"]
    for operation in operations:
        if operation.method != "GET" or operation.streams:
            continue
        url = stack.service_urls[operation.service] + operation.address(world.places["own"].ids)
        names = [one["name"] for one in operation.spec["parameters"] if one["in"] == "query"]
        for name in [*names, "no_such_parameter"]:
            for value in values:
                response = http.get(
                    f"{url}?{name}={value}", headers=world.header(_caller(operation))
                )
                if response.status_code != 200 and not _refused(response):
                    wrong.append(f"{operation.name}?{name}={value:.20}: {response.status_code}")

    assert not wrong, "\n".join(wrong)


def test_no_path_is_a_crash(stack: Stack, world: World, operations: list[Operation]) -> None:
    odd = [
        "x",
        "%00",
        "%ff",
        "..%2f..%2fetc%2fpasswd",
        "%252e%252e",
        "{" + str(uuid4()) + "}",
        "00000000-0000-0000-0000-000000000000",
        "9" * 300,
        "%F0%9F%92%A9",
    ]
    wrong: list[str] = []
    for operation in operations:
        for name in operation.parameters:
            for value in odd:
                ids = world.places["missing"].ids | {name: value}
                response = http.request(
                    operation.method,
                    stack.service_urls[operation.service] + operation.address(ids),
                    headers=world.header(_caller(operation)),
                )
                if not _refused(response):
                    wrong.append(f"{operation.name} {name}={value:.20}: {response.status_code}")

    assert not wrong, "\n".join(wrong)


def test_an_oversized_body_is_refused_before_it_is_read(
    stack: Stack, world: World, operations: list[Operation]
) -> None:
    wrong: list[str] = []
    for operation in operations:
        if operation.body_schema is None:
            continue
        bases = [stack.service_urls[operation.service]]
        if operation.policy != "service":
            bases.append(stack.gateway_url)
        for base in bases:
            response = http.request(
                operation.method,
                base + operation.address(world.places["own"].ids),
                content=b'{"name": "' + b"x" * (17 << 20) + b'"}',
                headers=JSON | world.header(_caller(operation)),
                timeout=60,
            )
            if response.status_code != 413:
                wrong.append(f"{operation.name} at {base}: {response.status_code}")

    assert not wrong, "\n".join(wrong)
