"""Tokens of sensors: shown once, replaced with a grace."""

import re
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.events import EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.machine_tokens import new_machine_token
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import NotFound

from experiment_service.errors import SensorDecommissioned
from experiment_service.models.events import (
    SENSOR_TOKEN_REVOKED,
    SENSOR_TOKEN_ROTATED,
    TokenData,
)
from experiment_service.models.sensor_tokens import RotatedToken, Rotation, SensorToken
from experiment_service.operations.sensor_reading import answer_sensor
from experiment_service.operations.telling import tell
from experiment_service.queries.sensor_tokens import (
    insert_token,
    select_token,
    select_tokens,
    update_token_revoked,
    update_tokens_ending,
)
from experiment_service.queries.sensors import lock_sensor
from experiment_service.queries.turns import select_now

_SECRET = re.compile(rb'"(token|secret)":"(?:rb_sensor|whsec)_[0-9A-Za-z_+/=]+"')


class ShownOnce:
    """Keeps answers for their Idempotency-Key without the tokens and secrets in them."""

    def close(self, body: bytes) -> bytes:
        """The answer with its token or secret left out."""
        return _SECRET.sub(rb'"\1":null', body)

    def open(self, sealed: bytes) -> bytes | None:
        """The answer as it was kept."""
        return sealed


async def list_tokens(database: Database, sensor_id: UUID, query: PageQuery) -> Page[SensorToken]:
    """One page of a sensor's tokens, the newest first, ended ones included."""
    before = Cursor.decode(query.cursor, sort="-id").row_id if query.cursor else None
    async with database.acquire() as connection:
        tokens = await select_tokens(
            connection, sensor_id=sensor_id, before=before, limit=query.limit + 1
        )
    return page_of(tokens, limit=query.limit, cursor=lambda token: Cursor(sort="-id", id=token.id))


async def rotate_token(
    database: Database, principal: Principal, sensor_id: UUID, rotation: Rotation
) -> RotatedToken:
    """Make a new token; those before end after the grace.

    Raises:
        SensorDecommissioned: it sends no more.
    """
    async with database.acquire() as connection, connection.transaction():
        if await lock_sensor(connection, sensor_id) != "active":
            raise SensorDecommissioned
        now = await select_now(connection)
        grace = timedelta(seconds=rotation.grace_seconds)
        await update_tokens_ending(connection, sensor_id=sensor_id, at=now, grace=grace)
        token_id, secret = await add_token(connection, principal, sensor_id, at=now)
        stored = await _token(connection, sensor_id, token_id)
        await _tell(connection, SENSOR_TOKEN_ROTATED, sensor_id, token_id, at=now)
    return RotatedToken(**dict(stored), token=secret)


async def revoke_token(database: Database, sensor_id: UUID, token_id: UUID) -> None:
    """End a token at once.

    Raises:
        NotFound: the sensor has no such token.
    """
    async with database.acquire() as connection, connection.transaction():
        await lock_sensor(connection, sensor_id)
        await _token(connection, sensor_id, token_id)
        now = await select_now(connection)
        await update_token_revoked(connection, token_id=token_id, at=now)
        await _tell(connection, SENSOR_TOKEN_REVOKED, sensor_id, token_id, at=now)


async def add_token(
    connection: Connection, principal: Principal, sensor_id: UUID, *, at: datetime
) -> tuple[UUID, str]:
    """A new current token: its id, and the text that is shown once."""
    secret, token_id = new_machine_token("sensor"), uuid7()
    await insert_token(
        connection,
        secret,
        token_id=token_id,
        sensor_id=sensor_id,
        user_id=principal.user_id,
        at=at,
    )
    return token_id, secret.text


async def _tell(
    connection: Connection,
    kind: EventKind[TokenData],
    sensor_id: UUID,
    token_id: UUID,
    *,
    at: datetime,
) -> None:
    sensor = await answer_sensor(connection, sensor_id)
    event = kind.event(
        TokenData(token_id=token_id),
        project_id=sensor.project_id,
        subject_id=sensor_id,
        subject_name=sensor.name,
        at=at,
    )
    await tell(connection, [event])


async def _token(connection: Connection, sensor_id: UUID, token_id: UUID) -> SensorToken:
    token = await select_token(connection, sensor_id=sensor_id, token_id=token_id)
    if token is None:
        raise NotFound
    return token
