"""Two of everything, replaced one by one under load: nobody notices, and nothing is lost."""

import asyncio
import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aio_pika.abc import AbstractIncomingMessage
from running.fleet import Copy, Fleet, fleet
from servicekit.testing.rabbitmq import Broker, listening

DRAIN_SEC = 6
# For what is under way then: live streams, which never end by themselves, are held open to its end.
STOP_WITHIN_SEC = 5
SLOW_UPLOAD_SEC = 4
FAILED_FOR_GOOD = 50
TELLING_SEC = 30
# Between two calls of one caller: the processes that start have to find a core, too.
PAUSE_SEC = 0.05


@dataclass
class Load:
    """What people and programs do all the time, and how it went."""

    http: aiohttp.ClientSession
    browser: aiohttp.ClientSession
    project: str = ""
    experiment: str = ""
    run: str = ""
    sensor_token: str = ""
    refresh_token: str = ""
    answers: Counter[str] = field(default_factory=Counter[str])
    failed: list[str] = field(default_factory=list[str])
    points: int = 0
    seen: int = 0
    streams: int = 0
    readings: int = 0
    files: dict[str, int] = field(default_factory=dict[str, int])
    runs: set[str] = field(default_factory=set[str])
    repeats: bool = False
    over: bool = False
    shown: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(
        self, method: str, path: str, http: aiohttp.ClientSession | None = None, **more: Any
    ) -> Any:
        """A request; what fails is noted, or repeated where the load is a patient client's."""
        for attempt in itertools.count():
            try:
                # What is sent piece by piece is made anew for each time.
                again = {"data": more["data"]()} if callable(more.get("data")) else {}
                async with (http or self.http).request(method, path, **more | again) as answer:
                    body = await answer.read()
                    if answer.status < 400:
                        self.answers[f"{method} {answer.status}"] += 1
                        return await answer.json() if answer.content_type.endswith("json") else body
                    problem = f"{answer.status} {body[:200]!r}"
            except aiohttp.ClientError as exc:
                problem = repr(exc)
            if not self.repeats or method == "GET" or attempt > FAILED_FOR_GOOD:
                self.failed.append(f"{method} {path}: {problem}")
                return None
            await asyncio.sleep(0.1)
        return None

    async def prepare(self) -> None:
        person = {"email": f"{uuid4().hex}@example.org", "password": "correct-horse-battery-9"}
        session = await self.call("POST", "/auth/register", json=person | {"name": "Roller"})
        self.http.headers["Authorization"] = f"Bearer {session['access_token']}"
        self.refresh_token = session["refresh_token"]
        signed_in = await self.call("POST", "/auth/login", self.browser, json=person)
        self.browser.headers["X-CSRF-Token"] = signed_in["csrf_token"]
        project = await self.call("POST", "/api/v1/projects", json={"name": "Rolling"})
        self.project = f"/api/v1/projects/{project['id']}"
        experiment = await self.call("POST", f"{self.project}/experiments", json={"name": "one"})
        self.experiment = f"/api/v1/experiments/{experiment['id']}"
        run = await self.call("POST", f"{self.experiment}/runs", json={})
        self.run = f"/api/v1/runs/{run['id']}"
        sensor = await self.call(
            "POST",
            f"{self.project}/sensors",
            json={"name": "TC-1", "signals": [{"name": "temperature"}]},
        )
        self.sensor_token = sensor["token"]

    async def make_runs(self, http: aiohttp.ClientSession) -> None:
        while not self.over:
            key = {"Idempotency-Key": uuid4().hex}
            path = f"{self.experiment}/runs"
            made = await self.call("POST", path, http, json={}, headers=key)
            if made:
                self.runs.add(made["id"])
            await asyncio.sleep(PAUSE_SEC)

    async def log_points(self) -> None:
        for step in itertools.count():
            if self.over:
                return
            body = {
                "series": [{"key": "loss", "step": [step], "value": [0.5]}],
                "batch_id": str(uuid4()),
            }
            if await self.call("POST", f"{self.run}/metrics", json=body):
                self.points += 1
            await asyncio.sleep(PAUSE_SEC)

    async def send_readings(self) -> None:
        sensor = {"Authorization": f"Bearer {self.sensor_token}"}
        while not self.over:
            now = time.time_ns() // 1000
            series = [{"signal": "temperature", "t": [now, now + 1], "v": [1.0, 2.0]}]
            body = {"series": series, "batch_id": str(uuid4())}
            if await self.call("POST", "/api/v1/telemetry", json=body, headers=sensor):
                self.readings += 2
            await asyncio.sleep(PAUSE_SEC)

    async def keep_files(self) -> None:
        for number in itertools.count():
            if self.over:
                return
            content = str(number).encode() * 20_000
            path = f"{self.run}/artifacts/{number % 7}.txt"
            await self.call("PUT", path, data=content)
            await self.call("GET", path)
            await asyncio.sleep(PAUSE_SEC)

    async def keep_slow_files(self) -> None:
        """Uploads that are under way when what carries them is asked to stop."""

        async def slowly() -> AsyncIterator[bytes]:
            for _ in range(SLOW_UPLOAD_SEC * 2):
                yield b"x" * 50_000
                await asyncio.sleep(0.5)

        for number in itertools.count():
            if self.over:
                return
            name = f"slow-{number}.bin"
            length = {"Content-Length": str(SLOW_UPLOAD_SEC * 2 * 50_000)}
            path = f"{self.run}/artifacts/{name}"
            if await self.call("PUT", path, data=slowly, headers=length):
                self.files[name] = SLOW_UPLOAD_SEC * 2 * 50_000

    async def look(self) -> None:
        while not self.over:
            await self.call("GET", f"{self.project}/runs?limit=20")
            await self.call("GET", f"{self.run}/metrics")
            await self.call("GET", "/auth/me")
            await asyncio.sleep(PAUSE_SEC)

    async def look_as_a_browser(self) -> None:
        while not self.over:
            await self.call("GET", f"{self.project}/runs?limit=20", self.browser)
            await self.call("GET", "/auth/me", self.browser)
            await asyncio.sleep(PAUSE_SEC)

    async def watch(self) -> None:
        """A page with a live chart: comes back after the last event it has, as EventSource does."""
        last = ""
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            try:
                async with self.browser.get(
                    f"{self.run}/metrics/stream", headers=headers
                ) as answer:
                    if answer.status != 200:
                        self.failed.append(f"GET stream: {answer.status} {await answer.text()}")
                        return
                    self.streams += 1
                    event = ""
                    async for line in answer.content:
                        word, _, rest = line.decode().strip().partition(": ")
                        if word == "event":
                            event = rest
                        elif word == "id":
                            last = rest
                        elif word == "data" and event == "metrics":
                            series = json.loads(rest)["series"]
                            self.seen += sum(len(one["value"]) for one in series)
                            if self.over and self.seen == self.points:
                                self.shown.set()
            except aiohttp.ClientError:
                pass  # cut off with the process that carried it
            await asyncio.sleep(0.05)

    async def stay_signed_in(self) -> None:
        while not self.over:
            body = {"refresh_token": self.refresh_token}
            session = await self.call("POST", "/auth/refresh", json=body)
            if session:
                self.refresh_token = session["refresh_token"]
            await asyncio.sleep(0.5)

    async def until(self, done: asyncio.Task[None]) -> None:
        """All of it at once, until something else is done."""
        doing = [
            asyncio.create_task(one)
            for one in (
                self.make_runs(self.http),
                self.make_runs(self.browser),
                self.log_points(),
                self.log_points(),
                self.send_readings(),
                self.keep_files(),
                self.keep_slow_files(),
                self.look(),
                self.look_as_a_browser(),
                self.stay_signed_in(),
            )
        ]
        watching = asyncio.create_task(self.watch())
        try:
            await done
        finally:
            self.over = True
            await asyncio.gather(*doing)
            if self.seen == self.points:
                self.shown.set()
            with suppress(TimeoutError):  # what it has not seen is counted at the end
                await asyncio.wait_for(self.shown.wait(), 30)
            watching.cancel()


