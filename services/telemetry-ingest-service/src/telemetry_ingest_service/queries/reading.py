"""SQL on what experiment-service publishes for readers, and on the newest readings."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from conversion import parse_profile
from servicekit.database import Connection, fetch_all, fetch_optional

from telemetry_ingest_service.models.windows import CaptureWindow, PublishedProfile
from telemetry_ingest_service.queries.sensors import published

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def select_sensor_projects(
    connection: Connection, sensor_ids: Collection[UUID]
) -> dict[UUID, list[UUID]]:
    """The projects whose members may see each of the sensors.

    Raises:
        Unavailable: experiment-service has not made its views yet.
    """
    with published():
        rows = await connection.fetch(
            """
            SELECT sensor_id, array_agg(project_id) AS project_ids
            FROM experiment.sensor_projects
            WHERE sensor_id = ANY ($1::uuid[])
            GROUP BY sensor_id
            """,
            sensor_ids,
        )
    return {row["sensor_id"]: row["project_ids"] for row in rows}


async def select_signals(
    connection: Connection, sensor_ids: Collection[UUID]
) -> dict[tuple[UUID, str], str]:
    """The signals of the sensors, each with the unit of its raw values."""
    rows = await connection.fetch(
        """
        SELECT sensor_id, signal, input_unit
        FROM experiment.ingest_signals
        WHERE sensor_id = ANY ($1::uuid[])
        ORDER BY sensor_id, signal
        """,
        sensor_ids,
    )
    return {(row["sensor_id"], row["signal"]): row["input_unit"] for row in rows}


async def select_profiles(
    connection: Connection, sensor_ids: Collection[UUID]
) -> list[PublishedProfile]:
    """Every published profile of the sensors, by when it begins to hold."""
    rows = await connection.fetch(
        """
        SELECT profile_id, sensor_id, signal, kind, parameters::text AS parameters, unit,
               valid_from, valid_to
        FROM experiment.published_profiles
        WHERE sensor_id = ANY ($1::uuid[])
        ORDER BY valid_from
        """,
        sensor_ids,
    )
    return [
        PublishedProfile(
            profile_id=row["profile_id"],
            sensor_id=row["sensor_id"],
            signal=row["signal"],
            profile=parse_profile(row["kind"], orjson.loads(row["parameters"])),
            unit=row["unit"] or "",
            valid_from=to_us(row["valid_from"]),
            valid_to=None if row["valid_to"] is None else to_us(row["valid_to"]),
        )
        for row in rows
    ]


async def select_window_project(connection: Connection, capture_session_id: UUID) -> UUID | None:
    """The project that the capture session belongs to.

    Raises:
        Unavailable: see above.
    """
    with published():
        return await connection.fetchval(
            "SELECT project_id FROM experiment.capture_windows WHERE capture_session_id = $1",
            capture_session_id,
        )


async def select_window(connection: Connection, capture_session_id: UUID) -> CaptureWindow | None:
    """The capture session."""
    return await fetch_optional(
        connection,
        CaptureWindow,
        """
        SELECT capture_session_id, project_id, started_at, stopped_at, sensor_ids, profiles
        FROM experiment.capture_windows
        WHERE capture_session_id = $1
        """,
        capture_session_id,
    )


async def select_windows(
    connection: Connection, capture_session_ids: Collection[UUID]
) -> list[CaptureWindow]:
    """Those of the capture sessions that there are.

    Raises:
        Unavailable: see above.
    """
    with published():
        return await fetch_all(
            connection,
            CaptureWindow,
            """
            SELECT capture_session_id, project_id, started_at, stopped_at, sensor_ids, profiles
            FROM experiment.capture_windows
            WHERE capture_session_id = ANY ($1::uuid[])
            """,
            capture_session_ids,
        )


async def select_ordinals(connection: Connection, sensor_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many batches each sensor has sent; those that sent none are left out."""
    rows = await connection.fetch(
        "SELECT id, ordinal FROM owners WHERE id = ANY ($1::uuid[])", sensor_ids
    )
    return {row["id"]: row["ordinal"] for row in rows}


async def select_series(
    connection: Connection, sensor_ids: Collection[UUID]
) -> Sequence[dict[str, Any]]:
    """Every series of the sensors with its newest reading."""
    rows = await connection.fetch(
        """
        SELECT id, owner_id, key, count, first_x, last_x, last_value, last_time
        FROM series
        WHERE owner_id = ANY ($1::uuid[])
        ORDER BY owner_id, key
        """,
        sensor_ids,
    )
    return [dict(row) for row in rows]


def to_us(moment: datetime) -> int:
    """µs since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
