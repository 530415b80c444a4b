"""The service, running, with people who have roles in one project."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from experiment_service.app import create_app
from experiment_service.settings import Settings
from servicekit.testing.identity import KnownPeople

MIGRATIONS = Path(__file__).parent.parent / "migrations"


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
    return Settings.model_validate({"database_url": database_url, "run_sweep_every_sec": 3600})


@pytest.fixture
async def client(
    aiohttp_client: Callable[..., Awaitable[TestClient]], settings: Settings, people: KnownPeople
) -> TestClient:
    return await aiohttp_client(
        create_app(settings, people), headers={"Authorization": "Bearer editor"}
    )


class Api:
    """The service as its callers see it, with the answers they expect."""

    def __init__(self, client: TestClient, project_id: UUID) -> None:
        self.client = client
        self.project = f"/api/v1/projects/{project_id}"

    async def ask(
        self, method: str, path: str, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        response = await self.client.request(method, path, **more)
        text = await response.text()
        assert response.status == status, f"{method} {path}: {response.status} {text}"
        return await response.json() if text else {}

    async def get(self, path: str, *, status: int = 200, **more: Any) -> dict[str, Any]:
        return await self.ask("GET", path, status=status, **more)

    async def post(
        self, path: str, json: Any = None, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        return await self.ask("POST", path, status=status, json=json, **more)

    async def patch(
        self, path: str, json: Any, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        return await self.ask("PATCH", path, status=status, json=json, **more)

    async def experiment(self, name: str = "digits", **fields: Any) -> dict[str, Any]:
        return await self.post(f"{self.project}/experiments", {"name": name, **fields}, status=201)

    async def run(self, experiment: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return await self.post(f"/api/v1/experiments/{experiment['id']}/runs", fields, status=201)

    async def names(self, path: str, **params: Any) -> list[str]:
        """The names of a whole list, read in pages of two."""
        names: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, params={"limit": "2", **params, **cursor})
            names += [item["name"] for item in page["items"]]
            if page["next_cursor"] is None:
                return names
            cursor = {"cursor": page["next_cursor"]}


@pytest.fixture
def api(client: TestClient, project_id: UUID) -> Api:
    return Api(client, project_id)


@pytest.fixture
async def experiment(api: Api) -> dict[str, Any]:
    return await api.experiment()


@pytest.fixture
async def run(api: Api, experiment: dict[str, Any]) -> dict[str, Any]:
    return await api.run(experiment, name="first")


def as_(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
