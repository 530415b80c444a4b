"""The service, running, with people who have roles in one project and a run to keep files for."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from artifact_service.app import create_app
from artifact_service.settings import Settings
from servicekit.database import Connection
from servicekit.testing.identity import KnownPeople

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

type StartApp = Callable[..., Awaitable[TestClient]]


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    return {"experiment": HERE / "experiment_schema", "artifact": HERE.parent / "migrations"}


@pytest.fixture
def project_id() -> UUID:
    return uuid4()


@pytest.fixture
def people(project_id: UUID) -> KnownPeople:
    people = KnownPeople()
    for role in ("viewer", "editor", "owner"):
        people.person(role, project_id=project_id, role=role)
    people.person("outsider")
    people.admins.add(people.person("admin").user_id)
    return people


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files of the test are."""
    return tmp_path / "store"


@pytest.fixture
def store_url(folder: Path) -> str:
    return str(folder)


@pytest.fixture
def start_app(
    aiohttp_client: StartApp, database_url: str, people: KnownPeople, store_url: str
) -> Callable[..., Awaitable[TestClient]]:
    """Starts one more process's worth of the service on the test's database."""

    async def start(**settings: str) -> TestClient:
        settings = {"artifact_store_url": store_url} | settings
        app = create_app(Settings(database_url=database_url, **settings), people)
        return await aiohttp_client(app)

    return start


@pytest.fixture
async def client(start_app: StartApp) -> TestClient:
    return await start_app()


type NewRun = Callable[..., Awaitable[UUID]]


@pytest.fixture
def new_run(connection: Connection, project_id: UUID) -> NewRun:
    """Makes a run, in the test's project unless another is named."""

    async def new_run(*, project: UUID | None = None, status: str = "running") -> UUID:
        run_id = uuid4()
        await connection.execute(
            "INSERT INTO experiment.published_runs VALUES ($1, $2, $3, $4)",
            run_id,
            project or project_id,
            uuid4(),
            status,
        )
        return run_id

    return new_run


@pytest.fixture
async def run_id(new_run: NewRun) -> UUID:
    return await new_run()
