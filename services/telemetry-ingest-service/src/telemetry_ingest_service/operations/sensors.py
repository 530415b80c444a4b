"""Which sensor sends, by its token, and what it may send."""

import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiohttp import web
from servicekit.database import Database
from servicekit.identity import Access, Identity, Principal, bearer_token
from servicekit.machine_tokens import parse_machine_token
from servicekit.problems import Unauthenticated

from telemetry_ingest_service.models.sensors import KnownSensor, SensorToken
from telemetry_ingest_service.operations.lookups import Lookups
from telemetry_ingest_service.queries.sensors import select_sensors, select_tokens


class Sensors:
    """What is known of sensors, kept for seconds: each of them sends many times a second."""

    def __init__(self, outlast: timedelta = timedelta(0)) -> None:
        self._tokens: Lookups[str, SensorToken] = Lookups(select_tokens, outlast)
        self._sensors: Lookups[UUID, KnownSensor] = Lookups(select_sensors, outlast)

    async def identify(self, database: Database, text: str) -> Principal:
        """The sensor whose token this is.

        Raises:
            Unauthenticated: it is none, or no longer.
        """
        parsed = parse_machine_token(text)
        if parsed is None or parsed.kind != "sensor":
            raise Unauthenticated(_NO_TOKEN)
        token = await self._tokens.get(database, parsed.key_id)
        if (
            token is None
            or not hmac.compare_digest(token.secret_hash, parsed.secret_hash)
            or (token.expires_at and token.expires_at <= datetime.now(UTC))
        ):
            raise Unauthenticated(_NO_TOKEN)
        return Principal(user_id=token.sensor_id, kind="sensor")

    async def get(self, database: Database, sensor_id: UUID) -> KnownSensor | None:
        """The sensor with its signals."""
        return await self._sensors.get(database, sensor_id)


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
