"""A database of before the series store reads the same after it."""

import math
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import numpy as np
import seriesstore
from aiohttp.test_utils import TestClient
from metrics_api import log, points, read, said, summaries, watch
from metrics_service.__main__ import SERVICE
from metrics_service.app import create_app
from metrics_service.settings import Settings
from servicekit.migrations import migrate
from servicekit.testing.identity import KnownPeople

type Row = tuple[int, float, int]

HERE = Path(__file__).parent
TIME = 1_700_000_000_000_000


def test_the_tables_of_the_store_are_those_of_the_library() -> None:
    library = Path(seriesstore.__file__).parent / "sql" / "0001_seriesstore.sql"
    assert library.read_text() in (SERVICE.migrations / "0003_seriesstore.sql").read_text()


def drawn(chance: random.Random, count: int) -> list[Row]:
    """Points with every kind of float, in no order."""
    odd = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -1.5, 2**53 + 2.0]
    return [
        (
            chance.choice([chance.randint(-9, 9), chance.randint(-(2**63), 2**63 - 1)]),
            chance.choice([*odd, chance.gauss(0, 100)]),
            TIME + chance.randint(0, 10**9),
        )
        for _ in range(count)
    ]


async def fill(connection: Any, run_id: UUID, batches: list[dict[str, list[Row]]]) -> list[UUID]:
    """What the version before stored of these batches; answers their ids."""
    ids = [uuid4() for _ in batches]
    await connection.execute("INSERT INTO runs VALUES ($1, $2)", run_id, len(batches))
    series: dict[str, list[Row]] = {}
    for batch in batches:
        for key, rows in batch.items():
            series.setdefault(key, []).extend(rows)
    numbers: dict[str, int] = {}
    for key, rows in series.items():
        first = min(rows, key=lambda row: row[0])
        last = max(reversed(rows), key=lambda row: row[0])
        known = [value for _, value, _ in rows if not math.isnan(value)]
        numbers[key] = await connection.fetchval(
            """
            INSERT INTO series (run_id, key, count, first_step, first_value, first_time,
                                last_step, last_value, last_time, min, max)
            VALUES ($1, $2, $3, $4, $5, to_timestamp($6::numeric / 1000000),
                    $7, $8, to_timestamp($9::numeric / 1000000), $10, $11)
            RETURNING id
            """,
            *(run_id, key, len(rows), *first, *last),
            *(min(known, default=None), max(known, default=None)),
        )
    for ordinal, (batch_id, batch) in enumerate(zip(ids, batches, strict=True), start=1):
        await connection.execute(
            "INSERT INTO batches VALUES ($1, $2, $3, $4)",
            *(run_id, ordinal, batch_id, sum(map(len, batch.values()))),
        )
        for key, rows in batch.items():
            steps = [row[0] for row in rows]
            await connection.execute(
                "INSERT INTO chunks VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                *(numbers[key], ordinal, run_id, min(steps), max(steps)),
                np.array(steps, "<i8").tobytes(),
                np.array([row[1] for row in rows], "<f8").tobytes(),
                np.array([row[2] for row in rows], "<i8").tobytes(),
            )
    return ids


async def test_everything_of_before_reads_as_it_did(
    empty_database_url: str,
    tmp_path: Path,
    people: KnownPeople,
    project_id: UUID,
    aiohttp_client: Callable[..., Awaitable[TestClient]],
) -> None:
    before = tmp_path / "migrations"
    before.mkdir()
    for name in ("0001_metrics.sql", "0002_latest_by_value.sql"):
        (before / name).write_text((SERVICE.migrations / name).read_text())
    await migrate(empty_database_url, HERE / "experiment_schema", schema="experiment")
    await migrate(empty_database_url, before, schema="metrics")
    chance = random.Random(11)  # noqa: S311
    run_id = uuid4()
    batches = [
        {key: drawn(chance, chance.randint(1, 300)) for key in ("loss", "a/b", "nan")}
        for _ in range(12)
    ]
    for batch in batches:
        batch["nan"] = [(step, math.nan, time) for step, _, time in batch["nan"]]
    connection = await asyncpg.connect(
        empty_database_url, server_settings={"search_path": "metrics"}
    )
    await connection.execute(
        "INSERT INTO experiment.published_runs VALUES ($1, $2, $3, 'running')",
        *(run_id, project_id, uuid4()),
    )
    ids = await fill(connection, run_id, batches)

    await migrate(empty_database_url, SERVICE.migrations, schema="metrics")
    client = await aiohttp_client(create_app(Settings(database_url=empty_database_url), people))
    found = await summaries(client, run_id)
    for key in ("loss", "a/b", "nan"):
        rows = [row for batch in batches for row in batch[key]]
        by_step = sorted(rows, key=lambda row: row[0])
        (series,) = await read(client, run_id, key, points=10_000)
        assert series["step"] == [row[0] for row in by_step]
        assert series["value"] == [said(row[1]) for row in by_step]
        assert series["time"] == [row[2] for row in by_step]
        assert (series["ordinal"], series["exact"]) == (12, True)
        assert series["origin"] == min(
            row[2] for b in batches for each in b.values() for row in each
        )
        one = found[key]
        known = [row for row in rows if not math.isnan(row[1])]
        assert (one["count"], one["first_step"]) == (len(rows), by_step[0][0])
        for end, choose in (("min", min), ("max", max)):
            if not known:
                assert (one[end], one[f"{end}_step"]) == (None, None)
                continue
            value = choose(row[1] for row in known)
            assert one[end] == said(value)
            holding = next(b for b in batches if any(row[1] == value for row in b[key]))
            assert one[f"{end}_step"] == min(row[0] for row in holding[key] if row[1] == value)

    async with watch(client, run_id, after="5") as viewer:
        wanted = [(key, row[0], said(row[1])) for b in batches[5:] for key in b for row in b[key]]
        assert sorted(await viewer.points(len(wanted)), key=repr) == sorted(wanted, key=repr)
    again = await log(client, run_id, points(step=[1], value=[1]), batch_id=str(ids[3]))
    assert again == {"accepted": sum(map(len, batches[3].values())), "duplicate": True}
    await log(client, run_id, points("new", step=[1], value=[1]))
    (new,) = await read(client, run_id, "new")
    assert new["ordinal"] == 13
    latest = await connection.fetch("SELECT project_id, key, time FROM latest ORDER BY key")
    assert [row["key"] for row in latest] == ["a/b", "loss", "nan", "new"]
    assert {row["project_id"] for row in latest} == {project_id}
    await connection.close()
