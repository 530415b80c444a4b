"""The service beside the real others, with people who have roles in one project and runs there."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from artifact_service.app import create_app as artifact_app
from artifact_service.settings import Settings as ArtifactSettings
from comparison_service.app import create_app
from comparison_service.settings import Settings
from experiment_service.app import create_app as experiment_app
from experiment_service.settings import Settings as ExperimentSettings
from metrics_service.app import create_app as metrics_app
from metrics_service.settings import Settings as MetricsSettings
from servicekit.testing.identity import KnownPeople
from telemetry_ingest_service.app import create_app as telemetry_app
from telemetry_ingest_service.settings import Settings as TelemetrySettings

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from comparison_api import Api, Relay, Stack  # noqa: E402 - from this folder

SERVICES = HERE.parent.parent


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    names = ("experiment", "metrics", "artifact", "telemetry-ingest", "comparison")
    return {
        name.removesuffix("-ingest"): SERVICES / f"{name}-service" / "migrations" for name in names
    }


@pytest.fixture
def project_id() -> UUID:
    return uuid4()


@pytest.fixture
def people(project_id: UUID) -> KnownPeople:
    people = KnownPeople()
    for role in ("viewer", "editor", "owner"):
        people.person(role, project_id=project_id, role=role)
    people.person("outsider", project_id=uuid4(), role="owner")
    people.admins.add(people.person("admin").user_id)
    return people


@pytest.fixture
async def stack(
    aiohttp_client: Callable[..., Awaitable[TestClient]],
    database_url: str,
    people: KnownPeople,
    tmp_path: Path,
) -> AsyncIterator[Stack]:
    """All services, each behind a relay that can be cut or slowed down."""
    apps = {
        "experiment": experiment_app(
            ExperimentSettings(database_url=database_url, run_sweep_every_sec=3600), people
        ),
        "metrics": metrics_app(MetricsSettings(database_url=database_url), people),
        "artifact": artifact_app(
            ArtifactSettings(database_url=database_url, artifact_store_url=str(tmp_path / "store")),
            people,
        ),
        "telemetry": telemetry_app(TelemetrySettings(database_url=database_url), people),
    }
    clients = {name: await aiohttp_client(app) for name, app in apps.items()}
    relays = {name: await Relay.before(client.port) for name, client in clients.items()}
    settings = {f"{name}_service_url": relay.url for name, relay in relays.items()}
    app = create_app(Settings(database_url=database_url, read_timeout_sec=2, **settings), people)
    yield Stack(await aiohttp_client(app), clients, relays)
    for relay in relays.values():
        await relay.stop()


@pytest.fixture
def api(stack: Stack, project_id: UUID) -> Api:
    return Api(stack, project_id)
