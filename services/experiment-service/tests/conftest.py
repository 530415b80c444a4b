"""The service, running, with people who have roles in one project."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from experiment_service.app import create_app
from experiment_service.settings import Settings
from servicekit.testing.identity import KnownPeople

HERE = Path(__file__).parent
MIGRATIONS = HERE.parent / "migrations"
sys.path.insert(0, str(HERE))

from experiment_api import Api  # noqa: E402


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    return {"experiment": MIGRATIONS}


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
def settings(database_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "run_sweep_every_sec": 3600,
            "webhook_secret_key": "a key that is long and odd enough 1234567890",
            # Receivers of tests stand on this machine.
            "webhook_allowed_networks": "127.0.0.1/32",
            # Some tests search a thousand times in one go.
            "rate_limit_costly_per_min": 0,
        }
    )


@pytest.fixture
async def client(
    aiohttp_client: Callable[..., Awaitable[TestClient]], settings: Settings, people: KnownPeople
) -> TestClient:
    return await aiohttp_client(
        create_app(settings, people), headers={"Authorization": "Bearer editor"}
    )


@pytest.fixture
def api(client: TestClient, project_id: UUID) -> Api:
    return Api(client, project_id)


@pytest.fixture
async def experiment(api: Api) -> dict[str, Any]:
    return await api.experiment()


@pytest.fixture
async def run(api: Api, experiment: dict[str, Any]) -> dict[str, Any]:
    return await api.run(experiment, name="first")


@pytest.fixture
async def sensor(api: Api) -> dict[str, Any]:
    return await api.sensor()


@pytest.fixture
async def capture(api: Api, run: dict[str, Any], sensor: dict[str, Any]) -> dict[str, Any]:
    """A capture session that records one sensor."""
    body = {"sensor_ids": [sensor["id"]]}
    return await api.post(f"/api/v1/runs/{run['id']}/capture-sessions", body, status=201)


@pytest.fixture
async def profile(api: Api, sensor: dict[str, Any]) -> dict[str, Any]:
    """A draft of how the sensor's temperature is converted."""
    return await api.profile(sensor, a=2)


@pytest.fixture
async def everything(
    api: Api,
    project_id: UUID,
    experiment: dict[str, Any],
    run: dict[str, Any],
    sensor: dict[str, Any],
    capture: dict[str, Any],
    profile: dict[str, Any],
) -> dict[str, str]:
    """An id for every parameter that a path can have."""
    shared = {"name": "all", "state": {}, "visibility": "shared"}
    view = await api.post(f"{api.project}/views", shared, status=201)
    tokens = await api.get(f"/api/v1/sensors/{sensor['id']}/tokens")
    hook = {"name": "CI", "url": "http://127.0.0.1:9/", "event_types": ["run.failed"]}
    owner = {"Authorization": "Bearer owner"}
    webhook = await api.post(f"{api.project}/webhooks", hook, status=201, headers=owner)
    path = f"/api/v1/webhooks/{webhook['id']}/test"
    tested = await api.post(path, status=201, headers=owner)
    limit = {"key": "loss", "direction": "above", "threshold": 1}
    watch = await api.post(f"{api.project}/metric-watches", limit, status=201)
    bound = {"signal": "temperature", "direction": "above", "threshold": 1}
    path = f"/api/v1/sensors/{sensor['id']}/watches"
    sensor_watch = await api.post(path, bound, status=201)
    wanted = {"event_types": ["run.failed"]}
    rule = await api.post(f"{api.project}/notification-rules", wanted, status=201)
    return {
        "rule_id": rule["id"],
        "watch_id": watch["id"],
        "sensor_watch_id": sensor_watch["id"],
        "project_id": str(project_id),
        "experiment_id": experiment["id"],
        "run_id": run["id"],
        "view_id": view["id"],
        "sensor_id": sensor["id"],
        "signal": "temperature",
        "capture_session_id": capture["id"],
        "profile_id": profile["id"],
        "token_id": tokens["items"][0]["id"],
        "webhook_id": webhook["id"],
        "delivery_id": tested["id"],
    }
