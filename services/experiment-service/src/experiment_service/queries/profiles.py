"""SQL on conversion profiles: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.profiles import ConversionProfile, ProfileState

_PROFILES = """
    SELECT *
    FROM (
        SELECT id, sensor_id, signal, version, kind, parameters, unit, note, valid_from, valid_to,
               created_by, created_at, published_by, published_at, edition,
               CASE WHEN published_at IS NULL THEN 'draft'
                    WHEN valid_to <= greatest(valid_from, clock_timestamp()) THEN 'retired'
                    WHEN valid_from > clock_timestamp() THEN 'scheduled'
                    ELSE 'active' END AS state
        FROM experiment.conversion_profiles
    ) AS p
"""


async def select_profile_projects(connection: Connection, profile_id: UUID) -> list[UUID]:
    """The projects whose members see the profile, the sensor's home first."""
    rows = await connection.fetch(
        """
        SELECT s.project_id
        FROM experiment.conversion_profiles p
        JOIN experiment.sensor_places s ON s.sensor_id = p.sensor_id
        WHERE p.id = $1 AND s.ended_at IS NULL
        ORDER BY s.project_id <> s.home_project_id, s.shared_at
        """,
        profile_id,
    )
    return [row["project_id"] for row in rows]


async def select_profile(connection: Connection, profile_id: UUID) -> ConversionProfile | None:
    """One profile."""
    return await fetch_optional(
        connection, ConversionProfile, _PROFILES + "WHERE id = $1", profile_id
    )


async def select_profiles(
    connection: Connection,
    *,
    sensor_id: UUID,
    signal: str | None,
    states: Sequence[ProfileState],
    before: UUID | None,
    limit: int,
) -> list[ConversionProfile]:
    """The profiles of a sensor, the newest first."""
    return await fetch_all(
        connection,
        ConversionProfile,
        _PROFILES
        + """
        WHERE sensor_id = $1 AND ($2::text IS NULL OR signal = $2)
          AND (cardinality($3::text[]) = 0 OR state = ANY($3))
          AND ($4::uuid IS NULL OR id < $4)
        ORDER BY id DESC
        LIMIT $5
        """,
        sensor_id,
        signal,
        states,
        before,
        limit,
    )


async def select_spans(
    connection: Connection, *, sensor_id: UUID, signal: str
) -> list[ConversionProfile]:
    """The published profiles of a signal that are or were valid at some time, in their order."""
    return await fetch_all(
        connection,
        ConversionProfile,
        _PROFILES
        + """
        WHERE sensor_id = $1 AND signal = $2 AND valid_from IS NOT NULL
          AND valid_to IS DISTINCT FROM valid_from
        ORDER BY valid_from
        """,
        sensor_id,
        signal,
    )


async def insert_profile(connection: Connection, profile: ConversionProfile) -> int:
    """Add a draft as the next version of its signal; answers that version."""
    return await connection.fetchval(
        """
        INSERT INTO experiment.conversion_profiles (
            id, sensor_id, project_id, signal, version, kind, parameters, unit, note, created_by,
            created_at
        )
        SELECT $1, s.id, s.project_id, $3,
               coalesce(
                   (
                       SELECT max(p.version)
                       FROM experiment.conversion_profiles p
                       WHERE p.sensor_id = $2 AND p.signal = $3
                   ),
                   0
               ) + 1,
               $4, $5, $6, $7, $8, $9
        FROM experiment.sensors s
        WHERE s.id = $2
        RETURNING version
        """,
        profile.id,
        profile.sensor_id,
        profile.signal,
        profile.kind,
        profile.parameters,
        profile.unit,
        profile.note,
        profile.created_by,
        profile.created_at,
    )


async def update_draft(connection: Connection, profile: ConversionProfile) -> bool:
    """Store what people edit of a draft; whether it still was one."""
    updated = await connection.fetchval(
        """
        UPDATE experiment.conversion_profiles
        SET kind = $2, parameters = $3, unit = $4, note = $5, edition = edition + 1
        WHERE id = $1 AND published_at IS NULL
        RETURNING id
        """,
        profile.id,
        profile.kind,
        profile.parameters,
        profile.unit,
        profile.note,
    )
    return updated is not None


async def delete_draft(connection: Connection, profile_id: UUID) -> bool:
    """Forget a draft; whether it still was one."""
    deleted = await connection.fetchval(
        """
        DELETE FROM experiment.conversion_profiles
        WHERE id = $1 AND published_at IS NULL
        RETURNING id
        """,
        profile_id,
    )
    return deleted is not None


async def update_profile_published(
    connection: Connection,
    *,
    profile_id: UUID,
    user_id: UUID,
    at: datetime,
    valid_from: datetime,
    valid_to: datetime | None,
) -> bool:
    """Publish a draft; whether it still was one."""
    published = await connection.fetchval(
        """
        UPDATE experiment.conversion_profiles
        SET published_by = $2, published_at = $3, valid_from = $4, valid_to = $5,
            edition = edition + 1
        WHERE id = $1 AND published_at IS NULL
        RETURNING id
        """,
        profile_id,
        user_id,
        at,
        valid_from,
        valid_to,
    )
    return published is not None


async def update_profile_end(
    connection: Connection, *, profile_id: UUID, valid_to: datetime | None
) -> None:
    """Give a published profile another end."""
    await connection.execute(
        """
        UPDATE experiment.conversion_profiles
        SET valid_to = $2, edition = edition + 1
        WHERE id = $1
        """,
        profile_id,
        valid_to,
    )
