"""Who may call what: every caller × every operation of every service × every kind of project.

The operations come from the documents that the services serve, so a new route is
asked about from the moment it exists.
"""

from typing import Any

import httpx
from support.operations import Operation, http
from support.world import World

from scripts.stack import Stack

RANK = {"viewer": 0, "editor": 1, "owner": 2}
CALLERS = (
    "anonymous",
    "garbage",
    "sensor",
    "outsider",
    "viewer",
    "editor",
    "owner",
    "admin",
    "program_viewer",
    "program_editor",
)
PLACES = ("own", "archived", "foreign", "missing")
INGEST = ("/api/v1/telemetry", "/api/v1/telemetry/socket", "/api/v1/telemetry/imports")
# An unknown field is refused after the door and before any effect.
HARMLESS = {"no_such_field": 1}


def role_in(caller: str, place: str) -> str | None:
    """The caller's role there, as the world was made."""
    if place == "own":
        role = caller.removeprefix("program_")
        return role if role in RANK else None
    if place == "archived":
        return caller if caller in RANK else None
    if place == "foreign":
        return "owner" if caller == "outsider" else None
    return None


def expected(operation: Operation, caller: str, place: str) -> set[int] | None:
    """The statuses that the rules allow; None where the call would be let in and change things."""
    policy = operation.policy
    if policy == "public":
        return None
    if policy == "service":
        return {401}
    if caller == "sensor":
        # Its token opens ingest alone.
        return None if operation.path in INGEST else {401, 403}
    if caller in {"anonymous", "garbage"}:
        return {401}
    if policy == "sensor":
        return {403}
    if policy in {"person", "admin"} and caller.startswith("program"):
        return {403}
    if policy == "admin":
        return None if caller == "admin" else {403}
    if policy in {"person", "signed_in"}:
        return None
    role = role_in(caller, place)
    if role is None:
        return {404}
    if RANK[role] < RANK[policy]:
        return {403}
    if operation.spec.get("x-people-only") and caller.startswith("program"):
        return {403}
    if place == "archived" and not operation.reads:
        return None if "restore" in operation.path or operation.method == "DELETE" else {409, 422}
    if place == "archived" and RANK[policy] > RANK["viewer"]:
        return {200, 409, 422}  # what only editors read is of no use there
    return {200, 422} if operation.reads else {422} if operation.body_schema else None


def ask(world: World, url: str, operation: Operation, caller: str, place: str) -> httpx.Response:
    more: dict[str, Any] = {"json": HARMLESS} if operation.body_schema else {}
    address = url + operation.address(world.places[place].ids)
    with http.stream(operation.method, address, headers=world.header(caller), **more) as response:
        if "text/event-stream" not in response.headers.get("Content-Type", ""):
            response.read()
        return response


def test_every_caller_gets_what_the_policy_says(
    stack: Stack, world: World, operations: list[Operation]
) -> None:
    wrong: list[str] = []
    asked = 0
    for operation in operations:
        places = PLACES if operation.policy in RANK else ("own",)
        for place in places:
            for caller in CALLERS:
                allowed = expected(operation, caller, place)
                if allowed is None:
                    continue
                url = stack.service_urls[operation.service]
                response = ask(world, url, operation, caller, place)
                asked += 1
                if response.status_code not in allowed:
                    wrong.append(
                        f"{operation.name} as {caller} in {place}:"
                        f" {response.status_code}, not {allowed}"
                    )
                elif response.status_code >= 400:
                    assert response.headers["Content-Type"].startswith("application/problem+json")

    assert not wrong, "\n".join(wrong)
    assert asked > 500


def test_a_foreign_project_looks_like_a_missing_one(
    stack: Stack, world: World, operations: list[Operation]
) -> None:
    for operation in operations:
        if operation.policy in RANK:
            url = stack.service_urls[operation.service]
            foreign, missing = (
                ask(world, url, operation, "viewer", place) for place in ("foreign", "missing")
            )
            told = [
                (one.status_code, one.json() | {"trace_id": None} if one.content else None)
                for one in (foreign, missing)
            ]
            assert told[0] == told[1], operation.name


def test_identity_headers_carry_no_authority(stack: Stack, world: World) -> None:
    owner = world.people["owner"].user_id
    claims = {
        "X-User-Id": owner,
        "X_User_Id": owner,
        "x-user-ID": owner,
        "X-User_Role": "owner",
        "X-Debug-User": owner,
        "X-Debug-Role": "owner",
        "X-Project-Id": world.places["own"].project_id,
        "X-Internal-Service": "auth-service",
        "X-Forwarded-User": owner,
    }
    path = f"/api/v1/projects/{world.places['own'].project_id}/experiments"
    for url in (stack.gateway_url, stack.service_urls["experiment-service"], stack.portal_url):
        anonymous = http.get(url + path, headers=claims)
        outsider = http.get(url + path, headers=claims | world.header("outsider"))

        assert (anonymous.status_code, outsider.status_code) == (401, 404), url


def test_ids_of_another_project_in_a_body_do_not_open_it(world: World) -> None:
    own, foreign = world.places["own"].ids, world.places["foreign"].ids
    nested = world.gateway.post(
        f"/api/v1/experiments/{own['experiment_id']}/runs",
        json={"parent_run_id": foreign["run_id"]},
        headers=world.header("owner"),
    )
    tagged = world.gateway.post(
        f"/api/v1/projects/{own['project_id']}/runs/bulk-tag",
        json={"run_ids": [foreign["run_id"]], "set": {"mine": "now"}},
        headers=world.header("owner"),
    )
    compared = world.gateway.get(
        "/api/v1/metrics/series",
        params={"run_id": [own["run_id"], foreign["run_id"]], "key": "loss"},
        headers=world.header("owner"),
    )

    assert nested.status_code in {404, 422}
    assert tagged.status_code in {404, 422} or tagged.json()["updated"] == 0
    assert compared.status_code == 404
    seen = world.call("GET", f"/api/v1/runs/{foreign['run_id']}", "outsider")
    assert seen["tags"] == {}