def started(came: list[AbstractIncomingMessage]) -> set[str]:
    """The runs of whose begin another system has heard."""
    return {
        json.loads(message.body)["subject"]["id"]
        for message in came
        if message.type == "run.started"
    }


async def audited(load: Load) -> set[str]:
    """The runs of whose begin the audit tells."""
    runs: set[str] = set()
    cursor = ""
    while True:
        path = f"{load.project}/audit?action=run.started&limit=200{cursor}"
        page = await load.call("GET", path)
        runs |= {row["target_id"] for row in page["items"]}
        if not page["next_cursor"]:
            return runs
        cursor = f"&cursor={page['next_cursor']}"


async def stored(load: Load) -> tuple[int, set[str], int]:
    """Points, runs and readings that the services have now."""
    metrics = await load.call("GET", f"{load.run}/metrics")
    runs: set[str] = set()
    cursor = ""
    while True:
        page = await load.call("GET", f"{load.project}/runs?limit=1000{cursor}")
        runs |= {run["id"] for run in page["items"]}
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    sensors = await load.call("GET", f"{load.project}/sensors")
    return (
        sum(metric["count"] for metric in metrics["items"]),
        runs,
        sensors["items"][0]["readings"],
    )


async def replace_one_by_one(of: Fleet) -> None:
    async with aiohttp.ClientSession() as http:
        for number in (0, 1):
            # One copy of everything at a time: harder than one process after another.
            async def renew(copy: Copy) -> None:
                assert await copy.end(signal.SIGTERM) == 0, copy.name
                await copy.start(http)

            await asyncio.gather(*(renew(copy) for copy in of.generation(number)))


