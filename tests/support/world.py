"""People with every role, and projects in every state, made through the front door."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import psycopg

PASSWORD = "correct-horse-battery-9"
# Nobody listens there; the stack of these tests may call it.
NOBODY_NETWORK = "127.9.9.9/32"
NOBODY = "http://127.9.9.9:9/"
ROLES = ("viewer", "editor", "owner")


@dataclass
class Person:
    """Somebody with an account and a session."""

    name: str
    user_id: str
    email: str
    access_token: str
    refresh_token: str


@dataclass
class Place:
    """A project and the ids of what stands in it, by the name of the path parameter."""

    project_id: str
    ids: dict[str, str]
    sensor_token: str = ""


@dataclass
class World:
    """Everybody and everything that the checks of this folder ask about."""

    gateway: httpx.Client
    database_url: str
    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def header(self, caller: str) -> dict[str, str]:
        """The Authorization header of a caller by name; nobody has none."""
        if caller == "anonymous":
            return {}
        return {"Authorization": f"Bearer {self.tokens[caller]}"}

    def call(self, method: str, path: str, caller: str, **more: Any) -> Any:
        """Call the gateway, expect success, answer the JSON."""
        response = self.gateway.request(method, path, headers=self.header(caller), **more)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None


def register(gateway: httpx.Client, name: str) -> Person:
    """A new account with a session."""
    email = f"{name}-{uuid4().hex[:10]}@example.org"
    response = gateway.post(
        "/auth/register", json={"email": email, "password": PASSWORD, "name": name.title()}
    )
    assert response.status_code == 201, response.text
    session = response.json()
    return Person(
        name, session["user"]["id"], email, session["access_token"], session["refresh_token"]
    )


def make_world(gateway: httpx.Client, admin: Person, database_url: str) -> World:
    """Own, archived and foreign projects, each with an experiment, a run, metrics and a file.

    The database is that of telemetry-ingest-service, which has to refuse a batch for once.
    """
    world = World(gateway, database_url)
    for name in (*ROLES, "outsider", "bystander"):
        world.people[name] = register(gateway, name)
    world.people["admin"] = admin
    world.tokens = {name: person.access_token for name, person in world.people.items()}
    world.tokens["garbage"] = "x.y.z"
    world.places["own"] = _make_place(world, "owner", members=True)
    world.places["archived"] = _make_place(world, "owner", members=True)
    world.places["foreign"] = _make_place(world, "outsider", members=False)
    world.places["missing"] = Place(
        str(uuid4()), {name: str(uuid4()) for name in world.places["own"].ids} | {"number": "1"}
    )
    for role in ("viewer", "editor"):
        made = world.call(
            "POST",
            f"/api/v1/projects/{world.places['own'].project_id}/tokens",
            role,
            json={"name": f"{role} program", "role": role},
        )
        world.tokens[f"program_{role}"] = made["token"]
    world.tokens["sensor"] = world.places["own"].sensor_token
    archived = world.places["archived"].project_id
    world.call("DELETE", f"/api/v1/projects/{archived}", "owner")
    time.sleep(5.5)  # what services know of a project they keep for five seconds
    return world


def _make_place(world: World, owner: str, *, members: bool) -> Place:
    project = world.call("POST", "/api/v1/projects", owner, json={"name": f"P {uuid4().hex[:8]}"})
    path = f"/api/v1/projects/{project['id']}"
    if members:
        for role in ("viewer", "editor"):
            member = world.people[role].user_id
            world.call("PUT", f"{path}/members/{member}", owner, json={"role": role})
        bystander = world.people["bystander"].user_id
        world.call("PUT", f"{path}/members/{bystander}", owner, json={"role": "viewer"})
    experiment = world.call("POST", f"{path}/experiments", owner, json={"name": "first"})
    run = world.call("POST", f"/api/v1/experiments/{experiment['id']}/runs", owner, json={})
    world.call(
        "POST",
        f"/api/v1/runs/{run['id']}/metrics",
        owner,
        json={"series": [{"key": "loss", "step": [0, 1], "value": [1.0, 0.5]}]},
    )
    artifact = f"/api/v1/runs/{run['id']}/artifacts/notes/first.txt"
    kept = world.call("PUT", artifact, owner, content=b"first")
    upload = world.call(
        "POST",
        f"/api/v1/runs/{run['id']}/uploads",
        owner,
        json={"path": "notes/large.bin", "size": 10},
    )
    shared = {"name": "all", "state": {}, "visibility": "shared"}
    view = world.call("POST", f"{path}/views", owner, json=shared)
    comparison = world.call("POST", f"{path}/comparisons", owner, json={"title": "C", "view": {}})
    sensor = world.call(
        "POST",
        f"{path}/sensors",
        owner,
        json={"name": "TC-1", "signals": [{"name": "temperature"}]},
    )
    capture = world.call(
        "POST",
        f"/api/v1/runs/{run['id']}/capture-sessions",
        owner,
        json={"sensor_ids": [sensor["id"]]},
    )
    profile = world.call(
        "POST",
        f"/api/v1/sensors/{sensor['id']}/profiles",
        owner,
        json={"signal": "temperature", "kind": "linear", "parameters": {"a": 2, "b": 1}},
    )
    webhook = world.call(
        "POST",
        f"{path}/webhooks",
        owner,
        json={"name": "CI", "url": NOBODY, "event_types": ["run.failed"]},
    )
    tested = world.call("POST", f"/api/v1/webhooks/{webhook['id']}/test", owner)
    limit = {"key": "loss", "direction": "above", "threshold": 100}
    watch = world.call("POST", f"{path}/metric-watches", owner, json=limit)
    bound = {"signal": "temperature", "direction": "above", "threshold": 100}
    sensor_path = f"/api/v1/sensors/{sensor['id']}"
    sensor_watch = world.call("POST", f"{sensor_path}/watches", owner, json=bound)
    wanted = {"event_types": ["run.failed"]}
    rule = world.call("POST", f"{path}/notification-rules", owner, json=wanted)
    set_aside_id = _set_aside(world, owner, project["id"], sensor["token"])
    token = world.call("POST", f"{path}/tokens", owner, json={"name": "spare", "role": "viewer"})
    return Place(
        project["id"],
        {
            "project_id": project["id"],
            "experiment_id": experiment["id"],
            "run_id": run["id"],
            "path": "notes/first.txt",
            "artifact_id": kept["id"],
            "upload_id": upload["id"],
            "number": "1",
            "token_id": token["id"],
            "view_id": view["id"],
            "comparison_id": comparison["id"],
            "sensor_id": sensor["id"],
            "set_aside_id": set_aside_id,
            "signal": "temperature",
            "capture_session_id": capture["id"],
            "profile_id": profile["id"],
            "user_id": world.people["bystander"].user_id,
            "session_id": str(uuid4()),
            "webhook_id": webhook["id"],
            "delivery_id": tested["id"],
            "watch_id": watch["id"],
            "rule_id": rule["id"],
            "sensor_watch_id": sensor_watch["id"],
        },
        sensor["token"],
    )


def _set_aside(world: World, owner: str, project_id: str, sensor_token: str) -> str:
    """A batch that the database would not take."""
    column = {"signal": "temperature", "t": [1_700_000_000_000_000], "v": [1.0]}
    with psycopg.connect(world.database_url, autocommit=True) as database:
        database.execute(
            "ALTER TABLE telemetry.series"
            " ADD CONSTRAINT refused CHECK (key <> 'temperature') NOT VALID"
        )
        try:
            answer = world.gateway.post(
                "/api/v1/telemetry",
                json={"series": [column]},
                headers={"Authorization": f"Bearer {sensor_token}"},
            )
            assert answer.is_success, answer.text
            assert answer.json()["set_aside"]
        finally:
            database.execute("ALTER TABLE telemetry.series DROP CONSTRAINT refused")
    path = f"/api/v1/projects/{project_id}/telemetry/set-aside"
    return world.call("GET", path, owner)["items"][0]["id"]
