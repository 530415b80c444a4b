"""How MLflow clients are spoken to, and how they say who they are and which project they mean."""

import math
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from fake_auth import FakeAuth
from notes import create_app
from pydantic import AliasChoices, Field
from servicekit import mlflow, policy
from servicekit.application import UnguardedRoute, application
from servicekit.auth_client import AuthClient
from servicekit.database import database
from servicekit.identity import ACCESS
from servicekit.machine_tokens import new_machine_token
from servicekit.problems import Conflict, Forbidden, Invalid, Problem, TooLarge, Unavailable
from servicekit.testing.identity import KnownPeople

PATH = "/api/2.0/mlflow/things"


class Thing(mlflow.Message):
    name: mlflow.Required
    run_id: mlflow.Id = Field(
        default=mlflow.NOBODYS, validation_alias=AliasChoices("run_id", "run_uuid")
    )
    count: mlflow.Int64 = 0
    value: float = 0
    tags: list[str] = Field(default=[])


class Named(mlflow.Message):
    thing_id: mlflow.Required
    note: str = ""


things = mlflow.Calls()


@things.add("POST", "2.0/mlflow/things", policy=policy.editor(), body_limit=4096)
async def make_thing(request: web.Request, message: Thing) -> dict[str, object]:
    return {
        "project": str(request[ACCESS].project_id),
        "name": message.name,
        "run_id": message.run_id.hex,
        "count": message.count,
        "value": mlflow.number(message.value),
        "tags": message.tags,
    }


@things.add("GET", "2.0/mlflow/things", policy=policy.viewer())
async def get_thing(request: web.Request, message: Thing) -> dict[str, object]:
    return await make_thing(request, message)


async def named_by_prefix(request: web.Request, message: Thing) -> UUID:
    return await mlflow.chosen_project(request, message.name)


@things.add("POST", "2.0/mlflow/named", policy=policy.editor(), project=named_by_prefix)
async def name_thing(request: web.Request, message: Thing) -> dict[str, object]:
    name = mlflow.name_in_project(request, message.name)
    return {
        "project": str(request[ACCESS].project_id),
        "name": name,
        "shown": mlflow.shown_name(request, name),
    }


@things.add("PATCH", "2.0/mlflow/things/{thing_id}", policy=policy.editor())
async def change_thing(request: web.Request, message: Named) -> dict[str, object]:
    return {"id": message.thing_id, "note": message.note}


@things.add("DELETE", "2.0/mlflow/things", policy=policy.editor())
async def delete_things(request: web.Request) -> None:
    return None


@things.add("GET", "/version", policy=policy.public())
async def version(request: web.Request) -> web.Response:
    return web.Response(text="3")


@things.add("POST", "2.0/mlflow/crash", policy=policy.signed_in())
async def crash(request: web.Request) -> None:
    raise ZeroDivisionError("secret internals")


@pytest.fixture
async def client(
    aiohttp_client: Callable[..., Awaitable[TestClient]],
    database_url: str,
    people: KnownPeople,
    project_id: UUID,
) -> TestClient:
    people.program("rb_program", project_id=project_id, role="editor")
    people.slugs["vision"] = project_id
    return await aiohttp_client(
        application(
            name="things",
            version="1",
            routes=[],
            contexts=[database(database_url, schema="notes", size=2)],
            identity=people,
            doors=mlflow.doors(things),
        )
    )


def as_(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} | more


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


async def test_a_call_answers_json_at_both_addresses(client: TestClient, project_id: UUID) -> None:
    run_id = uuid4()
    body = {"name": "a", "run_uuid": run_id.hex, "count": "3", "value": "NaN", "unknown": {"x": 1}}
    for prefix in ("", "/ajax-api"):
        path = PATH if not prefix else PATH.replace("/api", prefix)
        response = await client.post(path, json=body, headers=as_("rb_program"))

        assert response.status == 200
        assert response.content_type == "application/json"
        assert await response.json() == {
            "project": str(project_id),
            "name": "a",
            "run_id": run_id.hex,
            "count": 3,
            "value": "NaN",
            "tags": [],
        }


async def test_a_get_takes_its_fields_from_the_query(client: TestClient) -> None:
    query = [("name", "a"), ("count", "3"), ("tags", "x"), ("tags", "y"), ("value", "Infinity")]
    response = await client.get(PATH, params=query, headers=as_("rb_program"))

    answer = await response.json()
    assert (answer["count"], answer["tags"], answer["value"]) == (3, ["x", "y"], "Infinity")

    one = await client.get(PATH, params={"name": "a", "tags": "x"}, headers=as_("rb_program"))
    assert (await one.json())["tags"] == ["x"]


