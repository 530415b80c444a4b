"""What tests of the buffer share: Valkey, records, waiting until something is stored."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from telemetry_api import T0, Sensor, column, stored
from telemetry_ingest_service.models.readings import read_json
from telemetry_ingest_service.models.received import Received, pack_record
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

type Readings = list[tuple[int, float]]


@asynccontextmanager
async def talking(port: int) -> AsyncIterator[Any]:
    client = Valkey(port=port)
    async with asyncio.timeout(10):
        while True:
            try:
                await client.ping()
                break
            except (ValkeyError, OSError):
                await asyncio.sleep(0.05)
    yield client
    await client.aclose()


def url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


async def settled(connection, sensor: Sensor, count: int, *, seconds: float = 15) -> Readings:
    """The readings of the temperature, once there are so many."""
    found: Readings = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            found = (await stored(connection, sensor)).get("temperature", [])
            await asyncio.sleep(0.05)
    return found


def batch(number: int, **more: Any) -> dict[str, Any]:
    return {"series": [column("temperature", [T0 + number], [float(number)])], **more}


def record_of(sensor: Sensor, body: dict[str, Any], received_us: int = T0) -> bytes:
    sent = read_json(json.dumps(body).encode())
    return pack_record(Received(sensor.id, sensor.project_id, sent, received_us))
