"""Conversion profiles: drafted, published from a moment on, and retired.

The spans of a signal's published profiles never overlap: who is published takes the time from
its moment on, up to where the next one begins; the one before ends there.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.events import EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.outbox import note
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import Invalid, NotFound, PreconditionFailed

from experiment_service.errors import (
    LimitExceeded,
    ProfileNotPublished,
    ProfilePublished,
    ProfileTimeTaken,
)
from experiment_service.models.audited import (
    PROFILE_CHANGED,
    PROFILE_CREATED,
    PROFILE_PUBLISHED,
    PROFILE_REMOVED,
    PROFILE_RETIRED,
    ProfileData,
)
from experiment_service.models.profiles import (
    MAX_PROFILES,
    ConversionProfile,
    ConversionProfileChange,
    NewConversionProfile,
    ProfileQuery,
    Publication,
)
from experiment_service.operations.conversion import check_parameters
from experiment_service.operations.sensor_reading import answer_sensor
from experiment_service.queries.profiles import (
    delete_draft,
    insert_profile,
    select_profile,
    select_profiles,
    select_spans,
    update_draft,
    update_profile_end,
    update_profile_published,
)
from experiment_service.queries.sensors import lock_sensor, select_sensor_projects
from experiment_service.queries.turns import select_now

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=3653)


async def list_profiles(
    database: Database, sensor_id: UUID, query: ProfileQuery
) -> Page[ConversionProfile]:
    """One page of a sensor's profiles, the newest first."""
    before = Cursor.decode(query.cursor, sort="-id").row_id if query.cursor else None
    async with database.acquire() as connection:
        profiles = await select_profiles(
            connection,
            sensor_id=sensor_id,
            signal=query.signal,
            states=query.state,
            before=before,
            limit=query.limit + 1,
        )
    return page_of(
        profiles, limit=query.limit, cursor=lambda profile: Cursor(sort="-id", id=profile.id)
    )


async def get_profile(database: Database, profile_id: UUID) -> ConversionProfile:
    """One profile."""
    async with database.acquire() as connection:
        return await _profile(connection, profile_id)


async def create_profile(
    database: Database, principal: Principal, sensor_id: UUID, new: NewConversionProfile
) -> ConversionProfile:
    """Draft a profile as the next version of its signal.

    Raises:
        Invalid: the sensor has no such signal, or the parameters are none of that kind.
        LimitExceeded: the signal has as many as it may.
    """
    check_parameters(new.kind, new.parameters)
    async with _changing(database, sensor_id) as (connection, now):
        sensor = await answer_sensor(connection, sensor_id)
        if all(signal.name != new.signal for signal in sensor.signals):
            detail = "the sensor has no such signal"
            raise Invalid(errors=[{"pointer": "#/signal", "detail": detail}])
        draft = ConversionProfile(
            id=uuid7(),
            sensor_id=sensor_id,
            signal=new.signal,
            version=1,
            kind=new.kind,
            parameters=new.parameters,
            unit=new.unit or "",
            note=new.note,
            state="draft",
            valid_from=None,
            valid_to=None,
            created_by=principal.user_id,
            created_at=now,
            published_by=None,
            published_at=None,
            edition=1,
        )
        if await insert_profile(connection, draft) > MAX_PROFILES:
            msg = f"A signal may have at most {MAX_PROFILES} profiles."
            raise LimitExceeded(msg)
        stored = await _profile(connection, draft.id)
        await _note(connection, PROFILE_CREATED, stored)
        return stored


async def change_profile(
    database: Database, profile_id: UUID, change: ConversionProfileChange, *, if_match: int | None
) -> ConversionProfile:
    """Change a draft.

    Raises:
        ProfilePublished: it is none.
        PreconditionFailed: it is no longer the edition that `if_match` names.
        Invalid: the parameters are none of that kind, or another signal is named.
    """
    async with _changing_profile(database, profile_id) as (connection, before, _):
        if if_match is not None and before.edition != if_match:
            raise PreconditionFailed
        edited = before.model_copy(update=change.given)
        if edited.signal != before.signal:
            detail = "a profile stays with its signal"
            raise Invalid(errors=[{"pointer": "#/signal", "detail": detail}])
        check_parameters(edited.kind, edited.parameters)
        if edited != before:
            if not await update_draft(connection, edited):
                raise ProfilePublished
            await _note(connection, PROFILE_CHANGED, edited)
        return await _profile(connection, profile_id)


