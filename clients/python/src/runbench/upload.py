"""What a run's records mean to the server, each so that sending it twice changes nothing."""

import copy
import json
import re
import uuid
from typing import Any, cast

from runbench.api import Api, ApiError, Unreachable
from runbench.messages import Voice, logger
from runbench.records import ACTION, METRICS, describe, dump
from runbench.spool import Record, Spool
from runbench.values import json_object

CREATE_ATTEMPTS = 4
MOST_PARTS = 200

_SLUG = re.compile(r"[a-z0-9-]{1,60}")
WRONG_CONTENT = (400, 413, 422)
_UNDER_WAY = ("idempotency", "in-flight", "in-progress", "under-way")


class Blocked(Exception):
    """The server refuses this run as a whole; only a person can change that."""


class Uploader:
    """Brings one spool to the server. Every method raises Unreachable or a passing ApiError when
    trying again later may help, Blocked when it will not.
    """

    def __init__(self, api: Api, spool: Spool, voice: Voice) -> None:
        self.api = api
        self.spool = spool
        self.voice = voice
        self.remote_status: str | None = None

    @property
    def run_id(self) -> str | None:
        """The server's id of the run, once it is known."""
        return self.spool.manifest.get("run_id")

    def create(self) -> None:
        """Make sure that the run exists at the server. Repeating it finds the same run."""
        if self.run_id:
            return
        if not self.api.token:
            raise Blocked(f"no token for {self.api.url}: run `runbench login {self.api.url}`")
        try:
            self._find_project()
            self._find_experiment()
            self._create_run()
        except ApiError as error:
            if error.passing or self._under_way(error):
                raise
            raise Blocked(explained(error, self.api.url)) from error

    def _find_project(self) -> None:
        manifest = self.spool.manifest
        if manifest.get("project_id"):
            return
        wanted = manifest.get("project")
        found: dict[str, Any] | None = None
        if wanted is None:
            scope = json_object(self.api.get("/auth/me").get("scope"))
            if not scope.get("project_id"):
                raise Blocked("no project was named: give project=… or set RUNBENCH_PROJECT")
            found = self.api.get(f"/api/v1/projects/{scope['project_id']}")
        else:
            found = find_project(self.api, wanted)
        if found is None:
            raise Blocked(
                f"there is no project {wanted!r} at {self.api.url} that this token may see"
            )
        manifest["project_id"], manifest["project_slug"] = found["id"], found["slug"]
        self.spool.save_manifest()

    def _find_experiment(self) -> None:
        manifest = self.spool.manifest
        if manifest.get("experiment_id"):
            return
        path = f"/api/v1/projects/{manifest['project_id']}/experiments"
        name = manifest["experiment"]
        found = self._experiment(path, name)
        if found is None:
            try:
                body = {"name": name}
                found = self.api.post(path, body, key=f"{manifest['key']}-experiment")
            except ApiError as error:
                taken = error.status == 409
                found = self._experiment(path, name, archived="all") if taken else None
                if found is None:
                    raise
        manifest["experiment_id"] = found["id"]
        self.spool.save_manifest()

    def _experiment(self, path: str, name: str, **more: str) -> dict[str, Any] | None:
        return next(iter(self.api.items(path, name=name, limit=1, **more)), None)

    def _create_run(self) -> None:
        manifest = self.spool.manifest
        path = f"/api/v1/experiments/{manifest['experiment_id']}/runs"
        for attempt in range(manifest.get("attempt", 0), CREATE_ATTEMPTS):
            try:
                key = manifest["key"] if attempt == 0 else f"{manifest['key']}-{attempt}"
                created = self.api.post(path, manifest["body"], key=key)
                break
            except ApiError as error:
                if error.status not in WRONG_CONTENT or attempt == CREATE_ATTEMPTS - 1:
                    raise
                self.voice.warn(f"the server refused part of the run's description: {error}")
                manifest["body"] = _without_refused(manifest["body"], error)
                manifest["attempt"] = attempt + 1
                self.spool.save_manifest()
        else:
            raise Blocked("the server refuses the run's description")
        try:
            manifest["run_id"], manifest["run_name"] = created["id"], created["name"]
        except KeyError:
            raise odd(self.api) from None
        self.remote_status = created.get("status")
        self.spool.save_manifest()

    def heartbeat(self) -> None:
        """Say that the run lives; an interrupted one goes on."""
        try:
            self.remote_status = self.api.post(f"/api/v1/runs/{self.run_id}/heartbeat").get(
                "status"
            )
        except ApiError as error:
            if error.passing:
                raise
            if error.status == 409:
                self.remote_status = self.status()
                return
            raise Blocked(explained(error, self.api.url)) from error

    def status(self) -> str:
        """The run's status at the server."""
        return str(self.api.get(f"/api/v1/runs/{self.run_id}").get("status"))

    def send(self, record: Record) -> None:
        """Bring one record to the server, or put aside what the server will never take."""
        try:
            if record.payload[:1] == METRICS:
                self._send_metrics(record.payload[1:])
            else:
                self._act(describe(record.payload))
        except ApiError as error:
            if error.passing or self._under_way(error):
                raise
            if error.status not in (*WRONG_CONTENT, 409) or error.code in FINAL:
                raise Blocked(explained(error, self.api.url)) from error
            self._put_aside(record.payload, error)
        self.spool.accepted(record)

    def send_left(self) -> bool:
        """What earlier runs left is not this run's: `runbench sync` sends it."""
        return False

    def _send_metrics(self, body: bytes) -> None:
        """Send a batch; where the server refuses it, find by halving which points it means."""
        try:
            self._post_metrics(body)
        except ApiError as error:
            if error.status not in WRONG_CONTENT:
                raise
            parts = [_parted(json.loads(body), error)]
        else:
            return
        tries = 0
        while parts:
            part = parts.pop()
            tries += 1
            try:
                self._post_metrics(part)
            except ApiError as error:
                if error.status not in WRONG_CONTENT:
                    raise
                halves = halved(part) if tries < MOST_PARTS else []
                parts += halves[::-1]
                if not halves:
                    self._put_aside(METRICS + dump(part), error)

    def _post_metrics(self, body: object) -> None:
        """Only an answer that says so is an acknowledgement, whoever else answers in between."""
        answer = self.api.post(f"/api/v1/runs/{self.run_id}/metrics", body)
        if not isinstance(answer.get("accepted"), int):
            raise odd(self.api)

    def _put_aside(self, payload: bytes, error: ApiError) -> None:
        self.spool.put_aside(describe(payload), str(error))
        self.voice.warn(
            f"the server refused a record, which is kept aside: {error}", once="refused"
        )
        logger.debug("refused record: %s", error)

    def _act(self, action: dict[str, Any]) -> None:
        path = f"/api/v1/runs/{self.run_id}"
        match action["do"]:
            case "params":
                self.api.post(f"{path}/params", {"params": action["params"]})
            case "tags":
                self.api.patch(path, {"tags": action["tags"]})
            case "notes":
                self._append_notes(path, action["text"])
            case "input":
                self._note_input(path, action)
            case "finish":
                self._finish(path, action["status"])
                self.spool.manifest["finished"] = True
                self.spool.save_manifest()
            case unknown:
                logger.warning("a record of kind %r is from a newer version; left out", unknown)

    def _note_input(self, path: str, action: dict[str, Any]) -> None:
        """Say which file the run used. One that nobody may see any more costs only itself."""
        try:
            role = {"role": action["role"]} if action.get("role") else {}
            self.api.put(f"{path}/inputs/{action['artifact_id']}", role)
        except ApiError as error:
            if error.status not in (403, 404, 405):
                raise
            self._put_aside(ACTION + dump(action), error)

    def _append_notes(self, path: str, text: str) -> None:
        """Add to the notes, beside what a person may be writing there; once only."""
        answer = self.api.request("GET", path)
        notes = answer.body.get("notes") or ""
        if text in notes:
            return
        joined = f"{notes.rstrip()}\n\n{text}" if notes.strip() else text
        try:
            self.api.patch(path, {"notes": joined}, if_match=answer.etag)
        except ApiError as error:
            if error.status == 412:
                raise Unreachable("the notes are being edited") from None
            raise

    def _finish(self, path: str, status: str) -> None:
        try:
            self.api.patch(path, {"status": status})
        except ApiError as error:
            if error.status != 409 or error.code in FINAL:
                raise
            # An interrupted run first has to be running again; one that a person ended stays so.
            self.heartbeat()
            if self.remote_status == "running":
                self.api.patch(path, {"status": status})
                self.remote_status = status
        else:
            self.remote_status = status

    @staticmethod
    def _under_way(error: ApiError) -> bool:
        return error.status == 409 and any(word in error.code for word in _UNDER_WAY)


