"""A sensor of the Python client while PostgreSQL is away for a whole minute, with no buffer."""

import asyncio
import os
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import runbench
from localpostgres.cluster import Cluster, free_port
from runbench.api import Api
from runbench.registry import register
from seriesstore.read import read_points
from seriesstore.summary import find_summaries

from scripts.processes import PROCESSES
from scripts.stack import Stack
from scripts.stack import stack as running_stack
from tests.support.world import register as register_person

OUTAGE_SEC = float(os.environ.get("RUNBENCH_OUTAGE_SEC", "60"))
START = 1_760_000_000_000_000
PAUSE_SEC = 0.02
NAMES = tuple(name for name in PROCESSES if name not in {"portal", "auth-proxy"})


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A PostgreSQL beside the stack, which may be taken away from it."""
    cluster = Cluster(tmp_path / "postgres", free_port(), "outage")
    cluster.start()
    yield cluster
    pg_ctl(cluster, "stop")


def pg_ctl(cluster: Cluster, action: str) -> None:
    """End every process of the server at once, as a crash does; `restart` starts it again."""
    words = [cluster.executable, action, "-D", cluster.datadir, "-m", "immediate", "-w"]
    log = ["-l", cluster.logfile] if action == "restart" else []
    subprocess.run([*words, *log], check=True, stdout=subprocess.DEVNULL, timeout=60)


@pytest.fixture
def stack(cluster: Cluster) -> Iterator[Stack]:
    """The services on that PostgreSQL, without the buffer."""
    given = {"DATABASE_URL": cluster.address, "TELEMETRY_BUFFER": "off"}
    with running_stack(given, NAMES) as running:
        yield running


def new_sensor(stack: Stack) -> tuple[uuid.UUID, str]:
    """A sensor with the signal `x`: its id and token."""
    with httpx.Client(base_url=stack.gateway_url, timeout=60) as gateway:
        person = register_person(gateway, "editor")
        headers = {"Authorization": f"Bearer {person.access_token}"}
        body = {"name": "Rig", "slug": f"rig-{uuid.uuid4().hex[:8]}"}
        project = gateway.post("/api/v1/projects", json=body, headers=headers).json()
        asked = {"name": "client", "role": "editor"}
        path = f"/api/v1/projects/{project['id']}/tokens"
        token = gateway.post(path, json=asked, headers=headers).json()["token"]
    with Api(stack.gateway_url, token) as api:
        made = register(api, project, {"name": "rig", "signals": [{"name": "x"}]})
    return uuid.UUID(made["id"]), made["token"]


def post(gateway: httpx.Client, token: str, number: int) -> httpx.Response:
    """What a program sends that has no spool: one reading of a time that nobody else uses."""
    body: dict[str, Any] = {"series": [{"signal": "x", "t": [START - 1 - number], "v": [-1.0]}]}
    headers = {"Authorization": f"Bearer {token}"}
    return gateway.post("/api/v1/telemetry", json=body, headers=headers)


async def stored(stack: Stack, sensor_id: uuid.UUID) -> tuple[list[int], list[float]]:
    """Every reading of the sensor, by time."""
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
        stack.database_urls["telemetry-ingest-service"],
        server_settings={"search_path": "telemetry"},
    )
    try:
        (found,) = await find_summaries(connection, [sensor_id], ["x"])
        points = (await read_points(connection, found.id)).sorted()
    finally:
        await connection.close()
    return points.x.tolist(), points.value.tolist()


@pytest.mark.timeout(300)
def test_the_spool_carries_a_sensor_over_a_minute_without_the_database(
    stack: Stack, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor_id, token = new_sensor(stack)
    monkeypatch.setenv("RUNBENCH_URL", stack.gateway_url)
    monkeypatch.setenv("RUNBENCH_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("RUNBENCH_CONFIG_DIR", str(tmp_path / "config"))
    answers: Counter[int] = Counter()
    sent = accepted = 0

    def send_for(seconds: float) -> None:
        nonlocal sent, accepted
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            sensor.send("x", START + sent, sent)
            sent += 1
            if sent % 20 == 0:
                response = post(gateway, token, accepted)
                answers[response.status_code] += 1
                if response.status_code == 200:
                    accepted += 1
                else:
                    assert response.headers["Retry-After"]
                    assert response.headers["Content-Type"] == "application/problem+json"
            time.sleep(PAUSE_SEC)

    with httpx.Client(base_url=stack.gateway_url, timeout=30) as gateway:
        sensor = runbench.Sensor(token)
        send_for(2)
        assert sensor.flush(sent=True, timeout=30)
        assert set(answers) == {200}

        pg_ctl(cluster, "stop")
        answers.clear()
        send_for(OUTAGE_SEC)
        assert set(answers) == {503}
        assert answers[503] > 10
        assert sensor.trouble
        assert sensor.unsent_bytes

        pg_ctl(cluster, "restart")
        send_for(5)
        assert sensor.close(timeout=90)
        # With nothing in between the service takes it again by itself.
        assert answers[200]
    assert (sensor.refused, sensor.dropped) == (0, 0)
    times, values = asyncio.run(stored(stack, sensor_id))
    assert times == [START - n for n in range(accepted, 0, -1)] + [START + n for n in range(sent)]
    assert values == [-1.0] * accepted + [float(n) for n in range(sent)]
