"""Part `artifacts`: a large file up and down, through the gateway and through MLflow's proxy."""

import asyncio
import hashlib
import os
import socket
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import psutil
import psycopg
from localpostgres import Cluster

from benchmarks import mlflow_api, own, peers
from benchmarks.database import make_database
from benchmarks.load import Target, measure
from benchmarks.machine import family
from benchmarks.report import Bar, Figure, Report, times_better

MLFLOW, RUNBENCH, PARTS = peers.AS_IT_COMES.name, "Runbench", "Runbench, in parts"
SYSTEMS = [MLFLOW, RUNBENCH, PARTS]
UP, DOWN, GROWTH, LISTING = "up", "down", "memory growth", "a page of 1,000 of 10,000 files"
MIB = 1 << 20
BLOCK = MIB
PART_CLIENTS = 4
FILES = 10_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    file: int = 1 << 30
    rounds: int = 3
    seconds: float = 3.0


QUICK = Sizes(rounds=1, seconds=0.7)

BARS = [
    Bar(UP, "≥ 400 MiB/s", lambda report: report.value(UP, RUNBENCH), lambda rate: rate >= 400),
    Bar(DOWN, "≥ 800 MiB/s", lambda report: report.value(DOWN, RUNBENCH), lambda rate: rate >= 800),
    Bar(
        f"{UP} against MLflow's proxy",
        "> 1 ×",
        lambda report: times_better(report.find(UP, RUNBENCH), report.find(UP, MLFLOW)),
        lambda ratio: ratio > 1,
    ),
    Bar(
        f"{DOWN} against MLflow's proxy",
        "> 1 ×",
        lambda report: times_better(report.find(DOWN, RUNBENCH), report.find(DOWN, MLFLOW)),
        lambda ratio: ratio > 1,
    ),
    Bar(
        f"{GROWTH} of artifact-service",
        "< 64 MiB",
        lambda report: (report.value(GROWTH, RUNBENCH) or 0) / MIB,
        lambda mib: mib < 64,
    ),
    Bar(
        f"{LISTING}, p95",
        "< 100 ms",
        lambda report: getattr(report.find(LISTING, RUNBENCH), "p95", None),
        lambda seconds: seconds < 0.1,
    ),
]


