"""A Runbench server small enough for a test: real HTTP, the same contract, faults on demand."""

import json
import math
import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import comparisons
from files import Files, Refusal, Reply, missing, page

TOKEN = "rb_pat_test0001_secret_000000"
SENSOR_TOKEN = "rb_sensor_rig00001_secret_000000"
CUT = -1


@dataclass
class Fault:
    """What happens to the next `times` requests whose "METHOD /path" matches."""

    match: re.Pattern[str]
    status: int
    times: int
    headers: dict[str, str] = field(default_factory=dict)
    problem: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    when: Callable[[Any], bool] = lambda body: True


class Server:
    """Keeps what it acknowledged; `stop` and `start` on the same port like a restarted server."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.project = {"id": str(uuid.uuid4()), "slug": "bench", "name": "Bench", "role": "editor"}
        self.projects = [self.project]
        self.experiments: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.points: dict[str, list[tuple[str, int, Any, int]]] = {}
        self.batches: set[str] = set()
        self.readings: list[tuple[str, int, Any]] = []
        self.numbers: dict[str, list[int]] = {}
        self.sensors: dict[str, dict[str, Any]] = {}
        self.rotations: list[tuple[str, int]] = []
        self.profiles: dict[str, dict[str, Any]] = {}
        self.captures: dict[str, dict[str, Any]] = {}
        self.duplicates = 0
        self.heartbeats = 0
        self.idempotent: dict[str, tuple[Any, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.queries: list[dict[str, Any]] = []
        self.files = Files()
        self.unread: list[dict[str, Any]] = []
        self.tokens_seen: set[str] = set()
        self.faults: list[Fault] = []
        self.scope: str | None = self.project["id"]
        self._connections: set[socket.socket] = set()
        self._http: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        handler = type("Bound", (Handler,), {"app": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        if self._http is None:
            return
        self._http.shutdown()
        self._http.server_close()
        self._http = None
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def fail(self, match: str, status: int, times: int = 1, **more: Any) -> Fault:
        fault = Fault(re.compile(match), status, times, **more)
        self.faults.append(fault)
        return fault

    def only_run(self) -> dict[str, Any]:
        (run,) = self.runs.values()
        return run

    def series(self, run_id: str, key: str) -> list[tuple[int, Any]]:
        return [(step, value) for k, step, value, _ in self.points.get(run_id, []) if k == key]

    def count(self, match: str) -> int:
        return sum(1 for method, path in self.requests if re.search(match, f"{method} {path}"))

    # The contract

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: Any) -> Any:
        parts = path.strip("/").split("/")
        match method, parts:
            case "GET", ["auth", "me"]:
                scope = {"project_id": self.scope, "role": "editor"} if self.scope else None
                return {
                    "id": "u1",
                    "email": "a@example.org",
                    "name": "A",
                    "kind": "token",
                    "scope": scope,
                    "is_admin": False,
                }
            case "GET", ["ready"] | ["health"]:
                return {"status": "ok"}
            case "POST", ["api", "v1", "telemetry"]:
                return self.take_readings(body)
            case "GET", ["api", "v1", "projects"]:
                found = self.projects
                if "slug" in query:
                    found = [p for p in found if p["slug"] == query["slug"]]
                if "q" in query:
                    found = [p for p in found if query["q"].lower() in p["name"].lower()]
                return page(found, query)
            case "GET", ["api", "v1", "projects", pid]:
                return next((p for p in self.projects if p["id"] == pid), None) or missing()
            case "GET", ["api", "v1", "projects", pid, "experiments"]:
                found = [e for e in self.experiments.values() if e["project_id"] == pid]
                if "name" in query:
                    found = [e for e in found if e["name"].lower() == query["name"].lower()]
                return page(found, query)
            case "POST", ["api", "v1", "projects", pid, "experiments"]:
                return self.once(headers, body, lambda: self.new_experiment(pid, body))
            case "POST", ["api", "v1", "experiments", eid, "runs"]:
                return self.once(headers, body, lambda: self.new_run(eid, body))
            case "GET", ["api", "v1", "projects", pid, "runs"]:
                return page(self.search(pid, query), query)
            case "GET", ["api", "v1", "projects", pid, "sensors"]:
                found = sorted(self.sensors.values(), key=lambda each: each["name"])
                found = [s for s in found if query.get("q", "").lower() in s["name"].lower()]
                return page([s for s in found if query.get("health") in (None, s["health"])], query)
            case "POST", ["api", "v1", "projects", pid, "sensors"]:
                return self.once(headers, body, lambda: self.new_sensor(pid, body))
            case "GET", ["api", "v1", "sensors", sid]:
                return self.sensors.get(sid) or missing()
            case "POST", ["api", "v1", "sensors", sid, "tokens"]:
                self.rotations.append((self.sensors[sid]["name"], body["grace_seconds"]))
                return {"id": str(uuid.uuid4()), "token": SENSOR_TOKEN}
            case "POST", ["api", "v1", "sensors", sid, "profiles"]:
                made = {**body, "id": str(uuid.uuid4()), "sensor_id": sid, "state": "draft"}
                self.profiles[made["id"]] = made
                return made
            case "POST", ["api", "v1", "profiles", profile, "publish"]:
                self.profiles[profile].update(state="active", **body)
                return self.profiles[profile]
            case "GET", ["api", "v1", "runs", rid, "capture-sessions"]:
                return page([c for c in self.captures.values() if c["run_id"] == rid], query)
            case "POST", ["api", "v1", "runs", rid, "capture-sessions"]:
                return self.once(headers, body, lambda: self.new_capture(rid, body))
            case _, ["api", "v1", "capture-sessions", cid, *rest]:
                return self.of_capture(method, self.captures[cid], rest, body)
            case "GET", ["api", "v1", "telemetry", "export"]:
                return json.dumps(query, sort_keys=True).encode()
            case _, ["api", "v1", "runs", rid, *rest]:
                if rid not in self.runs:
                    missing()
                return self.of_run(method, self.runs[rid], rest, query, body, headers)
            case "POST", ["api", "v1", "comparisons", what]:
                return comparisons.answer(self, what, body)
            case _, ["api", "v1", "uploads" | "artifacts", *rest]:
                return self.files.answer(method, parts[2:], body, headers)
        return missing()

    def once(self, headers: Any, body: Any, make: Callable[[], Any]) -> Any:
        key = headers.get("Idempotency-Key")
        if key in self.idempotent:
            seen, answer = self.idempotent[key]
            if seen != body:
                raise Refusal(422, "idempotency-key-reused")
            return answer
        answer = make()
        if key:
            self.idempotent[key] = (body, answer)
        return answer

    def new_experiment(self, pid: str, body: Any) -> Any:
        if any(e["name"].lower() == body["name"].lower() for e in self.experiments.values()):
            raise Refusal(409, "experiment-name-taken")
        made = {"id": str(uuid.uuid4()), "project_id": pid, "name": body["name"]}
        self.experiments[made["id"]] = made
        return made

    def new_run(self, eid: str, body: Any) -> Any:
        for key, value in body.get("params", {}).items():
            if value == "unwanted":
                raise Refusal(
                    422, "validation", errors=[{"pointer": f"#/params/{key}", "detail": "is bad"}]
                )
        made = {
            "name": f"brave-otter-{len(self.runs) + 1}",
            "params": {},
            "tags": {},
            "notes": None,
            "metrics": {},
            "created_at": "2026-01-02T03:04:05.000000Z",
            "duration_seconds": None,
            **body,
            "id": str(uuid.uuid4()),
            "experiment_id": eid,
            "status": "running",
            "version": 1,
            "experiment_name": self.experiments[eid]["name"],
            "project_id": self.experiments[eid]["project_id"],
        }
        self.runs[made["id"]] = made
        return made

    def search(self, pid: str, query: dict[str, str]) -> list[Any]:
        found = [r for r in self.runs.values() if r["project_id"] == pid]
        if "q" in query:
            found = [r for r in found if query["q"].lower() in r["name"].lower()]
        if "status" in query:
            found = [r for r in found if r["status"] == query["status"]]
        if "tag" in query:
            key, _, value = query["tag"].partition("=")
            found = [r for r in found if r["tags"].get(key) == value]
        if "experiment_id" in query:
            found = [r for r in found if r["experiment_id"] == query["experiment_id"]]
        return found[::-1]

    def of_run(
        self, method: str, run: Any, rest: list[str], query: Any, body: Any, headers: Any
    ) -> Any:
        match method, rest:
            case "GET", []:
                return run
            case "PATCH", []:
                return self.change(run, body, headers)
            case "POST", ["heartbeat"]:
                self.heartbeats += 1
                if run["status"] == "interrupted":
                    run["status"] = "running"
                return {"status": run["status"]}
            case "POST", ["params"]:
                for key, value in body["params"].items():
                    if run["params"].get(key, value) != value:
                        raise Refusal(409, "param-already-set")
                run["params"].update(body["params"])
                return run
            case "POST", ["metrics"]:
                return self.take(run, body)
            case "GET", ["metrics"]:
                return page(self.summary(run["id"]), query)
            case _, ["artifacts" | "uploads" | "inputs", *_]:
                return self.files.of_run(method, run, rest, query, body, headers)
            case "GET", ["metrics", "export"]:
                rows = [f"{k},{s},{v},{t}" for k, s, v, t in self.points.get(run["id"], [])]
                return "\n".join(["key,step,value,time", *rows, ""]).encode()
            case "GET", ["metrics", "series"]:
                keys = query["key"] if isinstance(query["key"], list) else [query["key"]]
                return {"series": [self.one_series(run["id"], key) for key in keys]}
        return missing()

    def change(self, run: Any, body: Any, headers: Any) -> Any:
        if headers.get("If-Match") not in (None, f'"{run["version"]}"'):
            raise Refusal(412, "precondition-failed")
        status = body.get("status")
        if status and status != run["status"]:
            if run["status"] != "running":
                raise Refusal(409, "transition-not-allowed")
            run["status"] = status
        for key, value in body.get("tags", {}).items():
            run["tags"].pop(key, None)
            if value is not None:
                run["tags"][key] = value
        if "notes" in body:
            run["notes"] = body["notes"]
        if "name" in body:
            run["name"] = body["name"]
        run["version"] += 1
        return run

    def take(self, run: Any, body: Any) -> Any:
        if run["status"] == "archived":
            raise Refusal(409, "run-archived")
        uuid.UUID(body["batch_id"])
        taken: list[tuple[str, int, Any, int]] = []
        for place, series in enumerate(body["series"]):
            arrived = [0] * len(series["step"])
            columns = series["step"], series["value"], series.get("time", arrived)
            if any(when > (time.time() + 86_400) * 1e6 for when in columns[2]):
                pointer = f"#/series/{place}/time/0"
                raise Refusal(422, "invalid", errors=[{"pointer": pointer, "detail": "ahead"}])
            if len({len(column) for column in columns}) != 1:
                raise Refusal(422, "validation", errors=[{"pointer": f"#/series/{place}"}])
            if series["key"].startswith("forbidden"):
                raise Refusal(422, "validation", errors=[{"pointer": f"#/series/{place}/key"}])
            taken += [(series["key"], *point) for point in zip(*columns, strict=True)]
        if len(taken) > 10_000:
            raise Refusal(422, "too-many-points")
        if body["batch_id"] in self.batches:
            self.duplicates += 1
            return {"accepted": 0, "duplicate": True}
        self.batches.add(body["batch_id"])
        self.points.setdefault(run["id"], []).extend(taken)
        for key, _, value, _ in taken:
            run["metrics"][key] = value
        return {"accepted": len(taken), "duplicate": False}

    def take_readings(self, body: Any) -> Any:
        """Readings by sensor's token: what is wrong is refused by its place, the rest is taken."""
        numbers = self.numbers.setdefault(str(uuid.UUID(body["producer"])), [])
        taken: list[tuple[str, int, Any]] = []
        rejected: list[Any] = []
        count = 0
        for series in body["series"]:
            if len(series["t"]) != len(series["v"]) or len(series["t"]) > 10_000:
                raise Refusal(422, "validation", errors=[{"pointer": "#/series"}])
            if series["signal"] == "unknown":
                reason = "the sensor has no such signal"
                rejected += [{"signal": "unknown", "index": None, "reason": reason}]
                count += len(series["t"])
                continue
            for index, (when, value) in enumerate(zip(series["t"], series["v"], strict=True)):
                if value == 666.5:
                    reason = "not wanted"
                    rejected.append({"signal": series["signal"], "index": index, "reason": reason})
                    count += 1
                else:
                    taken.append((series["signal"], when, value))
        if body["sequence"] in numbers:
            self.duplicates += 1
            return {"accepted": 0, "duplicate": True, "rejected": [], "rejected_count": 0}
        numbers.append(body["sequence"])
        if any(value == 667.5 for *_, value in taken):
            return {"accepted": 0, "duplicate": False, "set_aside": True, "rejected_count": 0}
        self.readings += taken
        return {
            "accepted": len(taken),
            "duplicate": False,
            "rejected": rejected[:100],
            "rejected_count": count,
        }

    def new_sensor(self, pid: str, body: Any) -> Any:
        if any(s["name"].lower() == body["name"].lower() for s in self.sensors.values()):
            raise Refusal(409, "sensor-name-taken", "a sensor of the project has this name")
        known = {"name", "type", "description", "tags", "signals"}
        if unknown := body.keys() - known:
            raise Refusal(422, "validation", errors=[{"pointer": f"#/{unknown.pop()}"}])
        made = {
            "type": None,
            "description": "",
            "tags": {},
            **body,
            "id": str(uuid.uuid4()),
            "project_id": pid,
            "health": "never",
            "last_received_at": None,
            "readings": 0,
        }
        self.sensors[made["id"]] = made
        return {**made, "token": SENSOR_TOKEN}

    def new_capture(self, rid: str, body: Any) -> Any:
        if any(c["run_id"] == rid and c["status"] == "running" for c in self.captures.values()):
            raise Refusal(409, "capture-session-running", "a session of the run is recording")
        ids = body.get("sensor_ids", list(self.sensors))
        made = {
            "name": None,
            "note": None,
            **body,
            "id": str(uuid.uuid4()),
            "run_id": rid,
            "ordinal": len(self.captures) + 1,
            "status": "running",
            "started_at": "2026-01-02T03:04:05.000000Z",
            "sensors": [{"sensor_id": each, "name": self.sensors[each]["name"]} for each in ids],
            "events": [],
        }
        self.captures[made["id"]] = made
        return made

    def of_capture(self, method: str, capture: Any, rest: list[str], body: Any) -> Any:
        match method, rest:
            case "POST", ["stop"]:
                capture["status"] = "stopped"
                return capture
            case "POST", ["events"]:
                if capture["status"] != "running":
                    raise Refusal(409, "capture-session-stopped")
                capture["events"].append(body)
                return {"id": str(uuid.uuid4()), **body}
            case "GET", ["telemetry", "summary"]:
                return {"items": [{"signal": "load", "count": 3, "late_count": 1}]}
            case "GET", ["telemetry", "export"]:
                return b"sensor,signal,time,raw\n"
        return missing()

    def one_series(self, run_id: str, key: str) -> Any:
        rows = [(s, v, t) for k, s, v, t in self.points.get(run_id, []) if k == key]
        return {
            "key": key,
            "step": [r[0] for r in rows],
            "value": [r[1] for r in rows],
            "time": [r[2] for r in rows],
            "count": len(rows),
            "exact": True,
        }

    def summary(self, run_id: str) -> list[Any]:
        keys = dict.fromkeys(k for k, *_ in self.points.get(run_id, []))
        found = []
        for key in keys:
            rows = self.one_series(run_id, key)
            found.append(
                {
                    "key": key,
                    "count": rows["count"],
                    "first_step": rows["step"][0],
                    "last_step": rows["step"][-1],
                    "last_value": rows["value"][-1],
                    "last_time": rows["time"][-1],
                    "min": rows["value"][0],
                    "max": rows["value"][-1],
                }
            )
        return found