async def delete_profile(database: Database, profile_id: UUID) -> None:
    """Delete a draft.

    Raises:
        ProfilePublished: it is none; retire it.
    """
    async with _changing_profile(database, profile_id) as (connection, draft, _):
        if not await delete_draft(connection, profile_id):
            raise ProfilePublished
        await _note(connection, PROFILE_REMOVED, draft)


async def publish_profile(
    database: Database, principal: Principal, profile_id: UUID, publication: Publication
) -> ConversionProfile:
    """Publish a draft from a moment on; the profile that is valid then ends there.

    It ends where the next one begins that is published already. A moment in the past is taken,
    since conversion happens when readings are read.

    Raises:
        ProfilePublished: it is no draft.
        ProfileTimeTaken: another one begins at that very moment.
        Invalid: the moment is before 1990 or more than ten years from now.
    """
    async with _changing_profile(database, profile_id) as (connection, draft, now):
        if draft.state != "draft":
            raise ProfilePublished
        begin = publication.valid_from or now
        if not EARLIEST <= begin <= now + AHEAD:
            detail = "must lie between 1990 and ten years from now"
            raise Invalid(errors=[{"pointer": "#/valid_from", "detail": detail}])
        spans = await select_spans(connection, sensor_id=draft.sensor_id, signal=draft.signal)
        end: datetime | None = None
        for other in spans:
            if other.valid_from is None or other.valid_from == begin:
                raise ProfileTimeTaken
            if other.valid_from > begin:
                end = end or other.valid_from
            elif other.valid_to is None or other.valid_to > begin:
                await update_profile_end(connection, profile_id=other.id, valid_to=begin)
        if not await update_profile_published(
            connection,
            profile_id=profile_id,
            user_id=principal.user_id,
            at=now,
            valid_from=begin,
            valid_to=end,
        ):
            raise ProfilePublished
        await _note(connection, PROFILE_PUBLISHED, draft)
        return await _profile(connection, profile_id)


async def retire_profile(database: Database, profile_id: UUID) -> ConversionProfile:
    """End an active profile now, or take back one that is scheduled; a retired one stays so.

    Taking one back gives its time to the profile that would have ended where it begins.

    Raises:
        ProfileNotPublished: it is a draft.
    """
    async with _changing_profile(database, profile_id) as (connection, before, now):
        if before.state == "draft":
            raise ProfileNotPublished
        if before.state == "active":
            await update_profile_end(connection, profile_id=profile_id, valid_to=now)
        if before.state == "scheduled":
            await update_profile_end(connection, profile_id=profile_id, valid_to=before.valid_from)
            for other in await select_spans(
                connection, sensor_id=before.sensor_id, signal=before.signal
            ):
                if other.valid_to == before.valid_from:
                    await update_profile_end(
                        connection, profile_id=other.id, valid_to=before.valid_to
                    )
        if before.state != "retired":
            await _note(connection, PROFILE_RETIRED, before)
        return await _profile(connection, profile_id)


async def _note(
    connection: Connection, kind: EventKind[ProfileData], profile: ConversionProfile
) -> None:
    home, *_ = await select_sensor_projects(connection, profile.sensor_id)
    data = ProfileData(sensor_id=profile.sensor_id, signal=profile.signal, version=profile.version)
    await note(connection, [kind.event(data, project_id=home, subject_id=profile.id)])


async def _profile(connection: Connection, profile_id: UUID) -> ConversionProfile:
    profile = await select_profile(connection, profile_id)
    if profile is None:
        raise NotFound
    return profile


@asynccontextmanager
async def _changing(
    database: Database, sensor_id: UUID
) -> AsyncGenerator[tuple[Connection, datetime]]:
    """A transaction in which nobody else changes the sensor's profiles, and the time at it.

    A decommissioned sensor may still be calibrated: its readings stay.
    """
    async with database.acquire() as connection, connection.transaction():
        if await lock_sensor(connection, sensor_id) is None:
            raise NotFound
        yield connection, await select_now(connection)


@asynccontextmanager
async def _changing_profile(
    database: Database, profile_id: UUID
) -> AsyncGenerator[tuple[Connection, ConversionProfile, datetime]]:
    async with database.acquire() as connection, connection.transaction():
        found = await _profile(connection, profile_id)
        await lock_sensor(connection, found.sensor_id)
        yield connection, await _profile(connection, profile_id), await select_now(connection)