def run(cluster: Cluster, home: Path, sizes: Sizes, report: Report) -> None:
    """All of it, one system after the other."""
    file = home / "large"
    with file.open("wb") as output:
        for _ in range(sizes.file // MIB):
            output.write(os.urandom(MIB))
    database = make_database(cluster, "mlflow_files")
    experiment, run_id = peers.prepare(database, home, "files")
    with peers.mlflow_server(peers.AS_IT_COMES, database, home) as peer:
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/large"
        processes = family([peer.pid])
        move(peer.target, path, file, sizes, report, MLFLOW, processes)
    with own.runbench(cluster.address) as running:
        target = running.target
        runs = asyncio.run(_make_run(target))
        path = f"/api/v1/runs/{UUID(runs)}/artifacts/large"
        processes = family([running.pids["artifact-service"]])
        move(target, path, file, sizes, report, RUNBENCH, processes)
        with weighing(processes, report, PARTS):
            rates = [in_parts(target, runs, file, number) for number in range(sizes.rounds)]
        report.add(rate(UP, PARTS, rates))
        address = f"{cluster.address}/experiment_db"
        with psycopg.connect(address, autocommit=True) as connection:
            put_many(connection, UUID(runs))
        asyncio.run(list_many(target, runs, sizes, report))
    file.unlink()


async def _make_run(target: Target) -> str:
    experiment = await mlflow_api.create_experiment(target, "files")
    [run_id] = await mlflow_api.create_runs(target, experiment, 1)
    return run_id


def move(
    target: Target,
    path: str,
    file: Path,
    sizes: Sizes,
    report: Report,
    system: str,
    processes: list[psutil.Process],
) -> None:
    """The file up and down again, over one connection; the medians of the rounds."""
    up: list[float] = []
    down: list[float] = []
    with weighing(processes, report, system):
        for number in range(sizes.rounds):
            up.append(upload(target, f"{path}-{number}", file))
            down.append(download(target, f"{path}-{number}", file.stat().st_size))
    report.add(rate(UP, system, up))
    report.add(rate(DOWN, system, down))


def upload(target: Target, path: str, file: Path, begin: int = 0, end: int | None = None) -> float:
    """MiB/s of one PUT, until it is answered; the system hands the file to the socket itself."""
    size = (end or file.stat().st_size) - begin
    with connected(target) as stream, file.open("rb") as content:
        began = time.perf_counter()
        stream.sendall(head(target, "PUT", path, f"Content-Length: {size}"))
        stream.sendfile(content, begin, size)
        status = stream.recv(BLOCK).split(b" ", 2)[1]
        took = time.perf_counter() - began
    if not status.startswith(b"20"):
        raise SystemExit(f"{target.name} answered {status.decode()} to an upload")
    return size / MIB / took


def download(target: Target, path: str, size: int) -> float:
    """MiB/s of one GET, whose bytes are counted and thrown away."""
    room = bytearray(BLOCK)
    with connected(target) as stream:
        began = time.perf_counter()
        stream.sendall(head(target, "GET", path, "Connection: close"))
        count = 0
        while read := stream.recv_into(room):
            count += read
        took = time.perf_counter() - began
    if count < size:
        raise SystemExit(f"{target.name} sent {count} bytes of {size}")
    return size / MIB / took


def in_parts(target: Target, run_id: str, file: Path, number: int) -> float:
    """MiB/s of an upload in parts over four connections, until it is completed and checked."""
    # Another name, and the same content: it is stored anew and then found to be there.
    size = file.stat().st_size
    with httpx.Client(base_url=target.address, headers=target.headers, timeout=120) as http:
        began = time.perf_counter()
        new: dict[str, Any] = {"path": f"parts-{number}", "size": size}
        upload_ = (
            http.post(f"/api/v1/runs/{UUID(run_id)}/uploads", json=new).raise_for_status().json()
        )
        one, part = f"/api/v1/uploads/{upload_['id']}", int(upload_["part_size"])

        def send(index: int) -> None:
            begin = index * part
            path = f"{one}/parts/{index + 1}"
            upload(target, path, file, begin, min(size, begin + part))

        with ThreadPoolExecutor(PART_CLIENTS) as pool:
            list(pool.map(send, range(-(-size // part))))
        http.post(f"{one}/complete", json={}).raise_for_status()
        return size / MIB / (time.perf_counter() - began)


def put_many(connection: psycopg.Connection[Any], run_id: UUID) -> None:
    """10,000 files of one content, by SQL; through the front door they would take minutes."""
    object_id, user_id = uuid4(), uuid4()
    connection.execute(
        "INSERT INTO artifact.objects (id, state, sha256, size, suspect_since)"
        " VALUES (%s, 'stored', %s, 1, NULL)",
        (object_id, hashlib.sha256(object_id.bytes).digest()),
    )
    connection.execute(
        "INSERT INTO artifact.artifacts (id, holder, holder_id, path, object_id, media_type,"
        " created_by) SELECT gen_random_uuid(), 'run', %s, 'many/' || to_char(n, 'FM00000')"
        " || '.bin', %s, 'application/octet-stream', %s FROM generate_series(1, %s) AS n",
        (run_id, object_id, user_id, FILES),
    )
    connection.execute("ANALYZE artifact.artifacts")


async def list_many(target: Target, run_id: str, sizes: Sizes, report: Report) -> None:
    """One page, again and again, by one client."""
    path = f"/api/v1/runs/{UUID(run_id)}/artifacts?prefix=many&limit=1000"
    request = target.request("GET", path)
    timing = await measure(target, [lambda _: request], seconds=sizes.seconds)
    report.time(LISTING, RUNBENCH, timing)


def head(target: Target, method: str, path: str, *more: str) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(target.address).netloc}", *more]
    lines += [f"{name}: {value}" for name, value in target.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


@contextmanager
def connected(target: Target) -> Generator[socket.socket]:
    """A connection of its own."""
    place = urlsplit(target.address)
    with socket.create_connection((place.hostname, place.port or 80), timeout=120) as stream:
        yield stream


@contextmanager
def weighing(processes: list[psutil.Process], report: Report, system: str) -> Generator[None]:
    """Notes by how much the memory of the processes grew at most while the block runs."""
    before, most, over = _resident(processes), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.05):
            most = max(most, _resident(processes))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
    report.add(Figure(GROWTH, system, max(0, most - before), "B"))


def _resident(processes: list[psutil.Process]) -> int:
    """Bytes, without pages of files that are in memory anyway."""
    found = [process.memory_info() for process in processes if process.is_running()]
    return sum(info.rss - info.shared for info in found)


def rate(what: str, system: str, values: list[float]) -> Figure:
    """The median of rates in MiB/s."""
    middle = sorted(values)[len(values) // 2]
    return Figure(what, system, middle, "MiB/s", per_second=middle, samples=len(values))