def unpacked(data: bytes) -> Any:
    """Packed readings as the columns that they are; NaN as the gap that it is."""
    magic, count, sequence, length, zero = struct.unpack_from("<4sIQHH", data)
    assert (magic, zero) == (b"RBR1", 0)
    at = 20 + length
    series: list[Any] = []
    for _ in range(count):
        name, zero, readings = struct.unpack_from("<HHI", data, at)
        assert zero == 0
        signal = data[at + 8 : at + 8 + name].decode()
        at += 8 + name
        times = list(struct.unpack_from(f"<{readings}q", data, at))
        values = list(struct.unpack_from(f"<{readings}d", data, at + 8 * readings))
        at += 16 * readings
        gaps = [None if math.isnan(value) else value for value in values]
        series.append({"signal": signal, "t": times, "v": gaps})
    assert at == len(data)
    return {"producer": data[20 : 20 + length].decode(), "sequence": sequence, "series": series}


class Handler(BaseHTTPRequestHandler):
    app: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.app._connections.add(self.connection)

    def finish(self) -> None:
        self.app._connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.serve()

    do_POST = do_PATCH = do_PUT = do_HEAD = do_DELETE = do_GET

    def serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        if len(data) < length:
            self.close_connection = True
            return
        raw = self.headers.get("Content-Type") == "application/octet-stream"
        if self.headers.get("Content-Type") == "application/x-runbench-readings":
            data = json.dumps(unpacked(data)).encode()
        body = data if raw else json.loads(data) if data else None
        url = urlsplit(self.path)
        query = {
            name: value[0] if len(value) == 1 else value
            for name, value in parse_qs(url.query, keep_blank_values=True).items()
        }
        app = self.app
        with app.lock:
            app.requests.append((self.command, url.path))
            app.queries.append(query)
            if "Authorization" in self.headers:
                app.tokens_seen.add(self.headers["Authorization"])
            fault = self.fault(f"{self.command} {url.path}", body)
            if fault is not None and fault.status != CUT:
                if fault.raw is not None:
                    self.reply(fault.status, fault.raw, fault.headers, "text/html")
                    return
                problem = {"type": "/problems/fault", "title": "Fault", **fault.problem}
                self.reply(fault.status, json.dumps(problem).encode(), fault.headers)
                return
            try:
                of_sensor = url.path == "/api/v1/telemetry"
                token = f"Bearer {SENSOR_TOKEN if of_sensor else TOKEN}"
                if self.headers.get("Authorization") != token and url.path != "/health":
                    raise Refusal(401, "not-signed-in")
                made = app.answer(self.command, url.path, query, body, self.headers)
                status, headers = 200, {}
                if isinstance(made, dict) and "version" in made:
                    headers["ETag"] = f'"{made["version"]}"'
                if isinstance(made, Reply):
                    status, headers, made = made.status, made.headers, made.content
                answer = made if isinstance(made, bytes) else json.dumps(made).encode()
            except Refusal as refusal:
                status, headers, answer = refusal.status, {}, json.dumps(refusal.problem).encode()
        if fault is not None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.reply(status, answer, headers)

    def fault(self, request: str, body: Any) -> Fault | None:
        for fault in self.app.faults:
            if fault.times > 0 and fault.match.search(request) and fault.when(body):
                fault.times -= 1
                return fault
        return None

    def reply(
        self, status: int, data: bytes, headers: dict[str, str], kind: str = "application/json"
    ) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
        except OSError:
            self.close_connection = True