async def test_a_parameter_of_the_path_joins_the_body(client: TestClient) -> None:
    body = {"note": "n", "thing_id": "another"}
    response = await client.patch(f"{PATH}/m-1", json=body, headers=as_("rb_program"))

    assert await response.json() == {"id": "m-1", "note": "n"}


async def test_nothing_to_say_is_an_empty_object(client: TestClient) -> None:
    response = await client.delete(PATH, headers=as_("rb_program"))

    assert await response.read() == b"{}"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Missing value for required parameter 'name'."),
        (b"{}", "Missing value for required parameter 'name'."),
        (b'{"name": ""}', "Missing value for required parameter 'name'."),
        (b'{"name": null}', "Missing value for required parameter 'name'."),
        (b'{"name": 5}', "'name'"),
        (b'{"name": "a", "count": "many"}', "'count'"),
        (b'{"name": "a", "run_id": "../x"}', "'run_id'"),
        (b'{"name": "a\\u0000"}', "NUL"),
        (b'{"name": "\\ud800"}', "not JSON"),
        (b'{"name": "a"', "not JSON"),
        (b"[]", "valid"),
        (b"null", "valid"),
        (b'{"name": "a", "count": ' + b"1" * 4000 + b"}", "'count'"),
        (b"[" * 2000, "not JSON"),
    ],
)
async def test_a_bad_request_is_an_invalid_parameter(
    client: TestClient, body: bytes, says: str
) -> None:
    headers = as_("rb_program", **{"Content-Type": "application/json"})
    response = await client.post(PATH, data=body, headers=headers)

    assert response.status == 400, await response.text()
    error = await response.json()
    assert error["error_code"] == "INVALID_PARAMETER_VALUE"
    assert says in error["message"]


async def test_bad_queries_and_types_are_invalid_parameters(client: TestClient) -> None:
    text = await client.post(PATH, data=b"name=a", headers=as_("rb_program"))
    nul = await client.get(f"{PATH}?name=a%00b", headers=as_("rb_program"))

    for response in (text, nul):
        assert response.status == 400
        assert (await response.json())["error_code"] == "INVALID_PARAMETER_VALUE"


async def test_too_much_and_crashes_keep_the_shape(client: TestClient) -> None:
    headers = as_("rb_program")
    large = await client.post(PATH, json={"name": "x" * 5000}, headers=headers)
    crashed = await client.post("/api/2.0/mlflow/crash", json={}, headers=headers)

    assert (large.status, (await large.json())["error_code"]) == (413, "BAD_REQUEST")
    assert (crashed.status, (await crashed.json())["error_code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in await crashed.text()


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (Problem(), ("INTERNAL_ERROR", 500)),
        (Forbidden(), ("PERMISSION_DENIED", 403)),
        (Conflict(), ("RESOURCE_CONFLICT", 409)),
        (Invalid(), ("INVALID_PARAMETER_VALUE", 400)),
        (TooLarge(), ("BAD_REQUEST", 413)),
        (Unavailable(), ("TEMPORARILY_UNAVAILABLE", 503)),
        (mlflow.AlreadyExists(), ("RESOURCE_ALREADY_EXISTS", 400)),
        (mlflow.DoesNotExist(), ("RESOURCE_DOES_NOT_EXIST", 404)),
        (mlflow.EndpointNotFound(), ("ENDPOINT_NOT_FOUND", 404)),
    ],
)
def test_problems_have_the_codes_of_mlflow(problem: Problem, expected: tuple[str, int]) -> None:
    assert mlflow.mlflow_error(problem) == expected


def test_every_mistake_of_a_problem_is_in_the_message() -> None:
    errors = [{"pointer": "#/tags", "detail": "too many"}, {"detail": "too long"}]
    answer = mlflow.answer_error(Invalid("No.", errors=errors))

    assert answer.text == (
        '{"error_code":"INVALID_PARAMETER_VALUE","message":"No. tags: too many. too long."}'
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nobody"},
        basic("nobody:rb_stranger"),
        basic("viewer:viewer"),
        basic("no colon"),
        {"Authorization": "Basic ###"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Digest rb_program"},
    ],
)
async def test_whoever_is_not_known_is_told_so(client: TestClient, headers: dict[str, str]) -> None:
    response = await client.post(PATH, json={"name": "a"}, headers=headers)

    assert response.status == 401
    assert (await response.json())["error_code"] == "UNAUTHENTICATED"
    # Never Basic: browsers would ask for a password and then send it by themselves.
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "text", ["anybody:rb_program", "rb_program:", "rb_program:x", ":rb_program"]
)
async def test_an_api_token_is_taken_as_password_or_user(client: TestClient, text: str) -> None:
    response = await client.post(PATH, json={"name": "a"}, headers=basic(text))

    assert response.status == 200


