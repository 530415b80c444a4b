"""Runbench's own API: columns instead of rows, pictures instead of histories."""

import asyncio
import time
from collections.abc import Sequence
from itertools import batched
from typing import Any

import numpy as np
import orjson

from benchmarks.load import Channel, Make, Target, Timing, measure
from benchmarks.mlflow_api import BATCH_KEYS, BATCH_STEPS, FIRST_TIME_MS, SEARCH_PAGE

LARGEST_BATCH = 10_000
PICTURE_POINTS = 2_000
WRITERS = 4


async def ask(target: Target, method: str, path: str, body: object = None) -> Any:
    """One request and its answer, outside of any measurement."""
    channel = Channel(target)
    try:
        return orjson.loads(await channel.ask(target.request(method, f"/api/v1{path}", body)))
    finally:
        channel.close()


async def create_experiment(target: Target, project_id: str, name: str) -> str:
    """Its id."""
    made = await ask(target, "POST", f"/projects/{project_id}/experiments", {"name": name})
    return made["id"]


async def create_runs(target: Target, experiment_id: str, count: int) -> list[str]:
    """Their ids."""
    path = f"/experiments/{experiment_id}/runs"
    return [(await ask(target, "POST", path, {}))["id"] for _ in range(count)]


async def log_batches(target: Target, runs: Sequence[str], *, seconds: float) -> Timing:
    """Batches of 1,000 points (10 keys, 100 steps), each client into its own run."""

    def client(run_id: str) -> Make:
        return lambda number: target.request(
            "POST",
            f"/api/v1/runs/{run_id}/metrics",
            {
                "series": [
                    _columns(f"metric-{key}", number * BATCH_STEPS, BATCH_STEPS)
                    for key in range(BATCH_KEYS)
                ]
            },
        )

    return await measure(target, [client(run_id) for run_id in runs], seconds=seconds)


async def log_single(target: Target, runs: Sequence[str], *, seconds: float) -> Timing:
    """Calls with one point of one metric, each client into its own run."""

    def client(run_id: str) -> Make:
        path = f"/api/v1/runs/{run_id}/metrics"
        return lambda step: target.request("POST", path, {"series": [_columns("loss", step, 1)]})

    return await measure(target, [client(run_id) for run_id in runs], seconds=seconds)


async def fill(target: Target, run_id: str, key: str, points: int) -> float:
    """Log a long series in the largest batches that are taken; points a second."""
    path = f"/api/v1/runs/{run_id}/metrics"
    began = time.perf_counter()
    channels = [Channel(target) for _ in range(WRITERS)]
    for starts in batched(range(0, points, LARGEST_BATCH), WRITERS, strict=False):
        bodies = [{"series": [_columns(key, start, LARGEST_BATCH)]} for start in starts]
        requests = [target.request("POST", path, body) for body in bodies]
        await asyncio.gather(
            *(channel.ask(request) for channel, request in zip(channels, requests, strict=False))
        )
    for channel in channels:
        channel.close()
    return points / (time.perf_counter() - began)


async def draw(
    target: Target, run_id: str, key: str, points: int, *, part: float, seconds: float
) -> Timing:
    """Pictures of 2,000 places: of all of a series, or of a part of it, each time another one."""
    path = f"/api/v1/runs/{run_id}/metrics/series?key={key}&points={PICTURE_POINTS}"
    width = int(points * part)
    starts = np.random.default_rng(7).integers(0, points - width + 1, 10_000)

    def picture(number: int) -> bytes:
        low = int(starts[number % len(starts)])
        ends = f"&from_step={low}&to_step={low + width - 1}" if part < 1 else ""
        return target.request("GET", path + ends)

    return await measure(target, [picture], seconds=seconds)


async def search(
    target: Target, project_id: str, filters: str, order: str, *, seconds: float
) -> Timing:
    """Pages of 100 runs of a project, by the search language."""
    body = {"filter": filters, "order_by": [order], "limit": SEARCH_PAGE}
    request = target.request("POST", f"/api/v1/projects/{project_id}/runs/search", body)
    return await measure(target, [lambda _: request], seconds=seconds)


def _columns(key: str, start: int, count: int) -> dict[str, object]:
    step = np.arange(start, start + count)
    value = np.exp(-step / 1e6) + np.sin(step / 1000) / 10 + step % 7 / 100
    time_us = (FIRST_TIME_MS + step * 100) * 1000 if count > 1 else step + FIRST_TIME_MS * 1000
    return {"key": key, "step": step.tolist(), "value": value.tolist(), "time": time_us.tolist()}
