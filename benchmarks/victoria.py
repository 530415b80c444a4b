"""VictoriaMetrics as a peer, where it is installed: `apt install victoria-metrics`."""

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import numpy as np
import orjson
from localpostgres.cluster import free_port
from numpy.typing import NDArray

from benchmarks.load import Channel, Target

NAME = "VictoriaMetrics"
PROGRAM = "victoria-metrics"
START_SECONDS = 20.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server. It keeps times in ms, and puts what it took on disk within seconds."""

    target: Target
    data: Path

    def write(self, name: str, times: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
        """Columns of one series, as its own import takes them."""
        line = {
            "metric": {"__name__": name},
            "timestamps": (times // 1000).tolist(),
            "values": values.tolist(),
        }
        return self.target.request("POST", "/api/v1/import", orjson.dumps(line))

    def picture(self, name: str, low: int, high: int, places: int) -> bytes:
        """The least and the greatest of each of so many stretches, in one query."""
        step = max(1, (high - low) // 1000 // (places // 2))
        window = f"{step}ms"
        both = f"union(min_over_time({name}[{window}]), max_over_time({name}[{window}]))"
        query = {
            "query": both,
            "start": f"{low / 1e6:.3f}",
            "end": f"{high / 1e6:.3f}",
            "step": window,
            "nocache": "1",
        }
        return self.target.request("GET", f"/api/v1/query_range?{urlencode(query)}")

    async def settle(self) -> None:
        """Make what was written readable and merged, as it would be after some time."""
        for path in ("/internal/force_flush", "/internal/force_merge", "/internal/force_flush"):
            channel = Channel(self.target)
            await channel.ask(self.target.request("GET", path))
            channel.close()
        size = -1
        # No event tells of it.
        while size != (size := self.bytes_on_disk()):  # noqa: ASYNC110
            await asyncio.sleep(2)

    def bytes_on_disk(self) -> int:
        """Of its data."""
        return sum(path.stat().st_size for path in self.data.rglob("*") if path.is_file())


@contextlib.contextmanager
def server(home: Path) -> Generator[Peer | None]:
    """A server with its data in this folder; None where the program is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        yield None
        return
    home.mkdir(parents=True)
    address = f"127.0.0.1:{free_port()}"
    with (home / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                program,
                f"-storageDataPath={home / 'data'}",
                f"-httpListenAddr={address}",
                "-retentionPeriod=100y",
                "-search.maxPointsPerTimeseries=100000000",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://{address}/health", timeout=5).is_success:
                    break
            if time.monotonic() > deadline:
                raise SystemExit(f"{NAME} did not start: {(home / 'log').read_text()[-1000:]}")
            time.sleep(0.05)
        yield Peer(Target(NAME, f"http://{address}"), home / "data")
    finally:
        running.terminate()
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
