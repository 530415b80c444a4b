"""What is left when somebody is killed: a writer, a compactor, the database server."""

import asyncio
import contextlib
import functools
import itertools
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import numpy as np
import psutil
import pytest
import seriesstore
from localpostgres import Cluster
from localpostgres.cluster import free_port
from seriesstore.append import Batch, append
from seriesstore.compact import compact
from seriesstore.live import read_news
from seriesstore.points import Points
from seriesstore.read import Window, read_pictures, read_points, snapshot
from seriesstore.summary import find_summaries, list_summaries
from servicekit.migrations import migrate
from victims import APPLICATION, Moment, killed_at, merge, write

type Row = tuple[int, float, int]
type Model = dict[str, list[Row]]

MOMENTS: tuple[Moment, ...] = ("before", "during")
# What a connection says when its server is gone. The last comes out of a COMMIT behind an
# executemany whose error asyncpg took in while the connection broke.
LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
SOME_MORE = 40  # statements that no work here has; the loops end long before


def batch(owner: UUID, number: int, count: int = 40) -> Batch:
    """Steps that go back and meet those of the batches before, and a second series."""
    x = np.arange(count) % 30 + number * 3
    value = x * 0.5 + number
    one = Points.of(x, value, np.arange(count) + number * 1000)
    return Batch(owner, {"a": one, "b": one.take(slice(0, 2))}, uuid4())


def log(model: Model, batch: Batch) -> None:
    for key, points in batch.points.items():
        model[key] += rows_of(points)


def rows_of(points: Points) -> list[Row]:
    assert points.time is not None
    return list(zip(points.x.tolist(), points.value.tolist(), points.time.tolist(), strict=True))


def by_step(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row[0])


async def stored(connection: Any, owner: UUID) -> Model:
    """Everything that is readable, by key; each summary must agree with it."""
    found: Model = {}
    for summary in await list_summaries(connection, owner):
        points = await read_points(connection, summary.id)
        found[summary.key] = rows_of(points)
        assert summary.count == len(points)
        assert (summary.first_x, summary.last_x) == (points.x[0], points.x[-1])
        assert (summary.last_value, summary.last_time) == found[summary.key][-1][1:]
        assert (summary.min_value, summary.max_value) == (points.value.min(), points.value.max())
    return found


def expected(model: Model) -> Model:
    return {key: by_step(rows) for key, rows in model.items()}


async def store(connection: Any, *batches: Batch) -> list[bool]:
    async with connection.transaction():
        return [receipt.new for receipt in await append(connection, batches)]


