"""The outbox: written with the change, told in order, once for each sink, whoever is away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from pydantic import BaseModel
from servicekit.database import DATABASE, Pool, open_database
from servicekit.events import Catalogue, EventKind, Recorded
from servicekit.migrations import migrate
from servicekit.outbox import Relay, emit, note_sinks, relay
from servicekit.problems import Unavailable
from servicekit.sinks import waves


class Moved(BaseModel):
    to: str


MOVED = EventKind("piece.moved", "A piece was moved.", subject="piece", data=Moved)


class Listener:
    """A sink that writes down what it is told, slowly where asked, or is away."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[Recorded] = []
        self.away = False
        self.slow_sec = 0.0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        yield

    async def reach(self) -> None:
        if self.away:
            raise Unavailable

    async def tell(self, events: Sequence[Recorded]) -> None:
        await asyncio.sleep(self.slow_sec)
        self.told += events

    @property
    def places(self) -> list[object]:
        return [event.data["to"] for event in self.told]


@pytest.fixture
async def pool(empty_database_url: str, tmp_path: Path) -> AsyncIterator[Pool]:
    await migrate(empty_database_url, tmp_path, schema="chess")
    async with open_database(empty_database_url, schema="chess", size=5) as pool:
        yield pool


async def move(pool: Pool, *places: str, piece: UUID | None = None) -> None:
    piece = piece or uuid4()
    async with pool.acquire() as connection, connection.transaction():
        moves = [MOVED.event(Moved(to=to), project_id=None, subject_id=piece) for to in places]
        await emit(connection, moves)


async def waiting(pool: Pool) -> int:
    async with pool.acquire() as connection:
        return await connection.fetchval("SELECT count(*) FROM outbox")


async def test_nothing_is_kept_where_nobody_is_told(pool: Pool) -> None:
    await move(pool, "e4")

    assert await waiting(pool) == 0


async def test_each_sink_is_told_in_order_and_one_that_is_away_holds_up_no_other(
    pool: Pool,
) -> None:
    here, there = Listener("here"), Listener("there")
    await note_sinks(pool, ["here", "there"])
    await move(pool, "e4", "e5")
    await move(pool, "e6")
    there.away = True

    assert await relay(pool, here) == 3
    with pytest.raises(Unavailable):
        await relay(pool, there)
    assert here.places == ["e4", "e5", "e6"]
    assert here.told[0].actor
    assert here.told[0].actor.kind == "system"

    there.away = False
    assert await relay(pool, there) == 3
    assert there.told == here.told
    assert await relay(pool, here) == 0
    assert await waiting(pool) == 0


async def test_an_event_goes_with_its_transaction(pool: Pool) -> None:
    listener = Listener("here")
    await note_sinks(pool, ["here"])
    event = MOVED.event(Moved(to="e4"), project_id=None, subject_id=uuid4())
    async with pool.acquire() as connection:
        change = connection.transaction()
        await change.start()
        await emit(connection, [event])
        await change.rollback()

    assert await relay(pool, listener) == 0
    assert listener.told == []


async def test_a_change_that_commits_late_is_told_though_later_ones_were(pool: Pool) -> None:
    listener = Listener("here")
    await note_sinks(pool, ["here"])
    async with pool.acquire() as connection, connection.transaction():
        await emit(connection, [MOVED.event(Moved(to="a1"), project_id=None, subject_id=uuid4())])
        await move(pool, "b2")
        assert await relay(pool, listener) == 1
    assert await relay(pool, listener) == 1

    assert listener.places == ["b2", "a1"]


async def test_of_several_processes_one_tells(pool: Pool) -> None:
    listener = Listener("here")
    listener.slow_sec = 0.2
    await note_sinks(pool, ["here"])
    await move(pool, "e4", "e5")

    assert sorted(await asyncio.gather(*(relay(pool, listener) for _ in range(3)))) == [0, 0, 2]
    assert listener.places == ["e4", "e5"]


async def test_a_process_that_dies_while_it_tells_leaves_the_events(pool: Pool) -> None:
    listener = Listener("here")
    listener.slow_sec = 60
    await note_sinks(pool, ["here"])
    await move(pool, "e4")
    telling = asyncio.create_task(relay(pool, listener))
    await asyncio.sleep(0.1)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)

    listener.slow_sec = 0
    assert await relay(pool, listener) == 1
    assert listener.places == ["e4"]


async def test_a_sink_that_nobody_has_had_for_long_is_forgotten_with_what_waits(pool: Pool) -> None:
    await note_sinks(pool, ["old", "new"])
    await move(pool, "e4")
    async with pool.acquire() as connection:
        await connection.execute(
            "UPDATE outbox_sinks SET seen_at = now() - interval '8 days' WHERE name = 'old'"
        )
    await note_sinks(pool, ["new"])

    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT array_agg(DISTINCT sink) FROM outbox") == ["new"]
        assert await connection.fetchval("SELECT array_agg(name) FROM outbox_sinks") == ["new"]


async def test_who_was_told_is_forgotten_also_where_nobody_is_told_any_more(pool: Pool) -> None:
    await note_sinks(pool, ["old"])
    await move(pool, "e4")
    async with pool.acquire() as connection:
        await connection.execute("UPDATE outbox_sinks SET seen_at = now() - interval '8 days'")
    app = web.Application()
    app[DATABASE] = pool
    app.cleanup_ctx.append(Relay([]).context)
    runner = web.AppRunner(app)
    await runner.setup()
    await runner.cleanup()

    assert await waiting(pool) == 0
    await move(pool, "e5")
    assert await waiting(pool) == 0


def test_waves_keep_the_order_of_each_subject() -> None:
    first, second = uuid4(), uuid4()
    events = [
        Recorded(**dict(MOVED.event(Moved(to=to), project_id=None, subject_id=piece)))
        for piece, to in [(first, "1"), (first, "2"), (second, "a"), (first, "3"), (second, "b")]
    ]

    parts = [[event.data["to"] for event in wave] for wave in waves(events)]
    assert parts == [["1", "a"], ["2", "b"], ["3"]]


def test_a_catalogue_knows_each_name_once() -> None:
    assert "piece.moved" in Catalogue(MOVED)
    with pytest.raises(ValueError, match="same name"):
        Catalogue(MOVED, MOVED)


def test_an_event_says_when_and_by_whom() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    event = MOVED.event(Moved(to="e4"), project_id=None, subject_id=uuid4(), at=at)

    assert event.model_dump(mode="json")["occurred_at"].startswith("2026-01-02T00:00:00")
    assert (event.type, event.version, event.data) == ("piece.moved", 1, {"to": "e4"})
