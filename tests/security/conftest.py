"""The running stack, its world, and every operation of it."""

from collections.abc import Iterator

import httpx
import pytest
from support.operations import Operation, read_operations
from support.world import Person, World, make_world

from scripts.environment import ADMIN_EMAIL, DATABASES, DEMO_PASSWORD
from scripts.stack import Stack


@pytest.fixture(scope="session")
def gateway(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.gateway_url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def admin(stack: Stack, gateway: httpx.Client) -> Person:
    response = gateway.post("/auth/login", json={"email": ADMIN_EMAIL, "password": DEMO_PASSWORD})
    assert response.status_code == 200, response.text
    session = response.json()
    return Person(
        "admin",
        session["user"]["id"],
        session["user"]["email"],
        session["access_token"],
        session["refresh_token"],
    )


@pytest.fixture(scope="session")
def world(stack: Stack, gateway: httpx.Client, admin: Person) -> World:
    database = DATABASES["telemetry-ingest-service"]
    world = make_world(gateway, admin, stack.workspace.database_url(database))
    world.tokens["service"] = stack.workspace.variables["SERVICE_SECRET"]
    return world


@pytest.fixture(scope="session")
def operations(stack: Stack) -> list[Operation]:
    return read_operations(stack.service_urls)
