"""What ends a session or a token ends it on every service, within seconds."""

import time
from collections.abc import Callable
from uuid import uuid4

import httpx
import psycopg
from support.operations import http
from support.world import PASSWORD, Person, World, register

from scripts.stack import Stack

WITHIN_SEC = 8  # five seconds by design, and room for a busy machine


def _doors(stack: Stack, run_id: str, project_id: str) -> dict[str, str]:
    return {
        "auth-service": f"{stack.service_urls['auth-service']}/auth/me",
        "experiment-service": f"{stack.service_urls['experiment-service']}"
        f"/api/v1/projects/{project_id}/runs",
        "metrics-service": f"{stack.service_urls['metrics-service']}/api/v1/runs/{run_id}/metrics",
        "gateway": f"{stack.gateway_url}/api/v1/projects/{project_id}/runs",
    }


def _statuses(doors: dict[str, str], token: str) -> set[int]:
    headers = {"Authorization": f"Bearer {token}"}
    return {http.get(url, headers=headers).status_code for url in doors.values()}


def _refused_everywhere(stack: Stack, world: World, token: str, end: Callable[[], None]) -> None:
    ids = world.places["own"].ids
    doors = _doors(stack, ids["run_id"], ids["project_id"])
    assert _statuses(doors, token) == {200}
    end()
    began = time.monotonic()
    while (statuses := _statuses(doors, token)) != {401}:
        assert time.monotonic() - began < WITHIN_SEC, statuses
        time.sleep(0.2)


def _member(world: World, gateway: httpx.Client) -> Person:
    person = register(gateway, "guest")
    world.call(
        "PUT",
        f"/api/v1/projects/{world.places['own'].project_id}/members/{person.user_id}",
        "owner",
        json={"role": "editor"},
    )
    return person


def _as(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.access_token}"}


def test_a_logout_reaches_every_service(stack: Stack, world: World, gateway: httpx.Client) -> None:
    person = _member(world, gateway)

    def end() -> None:
        answer = gateway.post("/auth/logout", json={"refresh_token": person.refresh_token})
        assert answer.status_code == 204

    _refused_everywhere(stack, world, person.access_token, end)
    again = gateway.post("/auth/refresh", json={"refresh_token": person.refresh_token})
    assert again.status_code == 401


def test_a_new_password_ends_the_other_sessions(
    stack: Stack, world: World, gateway: httpx.Client
) -> None:
    person = _member(world, gateway)
    other = gateway.post("/auth/login", json={"email": person.email, "password": PASSWORD}).json()[
        "access_token"
    ]

    def end() -> None:
        answer = gateway.post(
            "/auth/change-password",
            json={"current_password": PASSWORD, "new_password": "another-long-secret-7"},
            headers=_as(person),
        )
        assert answer.status_code == 204

    _refused_everywhere(stack, world, other, end)
    assert gateway.get("/auth/me", headers=_as(person)).status_code == 200


def test_a_deactivated_person_is_out_at_once(
    stack: Stack, world: World, gateway: httpx.Client
) -> None:
    person = _member(world, gateway)
    project = world.places["own"].project_id
    program = gateway.post(
        f"/api/v1/projects/{project}/tokens",
        json={"name": "p", "role": "editor"},
        headers=_as(person),
    ).json()["token"]

    def end() -> None:
        world.call("POST", f"/api/v1/admin/users/{person.user_id}/deactivate", "admin")

    _refused_everywhere(stack, world, person.access_token, end)
    ids = world.places["own"].ids
    doors = _doors(stack, ids["run_id"], ids["project_id"])
    assert _statuses(doors, program) == {401}


def test_a_revoked_api_token_is_refused_everywhere(
    stack: Stack, world: World, gateway: httpx.Client
) -> None:
    project = world.places["own"].project_id
    made = world.call(
        "POST",
        f"/api/v1/projects/{project}/tokens",
        "editor",
        json={"name": f"p {uuid4().hex[:6]}", "role": "editor"},
    )

    def end() -> None:
        world.call("DELETE", f"/api/v1/tokens/{made['id']}", "editor")

    _refused_everywhere(stack, world, made["token"], end)


def test_who_leaves_a_project_sees_nothing_of_it_within_seconds(
    stack: Stack, world: World, gateway: httpx.Client
) -> None:
    person = _member(world, gateway)
    ids = world.places["own"].ids
    doors = _doors(stack, ids["run_id"], ids["project_id"])
    assert _statuses(doors, person.access_token) == {200}
    world.call("DELETE", f"/api/v1/projects/{ids['project_id']}/members/{person.user_id}", "owner")
    began = time.monotonic()
    del doors["auth-service"]
    while _statuses(doors, person.access_token) != {404}:
        assert time.monotonic() - began < WITHIN_SEC
        time.sleep(0.2)


def test_a_replayed_refresh_token_ends_the_family(gateway: httpx.Client, stack: Stack) -> None:
    person = register(gateway, "victim")
    first = gateway.post("/auth/refresh", json={"refresh_token": person.refresh_token}).json()
    repeat = gateway.post("/auth/refresh", json={"refresh_token": person.refresh_token}).json()
    assert repeat["refresh_token"] == first["refresh_token"]
    second = gateway.post("/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
    with psycopg.connect(stack.database_urls["auth-service"]) as connection:
        connection.execute(
            "UPDATE auth.refresh_tokens SET used_at = used_at - interval '1 minute'"
            " WHERE used_at IS NOT NULL"
        )

    replay = gateway.post("/auth/refresh", json={"refresh_token": person.refresh_token})
    newest = gateway.post("/auth/refresh", json={"refresh_token": second["refresh_token"]})

    assert (replay.status_code, newest.status_code) == (401, 401)


def test_no_issued_secret_stands_in_any_log(
    stack: Stack, world: World, gateway: httpx.Client
) -> None:
    person = register(gateway, "loud")
    portal = httpx.Client(base_url=stack.portal_url)
    portal.post(
        "/auth/login",
        json={"email": person.email, "password": PASSWORD},
        headers={"Origin": stack.portal_url},
    )
    gateway.get(f"/auth/me?access_token={person.access_token}&password={PASSWORD}")
    gateway.post("/auth/login", json={"email": person.email, "password": f"{PASSWORD}-wrong"})
    gateway.post(f"/auth/refresh?token={person.refresh_token}", json={"refresh_token": "rb_rt_x"})
    secrets = {
        PASSWORD,
        *(one.access_token for one in world.people.values()),
        *(one.refresh_token for one in world.people.values()),
        *(token for name, token in world.tokens.items() if name.startswith("program")),
        person.access_token,
        person.refresh_token,
        *(cookie.value or "" for cookie in portal.cookies.jar),
    } - {""}
    assert len(secrets) > 8

    for log in stack.log_dir.rglob("*"):
        if log.is_file():
            text = log.read_text(errors="replace")
            found = [secret[:12] for secret in secrets if secret in text]
            assert not found, f"{log.name} holds {found}"
