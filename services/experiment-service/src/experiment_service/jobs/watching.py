"""Looks every few seconds for what people want to be told of and nobody does."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial

from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import alongside, keep

from experiment_service.jobs.sender import Sender
from experiment_service.operations.metric_watches import tell_of_crossings
from experiment_service.operations.presence import tell_of_presence
from experiment_service.operations.sensor_watches import tell_of_sensor_crossings

EVERY_SEC = 2.0

type Look = Callable[[Database], Awaitable[int]]

LOOKS: Mapping[str, Look] = {
    "watch-metrics": tell_of_crossings,
    "watch-sensors": tell_of_presence,
    "watch-signals": tell_of_sensor_crossings,
}


def watching(sender: Sender) -> Callable[[web.Application], AsyncIterator[None]]:
    """A context that looks while the service runs, and wakes the sender for what was found."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async def take(look: Look) -> None:
            if await look(app[DATABASE]):
                sender.wake()

        looks = (
            keep(name, partial(take, look), every_sec=EVERY_SEC) for name, look in LOOKS.items()
        )
        async with alongside(*looks):
            yield

    return context
