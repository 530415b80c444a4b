"""Whatever is killed under load: what was acknowledged is stored, and stored once."""

import asyncio
import contextlib
import os
import subprocess
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
WRITERS, BATCHES, READINGS = 6, 40, 100
PATIENCE_SEC = 90.0
PAUSE_SEC = 0.03
# For how long PostgreSQL is away at once; `RUNBENCH_OUTAGE_SEC=60` for a whole minute.
OUTAGE_SEC = float(os.environ.get("RUNBENCH_OUTAGE_SEC", "8"))
# A disk that is full soon: a new PostgreSQL with the schemas takes about 70 MiB of it.
SMALL_DISK = "160m"
FULL_SEC = 3.0
LONG = {"outage", "full disk"}


@pytest.fixture(scope="module")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that keeps what it has committed."""
    cluster = Cluster(tmp_path_factory.mktemp("postgres"), free_port(), "chaos")
    cluster.start()
    yield cluster
    pg_ctl(cluster, "stop")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that little fills."""
    at = tmp_path / "disk"
    at.mkdir()
    if os.geteuid():
        pytest.skip("a full disk needs a small file system, and only root may mount one")
    asked = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=755", "tmpfs", str(at)]
    mounted = subprocess.run(asked, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this root may not mount a small file system: {mounted.stderr.strip()}")
    yield at
    subprocess.run(["umount", "--lazy", str(at)], check=True)


@pytest.fixture
def cramped(small_disk: Path) -> Iterator[Cluster]:
    """A PostgreSQL, with its log of changes, on that disk."""
    cluster = Cluster(small_disk / "postgres", free_port(), "chaos")
    cluster.start()
    yield cluster
    if cluster.pid:
        pg_ctl(cluster, "stop")


class Place:
    """Everything that takes part, and each of it may fail.

    `meanwhile` is what requests were answered while something was away or full.
    """

    def __init__(self, cluster: Cluster, database_url: str, folder: Path) -> None:
        self.meanwhile: Counter[object] = Counter()
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

    async def trouble(self, kind: str, turn: int, seen: Counter[object]) -> None:
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
                await asyncio.sleep(0.5)  # for answers that were on their way
                before = seen.copy()
                await asyncio.sleep(OUTAGE_SEC)
                self.meanwhile = seen - before
                await asyncio.to_thread(pg_ctl, self.cluster, "restart")
            case "full disk":
                ballast = fill_up(Path(self.cluster.datadir).parent)
                while not seen[503]:  # noqa: ASYNC110 - pages have room for some more
                    await asyncio.sleep(0.05)
                before = seen.copy()
                await asyncio.sleep(FULL_SEC)
                self.meanwhile = seen - before
                ballast.unlink()
                if self.cluster.pid is None:  # it ends where its log of changes has no room
                    await asyncio.to_thread(pg_ctl, self.cluster, "restart")
            case _:
                raise ValueError(kind)


def fill_up(folder: Path) -> Path:
    """The file that took all that was left of a disk."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while file.write(b"\1" * size) == size:
                    pass
    return ballast


@pytest.fixture
async def place(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> AsyncIterator[Place]:
    cluster: Cluster = request.getfixturevalue("cramped" if kind == "full disk" else "durable")
    name = f"chaos_{uuid4().hex}"
    with cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = f"{cluster.address}/{name}"
    services = HERE.parent
    await migrate(url, services / "experiment-service" / "migrations", schema="experiment")
    await migrate(url, HERE / "migrations", schema="telemetry")
    place = Place(cluster, url, tmp_path)
    yield place
    place.kill()


def value_at(t: int) -> float:
    """Noise, which takes room."""
    return (t - T0) * 2_654_435_761 % 2**32 / 2**32


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
            "series": [column("temperature", times, list(map(value_at, times)))],
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
        ("outage", "off", 1),
        ("full disk", "off", 1),
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
    pause_sec = 2 * OUTAGE_SEC / BATCHES if (kind, buffer) == ("outage", "stream") else PAUSE_SEC
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
            for turn in range(1 if kind in LONG else 3):
                await place.trouble(kind, turn, seen)
                before = seen[200]
                while seen[200] < before + WRITERS and not all(  # noqa: ASYNC110
                    map(asyncio.Task.done, writers)
                ):
                    await asyncio.sleep(0.05)
        acknowledged = set[int]().union(*(writer.result() for writer in writers))

    assert len(acknowledged) == WRITERS * BATCHES * READINGS
    if kind == "outage" and buffer == "stream":
        assert place.meanwhile[200] > WRITERS, "nothing was taken meanwhile"
    elif kind in LONG:
        # What is not stored is refused and told when to come again. On a full disk a page here
        # and there has room for one more.
        assert set(place.meanwhile) <= ({200, 503} if kind == "full disk" else {503})
        assert place.meanwhile[503] > WRITERS
    elif kind in {"service", "postgres"} and buffer == "off":
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
    assert all(value == value_at(t) for t, value in readings)
    assert counted == len(acknowledged)
