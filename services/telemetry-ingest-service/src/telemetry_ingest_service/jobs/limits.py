"""How much each sensor may send: readings a second, counted for all processes together."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

from aiohttp import web
from prometheus_client import Counter
from servicekit.budgets import BUDGETS, PART_ALONE, Budget, Budgets
from servicekit.problems import TooManyRequests

from telemetry_ingest_service.models.readings import MAX_READINGS

THROTTLED = Counter("telemetry_requests_throttled", "Requests beyond what their sensor may send.")


class Limits:
    """The limits of all sensors."""

    def __init__(self, budgets: Budgets, rate: int) -> None:
        self._budgets = budgets
        self._rate = rate
        self._budget = Budget(
            rate=rate,
            # Whatever the rate, a single request of the greatest size is let in.
            size=2 * max(rate, MAX_READINGS),
            size_alone=max(2 * rate // PART_ALONE, MAX_READINGS),
        )

    async def take(self, sensor_id: UUID, readings: int) -> None:
        """Count the readings against their sensor.

        Raises:
            TooManyRequests: it has sent too much; nothing was counted.
        """
        found = await self._budgets.take(f"runbench:ingest:{sensor_id}", self._budget, readings)
        if found.wait > 0:
            THROTTLED.inc()
            msg = f"A sensor may send {self._rate} readings a second."
            raise TooManyRequests(msg, retry_after=found.wait)


def limits(*, rate: int) -> Callable[[web.Application], AsyncIterator[None]]:
    """Count while the service runs, beside its requests."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        app[LIMITS] = Limits(app[BUDGETS], rate)
        yield

    return context


LIMITS = web.AppKey("limits", Limits)