async def buried(connection: Any) -> None:
    """Return when the server has ended the session of the process that was killed."""
    there = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
    while await connection.fetchval(there, APPLICATION):  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(0.002)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_writer_killed_at_any_statement_leaves_all_of_its_batches_or_nothing(
    connection: Any, database_url: str, moment: Moment
) -> None:
    outcomes: list[bool] = []
    for statement in range(1, SOME_MORE):
        owner = uuid4()
        model: Model = defaultdict(list)
        before, *sent = [batch(owner, number) for number in range(3)]
        await store(connection, before)
        log(model, before)

        died = killed_at(statement, moment, database_url, functools.partial(write, batches=sent))
        await buried(connection)
        left = await stored(connection, owner)
        nothing = expected(model)
        for one in sent:
            log(model, one)
        assert left in (nothing, expected(model))
        assert died or left == expected(model), "what was acknowledged is there"

        arrived = left == expected(model)
        assert await store(connection, *sent) == [not arrived] * len(sent)
        assert await store(connection, *reversed(sent)) == [False] * len(sent)
        assert await stored(connection, owner) == expected(model)
        news = await read_news(connection, owner, after=1)
        assert news
        assert sum(len(points) for _, points in news.points) == 2 * (40 + 2)
        if not died:
            break
        outcomes.append(arrived)
    else:
        raise AssertionError("the writer never came to its end")

    assert len(outcomes) >= 5
    assert outcomes == sorted(outcomes), "only behind its commit is a batch there"
    assert moment == "during" or not any(outcomes)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_repeat_killed_at_any_statement_changes_nothing(
    connection: Any, database_url: str, moment: Moment
) -> None:
    owner = uuid4()
    model: Model = defaultdict(list)
    sent = [batch(owner, number) for number in range(2)]
    await store(connection, *sent)
    for one in sent:
        log(model, one)
    for statement in range(1, SOME_MORE):
        work = functools.partial(write, batches=sent)
        died = killed_at(statement, moment, database_url, work)
        await buried(connection)
        assert await stored(connection, owner) == expected(model)
        if not died:
            break
    else:
        raise AssertionError("the repeat never came to its end")
    assert statement >= 3


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_compaction_killed_at_any_statement_changes_nothing_that_is_read(
    connection: Any, database_url: str, moment: Moment
) -> None:
    chunks_left: list[int] = []
    for statement in range(1, SOME_MORE):
        owner = uuid4()
        model: Model = defaultdict(list)
        for number in range(12):
            one = batch(owner, number, count=400 if number % 3 else 6000)
            await store(connection, one)
            log(model, one)

        died = killed_at(statement, moment, database_url, merge)
        await buried(connection)
        chunks = await connection.fetchval("SELECT count(*) FROM chunks")
        assert await stored(connection, owner) == expected(model)
        late = batch(owner, 99)
        assert await store(connection, late) == [True]
        log(model, late)
        await merge(connection)
        assert await stored(connection, owner) == expected(model)
        await connection.execute("TRUNCATE owners, chunks, series")
        if not died:
            break
        chunks_left.append(chunks)
    else:
        raise AssertionError("the compaction never came to its end")

    assert len(chunks_left) >= 10
    assert chunks_left[0] == 24, "killed at once: nothing was merged"
    assert chunks_left[-1] < 24, "killed late: one series was merged already"


async def test_every_read_during_compaction_equals_a_state_of_the_model(database_url: str) -> None:
    """Readers know what was acknowledged before they ask and what was sent before they heard."""
    owner = uuid4()
    sent = [batch(owner, number, count=20 + number % 90) for number in range(150)]
    states = Prefixes(sent)
    started = acknowledged = 0
    done = asyncio.Event()
    reads = 0

    async def writing(connection: Any) -> None:
        nonlocal started, acknowledged
        for number, one in enumerate(sent, 1):
            started = number
            assert await store(connection, one) == [True]
            acknowledged = number
            if number % 10 == 0:
                assert await store(connection, one) == [False]
        done.set()

    async def merging(connection: Any) -> None:
        while not done.is_set():
            await compact(connection, idle_sec=0)

    async def reading(connection: Any) -> None:
        nonlocal reads
        while not done.is_set():
            least = acknowledged
            found = {one.key: one for one in await find_summaries(connection, [owner], ["a", "b"])}
            if not found:
                continue
            assert least <= states.at["a"][found["a"].count] <= started
            assert states.at["a"][found["a"].count] == states.at["b"][found["b"].count]
            least = acknowledged
            points = await read_points(connection, found["a"].id)
            assert least <= states.at["a"][len(points)] <= started
            assert rows_of(points) == states.rows("a", len(points))
            least = acknowledged
            ids = [found["a"].id, found["b"].id]
            async with snapshot(connection):
                drawn = await read_pictures(connection, [Window(one) for one in ids], at_most=40)
            one, two = (drawn[series_id] for series_id in ids)
            assert least <= states.at["a"][one.count] <= started
            assert states.at["a"][one.count] == states.at["b"][two.count], "one snapshot"
            values = [value for _, value, _ in states.rows("a", one.count)]
            assert (one.points.value.min(), one.points.value.max()) == (min(values), max(values))
            assert set(rows_of(one.points)) <= set(states.rows("a", one.count))
            reads += 1

    async with asyncpg.create_pool(
        database_url, min_size=5, max_size=5, server_settings={"search_path": "series"}
    ) as pool:
        async with contextlib.AsyncExitStack() as held, asyncio.TaskGroup() as tasks:
            for work in (writing, merging, merging, reading, reading):
                connection = await held.enter_async_context(pool.acquire())
                tasks.create_task(work(connection))
        async with pool.acquire() as connection:
            assert await stored(connection, owner) == {
                key: states.rows(key, count) for key, count in states.total.items()
            }
    assert reads > 5


