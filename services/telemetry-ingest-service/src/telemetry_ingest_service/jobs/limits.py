"""How much each sensor may send: counted in Valkey for all processes together.

A process draws what it will let in ahead, a fiftieth of a second's worth at a time, so that a
sensor of many small batches costs few round trips. While Valkey is away each process counts by
itself, more strictly, because it cannot know of the others.
"""

from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any, cast
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import Counter
from servicekit.problems import TooManyRequests
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from telemetry_ingest_service.models.readings import MAX_READINGS

log = structlog.get_logger()

THROTTLED = Counter("telemetry_requests_throttled", "Requests beyond what their sensor may send.")

ALONE = 4  # without Valkey a process lets in this part of the rate
AHEAD_SEC = 0.02
PATIENCE_SEC = 0.25
AGAIN_SEC = 1.0
_MOST_KEPT = 20_000
# A bucket that fills at a rate (ARGV 1) up to a size (ARGV 2): take ARGV 3, or say in how many ms.
_TAKE = """
local now = redis.call('TIME')
local at = now[1] * 1000 + now[2] / 1000
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local rate, size, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local left = size
if kept[1] then
  left = math.min(size, tonumber(kept[1]) + math.max(0, at - tonumber(kept[2])) * rate / 1000)
end
if left < want then return math.ceil((want - left) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'left', left - want, 'at', at)
redis.call('PEXPIRE', KEYS[1], math.ceil(size * 1000 / rate) + 1000)
return 0
"""


class Limits:
    """The limits of all sensors."""

    def __init__(self, url: str, rate: int) -> None:
        self._client = (
            Valkey.from_url(url, socket_connect_timeout=PATIENCE_SEC, socket_timeout=PATIENCE_SEC)
            if url
            else None
        )
        self._rate = rate
        # Whatever the rate, a single request of the greatest size is let in.
        self._size = 2 * max(rate, MAX_READINGS)
        self._ahead: dict[UUID, tuple[int, float]] = {}
        self._alone: dict[UUID, tuple[float, float]] = {}
        self._away_until = 0.0

    async def take(self, sensor_id: UUID, readings: int) -> None:
        """Count the readings against their sensor.

        Raises:
            TooManyRequests: it has sent too much; nothing was counted.
        """
        left, until = self._ahead.get(sensor_id, (0, 0.0))
        if left >= readings and until > monotonic():
            self._ahead[sensor_id] = left - readings, until
            return
        wait = await self._draw(sensor_id, readings)
        if wait > 0:
            THROTTLED.inc()
            msg = f"A sensor may send {self._rate} readings a second."
            raise TooManyRequests(msg, retry_after=wait)

    async def close(self) -> None:
        """Give the connections back."""
        if self._client:
            await self._client.aclose()

    async def _draw(self, sensor_id: UUID, readings: int) -> float:
        if self._client is None or self._away_until > monotonic():
            return self._take_alone(sensor_id, readings)
        ahead = int(self._rate * AHEAD_SEC)
        try:
            if ahead > readings and await self._ask(self._client, sensor_id, ahead) == 0:
                _keep(self._ahead, sensor_id, (ahead - readings, monotonic() + 1))
                return 0
            return await self._ask(self._client, sensor_id, readings)
        except (ValkeyError, OSError, TimeoutError) as exc:
            log.warning("limits.unreachable", error=repr(exc))
            self._away_until = monotonic() + AGAIN_SEC
            return self._take_alone(sensor_id, readings)

    async def _ask(self, client: Valkey, sensor_id: UUID, readings: int) -> float:
        asked = cast("Any", client).eval(
            _TAKE, 1, f"runbench:ingest:{sensor_id}", self._rate, self._size, readings
        )
        return float(await asked) / 1000

    def _take_alone(self, sensor_id: UUID, readings: int) -> float:
        rate, now = self._rate / ALONE, monotonic()
        size = max(2 * rate, MAX_READINGS)
        left, at = self._alone.get(sensor_id, (size, now))
        left = min(size, left + (now - at) * rate)
        if left < readings:
            return (readings - left) / rate
        _keep(self._alone, sensor_id, (left - readings, now))
        return 0


def _keep[T](kept: dict[UUID, T], sensor_id: UUID, value: T) -> None:
    kept.pop(sensor_id, None)
    while len(kept) >= _MOST_KEPT:
        del kept[next(iter(kept))]
    kept[sensor_id] = value


def limits(url: str, *, rate: int) -> Callable[[web.Application], AsyncIterator[None]]:
    """Count while the service runs."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        app[LIMITS] = Limits(url, rate)
        yield
        await app[LIMITS].close()

    return context


LIMITS = web.AppKey("limits", Limits)
