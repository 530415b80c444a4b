"""Demo people and data, made through the public HTTP API of a running stack.

What is there already stays as it is: a second run changes nothing.
"""

import json
import sys
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

from scripts import demo, environment
from scripts.environment import DEMO_PASSWORD, Workspace
from scripts.status import running_workspace

PROJECT = {"name": "Demo", "slug": "demo", "description": "Runs to look at and play with."}
PEOPLE = {"demo@runbench.dev": "Dana Demo", "viewer@runbench.dev": "Vera Viewer"}
TOKEN_NAME = "Development workspace"  # noqa: S105 - a name
BATCHES = uuid.UUID("5eed0000-0000-4000-8000-000000000000")
PATIENCE_SECONDS = 30.0
CONFLICT = 409
MARK = "seeded.json"

type Body = dict[str, Any]


class SeedError(Exception):
    """The stack refused a step; the message names the step and the answer."""


class Person:
    """Somebody who is signed in, by session or by token."""

    def __init__(self, gateway: str, token: str, user_id: str) -> None:
        self.user_id = user_id
        self._client = httpx.Client(
            base_url=gateway,
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE_SECONDS,
        )

    @classmethod
    def signed_in(cls, gateway: str, email: str, name: str) -> Self:
        """Register, or sign in where the address is taken already."""
        credentials = {"email": email, "password": DEMO_PASSWORD}
        answer = httpx.post(
            f"{gateway}/auth/register",
            json={**credentials, "name": name},
            timeout=PATIENCE_SECONDS,
        )
        if answer.status_code == CONFLICT:
            answer = httpx.post(f"{gateway}/auth/login", json=credentials, timeout=PATIENCE_SECONDS)
        session = checked(answer, f"sign in as {email}")
        return cls(gateway, session["access_token"], session["user"]["id"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, path: str, **filters: str | int) -> Body:
        """Read something."""
        return checked(self._client.get(path, params=filters), f"GET {path}")

    def say(self, method: str, path: str, body: Mapping[str, object]) -> Body:
        """Change something."""
        return checked(self._client.request(method, path, json=body), f"{method} {path}")

    def all(self, path: str, **filters: str | int) -> list[Body]:
        """Every item of a list, page by page."""
        page = self.ask(path, limit=1000, **filters)
        items: list[Body] = page["items"]
        while page.get("next_cursor"):
            page = self.ask(path, limit=1000, cursor=page["next_cursor"], **filters)
            items += page["items"]
        return items


def checked(answer: httpx.Response, step: str) -> Body:
    """The JSON of a good answer; raises SeedError with the words of a bad one."""
    if answer.is_success:
        return answer.json() if answer.content else {}
    raise SeedError(f"{step}: {answer.status_code} {answer.text[:500]}")


def sow(workspace: Workspace, say: Callable[[str], None]) -> int:
    """Make what is missing; how many runs that were. Raises SeedError."""
    gateway = workspace.url("api-gateway")
    try:
        (email, name), *others = PEOPLE.items()
        with Person.signed_in(gateway, email, name) as owner:
            project = project_of(owner)
            for other_email, other_name in others:
                with Person.signed_in(gateway, other_email, other_name) as viewer:
                    path = f"/api/v1/projects/{project}/members/{viewer.user_id}"
                    owner.say("PUT", path, {"role": "viewer"})
            made = 0
            for experiment in demo.experiments():
                made += sow_experiment(owner, project, experiment)
                say(f"demo: {experiment.name}")
            secret = working_token(workspace, gateway, owner, project)
    except httpx.HTTPError as error:
        raise SeedError(f"the gateway at {gateway} does not answer: {error}") from error
    mark = workspace.home / MARK
    environment.replace(mark, json.dumps({"project_id": project, "token": secret}))
    return made


def project_of(owner: Person) -> str:
    """Id of the demo project, made when it is missing."""
    found = owner.ask("/api/v1/projects", slug=PROJECT["slug"], archived="all")["items"]
    if found:
        return found[0]["id"]
    return owner.say("POST", "/api/v1/projects", PROJECT)["id"]


def sow_experiment(owner: Person, project: str, wanted: demo.Experiment) -> int:
    """Make an experiment and those of its runs that are missing; how many."""
    path = f"/api/v1/projects/{project}/experiments"
    found = owner.ask(path, name=wanted.name, archived="all")["items"]
    if found:
        experiment = found[0]["id"]
    else:
        body = {
            "name": wanted.name,
            "type": wanted.type,
            "description": wanted.description,
            "tags": wanted.tags,
        }
        experiment = owner.say("POST", path, body)["id"]
    present = owner.all(f"/api/v1/experiments/{experiment}/runs", archived="all")
    ids: dict[str, str] = {run["name"]: run["id"] for run in present}
    missing = [run for run in wanted.runs if run.name not in ids]
    for run in missing:
        ids[run.name] = sow_run(owner, experiment, run, ids.get(run.parent or ""))
    return len(missing)


def sow_run(owner: Person, experiment: str, run: demo.Run, parent: str | None) -> str:
    """Make one run with its curves, and end it as it ended; its id."""
    body: Body = {
        "name": run.name,
        "params": run.params,
        "tags": run.tags,
        "source": "demo",
        "notes": run.notes,
        "parent_run_id": parent,
    }
    given = {key: value for key, value in body.items() if value}
    made: str = owner.say("POST", f"/api/v1/experiments/{experiment}/runs", given)["id"]
    if run.curves:
        series = [
            {"key": key, "step": list(range(len(values))), "value": values}
            for key, values in run.curves.items()
        ]
        batch = str(uuid.uuid5(BATCHES, made))
        owner.say("POST", f"/api/v1/runs/{made}/metrics", {"batch_id": batch, "series": series})
    if run.ending:
        owner.say("PATCH", f"/api/v1/runs/{made}", {"status": run.ending})
    return made


def working_token(workspace: Workspace, gateway: str, owner: Person, project: str) -> str:
    """The API token of an earlier run where it still works, else a new one."""
    held = token(workspace)
    if held:
        with Person(gateway, held, owner.user_id) as program:
            try:
                program.ask("/auth/me")
            except SeedError:
                pass
            else:
                return held
    body = {"name": TOKEN_NAME, "role": "editor"}
    return owner.say("POST", f"/api/v1/projects/{project}/tokens", body)["token"]


def token(workspace: Workspace) -> str | None:
    """The API token that seeding made, None when it made none."""
    path = workspace.home / MARK
    return json.loads(path.read_text()).get("token") if path.exists() else None


def main() -> int:
    """Seed the running stack."""
    try:
        made = sow(running_workspace(), print)
    except SeedError as error:
        print(f"not seeded: {error}", file=sys.stderr)
        return 1
    print(f"made {made} runs" if made else "everything was there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
