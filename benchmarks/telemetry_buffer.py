"""Part `telemetry`, through the buffer: answered by Valkey, and counted when PostgreSQL has it."""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Sequence

import psycopg
from localpostgres import Cluster

from benchmarks.load import Channel, LoadFailed, Make, Target, Timing

# What is made before the clock runs: as much as nothing here stores in the time, in memory at most.
MOST_PER_SECOND, MOST_BYTES = 6_000_000, 600 << 20
# More than a client sends in the round before.
WARM_UP = 10_000
FULL_SEC = 0.05
STORED_SECONDS = 60.0


async def measure_buffered(
    target: Target, clients: Sequence[Make], cluster: Cluster, *, each: int, seconds: float
) -> Timing:
    """Batches for some seconds; the rate is of what is stored, until the last of it is.

    A client that is told that the buffer is full waits and sends the batch again, so that what is
    measured is what goes through, not what fits in.
    """
    await _round(target, clients, cluster, each, seconds / 4, 0)
    return await _round(target, clients, cluster, each, seconds, WARM_UP)


async def _round(
    target: Target,
    clients: Sequence[Make],
    cluster: Cluster,
    each: int,
    seconds: float,
    first: int,
) -> Timing:
    most = min(seconds * MOST_PER_SECOND / each, MOST_BYTES / each / 16) / len(clients)
    loads = [deque(make(first + number) for number in range(round(most) + 1)) for make in clients]
    channels = [Channel(target) for _ in clients]
    latencies: list[float] = []
    before = stored(cluster)
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        await asyncio.gather(
            *(
                _send(channel, load, began + seconds, latencies)
                for channel, load in zip(channels, loads, strict=True)
            )
        )
        sent = len(latencies) * each
        while (found := stored(cluster) - before) < sent:
            if time.perf_counter() > began + seconds + STORED_SECONDS:
                raise LoadFailed(f"of {sent} readings {found} were stored")
            await asyncio.sleep(0.02)
        took = time.perf_counter() - began
    finally:
        gc.enable()
        for channel in channels:
            channel.close()
    if found != sent:
        raise LoadFailed(f"{found} readings were stored where {sent} were acknowledged")
    return Timing(latencies, len(latencies) / took)


async def _send(
    channel: Channel, requests: deque[bytes], ends: float, latencies: list[float]
) -> None:
    while requests and (began := time.perf_counter()) < ends:
        try:
            await channel.ask(requests[0])
        except LoadFailed as exc:
            if not str(exc).startswith("429"):
                raise
            await asyncio.sleep(FULL_SEC)
        else:
            requests.popleft()
            latencies.append(time.perf_counter() - began)


def stored(cluster: Cluster) -> int:
    """Readings that stand in PostgreSQL, by their sensors."""
    with psycopg.connect(f"{cluster.address}/experiment_db") as connection:
        found = connection.execute(
            "SELECT coalesce(sum(readings), 0) FROM telemetry.activity"
        ).fetchone()
    return int(found[0]) if found else 0