def odd(api: Api) -> Unreachable:
    """What to raise for an answer that is none of this server's."""
    return Unreachable(f"{api.url} does not answer like a Runbench server")


FINAL = ("run-archived", "project-archived", "experiment-archived")


def find_project(api: Api, wanted: str) -> dict[str, Any] | None:
    """The project with this id, slug or name; None when the token sees none. Raises ApiError and
    Unreachable.
    """
    try:
        uuid.UUID(wanted)
    except ValueError:
        pass
    else:
        try:
            return api.get(f"/api/v1/projects/{wanted}")
        except ApiError as error:
            if error.status != 404:
                raise
    if _SLUG.fullmatch(wanted):
        found = next(iter(api.items("/api/v1/projects", slug=wanted, limit=1)), None)
        if found is not None:
            return found
    named = api.items("/api/v1/projects", q=wanted, limit=50)
    return next((p for p in named if p["name"].casefold() == wanted.strip().casefold()), None)


def _parted(batch: dict[str, Any], error: ApiError) -> dict[str, Any]:
    """A refused batch to be looked into; without times where these are what was refused (a clock
    that is days off), so that the server puts its own.
    """
    if not any("/time" in field for field in error.fields):
        return batch
    series = cast("list[dict[str, Any]]", batch["series"])
    bare = [{name: each[name] for name in each if name != "time"} for each in series]
    return {**batch, "series": bare}


