"""Whatever is killed under load: what was acknowledged is stored, and stored once."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout
from buffer_api import settled
from localpostgres.cluster import Cluster, free_port
from servers import Server, pg_ctl, valkey
from servicekit.migrations import migrate
from telemetry_api import T0, Sensor, column, new_sensor

HERE = Path(__file__).parent.parent
WRITERS, BATCHES, READINGS = 6, 40, 20
PATIENCE_SEC = 90.0
PAUSE_SEC = 0.03
# For how long PostgreSQL is away at once; `RUNBENCH_OUTAGE_SEC=60` for a whole minute.
OUTAGE_SEC = float(os.environ.get("RUNBENCH_OUTAGE_SEC", "8"))


@pytest.fixture(scope="module")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that keeps what it has committed."""
    cluster = Cluster(tmp_path_factory.mktemp("postgres"), free_port(), "chaos")
    cluster.start()
    yield cluster
    pg_ctl(cluster, "stop")


class Place:
    """Everything that takes part, and each of it may fail."""

    def __init__(self, cluster: Cluster, database_url: str, folder: Path) -> None:
        broker = free_port()
        self.cluster = cluster
        self.database_url = database_url
        self.valkey = valkey(broker, folder / "valkey")
        self.services: list[Server] = []
        self.addresses: list[str] = []
        self._broker = f"redis://127.0.0.1:{broker}/0"

    def start(self, *, buffer: str, processes: int) -> None:
        """Valkey, and so many processes of the service."""
        self.valkey.start()
        for _ in range(processes):
            port = free_port()
            service = Server(
                [sys.executable, "-m", "telemetry_ingest_service"],
                HERE,
                RUNBENCH_ENV="dev",
                PORT=str(port),
                DATABASE_URL=self.database_url,
                TELEMETRY_BROKER_URL=self._broker,
                TELEMETRY_BUFFER=buffer,
                LOG_LEVEL="error",
            )
            service.start()
            self.services.append(service)
            self.addresses.append(f"http://127.0.0.1:{port}/api/v1/telemetry")

    def kill(self) -> None:
        """End everything."""
        for service in self.services:
            service.kill()
        self.valkey.kill()

    async def trouble(self, kind: str, turn: int) -> None:
        """One failure, over when this returns."""
        match kind:
            case "service":
                self.services[turn % len(self.services)].restart()
            case "valkey":
                self.valkey.kill()
                await asyncio.sleep(0.5)
                self.valkey.start()
            case "postgres":
                await asyncio.to_thread(pg_ctl, self.cluster, "restart")
            case "outage":
                await asyncio.to_thread(pg_ctl, self.cluster, "stop")
                await asyncio.sleep(OUTAGE_SEC)
                await asyncio.to_thread(pg_ctl, self.cluster, "restart")
            case _:
                raise ValueError(kind)


@pytest.fixture
async def place(durable: Cluster, tmp_path: Path) -> AsyncIterator[Place]:
    name = f"chaos_{uuid4().hex}"
    with durable.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = f"{durable.address}/{name}"
    services = HERE.parent
    await migrate(url, services / "experiment-service" / "migrations", schema="experiment")
    await migrate(url, HERE / "migrations", schema="telemetry")
    place = Place(durable, url, tmp_path)
    yield place
    place.kill()


async def send_until_acknowledged(
    http: ClientSession,
    place: Place,
    sensor: Sensor,
    writer: int,
    seen: Counter[object],
    pause_sec: float,
) -> set[int]:
    """Batches one after another, each again and again until it is acknowledged; their times."""
    acknowledged: set[int] = set()
    for sequence in range(BATCHES):
        first = T0 + (writer * BATCHES + sequence) * READINGS
        times = range(first, first + READINGS)
        body = {
            "producer": f"writer {writer}",
            "sequence": sequence,
            "series": [column("temperature", times, [float(t - T0) for t in times])],
        }
        for tries in count(writer):
            address = place.addresses[tries % len(place.addresses)]
            try:
                async with http.post(address, json=body, headers=sensor.headers) as response:
                    seen[response.status] += 1
                    if response.status == 200:
                        break
                    assert response.status in {429, 503}, await response.text()
                    assert response.headers["Retry-After"]
            except (ClientError, TimeoutError):
                seen["cut"] += 1
            await asyncio.sleep(0.05)
        acknowledged.update(times)
        await asyncio.sleep(pause_sec)
    return acknowledged


@pytest.mark.parametrize(
    ("kind", "buffer", "processes"),
    [
        ("service", "off", 1),
        ("postgres", "off", 1),
        ("valkey", "off", 1),
        ("service", "stream", 1),
        ("service", "stream", 2),
        ("postgres", "stream", 1),
        ("outage", "stream", 2),
        ("valkey", "stream", 1),
    ],
)
async def test_no_acknowledged_reading_is_lost_or_doubled_under_load(
    place: Place, kind: str, buffer: str, processes: int
) -> None:
    place.start(buffer=buffer, processes=processes)
    connection = await asyncpg.connect(place.database_url)
    sensor = await new_sensor(connection, uuid4(), "rig", ("temperature",))
    await connection.close()
    seen: Counter[object] = Counter()
    pause_sec = 2 * OUTAGE_SEC / BATCHES if kind == "outage" else PAUSE_SEC
    async with (
        asyncio.timeout(PATIENCE_SEC + 3 * OUTAGE_SEC),
        ClientSession(timeout=ClientTimeout(total=10)) as http,
    ):
        async with asyncio.TaskGroup() as group:
            writers = [
                group.create_task(
                    send_until_acknowledged(http, place, sensor, writer, seen, pause_sec)
                )
                for writer in range(WRITERS)
            ]
            while seen[200] < WRITERS:  # noqa: ASYNC110 - it only counts
                await asyncio.sleep(0.05)
            for turn in range(1 if kind == "outage" else 3):
                before = seen[200]
                await place.trouble(kind, turn)
                if kind == "outage":
                    assert seen[200] > before + WRITERS, "nothing was taken meanwhile"
                before = seen[200]
                while seen[200] < before + WRITERS and not all(  # noqa: ASYNC110
                    map(asyncio.Task.done, writers)
                ):
                    await asyncio.sleep(0.05)
        acknowledged = set[int]().union(*(writer.result() for writer in writers))

    assert len(acknowledged) == WRITERS * BATCHES * READINGS
    if kind in {"service", "postgres"} and buffer == "off":
        assert seen["cut"] + seen[503], "nothing was in the way of anybody"
    connection = await asyncpg.connect(place.database_url)
    readings = await settled(connection, sensor, len(acknowledged), seconds=60)
    await asyncio.sleep(0.5)
    assert await settled(connection, sensor, len(acknowledged)) == readings
    counted = await connection.fetchval(
        "SELECT readings FROM telemetry.activity WHERE sensor_id = $1", sensor.id
    )
    await connection.close()
    assert [t for t, _ in readings] == sorted(acknowledged)
    assert all(value == float(t - T0) for t, value in readings)
    assert counted == len(acknowledged)
