"""Background work: turns that go on whatever one of them meets, and whether they do."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from random import uniform
from typing import Any, NoReturn

import structlog
from prometheus_client import Gauge

from servicekit.database import TROUBLE

log = structlog.get_logger()

LAST = Gauge(
    "job_last_success_timestamp_seconds", "When a background job last ended well.", ["name"]
)
EVERY = Gauge("job_interval_seconds", "Seconds between two turns of a background job.", ["name"])


def job(name: str, *, every_sec: float) -> Gauge:
    """What a job says with `set_to_current_time()` after each turn that ended well.

    It counts as well when it begins: a job whose first turn is far off is not late.
    """
    EVERY.labels(name).set(every_sec)
    last = LAST.labels(name)
    last.set_to_current_time()
    return last


async def keep(
    name: str,
    turn: Callable[[], Awaitable[object]],
    *,
    every_sec: float,
    late: bool = False,
) -> NoReturn:
    """Take turns for ever, the first at once; a turn that fails is logged, and the next one comes.

    With `late` the wait comes before each turn, between half of it and all, so that processes that
    started together do not come together.
    """
    ended = job(name, every_sec=every_sec)
    while True:
        if late:
            await asyncio.sleep(uniform(every_sec / 2, every_sec))  # noqa: S311 - spreads load
        try:
            await turn()
        except TROUBLE as exc:
            log.warning("job.failed", job=name, error=repr(exc))
        except Exception:  # it must outlive whatever it meets
            log.exception("job.crashed", job=name)
        else:
            ended.set_to_current_time()
        if not late:
            await asyncio.sleep(every_sec)


@asynccontextmanager
async def alongside(*work: Coroutine[Any, Any, object]) -> AsyncGenerator[None]:
    """Do the work meanwhile, and end it afterwards."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
