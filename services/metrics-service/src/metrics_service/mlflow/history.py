"""Histories of metrics as MLflow orders and samples them, held as columns."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from seriesstore.export import stream_points
from seriesstore.points import Floats, Integers, Points, concatenate
from seriesstore.read import snapshot
from servicekit.database import Database

from metrics_service.operations.series import find_series

_MANY = 20_000


@dataclass(frozen=True, slots=True)
class History:
    """The points of one metric of one run; timestamps in ms."""

    run_id: UUID
    key: str
    step: Integers
    value: Floats
    timestamp: Integers

    def __len__(self) -> int:
        return len(self.step)

    def take(self, where: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "History":
        """The points at some places."""
        return History(
            self.run_id, self.key, self.step[where], self.value[where], self.timestamp[where]
        )

    def by_time(self) -> "History":
        """By timestamp, then step, then value, each point once: MLflow's order of histories."""
        return self._ordered(self.timestamp, self.step)

    def by_step(self) -> "History":
        """By step, then timestamp, then value, each point once: its order of samples."""
        return self._ordered(self.step, self.timestamp)

    def sample(self, at_most: int) -> "History":
        """Evenly many points in each stretch, the first of each, and the last point.

        As MLflow's server samples: it numbers `ntile(at_most)` groups and keeps the first of each.
        """
        count = len(self)
        if count <= at_most:
            return self
        size, longer = divmod(count, at_most)
        number = np.arange(at_most)
        chosen = number * size + np.minimum(number, longer)
        chosen[-1] = count - 1
        return self.take(chosen)

    def _ordered(self, first: Integers, second: Integers) -> "History":
        value = np.where(np.isnan(self.value), 0.0, self.value)  # so does MLflow's table
        bits = self.value.view(np.int64)
        found = self
        if not _increase(first, second):
            found = self.take(np.lexsort((bits, value, second, first)))
        same = (
            (found.step[1:] == found.step[:-1])
            & (found.timestamp[1:] == found.timestamp[:-1])
            & (found.value.view(np.int64)[1:] == found.value.view(np.int64)[:-1])
        )
        if not same.any():
            return found
        return found.take(np.concatenate([np.ones(1, np.bool_), ~same]))


def _increase(first: Integers, second: Integers) -> bool:
    """Whether each point lies behind the one before by the first two columns alone."""
    rises = first[1:] > first[:-1]
    ties = (first[1:] == first[:-1]) & (second[1:] > second[:-1])
    return bool((rises | ties).all())


async def read_histories(
    database: Database,
    run_ids: Sequence[UUID],
    key: str,
    *,
    steps: tuple[int, int] | None = None,
) -> list[History]:
    """The histories of one metric of several runs, in the runs' order; none where it was never
    logged."""
    low, high = steps or (None, None)
    found: list[History] = []
    async with database.acquire() as connection, snapshot(connection):
        series = await find_series(connection, run_ids, [key])
        for run_id in run_ids:
            if (run_id, key) not in series:
                continue
            parts = [
                part
                async for part in stream_points(
                    connection, series[run_id, key].id, low=low, high=high
                )
            ]
            found.append(_history(run_id, key, concatenate(parts)))
    return found


async def ordered(history: History, *, by_step: bool = False) -> History:
    """The history in one of MLflow's orders; a long one is sorted beside the event loop."""
    sort = history.by_step if by_step else history.by_time
    return await asyncio.to_thread(sort) if len(history) > _MANY else sort()


def _history(run_id: UUID, key: str, points: Points) -> History:
    time = np.zeros(len(points), np.int64) if points.time is None else points.time
    return History(run_id, key, points.x, points.value, time // 1000)
