"""Many writers, many readers, exports and figures."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
from seriesstore.aggregate import Intervals, aggregate
from seriesstore.append import Batch, append
from seriesstore.codec import UnknownCodec
from seriesstore.compact import TARGET, compact
from seriesstore.export import Format, export
from seriesstore.late import count_later, find_later
from seriesstore.live import current_ordinals, read_news
from seriesstore.points import Points
from seriesstore.read import Picture, Window, read_pictures, read_points, snapshot
from seriesstore.retention import delete_chunks_before, delete_owners, forget_batches
from seriesstore.summary import find_summaries, list_summaries

type Connection = asyncpg.Connection[asyncpg.Record]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(
        database_url, min_size=1, max_size=8, server_settings={"search_path": "series"}
    ) as pool:
        yield pool


async def store(connection: Any, batch: Batch) -> bool:
    async with connection.transaction():
        return (await append(connection, [batch]))[0].new


async def series_id(connection: Any, owner: Any, key: str = "a") -> int:
    return (await find_summaries(connection, [owner], [key]))[0].id


async def draw(connection: Any, one: int, at_most: int) -> Picture:
    async with snapshot(connection):
        return (await read_pictures(connection, [Window(one)], at_most=at_most))[one]


def ramp(start: int, count: int) -> Points:
    x = np.arange(start, start + count)
    return Points.of(x, np.sin(x / 100), x * 1000)


async def test_writers_readers_and_compaction_together_lose_and_double_nothing(
    pool: Any,
) -> None:
    owner, writers, rounds = uuid4(), 6, 40
    done = asyncio.Event()

    async def write(writer: int) -> None:
        rng = np.random.default_rng(writer)
        for number in range(rounds):
            start = (number * writers + writer) * 100
            count = int(rng.integers(1, 100))
            content = {"a": ramp(start, count), "b": ramp(start, 1)}
            batch = Batch(owner, content, uuid4())
            async with pool.acquire() as connection:
                assert await store(connection, batch)
                if number % 5 == 0:
                    assert not await store(connection, batch)

    async def merge() -> None:
        while not done.is_set():
            async with pool.acquire() as connection:
                await compact(connection, idle_sec=0)
            await asyncio.sleep(0.01)

    async def watch() -> None:
        before = 0
        while not done.is_set():
            async with pool.acquire() as connection:
                found = await find_summaries(connection, [owner], ["a"])
                if found:
                    points = (await draw(connection, found[0].id, 100_000)).points
                    assert len(np.unique(points.x)) == len(points)
                    assert len(points) >= before
                    before = len(points)
            await asyncio.sleep(0.01)

    async def follow() -> None:
        async with pool.acquire() as connection:
            seen: list[int] = []
            place = 0
            while not done.is_set() or len(seen) < total:
                if news := await read_news(connection, owner, after=place, at_most=500):
                    place = news.ordinal
                    seen += [int(x) for key, points in news.points if key == "b" for x in points.x]
                    assert len(seen) == len(set(seen))
                await asyncio.sleep(0.005)
            assert sorted(seen) == [number * 100 for number in range(total)]

    total = writers * rounds
    background = [asyncio.create_task(work()) for work in (merge, watch, follow)]
    await asyncio.gather(*(write(writer) for writer in range(writers)))
    done.set()
    await asyncio.gather(*background)

    async with pool.acquire() as connection:
        points = await read_points(connection, await series_id(connection, owner, "b"))
        assert points.x.tolist() == [number * 100 for number in range(total)]
        summary = (await find_summaries(connection, [owner], ["a"]))[0]
        everything = await read_points(connection, summary.id)
        assert summary.count == len(everything) == len(np.unique(everything.x))


async def test_a_slow_writer_of_an_owner_is_waited_for_and_missed_by_nobody(pool: Any) -> None:
    owner, other = uuid4(), uuid4()
    async with pool.acquire() as slow, pool.acquire() as quick, pool.acquire() as reader:
        transaction = slow.transaction()
        await transaction.start()
        await append(slow, [Batch(owner, {"slow": ramp(0, 1)})])
        waiting = asyncio.create_task(store(quick, Batch(owner, {"quick": ramp(0, 1)})))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert await read_news(reader, owner, after=0) is None
        async with pool.acquire() as elsewhere:
            assert await store(elsewhere, Batch(other, {"a": ramp(0, 1)}))
        await transaction.commit()
        await waiting
        news = await read_news(reader, owner, after=0)
        assert await current_ordinals(reader, [owner, other]) == {owner: 2, other: 1}

    assert news
    assert [key for key, _ in news.points] == ["slow", "quick"]


async def test_a_reader_goes_on_exactly_where_it_was_after_a_compaction(
    connection: Connection,
) -> None:
    owner = uuid4()
    for number in range(50):
        # Steps go down, so that merging turns their order around.
        await store(connection, Batch(owner, {"a": ramp(1000 - number, 1), "b": ramp(number, 1)}))
    before = await read_news(connection, owner, after=0, at_most=40)
    assert before
    assert before.ordinal == 20
    while (await compact(connection, idle_sec=0)).chunks_before:
        pass
    after = await read_news(connection, owner, after=before.ordinal)
    assert after
    assert after.ordinal == 50
    assert dict(after.points)["a"].x.tolist() == [1000 - number for number in range(20, 50)]
    assert await read_news(connection, owner, after=50) is None


async def test_points_with_and_without_a_time_are_not_stored_together(
    connection: Connection,
) -> None:
    content = {"a": Points.of([1], [1.0]), "b": Points.of([1], [1.0], [1])}
    with pytest.raises(ValueError, match="time"):
        await store(connection, Batch(uuid4(), content))


async def test_compaction_leaves_few_chunks_with_a_coarse_level(connection: Connection) -> None:
    owner = uuid4()
    for number in range(300):
        await store(connection, Batch(owner, {"a": ramp(number * 50, 50)}))
    while (await compact(connection, idle_sec=0)).chunks_before:
        pass
    rows = await connection.fetch("SELECT count, coarse_count FROM chunks")

    assert len(rows) == -(-15_000 // TARGET)
    assert all(row["coarse_count"] < row["count"] / 10 for row in rows)


async def test_few_young_chunks_are_left_until_nothing_more_comes(connection: Connection) -> None:
    await store(connection, Batch(uuid4(), {"a": ramp(0, 1)}))

    assert (await compact(connection)).chunks_before == 0
    assert (await compact(connection, idle_sec=0)).chunks_before == 1


async def test_a_chunk_of_a_newer_version_holds_up_only_its_own_series(
    connection: Connection,
) -> None:
    owner = uuid4()
    for number in range(3):
        await store(connection, Batch(owner, {key: ramp(number, 1) for key in "abc"}))
    newer = await series_id(connection, owner, "b")
    await connection.execute(
        "UPDATE chunks SET points = set_byte(points, 1, 77) WHERE series_id = $1", newer
    )

    assert (await compact(connection, idle_sec=0)).series == 2
    with pytest.raises(UnknownCodec, match="77"):
        await compact(connection, idle_sec=0)
    with pytest.raises(UnknownCodec, match="77"):
        await read_points(connection, newer)
    assert len(await read_points(connection, await series_id(connection, owner, "c"))) == 3


async def test_exact_repeats_become_one_where_that_is_asked(connection: Connection) -> None:
    owner = uuid4()
    same = Points.of([1, 1, 2], [5.0, 6.0, np.nan])
    for _ in range(3):
        await store(connection, Batch(owner, {"a": same}))
    await compact(connection, idle_sec=0, distinct=True)
    points = await read_points(connection, await series_id(connection, owner))

    assert points.x.tolist() == [1, 1, 2]
    assert points.value[:2].tolist() == [5.0, 6.0]


@pytest.mark.parametrize("form", ["parquet", "arrow", "csv"])
async def test_an_export_holds_every_value(connection: Connection, form: Format) -> None:
    owner = uuid4()
    rng = np.random.default_rng(7)
    order = rng.permutation(200_000)
    value = rng.normal(size=200_000)
    value[[5, 6, 7]] = [np.nan, np.inf, -np.inf]
    for part in np.array_split(order, 40):
        points = Points.of(part, value[part], part * 1000)
        await store(connection, Batch(owner, {"a": points, "b": points}))
        await compact(connection, idle_sec=0)
    summaries = await list_summaries(connection, owner)
    pieces = [piece async for piece in export(connection, summaries, form=form)]
    data = b"".join(pieces)
    match form:
        case "parquet":
            table = pa_parquet.read_table(io.BytesIO(data))
        case "arrow":
            table = pa.ipc.open_stream(data).read_all()
        case "csv":
            table = pa_csv.read_csv(io.BytesIO(data))

    assert len(pieces) > 4
    assert table.num_rows == 400_000
    assert table.column("x").to_numpy()[:200_000].tolist() == list(range(200_000))
    read = table.column("value").to_numpy(zero_copy_only=False)[200_000:]
    assert np.array_equal(read.astype(float), value, equal_nan=True)
    assert set(table.column("key").to_pylist()) == {"a", "b"}


async def test_aggregates_agree_with_plain_arithmetic(connection: Connection) -> None:
    owner = uuid4()
    value = np.random.default_rng(3).normal(size=10_000)
    value[100:200] = np.nan
    value[300] = np.inf
    await store(connection, Batch(owner, {"a": Points.of(np.arange(10_000), value)}))
    intervals = Intervals.over(0, 9_999, 100)
    figures = await aggregate(connection, await series_id(connection, owner), intervals)

    parts = value.reshape(100, 100)
    assert figures.x.tolist() == list(range(0, 10_000, 100))
    assert figures.count.tolist() == [100] * 100
    assert np.isnan(figures.mean[1])
    assert figures.max[3] == np.inf
    assert np.allclose(figures.mean[5:], parts[5:].mean(axis=1))
    assert np.array_equal(figures.min[5:], parts[5:].min(axis=1))


async def test_a_spike_in_ten_million_points_is_seen(connection: Connection) -> None:
    owner = uuid4()
    value = np.zeros(1_000_000)
    value[[123_456, 777_777]] = [1e6, -1e6]
    for start in range(0, 1_000_000, 50_000):
        x = np.arange(start, start + 50_000)
        await store(connection, Batch(owner, {"a": Points.of(x, value[x])}))
    while (await compact(connection, idle_sec=0)).chunks_before:
        pass
    one = await series_id(connection, owner)
    for at_most in (100, 1000, 5000):
        drawn = await draw(connection, one, at_most)
        assert drawn.count == 1_000_000
        assert {123_456, 777_777} <= set(drawn.points.x.tolist())
        assert len(drawn.points) <= at_most


async def test_ten_thousand_keys_list_and_filter(connection: Connection) -> None:
    owner = uuid4()
    content = {f"layer{number % 100}/w{number}": ramp(0, 1) for number in range(10_000)}
    await store(connection, Batch(owner, content))
    first = await list_summaries(connection, owner, limit=1000)
    some = await list_summaries(connection, owner, contains="LAYER7/", after="", limit=1000)
    rest = await list_summaries(connection, owner, after=first[-1].key, limit=10_000)

    assert (len(first), len(rest), len(some)) == (1000, 9000, 100)


async def test_forgetting_takes_whole_chunks_and_old_batches(connection: Connection) -> None:
    owner, batch_id = uuid4(), uuid4()
    await store(connection, Batch(owner, {"a": ramp(0, 100)}, batch_id))
    await store(connection, Batch(owner, {"a": ramp(1000, 100)}))
    one = await series_id(connection, owner)

    assert await delete_chunks_before(connection, one, 1050) == 1
    assert (await read_points(connection, one)).x.min() == 1000
    now = await connection.fetchval("SELECT now() + interval '1 second'")
    assert await forget_batches(connection, now) >= 1
    async with connection.transaction():
        await delete_owners(connection, [owner])
    assert await list_summaries(connection, owner) == []
    for table in ("owners", "chunks", "batches"):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


async def test_what_is_late_is_found_where_it_lies(connection: Connection) -> None:
    owner, random = uuid4(), np.random.default_rng(3)
    x = np.sort(random.integers(0, 1_000_000, 30_000))
    time = np.where(random.random(len(x)) < 0.01, 2_000_000, x)
    time[20_000:] = 3_000_000
    for start in range(0, len(x), 1000):
        part = slice(start, start + 1000)
        points = Points.of(x[part], np.zeros(1000), time[part])
        await store(connection, Batch(owner, {"a": points}))
    await compact(connection)
    one = await series_id(connection, owner)
    low, high, after = 5_000, 990_000, 1_500_000
    intervals = Intervals.over(low, high, 100)

    async with snapshot(connection):
        found = await find_later(connection, one, intervals, after=after)
        count = await count_later(connection, one, low=low, high=high, after=after)

    late = x[(time > after) & (x >= low) & (x <= high)]
    assert found.count.sum() == count == len(late)
    assert set(found.first.tolist()) | set(found.last.tolist()) <= set(late.tolist())
    assert (found.first[0], found.last.max()) == (late[0], late[-1])
    places = [
        np.flatnonzero((found.first <= one) & (found.last >= one)).size for one in late.tolist()
    ]
    assert min(places) == 1
    width = (high - low + 1) / 100
    assert (found.last - found.first).max() <= 2 * width


async def test_neighbours_in_a_picture_that_are_far_apart_have_nothing_between(
    connection: Connection,
) -> None:
    """Few readings, then many at once, then few: a coarser level leaves no hole between the few."""
    owner = uuid4()
    slow = np.arange(0, 10**9, 500_000)
    burst = 10**9 + np.arange(200_000)
    later = 10**9 + 10**8 + np.arange(0, 10**9, 300_000)
    x = np.concatenate([slow, burst, later])
    for start in range(0, len(x), 50_000):
        some = x[start : start + 50_000]
        points = Points.of(some, np.sin(some / 1e7), some)
        await store(connection, Batch(owner, {"a": points}))
    await compact(connection)
    one = await series_id(connection, owner)

    picture = await draw(connection, one, 2000)

    assert not picture.exact
    shown = picture.points.x
    stretch = (x[-1] - x[0]) / 1000
    wide = np.flatnonzero(np.diff(shown) > 5 * stretch)
    between = [((x > shown[at]) & (x < shown[at + 1])).sum() for at in wide]
    assert between == [0] * len(wide)
    assert len(wide) == 1