class Prefixes:
    """The states that a series goes through, found by how many points it has."""

    def __init__(self, batches: list[Batch]) -> None:
        self.logged: Model = defaultdict(list)
        self.at: dict[str, dict[int, int]] = {"a": {0: 0}, "b": {0: 0}}
        for number, one in enumerate(batches, 1):
            log(self.logged, one)
            for key, rows in self.logged.items():
                self.at[key][len(rows)] = number
        self.total = {key: len(rows) for key, rows in self.logged.items()}

    def rows(self, key: str, count: int) -> list[Row]:
        return by_step(self.logged[key][:count])


class Server:
    """A PostgreSQL that keeps what it acknowledged, and can be killed as a whole."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.cluster = self._start()
        self.dsn = f"{self.cluster.address}/postgres"

    def _start(self) -> Cluster:
        cluster = Cluster(self.home, self.port, "throwaway", keep=True)
        cluster.start()
        return cluster

    def kill(self) -> None:
        """SIGKILL to the server and all of its processes, as a machine that loses power does."""
        assert self.cluster.pid is not None
        server = psutil.Process(self.cluster.pid)
        family = [server, *server.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive

    def start_again(self) -> None:
        self.cluster = self._start()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    with tempfile.TemporaryDirectory(prefix="runbench-kill-", ignore_cleanup_errors=True) as home:
        server = Server(Path(home))
        await migrate(server.dsn, Path(seriesstore.__file__).parent / "sql", schema="series")
        yield server
        server.cluster.stop()


class Load:
    """Producers that send a batch until it is acknowledged, and a compaction beside them."""

    def __init__(self, server: Server, producers: int) -> None:
        self.server = server
        self.models: dict[UUID, Model] = {uuid4(): defaultdict(list) for _ in range(producers)}
        self.acknowledged = dict.fromkeys(self.models, 0)
        self.done = asyncio.Event()

    async def connections(self) -> AsyncIterator[Any]:
        """One after the other, as long as there is something to do."""
        while not self.done.is_set():
            try:
                yield await connect(self.server.dsn)
            except LOST:
                await asyncio.sleep(0.02)

    async def produce(self, owner: UUID) -> None:
        waiting: Batch | None = None
        todo = (batch(owner, number) for number in itertools.count())
        async for connection in self.connections():
            with contextlib.suppress(*LOST):
                while not self.done.is_set():
                    waiting = waiting or next(todo)
                    await store(connection, waiting)  # False is good: its answer was lost
                    log(self.models[owner], waiting)
                    self.acknowledged[owner] += 1
                    waiting = None
            connection.terminate()
        if waiting:
            connection = await connect(self.server.dsn)
            await store(connection, waiting)
            log(self.models[owner], waiting)
            await connection.close()

    async def compact(self) -> None:
        async for connection in self.connections():
            with contextlib.suppress(*LOST):
                while not self.done.is_set():
                    await compact(connection, idle_sec=0)
                    await asyncio.sleep(0.005)
            connection.terminate()

    async def progress(self, batches: int) -> None:
        """Return when every producer has had so many more acknowledged."""
        goals = {owner: count + batches for owner, count in self.acknowledged.items()}
        while any(self.acknowledged[owner] < goal for owner, goal in goals.items()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def connect(dsn: str) -> Any:
    return await asyncpg.connect(dsn, server_settings={"search_path": "series"}, timeout=5)


async def test_a_database_killed_under_load_has_all_that_was_acknowledged_once(
    server: Server,
) -> None:
    load = Load(server, producers=3)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.compact())
        for owner in load.models:
            tasks.create_task(load.produce(owner))
        for _ in range(3):
            await load.progress(batches=15)
            server.kill()
            await asyncio.to_thread(server.start_again)
        await load.progress(batches=5)
        load.done.set()

    connection = await connect(server.dsn)
    for owner, model in load.models.items():
        assert await stored(connection, owner) == expected(model)
    await merge(connection)
    for owner, model in load.models.items():
        assert await stored(connection, owner) == expected(model)
    await connection.close()
