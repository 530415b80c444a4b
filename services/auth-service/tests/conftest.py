"""auth-service, running on a database of its own, and people who use it."""

import itertools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from auth_service.app import create_app
from auth_service.settings import Settings
from servicekit.database import Connection

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from people import PASSWORD, SERVICE_SECRET, Client, Person, Register, Start, expect  # noqa: E402

MIGRATIONS = HERE.parent / "migrations"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    return {"auth": MIGRATIONS}


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Cheap hashes: tests of what they cost say so."""
    return Settings(
        runbench_env="dev",
        database_url=database_url,
        bcrypt_rounds=4,
        service_secret=SERVICE_SECRET,
    )


@pytest.fixture
async def start(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Start:
    """Starts another process of the service on the same database, with other settings."""

    async def start(**changes: object) -> Client:
        return await aiohttp_client(create_app(settings.model_copy(update=changes)))

    return start


@pytest.fixture
async def client(start: Start) -> Client:
    return await start()


@pytest.fixture
def register(client: Client) -> Register:
    """Registers a new person."""

    async def register(name: str = "", **more: str) -> Person:
        number = next(_numbers)
        body = {
            "email": more.get("email", f"person{number}@example.com"),
            "password": PASSWORD,
            "name": name or f"Person {number}",
        }
        return Person(client, await expect(201, await client.post("/auth/register", json=body)))

    return register


@pytest.fixture
async def person(register: Register) -> Person:
    return await register()


@pytest.fixture
async def admin(register: Register, connection: Connection) -> Person:
    person = await register("Administrator")
    await connection.execute("UPDATE auth.users SET is_admin = true WHERE id = $1", person.id)
    return person
