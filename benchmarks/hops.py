"""What the hops in front of a service cost, and whether slow clients hold anybody up.

`python -m benchmarks.hops`. One project is asked for at auth-service itself, through the gateway,
and through auth-proxy and the gateway with a browser's cookie, in turn, one request at a time over
kept connections: what a hop adds is the difference of the medians. Then 2,000 clients hold a
connection each to the gateway, and to auth-proxy, and send a byte of a request every few seconds,
while the same request is asked for.
"""

import asyncio
import os
import resource
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from scripts.stack import Stack, stack

NAMES = (
    "postgres", "valkey", "auth-service", "experiment-service", "telemetry-ingest-service",
    "metrics-service", "artifact-service", "comparison-service", "api-gateway", "auth-proxy",
)  # fmt: skip
ROUNDS = 20
EACH = 100
SLOW = 2_000
BYTE_EVERY_SEC = 2.0
# Not a whole one: whoever waits for the rest of it holds the connection.
HEAD = b"GET /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
PASSWORD = "correct-horse-battery-9"  # noqa: S105 - of a stack that is gone afterwards


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the project, with what it is asked with."""

    http: aiohttp.ClientSession
    url: str
    headers: Mapping[str, str]


async def ask(way: Way, count: int) -> list[float]:
    """Milliseconds of each of so many requests, one after another."""
    times: list[float] = []
    for _ in range(count):
        began = perf_counter()
        async with way.http.get(way.url, headers=way.headers) as answer:
            await answer.read()
            assert answer.status == 200, answer.status
        times.append((perf_counter() - began) * 1e3)
    return times


async def ways(running: Stack, held: AsyncExitStack) -> dict[str, Way]:
    """The three ways to a project that somebody just made."""
    person = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD}
    program, browser = aiohttp.ClientSession(), aiohttp.ClientSession()
    for http in (program, browser):
        await held.enter_async_context(http)
    async with program.post(
        f"{running.gateway_url}/auth/register", json=person | {"name": "Hopper"}
    ) as answer:
        token = (await answer.json())["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    async with program.post(
        f"{running.gateway_url}/api/v1/projects", json={"name": "Hops"}, headers=bearer
    ) as answer:
        path = f"/api/v1/projects/{(await answer.json())['id']}"
    same = {"Origin": running.workspace.url("portal"), "Sec-Fetch-Site": "same-origin"}
    async with browser.post(f"{running.proxy_url}/auth/login", json=person, headers=same) as answer:
        assert answer.status == 200, await answer.text()
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return {
        "service": Way(program, running.service_urls["auth-service"] + path, bearer),
        "gateway": Way(program, running.gateway_url + path, bearer),
        # The cookie is for https alone, which a client that is no browser takes literally.
        "proxy": Way(browser, running.proxy_url + path, same | {"Cookie": cookie}),
    }


async def dawdle(host: str, port: int, ready: asyncio.Event) -> None:
    """A client that does not get on; it comes again when it is shown the door."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
            writer.write(HEAD)
            ready.set()
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(BYTE_EVERY_SEC)
        except OSError:
            await asyncio.sleep(0.1)


async def with_slow_clients(way: Way) -> tuple[list[float], int]:
    """Times while the slow ones are there, and how many of them got in."""
    where = urlsplit(way.url)
    arrived = [asyncio.Event() for _ in range(SLOW)]
    slow: list[asyncio.Task[None]] = []
    for ready in arrived:
        slow.append(asyncio.create_task(dawdle(where.hostname or "", where.port or 80, ready)))
        if len(slow) % 100 == 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(3)
    times = await ask(way, ROUNDS * EACH // 2)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    return times, sum(ready.is_set() for ready in arrived)


def p95(times: Sequence[float]) -> float:
    """The 95th of a hundred."""
    return quantiles(times, n=20)[-1]


async def measure(running: Stack) -> None:
    """Print what was found."""
    async with AsyncExitStack() as held:
        chosen = await ways(running, held)
        for way in chosen.values():
            await ask(way, EACH)  # warms up
        rounds: dict[str, list[list[float]]] = {name: [] for name in chosen}
        for _ in range(ROUNDS):
            for name, way in chosen.items():
                rounds[name].append(await ask(way, EACH))
        p50 = {name: median(median(times) for times in found) for name, found in rounds.items()}
        print(
            f"p50: service {p50['service']:.2f} ms, gateway {p50['gateway']:.2f} ms"
            f" (adds {p50['gateway'] - p50['service']:.2f}), auth-proxy {p50['proxy']:.2f} ms"
            f" (adds {p50['proxy'] - p50['gateway']:.2f})",
            flush=True,
        )
        for name in ("gateway", "proxy"):
            before = [time for times in rounds[name] for time in times]
            times, arrived = await with_slow_clients(chosen[name])
            print(
                f"{arrived} slow clients at the {name}: p50 {median(before):.2f} →"
                f" {median(times):.2f} ms, p95 {p95(before):.2f} → {p95(times):.2f} ms",
                flush=True,
            )


def main() -> None:
    """Start everything but the portal, and measure."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with stack(names=NAMES) as running:
        print(f"load {os.getloadavg()[0]:.1f} on {os.process_cpu_count()} cores", flush=True)
        asyncio.run(measure(running))


if __name__ == "__main__":
    main()
