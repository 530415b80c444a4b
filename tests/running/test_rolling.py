"""Two of everything, replaced one by one under load: nobody notices, and nothing is lost."""

import asyncio
import itertools
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from running.fleet import Fleet, fleet

DRAIN_SEC = 6


@dataclass
class Load:
    """What people and programs do all the time, and how it went."""

    http: aiohttp.ClientSession
    project: str = ""
    experiment: str = ""
    run: str = ""
    sensor_token: str = ""
    refresh_token: str = ""
    answers: Counter[str] = field(default_factory=Counter[str])
    failed: list[str] = field(default_factory=list)
    points: int = 0
    readings: int = 0
    runs: set[str] = field(default_factory=set[str])
    repeats: bool = False
    over: bool = False

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """A request; what fails is noted, or repeated where the load is a patient client's."""
        for attempt in itertools.count():
            try:
                async with self.http.request(method, path, **more) as answer:
                    body = await answer.read()
                    if answer.status < 400:
                        self.answers[f"{method} {answer.status}"] += 1
                        return await answer.json() if answer.content_type.endswith("json") else body
                    problem = f"{answer.status} {body[:200]!r}"
            except aiohttp.ClientError as exc:
                problem = repr(exc)
            if not self.repeats or method == "GET" or attempt > 50:
                self.failed.append(f"{method} {path}: {problem}")
                return None
            await asyncio.sleep(0.1)
        return None

    async def prepare(self) -> None:
        person = {"email": f"{uuid4().hex}@example.org", "password": "correct-horse-battery-9"}
        session = await self.call("POST", "/auth/register", json=person | {"name": "Roller"})
        self.http.headers["Authorization"] = f"Bearer {session['access_token']}"
        self.refresh_token = session["refresh_token"]
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

    async def make_runs(self) -> None:
        while not self.over:
            key = {"Idempotency-Key": uuid4().hex}
            made = await self.call("POST", f"{self.experiment}/runs", json={}, headers=key)
            if made:
                self.runs.add(made["id"])
            await asyncio.sleep(0.05)

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

    async def send_readings(self) -> None:
        sensor = {"Authorization": f"Bearer {self.sensor_token}"}
        while not self.over:
            now = time.time_ns() // 1000
            series = [{"signal": "temperature", "t": [now, now + 1], "v": [1.0, 2.0]}]
            body = {"series": series, "batch_id": str(uuid4())}
            if await self.call("POST", "/api/v1/telemetry", json=body, headers=sensor):
                self.readings += 2

    async def keep_files(self) -> None:
        for number in itertools.count():
            if self.over:
                return
            content = str(number).encode() * 20_000
            path = f"{self.run}/artifacts/{number % 7}.txt"
            await self.call("PUT", path, data=content)
            await self.call("GET", path)

    async def look(self) -> None:
        while not self.over:
            await self.call("GET", f"{self.project}/runs?limit=20")
            await self.call("GET", f"{self.run}/metrics")
            await self.call("GET", "/auth/me")

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
            asyncio.create_task(one())
            for one in (
                self.make_runs,
                self.log_points,
                self.log_points,
                self.send_readings,
                self.keep_files,
                self.look,
                self.look,
                self.stay_signed_in,
            )
        ]
        try:
            await done
        finally:
            self.over = True
            await asyncio.gather(*doing)


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
            # One copy of each service at a time: harder than one process after another.
            async def renew(copy: Any) -> None:
                assert await copy.end(signal.SIGTERM) == 0
                await copy.start(http)

            await asyncio.gather(*(renew(copy) for copy in of.generation(number)))


async def kill_one_by_one(of: Fleet) -> None:
    async with aiohttp.ClientSession() as http:
        for copy in of.generation(0):
            await asyncio.sleep(0.5)
            await copy.end(signal.SIGKILL)
            await asyncio.sleep(0.5)
            await copy.start(http)


@pytest.mark.timeout(300)
async def test_a_rolling_restart_of_every_service_fails_no_request() -> None:
    async with (
        fleet(DRAIN_SEC=str(DRAIN_SEC)) as of,
        aiohttp.ClientSession(of.gateway_url) as http,
    ):
        load = Load(http)
        await load.prepare()

        await load.until(asyncio.create_task(replace_one_by_one(of)))

        assert load.failed == []
        assert load.answers.total() > 500
        points, runs, readings = await stored(load)
        assert points == load.points > 50
        assert load.runs <= runs
        assert len(runs) == len(load.runs) + 1
        assert readings == load.readings > 50


@pytest.mark.timeout(300)
async def test_killing_services_one_by_one_loses_nothing_and_doubles_nothing() -> None:
    async with fleet() as of, aiohttp.ClientSession(of.gateway_url) as http:
        load = Load(http, repeats=True)
        await load.prepare()

        await load.until(asyncio.create_task(kill_one_by_one(of)))

        assert load.failed == []
        points, runs, readings = await stored(load)
        assert points == load.points > 50
        assert len(runs) == len(load.runs) + 1
        assert load.runs <= runs
        assert readings == load.readings > 50
