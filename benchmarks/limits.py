"""What counting a request costs: the same small service with limits and without, turn by turn.

`python -m benchmarks.limits`. A service whose route does nothing, in a process of its own, answers
over kept connections: one caller, and five hundred in turn, for each of whom Valkey is asked nearly
every time because what was drawn ahead for them is too old. No limit is met.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from statistics import median
from time import perf_counter, sleep

import aiohttp
import psutil
import uvloop
from aiohttp import web
from localpostgres.cluster import free_port
from servicekit import policy
from servicekit.application import application
from servicekit.limits import request_limits
from servicekit.logs import configure_logs
from servicekit.routing import Routes
from servicekit.settings import ServiceSettings
from servicekit.testing.identity import KnownPeople

from scripts.valkey import binary

HERE = "127.0.0.1"
CALLERS = [f"caller-{number}" for number in range(500)]
# Above what one process answers, and drawn ahead nearly as with the usual 60,000.
PER_MIN = 300_000
ROUNDS = 12
# How many ask at once: the first for times, the second for the processor.
REQUESTS = {1: 1_000, 32: 4_000}

routes = Routes("counted")


@routes.get("/nothing", policy=policy.signed_in())
async def nothing(_request: web.Request) -> None:
    """Do nothing, for somebody who is known."""


@dataclass(frozen=True, slots=True)
class Round:
    """Times of requests and processor time of the server for each, both in microseconds."""

    times: list[float]
    processor: float


@dataclass(slots=True)
class Found:
    """What the rounds of one way of asking came to."""

    rounds: list[Round] = field(default_factory=list[Round])

    @property
    def p50(self) -> float:
        """The median of the rounds' medians."""
        return median(median(one.times) for one in self.rounds)

    @property
    def processor(self) -> float:
        """The median of the rounds."""
        return median(one.processor for one in self.rounds)


def serve(port: int, valkey: str) -> None:
    """The service, counting by a Valkey, or without limits where none is named."""
    configure_logs("counted", level="error")
    settings = ServiceSettings.model_validate(
        {
            "runbench_env": "production",
            "port": port,
            "database_url": "postgresql://localhost/none",
            "telemetry_broker_url": valkey,
            "rate_limit_per_min": PER_MIN if valkey else 0,
        }
    )
    people = KnownPeople()
    for caller in CALLERS:
        people.person(caller)
    app = application(
        name="counted",
        version="1",
        routes=[routes],
        contexts=[request_limits(settings)],
        identity=people,  # pyright: ignore[reportArgumentType]: an Identity but for names
    )
    web.run_app(
        app, host=HERE, port=port, print=None, access_log=None, loop=uvloop.new_event_loop()
    )


@contextmanager
def running(*command: str, port: int) -> Generator[psutil.Process]:
    """A process that answers on a port, ended when the block ends."""
    process = subprocess.Popen(command)
    try:
        while not listens(port):
            sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    """Whether a server of this machine takes connections there."""
    with socket.socket() as client:
        return client.connect_ex((HERE, port)) == 0


async def ask(
    http: aiohttp.ClientSession, url: str, callers: Sequence[str], at_once: int
) -> list[float]:
    """Microseconds of each request, asked by so many workers, of whom each waits for its answer."""
    turns = iter(list(islice(cycle(callers), REQUESTS[at_once])))
    times: list[float] = []

    async def work() -> None:
        for caller in turns:
            began = perf_counter()
            async with http.get(url, headers={"Authorization": f"Bearer {caller}"}) as response:
                assert response.status == 204, await response.text()
            times.append((perf_counter() - began) * 1e6)

    await asyncio.gather(*(work() for _ in range(at_once)))
    return times


async def measure(servers: dict[str, tuple[psutil.Process, str]]) -> None:
    """Ask both in turn, and print how they differ."""
    async with aiohttp.ClientSession() as http:
        for said, callers in {"one caller": CALLERS[:1], "500 callers": CALLERS}.items():
            for at_once in REQUESTS:
                found = {name: Found() for name in servers}
                for number in range(ROUNDS + 1):
                    for name, (process, url) in servers.items():
                        before = sum(process.cpu_times()[:2])
                        times = await ask(http, url, callers, at_once)
                        spent = (sum(process.cpu_times()[:2]) - before) / len(times) * 1e6
                        if number:  # the first warms up
                            found[name].rounds.append(Round(times, spent))
                without, counted = found["without"], found["counted"]
                print(
                    f"{said}, {at_once} at once: p50 {without.p50:.0f} → {counted.p50:.0f} µs"
                    f" (× {counted.p50 / without.p50:.2f}), processor {without.processor:.0f} →"
                    f" {counted.processor:.0f} µs (× {counted.processor / without.processor:.2f})",
                    flush=True,
                )


def main() -> None:
    """Start Valkey and both services, and measure."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            binary(), "--port", str(port), "--bind", HERE, "--save", "", "--dir", folder, port=port
        ) as valkey,
        running(*_own(first := free_port(), ""), port=first) as without,
        running(*_own(second := free_port(), f"redis://{HERE}:{port}/0"), port=second) as counted,
    ):
        print(f"load {os.getloadavg()[0]:.1f} on {os.process_cpu_count()} cores", flush=True)
        servers = {
            "without": (without, f"http://{HERE}:{first}/nothing"),
            "counted": (counted, f"http://{HERE}:{second}/nothing"),
        }
        asyncio.run(measure(servers))
        print(f"Valkey spent {sum(valkey.cpu_times()[:2]):.1f} s in all")


def _own(port: int, valkey: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.limits", str(port), valkey]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]), sys.argv[2])
    else:
        main()
