"""The service, running, with a sensor that may send and people who have roles in its project."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from localpostgres.cluster import free_port
from servicekit.database import Connection
from servicekit.testing.identity import KnownPeople
from telemetry_ingest_service.app import create_app
from telemetry_ingest_service.settings import Settings

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from buffer_api import talking, url  # noqa: E402 - from this folder
from servers import Server, valkey  # noqa: E402
from telemetry_api import Sensor, new_sensor  # noqa: E402

type StartApp = Callable[..., Awaitable[TestClient]]


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    services = HERE.parent.parent
    return {
        "experiment": services / "experiment-service" / "migrations",
        "telemetry": HERE.parent / "migrations",
    }


@pytest.fixture
def project_id() -> UUID:
    return uuid4()


@pytest.fixture
def people(project_id: UUID) -> KnownPeople:
    people = KnownPeople()
    for role in ("viewer", "editor", "owner"):
        people.person(role, project_id=project_id, role=role)
    people.person("outsider")
    return people


@pytest.fixture
def start_app(
    aiohttp_client: StartApp, database_url: str, people: KnownPeople
) -> Callable[..., Awaitable[TestClient]]:
    """Starts one more process's worth of the service on the test's database."""

    async def start(**settings: str) -> TestClient:
        app = create_app(Settings(database_url=database_url, **settings), people)
        return await aiohttp_client(app)

    return start


@pytest.fixture
async def client(start_app: StartApp) -> TestClient:
    return await start_app()


@pytest.fixture
async def sensor(connection: Connection, project_id: UUID) -> Sensor:
    return await new_sensor(connection, project_id, "thermo-1", ("temperature", "pressure"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[Server, int]]:
    port = free_port()
    server = valkey(port, tmp_path / "valkey")
    server.start()
    yield server, port
    server.kill()


@pytest.fixture
async def start(start_app: StartApp, broker: tuple[Server, int]) -> StartApp:
    """Starts a process with the buffer."""
    _, port = broker
    async with talking(port):
        pass

    async def start(**settings: str) -> TestClient:
        return await start_app(
            telemetry_broker_url=url(port), **{"telemetry_buffer": "stream", **settings}
        )

    return start
