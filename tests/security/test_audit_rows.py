"""Each event that matters for security is exactly one row: who, what, where, when, result, trace.

Every step is one request with a trace of its own, by which its row is found, and no second one.
"""

import hashlib
import random
import secrets
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from support.world import NOBODY, PASSWORD, Person, World, register

from scripts.stack import Stack

NEW = "correct-horse-battery-10"
WITHIN_SEC = 60
CLOCKS = timedelta(seconds=2)


@dataclass(frozen=True)
class Step:
    """One request, when it was sent, and the row that it has to leave."""

    trace_id: str
    began: datetime
    ended: datetime
    action: str
    result: str
    actor_id: str | None
    actor_kind: str | None
    project_id: str | None
    target_id: str | None


class Acting:
    """Does one thing after the other and remembers what the audit has to have of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.steps: list[Step] = []
        self.silent: list[tuple[str, str]] = []

    def ask(self, method: str, path: str, caller: str, **more: Any) -> tuple[httpx.Response, str]:
        """Call with a trace of its own."""
        trace_id = f"{random.getrandbits(128):032x}"
        headers = self.world.header(caller) | {"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
        headers |= more.pop("headers", {})
        return self.world.gateway.request(method, path, headers=headers, **more), trace_id

    def quiet(self, method: str, path: str, caller: str, **more: Any) -> httpx.Response:
        """Call what must leave no row."""
        response, trace_id = self.ask(method, path, caller, **more)
        assert response.status_code < 500, response.text
        self.silent.append((f"{method} {path}", trace_id))
        return response

    def does(
        self,
        action: str,
        method: str,
        path: str,
        caller: str,
        *,
        status: int | None = None,
        result: str = "success",
        actor: str | None = "",
        kind: str | None = "user",
        project: str | None = None,
        target: str | Callable[[Any], str] | None = None,
        **more: Any,
    ) -> Any:
        """Call what must leave one row; the JSON of the answer."""
        began = datetime.now(UTC)
        response, trace_id = self.ask(method, path, caller, **more)
        ended = datetime.now(UTC)
        asked = f"{action}: {method} {path}: {response.status_code} {response.text[:300]}"
        assert response.status_code == status if status else response.is_success, asked
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        is_json = media_type == "application/json"
        answer = response.json() if response.content and is_json else None
        if actor == "":
            actor = self.world.people[caller].user_id if caller in self.world.people else None
        target_id = target(answer) if callable(target) else target
        self.steps.append(
            Step(trace_id, began, ended, action, result, actor, kind, project, target_id)
        )
        return answer

    def check(self) -> None:
        """Compare with the audit of the whole platform, once all rows are there."""
        rows: dict[str, list[dict[str, Any]]] = {}
        wanted = {step.trace_id for step in self.steps}
        deadline = time.monotonic() + WITHIN_SEC
        while not rows.keys() >= wanted and time.monotonic() < deadline:
            time.sleep(0.5)
            rows = {}
            for row in self._trail():
                rows.setdefault(row["trace_id"], []).append(row)
        wrong = [problem for step in self.steps if (problem := _compare(step, rows))]
        loud = [asked for asked, trace_id in self.silent if trace_id in rows]
        assert not wrong, "\n".join(wrong)
        assert not loud, loud

    def _trail(self) -> Iterator[dict[str, Any]]:
        since = (self.steps[0].began - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
        cursor = ""
        while True:
            path = f"/api/v1/admin/audit?limit=1000&since={since}" + cursor
            page = self.world.call("GET", path, "admin")
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = f"&cursor={page['next_cursor']}"


def _compare(step: Step, rows: dict[str, list[dict[str, Any]]]) -> str | None:
    found = rows.get(step.trace_id, [])
    if len(found) != 1:
        return f"{step.action}: {len(found)} rows: {[row['action'] for row in found]}"
    (row,) = found
    is_ = {
        "action": row["action"],
        "result": row["result"],
        "actor_id": row["actor_id"],
        "actor_kind": row["actor_kind"],
        "project_id": row["project_id"],
        "target_id": row["target_id"] if step.target_id else None,
        "address": row["address"],
    }
    should = {name: getattr(step, name) for name in is_ if name != "address"}
    should["address"] = "127.0.0.1"
    at = datetime.fromisoformat(row["at"])
    if is_ != should or not step.began - CLOCKS <= at <= step.ended + CLOCKS:
        return f"{step.action}: {is_} at {at}, not {should} at {step.began}"
    return None


@pytest.fixture
def acting(world: World) -> Acting:
    return Acting(world)


def newcomer(acting: Acting, name: str) -> Person:
    """Somebody with an account of their own, whose sessions may end."""
    person = register(acting.world.gateway, name)
    acting.world.people[name] = person
    acting.world.tokens[name] = person.access_token
    return person


def its_id(answer: Any) -> str:
    """The id of what was made."""
    return answer["id"]


def sign_in(acting: Acting, name: str, password: str = PASSWORD) -> None:
    person = acting.world.people[name]
    session = acting.does(
        "login",
        "POST",
        "/auth/login",
        "anonymous",
        json={"email": person.email, "password": password},
        actor=person.user_id,
        target=lambda answer: answer["user"]["session_id"],
    )
    person.access_token, person.refresh_token = session["access_token"], session["refresh_token"]
    acting.world.tokens[name] = person.access_token


def refresh(acting: Acting, token: str) -> str:
    answer = acting.quiet("POST", "/auth/refresh", "anonymous", json={"refresh_token": token})
    assert answer.status_code == 200, answer.text
    return answer.json()["refresh_token"]


def test_signing_in_and_out(acting: Acting) -> None:
    ada = newcomer(acting, "ada")
    wrong = {"email": ada.email, "password": "wrong-horse-battery-9"}
    nobody: dict[str, Any] = {"actor": None, "kind": None}
    sign_in(acting, "ada")
    login = ("POST", "/auth/login", "anonymous")
    acting.does(
        "login", *login, status=401, result="failure", target=ada.user_id, json=wrong, **nobody
    )
    acting.does("logout", "POST", "/auth/logout", "ada")
    sign_in(acting, "ada")
    acting.does("logout.everywhere", "POST", "/auth/logout-everywhere", "ada")

    sign_in(acting, "ada")
    first = ada.refresh_token
    refresh(acting, refresh(acting, first))
    session = acting.steps[-1].target_id
    acting.does(
        "refresh.reuse",
        "POST",
        "/auth/refresh",
        "anonymous",
        status=401,
        result="denied",
        target=session,
        json={"refresh_token": first},
        **nobody,
    )

    # Ten failures are free: what comes next is slowed down, which is noted once a delay.
    eve = newcomer(acting, "eve")
    wrong["email"] = eve.email
    for _ in range(10):
        acting.does(
            "login", *login, status=401, result="failure", target=eve.user_id, json=wrong, **nobody
        )
    acting.does(
        "login.throttled",
        *login,
        status=429,
        result="denied",
        target=eve.user_id,
        json=wrong,
        **nobody,
    )
    acting.quiet(*login, json=wrong)
    acting.check()


def test_passwords_and_accounts(acting: Acting, stack: Stack) -> None:
    joe = newcomer(acting, "joe")
    change = {"current_password": "wrong-horse-battery-9", "new_password": NEW}
    own: dict[str, Any] = {"target": joe.user_id}
    acting.does("profile.change", "PATCH", "/auth/me", "joe", json={"name": "Joseph"}, **own)
    password = ("POST", "/auth/change-password", "joe")
    acting.does("password.change", *password, status=403, result="failure", json=change, **own)
    change["current_password"] = PASSWORD
    acting.does("password.change", *password, json=change, **own)
    reset = f"/api/v1/admin/users/{joe.user_id}/reset-password"
    acting.does("password.reset-request", "POST", reset, "admin", **own)
    acting.does(
        "password.reset",
        "POST",
        "/auth/password-reset/confirm",
        "anonymous",
        actor=joe.user_id,
        json={"token": mailed_link(stack, joe), "new_password": PASSWORD},
        **own,
    )
    one = f"/api/v1/admin/users/{joe.user_id}"
    acting.does("user.change", "PATCH", one, "admin", json={"is_admin": True}, **own)
    acting.does("user.change", "PATCH", one, "admin", json={"is_admin": False}, **own)
    acting.does("user.deactivate", "POST", f"{one}/deactivate", "admin", **own)
    acting.does("user.activate", "POST", f"{one}/activate", "admin", **own)
    acting.check()


def mailed_link(stack: Stack, person: Person) -> str:
    """The secret of a link for a new password; nothing is mailed here."""
    letters = string.ascii_letters + string.digits
    token = "rb_reset_" + "".join(secrets.choice(letters) for _ in range(43))
    with psycopg.connect(stack.database_urls["auth-service"], autocommit=True) as database:
        database.execute(
            "INSERT INTO auth.password_resets (token_hash, user_id, expires_at)"
            " VALUES (%s, %s, now() + interval '5 minutes')",
            (hashlib.sha256(token.encode()).digest(), person.user_id),
        )
    return token


def test_roles_tokens_and_settings_of_a_project(acting: Acting) -> None:
    world = acting.world
    made = world.call("POST", "/api/v1/projects", "owner", json={"name": "Audited"})
    project = made["id"]
    path = f"/api/v1/projects/{project}"
    here: dict[str, Any] = {"project": project}
    acting.does(
        "project.change", "PATCH", path, "owner", json={"name": "Renamed"}, target=project, **here
    )
    member = world.people["bystander"].user_id
    membership = f"{path}/members/{member}"
    for role in ("viewer", "editor"):
        acting.does(
            "member.set", "PUT", membership, "owner", json={"role": role}, target=member, **here
        )
    acting.does("member.remove", "DELETE", membership, "owner", target=member, **here)
    made = acting.does(
        "token.create",
        "POST",
        f"{path}/tokens",
        "owner",
        json={"name": "CI", "role": "owner"},
        target=its_id,
        **here,
    )
    world.tokens["ci"] = made["token"]
    acting.does(
        "project.change",
        "PATCH",
        path,
        "ci",
        json={"description": "by a program"},
        actor=world.people["owner"].user_id,
        kind="token",
        target=project,
        **here,
    )
    acting.does(
        "token.revoke", "DELETE", f"/api/v1/tokens/{made['id']}", "owner", target=made["id"], **here
    )
    hook = acting.does(
        "webhook.created",
        "POST",
        f"{path}/webhooks",
        "owner",
        json={"name": "CI", "url": NOBODY, "event_types": ["run.failed"]},
        target=its_id,
        **here,
    )
    one = f"/api/v1/webhooks/{hook['id']}"
    acting.does(
        "webhook.changed", "PATCH", one, "owner", json={"name": "C"}, target=hook["id"], **here
    )
    acting.does(
        "webhook.secret_rotated",
        "POST",
        f"{one}/secret",
        "owner",
        json={},
        target=hook["id"],
        **here,
    )
    acting.does("webhook.tested", "POST", f"{one}/test", "owner", target=hook["id"], **here)
    acting.does("webhook.removed", "DELETE", one, "owner", target=hook["id"], **here)
    watch = acting.does(
        "metric_watch.created",
        "POST",
        f"{path}/metric-watches",
        "owner",
        json={"key": "loss", "direction": "above", "threshold": 1},
        target=its_id,
        **here,
    )
    acting.does(
        "metric_watch.removed",
        "DELETE",
        f"/api/v1/metric-watches/{watch['id']}",
        "owner",
        target=watch["id"],
        **here,
    )
    rule = acting.does(
        "notification_rule.created",
        "POST",
        f"{path}/notification-rules",
        "owner",
        json={"event_types": ["run.failed"]},
        target=its_id,
        **here,
    )
    one = f"/api/v1/notification-rules/{rule['id']}"
    acting.does(
        "notification_rule.changed",
        "PATCH",
        one,
        "owner",
        json={"state": "paused"},
        target=rule["id"],
        **here,
    )
    acting.does("notification_rule.removed", "DELETE", one, "owner", target=rule["id"], **here)
    acting.check()


def test_sensors_and_who_is_let_at_them(acting: Acting) -> None:
    world = acting.world
    project, other = (
        world.call("POST", "/api/v1/projects", "owner", json={"name": name})["id"]
        for name in ("Home", "Guest")
    )
    here: dict[str, Any] = {"project": project}
    sensor = acting.does(
        "sensor.created",
        "POST",
        f"/api/v1/projects/{project}/sensors",
        "owner",
        json={"name": "TC-9", "signals": [{"name": "temperature"}]},
        target=its_id,
        **here,
    )
    here["target"] = sensor["id"]
    path = f"/api/v1/sensors/{sensor['id']}"
    rotated = acting.does(
        "sensor.token_rotated", "POST", f"{path}/tokens", "owner", json={}, **here
    )
    acting.does("sensor.token_revoked", "DELETE", f"{path}/tokens/{rotated['id']}", "owner", **here)
    acting.does("sensor.shared", "PUT", f"{path}/projects/{other}", "owner", **here)
    acting.does("sensor.unshared", "DELETE", f"{path}/projects/{other}", "owner", **here)
    signal = f"{path}/signals"
    acting.does("sensor.signal_added", "POST", signal, "owner", json={"name": "flow"}, **here)
    acting.does(
        "sensor.signal_changed",
        "PATCH",
        f"{signal}/flow",
        "owner",
        json={"input_unit": "l/s"},
        **here,
    )
    acting.does("sensor.signal_removed", "DELETE", f"{signal}/flow", "owner", **here)
    linear = {"signal": "temperature", "kind": "linear", "parameters": {"a": 2, "b": 1}}
    here["target"] = its_id
    profile = acting.does(
        "profile.created", "POST", f"{path}/profiles", "owner", json=linear, **here
    )
    one = f"/api/v1/profiles/{profile['id']}"
    here["target"] = profile["id"]
    acting.does("profile.changed", "PATCH", one, "owner", json={"note": "lab"}, **here)
    acting.does("profile.published", "POST", f"{one}/publish", "owner", json={}, **here)
    acting.does("profile.retired", "POST", f"{one}/retire", "owner", **here)
    bound = {"signal": "temperature", "direction": "above", "threshold": 100}
    here["target"] = its_id
    watch = acting.does(
        "sensor_watch.created", "POST", f"{path}/watches", "owner", json=bound, **here
    )
    here["target"] = watch["id"]
    acting.does("sensor_watch.removed", "DELETE", f"{path}/watches/{watch['id']}", "owner", **here)
    acting.check()


def test_files_that_are_read_and_removed(acting: Acting) -> None:
    world = acting.world
    place = world.places["own"]
    run = place.ids["run_id"]
    path = f"/api/v1/runs/{run}/artifacts/secret/plan.txt"
    kept = world.call("PUT", path, "owner", content=b"0123456789")
    here: dict[str, Any] = {"project": place.project_id, "target": kept["id"]}

    acting.quiet("HEAD", path, "viewer")
    acting.does("artifact.read", "GET", path, "viewer", **here)
    # A reader who goes on with the same content is there already; another credential is not.
    acting.quiet("GET", path, "viewer")
    acting.quiet("GET", path, "viewer", headers={"Range": "bytes=0-3"})
    acting.quiet("GET", f"/api/v1/artifacts/{kept['id']}/content", "viewer")
    acting.does("artifact.read", "GET", path, "editor", **here)
    part = {"Range": "bytes=0-3"}
    acting.does("artifact.read", "GET", path, "owner", status=206, headers=part, **here)
    acting.does(
        "artifact.read",
        "GET",
        path,
        "program_viewer",
        actor=world.people["viewer"].user_id,
        kind="token",
        **here,
    )
    preview = f"/api/v1/artifacts/{kept['id']}/preview"
    acting.does("artifact.read", "GET", preview, "viewer", **here)
    acting.quiet("GET", preview, "viewer")
    etag = {"If-None-Match": f'"{kept["sha256"]}"'}
    acting.quiet("GET", path, "bystander", headers=etag)

    # Other content under the same name is read anew.
    world.call("PUT", path, "owner", content=b"another plan")
    acting.does("artifact.read", "GET", path, "viewer", **here)
    acting.quiet("GET", f"/api/v1/runs/{run}/artifacts/no/such.txt", "viewer")
    acting.quiet("GET", path, "outsider")
    experiment = place.ids["experiment_id"].replace("-", "")
    proxy = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run.replace('-', '')}/artifacts"
    acting.does(
        "artifact.read",
        "GET",
        f"{proxy}/secret/plan.txt",
        "program_editor",
        actor=world.people["editor"].user_id,
        kind="token",
        **here,
    )
    acting.does("artifact.removed", "DELETE", path, "editor", **here)
    acting.check()


def test_exports(acting: Acting) -> None:
    world = acting.world
    place = world.places["own"]
    run = place.ids["run_id"]
    here: dict[str, Any] = {"project": place.project_id}
    for form in ("parquet", "arrow", "csv"):
        acting.does(
            "metrics.exported",
            "GET",
            f"/api/v1/runs/{run}/metrics/export?format={form}",
            "viewer",
            target=run,
            **here,
        )
        sensor = place.ids["sensor_id"]
        acting.does(
            "sensor.exported",
            "GET",
            f"/api/v1/telemetry/export?sensor_id={sensor}&format={form}",
            "viewer",
            target=sensor,
            **here,
        )
        capture = place.ids["capture_session_id"]
        acting.does(
            "capture.exported",
            "GET",
            f"/api/v1/capture-sessions/{capture}/telemetry/export?format={form}",
            "viewer",
            target=capture,
            **here,
        )
    for form in ("csv", "json", "html"):
        acting.does(
            "comparison.exported",
            "POST",
            "/api/v1/comparisons/export",
            "viewer",
            json={"run_ids": [run], "format": form},
            target=place.project_id,
            **here,
        )
    archive = f"/api/v1/runs/{run}/artifact-archive"
    acting.does("artifact.folder_exported", "GET", archive, "viewer", target=run, **here)
    acting.does(
        "audit.export",
        "GET",
        f"/api/v1/projects/{place.project_id}/audit/export?format=jsonl",
        "owner",
        **here,
    )
    acting.does("audit.export", "GET", "/api/v1/admin/audit/export?action=login", "admin")
    acting.check()


def test_what_was_refused(acting: Acting) -> None:
    world = acting.world
    place = world.places["own"]
    project = place.project_id
    no: dict[str, Any] = {"status": 403, "result": "denied", "project": project}
    in_no_project: dict[str, Any] = no | {"project": None}
    refused: list[tuple[str, str, str, Any]] = [
        ("PATCH", f"/api/v1/projects/{project}", "viewer", {"name": "Mine"}),
        ("POST", f"/api/v1/projects/{project}/experiments", "viewer", {"name": "Mine"}),
        ("DELETE", f"/api/v1/runs/{place.ids['run_id']}/artifacts/a", "viewer", None),
        ("POST", f"/api/v1/runs/{place.ids['run_id']}/metrics", "viewer", {"series": []}),
        ("POST", f"/api/v1/projects/{project}/comparisons", "viewer", {"title": "M", "view": {}}),
        ("POST", f"/api/v1/projects/{project}/webhooks", "editor", {"name": "Mine"}),
    ]
    for method, path, caller, body in refused:
        acting.does("access.denied", method, path, caller, json=body, **no)
    acting.quiet("POST", f"/api/v1/projects/{project}/webhooks", "editor", json={})
    acting.does(
        "access.denied",
        "GET",
        "/api/v1/admin/audit",
        "viewer",
        **in_no_project,
    )
    acting.does(
        "access.denied",
        "POST",
        "/api/2.0/mlflow/experiments/create",
        "program_viewer",
        actor=world.people["viewer"].user_id,
        kind="token",
        json={"name": "mine"},
        **no,
    )
    acting.check()


def test_a_signing_key_that_begins(world: World) -> None:
    (row,) = world.call("GET", "/api/v1/admin/audit?action=signing-key.begin", "admin")["items"]

    assert (row["actor_kind"], row["result"], row["address"]) == ("system", "success", "::1")
    assert row["trace_id"]
    assert row["details"]["kid"]
