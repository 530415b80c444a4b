"""The notes service, running, with people who have roles in one project."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from servicekit.testing.identity import KnownPeople

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from notes import create_app  # noqa: E402 - found through the line above


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    return {"notes": HERE / "migrations"}


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
async def client(
    aiohttp_client: Callable[..., Awaitable[TestClient]], database_url: str, people: KnownPeople
) -> TestClient:
    return await aiohttp_client(create_app(database_url, people))


def as_(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