def halved(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """A batch as two, so that one bad point costs only itself; [] for a single point.

    The halves' ids follow from the batch's, so that repeating this repeats them.
    """
    series = cast("list[dict[str, Any]]", batch["series"])
    if len(series) > 1:
        parts = [series[: len(series) // 2], series[len(series) // 2 :]]
    else:
        middle = len(series[0]["step"]) // 2
        if middle == 0:
            return []
        key, columns = series[0]["key"], {n: c for n, c in series[0].items() if n != "key"}
        parts = [
            [{"key": key, **{name: column[cut] for name, column in columns.items()}}]
            for cut in (slice(None, middle), slice(middle, None))
        ]
    base = uuid.UUID(batch["batch_id"])
    return [
        {"batch_id": str(uuid.uuid5(base, str(place))), "series": part}
        for place, part in enumerate(parts)
    ]


def _without_refused(body: dict[str, Any], error: ApiError) -> dict[str, Any]:
    """The run's description without what the refusal points at (all but its name when it points at
    nothing).
    """
    left = copy.deepcopy(body)
    named = False
    for field in error.fields:
        path = field.partition(" ")[0].removeprefix("#/").split("/")
        name = path[0]
        if name not in left:
            continue
        named = True
        inner = json_object(left[name])
        entry = path[1].replace("~1", "/").replace("~0", "~") if len(path) > 1 else None
        if name in ("params", "tags") and entry in inner:
            del inner[entry]
        else:
            del left[name]
    return left if named else {name: body[name] for name in ("name",) if name in body}


def explained(error: ApiError, url: str) -> str:
    """What a refusal of the whole means, and what to do."""
    if error.status == 401:
        return f"{url} does not accept the token ({error}): run `runbench login {url}`"
    if error.status == 403:
        return f"the token may not write here ({error})"
    return str(error)
