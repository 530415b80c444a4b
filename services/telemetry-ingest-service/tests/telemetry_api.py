"""What tests send, and sensors as experiment-service stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiohttp.test_utils import TestClient
from seriesstore.read import read_points
from seriesstore.summary import list_summaries
from servicekit.database import Connection
from servicekit.machine_tokens import new_machine_token

T0 = 1_700_000_000_000_000
"""A moment in 2023, in µs since 1970."""


@dataclass(frozen=True)
class Sensor:
    """A sensor and a token of it."""

    id: UUID
    project_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


async def new_sensor(
    connection: Connection, project_id: UUID, name: str, signals: Sequence[str]
) -> Sensor:
    """A sensor with a token, as experiment-service would have made it."""
    sensor_id, person, now = uuid4(), uuid4(), datetime.now(UTC)
    await connection.execute(
        """
        INSERT INTO experiment.sensors
            (id, project_id, name, name_key, created_by, created_at, updated_at)
        VALUES ($1, $2, $3, $3, $4, $5, $5)
        """,
        sensor_id, project_id, name, person, now,
    )  # fmt: skip
    await share(connection, sensor_id, project_id, project_id)
    for place, signal in enumerate(signals):
        await connection.execute(
            """
            INSERT INTO experiment.sensor_signals (sensor_id, project_id, name, name_key, position)
            VALUES ($1, $2, $3, $3, $4)
            """,
            sensor_id, project_id, signal, place,
        )  # fmt: skip
    return Sensor(sensor_id, project_id, await new_token(connection, sensor_id, project_id))


async def share(connection: Connection, sensor_id: UUID, home: UUID, project_id: UUID) -> None:
    """Let the members of a project see a sensor."""
    await connection.execute(
        """
        INSERT INTO experiment.sensor_places
            (sensor_id, project_id, home_project_id, shared_by, shared_at)
        VALUES ($1, $2, $3, $4, now())
        """,
        sensor_id, project_id, home, uuid4(),
    )  # fmt: skip


async def new_token(
    connection: Connection, sensor_id: UUID, project_id: UUID, *, expires_at: datetime | None = None
) -> str:
    """One more token of the sensor; of those without an end there may be one."""
    token = new_machine_token("sensor")
    await connection.execute(
        """
        INSERT INTO experiment.sensor_tokens
            (id, sensor_id, project_id, key_id, secret_hash, created_by, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, now(), $7)
        """,
        uuid4(), sensor_id, project_id, token.key_id, token.secret_hash, uuid4(), expires_at,
    )  # fmt: skip
    return token.text


async def send(
    client: TestClient, sensor: Sensor, body: object, *, status: int = 200
) -> dict[str, Any]:
    """Send readings; the answer, which must have that status."""
    async with client.post("/api/v1/telemetry", json=body, headers=sensor.headers) as response:
        answer = await response.json()
        assert response.status == status, answer
        return answer


def column(signal: str, t: Sequence[object], v: Sequence[object]) -> dict[str, Any]:
    """One signal's readings."""
    return {"signal": signal, "t": list(t), "v": list(v)}


async def stored(connection: Connection, sensor: Sensor) -> dict[str, list[tuple[int, float]]]:
    """Every reading of the sensor as the store has it, by signal, along time."""
    found: dict[str, list[tuple[int, float]]] = {}
    await connection.execute("SET search_path = telemetry")
    for summary in await list_summaries(connection, sensor.id):
        points = (await read_points(connection, summary.id)).sorted()
        found[summary.key] = list(zip(points.x.tolist(), points.value.tolist(), strict=True))
    return found