async def kill_one_by_one(of: Fleet) -> None:
    async with aiohttp.ClientSession() as http:
        for copy in of.generation(0):
            await asyncio.sleep(0.5)
            await copy.end(signal.SIGKILL)
            await asyncio.sleep(0.5)
            await copy.start(http)


@asynccontextmanager
async def load_of(of: Fleet, **how: bool) -> AsyncIterator[Load]:
    """People and programs, with a project to work in."""
    async with (
        aiohttp.ClientSession(of.gateway_url) as programs,
        aiohttp.ClientSession(of.portal_url, headers={"Origin": of.portal_url}) as browser,
    ):
        load = Load(programs, browser, **how)
        await load.prepare()
        yield load


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "rabbitmq")
    await asyncio.to_thread(broker.start)
    yield broker
    await asyncio.to_thread(broker.stop)


async def nothing_is_lost(load: Load) -> None:
    """What was answered with yes is stored, once."""
    points, runs, readings = await stored(load)
    assert points == load.points > 50
    assert load.runs <= runs
    assert len(runs) == len(load.runs) + 1
    assert readings == load.readings > 50
    assert load.seen == load.points
    for name, size in load.files.items():
        content = await load.call("GET", f"{load.run}/artifacts/{name}")
        assert len(content) == size


@pytest.mark.timeout(300)
async def test_a_rolling_restart_of_everything_fails_no_request_and_loses_no_event(
    broker: Broker,
) -> None:
    variables = {
        "DRAIN_SEC": str(DRAIN_SEC),
        "STOP_WITHIN_SEC": str(STOP_WITHIN_SEC),
        "RABBITMQ_URL": broker.url,
    }
    async with fleet(**variables) as of, listening(broker) as came, load_of(of) as load:
        await load.until(asyncio.create_task(replace_one_by_one(of)))

        assert load.failed == []
        assert load.answers.total() > 500
        assert load.streams > 1
        assert load.files
        await nothing_is_lost(load)
        for _ in range(TELLING_SEC):  # the relay is a moment behind
            if load.runs <= started(came) & await audited(load):
                break
            await asyncio.sleep(1)
        assert load.runs <= started(came)
        assert load.runs <= await audited(load)


@pytest.mark.timeout(300)
async def test_killing_processes_one_by_one_loses_nothing_and_doubles_nothing() -> None:
    async with fleet() as of, load_of(of, repeats=True) as load:
        await load.until(asyncio.create_task(kill_one_by_one(of)))

        assert load.failed == []
        await nothing_is_lost(load)
