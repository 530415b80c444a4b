"""How much each sensor may send: counted in Valkey for all processes together.

A process draws what it will let in ahead, a fiftieth of a second's worth at a time, so that a
sensor of many small batches costs few round trips, and what is asked for while a round trip is
under way shares the next one, so that however many ask there is one connection to each node that
counts. While a sensor's node is away each process counts by itself, more strictly, because it
cannot know of the others.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import Counter
from servicekit.broker import FAILURES, Broker
from servicekit.problems import TooManyRequests
from valkey.asyncio import Valkey

from telemetry_ingest_service.models.readings import MAX_READINGS

log = structlog.get_logger()

THROTTLED = Counter("telemetry_requests_throttled", "Requests beyond what their sensor may send.")

ALONE = 4  # without Valkey a process lets in this part of the rate
AHEAD_SEC = 0.02
PATIENCE_SEC = 0.5
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits to hear after how many seconds it may come again: 0 lets it in."""

    sensor_id: UUID
    readings: int
    wait: asyncio.Future[float]


class Limits:
    """The limits of all sensors."""

    def __init__(self, url: str, rate: int) -> None:
        self._broker = (
            Broker(url, connect_sec=PATIENCE_SEC, answer_sec=PATIENCE_SEC) if url else None
        )
        self._rate = rate
        # Whatever the rate, a single request of the greatest size is let in.
        self._size = 2 * max(rate, MAX_READINGS)
        self._ahead: dict[UUID, tuple[int, float]] = {}
        self._alone: dict[UUID, tuple[float, float]] = {}
        # By the node that does not answer; None stands for all of them.
        self._away_until: dict[Valkey | None, float] = {}
        self._asked: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def take(self, sensor_id: UUID, readings: int) -> None:
        """Count the readings against their sensor.

        Raises:
            TooManyRequests: it has sent too much; nothing was counted.
        """
        if self._take_ahead(sensor_id, readings):
            return
        wait = await self._draw(sensor_id, readings)
        if wait > 0:
            THROTTLED.inc()
            msg = f"A sensor may send {self._rate} readings a second."
            raise TooManyRequests(msg, retry_after=wait)

    async def close(self) -> None:
        """Give the connection back."""
        if self._asking:
            await self._asking
        if self._broker:
            await self._broker.close()

    def _take_ahead(self, sensor_id: UUID, readings: int) -> bool:
        left, until = self._ahead.get(sensor_id, (0, 0.0))
        if left < readings or until <= monotonic():
            return False
        self._ahead[sensor_id] = left - readings, until
        return True

    async def _draw(self, sensor_id: UUID, readings: int) -> float:
        if self._broker is None:
            return self._take_alone(sensor_id, readings)
        asked = _Asked(sensor_id, readings, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._asking is None:
            self._asking = asyncio.create_task(self._answer_all(self._broker))
        return await asked.wait

    async def _answer_all(self, broker: Broker) -> None:
        """Answer whoever asks, all at once who do so meanwhile, until nobody does any more."""
        waiting: list[_Asked] = []
        try:
            while self._asked:
                waiting, self._asked = self._asked, []
                shares: dict[Valkey | None, list[_Asked]] = defaultdict(list)
                for one in waiting:
                    shares[await self._counter(broker, one.sensor_id)].append(one)
                await asyncio.gather(
                    *(self._answer_share(broker, client, share) for client, share in shares.items())
                )
        except Exception as exc:  # a mistake of ours, of which those who wait must hear
            for one in (*waiting, *self._asked):
                if not one.wait.done():
                    one.wait.set_exception(exc)
            self._asked = []
        finally:
            self._asking = None

    async def _counter(self, broker: Broker, sensor_id: UUID) -> Valkey | None:
        """The node that counts a sensor; None while it is away."""
        if self._away_until.get(None, 0) > monotonic():
            return None
        try:
            client = await broker.holder(_key(sensor_id))
        except FAILURES as exc:
            self._is_away(broker, None, exc)
            return None
        return None if self._away_until.get(client, 0) > monotonic() else client

    def _is_away(self, broker: Broker, client: Valkey | None, failure: BaseException) -> None:
        log.warning("limits.unreachable", error=repr(failure))
        broker.failed(failure)
        past = [node for node, until in self._away_until.items() if until <= monotonic()]
        for node in past:
            del self._away_until[node]
        self._away_until[client] = monotonic() + AGAIN_SEC

    async def _answer_share(
        self, broker: Broker, client: Valkey | None, waiting: Sequence[_Asked]
    ) -> None:
        try:
            if client:
                await self._answer(client, waiting)
        except FAILURES as exc:
            self._is_away(broker, client, exc)
        for one in waiting:
            if not one.wait.done():
                one.wait.set_result(self._take_alone(one.sensor_id, one.readings))

    async def _answer(self, client: Valkey, waiting: Sequence[_Asked]) -> None:
        ahead = int(self._rate * AHEAD_SEC)
        together: dict[UUID, list[_Asked]] = defaultdict(list)
        for one in waiting:
            if self._take_ahead(one.sensor_id, one.readings):
                _tell(one, 0)
            else:
                together[one.sensor_id].append(one)
        wanted = [
            (sensor_id, max(ahead, sum(one.readings for one in asking)))
            for sensor_id, asking in together.items()
        ]
        refused: list[_Asked] = []
        for (sensor_id, drawn), wait in zip(wanted, await self._ask(client, wanted), strict=True):
            asking = together[sensor_id]
            if wait > 0:
                refused += asking
                continue
            left = drawn - sum(one.readings for one in asking)
            _keep(self._ahead, sensor_id, (left, monotonic() + 1))
            for one in asking:
                _tell(one, 0)
        # Not all of them together; as many as there is room for, in the order they came.
        singly = [(one.sensor_id, one.readings) for one in refused]
        for one, wait in zip(refused, await self._ask(client, singly), strict=True):
            _tell(one, wait)

    async def _ask(self, client: Valkey, wanted: Sequence[tuple[UUID, int]]) -> list[float]:
        """In one round trip: 0 for each that is counted, else in how many seconds to ask again."""
        if not wanted:
            return []
        pipeline = cast("Any", client).pipeline(transaction=False)
        for sensor_id, readings in wanted:
            pipeline.eval(_TAKE, 1, _key(sensor_id), self._rate, self._size, readings)
        return [float(wait) / 1000 for wait in await pipeline.execute()]

    def _take_alone(self, sensor_id: UUID, readings: int) -> float:
        rate, now = self._rate / ALONE, monotonic()
        size = max(2 * rate, MAX_READINGS)
        left, at = self._alone.get(sensor_id, (size, now))
        left = min(size, left + (now - at) * rate)
        if left < readings:
            return (readings - left) / rate
        _keep(self._alone, sensor_id, (left - readings, now))
        return 0


def _key(sensor_id: UUID) -> str:
    return f"runbench:ingest:{sensor_id}"


def _tell(asked: _Asked, wait: float) -> None:
    if not asked.wait.done():  # its caller is still there
        asked.wait.set_result(wait)


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