async def test_basic_is_for_mlflow_clients_alone(
    client: TestClient,
    aiohttp_client: Callable[..., Awaitable[TestClient]],
    database_url: str,
    people: KnownPeople,
    project_id: UUID,
) -> None:
    notes = await aiohttp_client(create_app(database_url, people))
    path = f"/api/v1/projects/{project_id}/notes"

    assert (await notes.get(path, headers=as_("rb_program"))).status == 200
    assert (await notes.get(path, headers=basic("x:rb_program"))).status == 401


async def test_roles_count_as_everywhere(
    client: TestClient, people: KnownPeople, project_id: UUID
) -> None:
    header = {"X-Runbench-Project": str(project_id)}
    for token, post, get in [
        ("owner", 200, 200),
        ("editor", 200, 200),
        ("viewer", 403, 200),
        ("outsider", 404, 404),
    ]:
        made = await client.post(PATH, json={"name": "a"}, headers=as_(token, **header))
        got = await client.get(PATH, params={"name": "a"}, headers=as_(token, **header))
        assert (made.status, got.status) == (post, get), token

    people.archived.add(project_id)
    refused = await client.post(PATH, json={"name": "a"}, headers=as_("rb_program"))
    assert refused.status == 409


async def test_a_project_is_named_by_token_header_or_prefix(
    client: TestClient, people: KnownPeople, project_id: UUID
) -> None:
    async def post(token: str, name: str, **headers: str) -> Any:
        response = await client.post(
            "/api/2.0/mlflow/named", json={"name": name}, headers=as_(token, **headers)
        )
        return response.status, await response.json()

    mine = str(project_id)
    # A token's own project, whatever the name looks like.
    assert (await post("rb_program", "vision/a"))[1] == {
        "project": mine,
        "name": "vision/a",
        "shown": "vision/a",
    }
    for header in ("vision", mine, project_id.hex):
        _, answer = await post("editor", "a/b", **{"X-Runbench-Project": header})
        assert answer == {"project": mine, "name": "a/b", "shown": "a/b"}
    _, answer = await post("editor", "vision/a")
    assert answer == {"project": mine, "name": "a", "shown": "vision/a"}

    status, error = await post("editor", "a")
    assert (status, error["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "X-Runbench-Project" in error["message"]
    assert (await post("editor", "other/a"))[0] == 404
    assert (await post("outsider", "vision/a"))[0] == 404
    assert (await post("rb_program", "a", **{"X-Runbench-Project": "vision"}))[0] == 200
    assert (await post("rb_program", "a", **{"X-Runbench-Project": "other"}))[0] == 403
    assert (await post("rb_program", "a", **{"X-Runbench-Project": mine}))[0] == 200
    assert (await post("rb_program", "a", **{"X-Runbench-Project": str(uuid4())}))[0] == 403


async def test_the_version_is_told_to_anybody(client: TestClient) -> None:
    response = await client.get("/version")

    assert (response.status, await response.text()) == (200, "3")


def test_a_call_without_a_policy_stops_the_start() -> None:
    calls = mlflow.Calls()
    calls.add("GET", "2.0/mlflow/x", policy=None)(version)  # pyright: ignore

    with pytest.raises(UnguardedRoute, match=r"GET 2\.0/mlflow/x"):
        mlflow.doors(calls)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (0.1, 0.1)],
)
def test_numbers_are_written_as_protobuf_does(value: float, shown: object) -> None:
    assert mlflow.number(value) == shown


async def test_auth_service_is_asked_for_a_slug_once(
    aiohttp_client: Callable[..., Awaitable[TestClient]],
    aiohttp_server: Callable[..., Awaitable[Any]],
    database_url: str,
) -> None:
    auth = FakeAuth()
    server = await aiohttp_server(auth.app())
    identity = AuthClient(str(server.make_url("")))
    client = await aiohttp_client(
        application(
            name="things",
            version="1",
            routes=[],
            contexts=[database(database_url, schema="notes", size=2), identity.context],
            identity=identity,
            doors=mlflow.doors(things),
        )
    )
    project_id = uuid4()
    token = new_machine_token("pat").text
    auth.programs[token] = {
        "id": str(uuid4()),
        "kind": "token",
        "is_admin": False,
        "token_id": str(uuid4()),
        "scope": {"project_id": str(project_id), "role": "editor"},
    }
    auth.roles[token] = "editor"
    auth.slugs["vision"] = project_id

    for _ in range(2):
        response = await client.post(
            PATH, json={"name": "a"}, headers=basic(f"x:{token}") | {"X-Runbench-Project": "vision"}
        )
        assert response.status == 200, await response.text()
    assert auth.asked["/api/v1/projects"] == 1
    missing = as_(token, **{"X-Runbench-Project": "no-such"})
    assert (await client.post(PATH, json={"name": "a"}, headers=missing)).status == 403
