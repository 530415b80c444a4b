"""Which sensor sends, by its token, and what it may send."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Hashable
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import asyncpg
from aiohttp import web
from servicekit.cache import BriefCache
from servicekit.database import Database
from servicekit.identity import Access, Identity, Principal, bearer_token
from servicekit.machine_tokens import parse_machine_token
from servicekit.problems import Unauthenticated, Unavailable

from telemetry_ingest_service.models.sensors import KnownSensor, SensorToken
from telemetry_ingest_service.queries.sensors import select_sensor, select_token

# How long a revoked token or a removed signal may still count.
KEPT_SEC = 4.0
MOST_KEPT = 100_000
# How long a database that does not answer is waited for where its last answer will do.
PATIENCE_SEC = 2.0
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    Unavailable,
)


class Sensors:
    """What is known of sensors, kept for seconds: each of them sends many times a second."""

    def __init__(self, outlast: timedelta = timedelta(0)) -> None:
        self._tokens: BriefCache[str, SensorToken | None] = BriefCache(ttl=KEPT_SEC, size=MOST_KEPT)
        self._sensors: BriefCache[UUID, KnownSensor | None] = BriefCache(
            ttl=KEPT_SEC, size=MOST_KEPT
        )
        # What was known before the database went away, which is where revocations stand too.
        self._tokens_before: LastKnown[str, SensorToken] = LastKnown(outlast)
        self._sensors_before: LastKnown[UUID, KnownSensor] = LastKnown(outlast)

    async def identify(self, database: Database, text: str) -> Principal:
        """The sensor whose token this is.

        Raises:
            Unauthenticated: it is none, or no longer.
        """
        parsed = parse_machine_token(text)
        if parsed is None or parsed.kind != "sensor":
            raise Unauthenticated(_NO_TOKEN)

        async def ask() -> SensorToken | None:
            async with database.acquire() as connection:
                return await select_token(connection, parsed.key_id)

        token = await self._tokens.get(
            parsed.key_id, lambda: self._tokens_before.ask(parsed.key_id, ask)
        )
        if (
            token is None
            or not hmac.compare_digest(token.secret_hash, parsed.secret_hash)
            or (token.expires_at and token.expires_at <= datetime.now(UTC))
        ):
            raise Unauthenticated(_NO_TOKEN)
        return Principal(user_id=token.sensor_id, kind="sensor")

    async def get(self, database: Database, sensor_id: UUID) -> KnownSensor | None:
        """The sensor with its signals."""

        async def ask() -> KnownSensor | None:
            async with database.acquire() as connection:
                return await select_sensor(connection, sensor_id)

        return await self._sensors.get(sensor_id, lambda: self._sensors_before.ask(sensor_id, ask))


class LastKnown[K: Hashable, V]:
    """The last answers of a database, for as long as they may stand in while it is away."""

    def __init__(self, outlast: timedelta) -> None:
        self._outlast = outlast.total_seconds()
        self._answers: dict[K, tuple[float, V]] = {}

    async def ask(self, key: K, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """What the database says, or what it said last."""
        asked, known = self._answers.get(key, (0.0, None))
        may_stand_in = known is not None and monotonic() < asked + self._outlast
        try:
            async with asyncio.timeout(PATIENCE_SEC if may_stand_in else None):
                answer = await load()
        except _AWAY:
            if may_stand_in:
                return known
            raise
        self._answers.pop(key, None)
        if answer is not None and self._outlast:
            while len(self._answers) >= MOST_KEPT:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = monotonic(), answer
        return answer


class SensorIdentity:
    """An `Identity` that knows sensors by their tokens, and everybody else as before."""

    def __init__(self, people: Identity, sensors: Sensors, database: web.AppKey[Database]) -> None:
        self._people = people
        self._sensors = sensors
        self._database = database

    async def identify(self, request: web.Request) -> Principal | None:
        """See `Identity.identify`."""
        token = _sensor_token(request)
        if token is None:
            return await self._people.identify(request)
        return await self._sensors.identify(request.app[self._database], token)

    async def access(
        self, request: web.Request, principal: Principal, project_id: UUID
    ) -> Access | None:
        """See `Identity.access`."""
        return await self._people.access(request, principal, project_id)

    async def is_admin(self, request: web.Request, principal: Principal) -> bool:
        """See `Identity.is_admin`."""
        return await self._people.is_admin(request, principal)

    async def find_project(
        self, request: web.Request, principal: Principal, slug: str
    ) -> UUID | None:
        """See `Identity.find_project`."""
        return await self._people.find_project(request, principal, slug)


_NO_TOKEN = "The sensor token is not valid, has expired or was revoked."  # noqa: S105


def _sensor_token(request: web.Request) -> str | None:
    if "rb_sensor_" not in request.headers.get("Authorization", ""):
        return None
    return bearer_token(request)
