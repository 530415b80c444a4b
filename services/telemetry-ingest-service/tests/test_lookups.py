"""Rows that are asked for many times a second are fetched together, ahead, and outlast a while."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from telemetry_ingest_service.operations import lookups
from telemetry_ingest_service.operations.lookups import Lookups


class Rows:
    """A database that counts what it is asked, and may be away."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.away = False
        self.rows = {n: str(n) for n in range(100)}

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        if self.away:
            raise ConnectionRefusedError
        yield self

    async def select(self, _connection: Any, keys: Sequence[int]) -> dict[int, str]:
        self.asked.append(sorted(keys))
        return {key: self.rows[key] for key in keys if key in self.rows}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known counts for 0.2 s, and is asked for ahead after 0.1 s."""
    monkeypatch.setattr(lookups, "KEPT_SEC", 0.2)
    monkeypatch.setattr(lookups, "AHEAD_SEC", 0.1)


async def test_what_is_wanted_at_once_is_asked_at_once() -> None:
    rows = Rows()
    known = Lookups(rows.select)
    found = await asyncio.gather(*(known.get(rows, n % 50) for n in range(200)))
    assert found == [str(n % 50) for n in range(200)]
    assert rows.asked == [list(range(50))]
    assert await known.get(rows, 1000) is None
    assert await known.get(rows, 1000) is None
    assert len(rows.asked) == 2


async def test_a_change_counts_in_time_and_nobody_waits_for_it(soon: None) -> None:
    rows = Rows()
    known = Lookups(rows.select)
    assert await known.get(rows, 1) == "1"
    rows.rows[1] = "one"
    await asyncio.sleep(0.15)
    assert await known.get(rows, 1) == "1"  # and asks beside
    await asyncio.sleep(0.01)
    assert await known.get(rows, 1) == "one"
    del rows.rows[1]
    await asyncio.sleep(0.25)
    assert await known.get(rows, 1) is None


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(soon: None) -> None:
    rows = Rows()
    known = Lookups(rows.select)
    rows.away = True
    found = await asyncio.gather(*(known.get(rows, n) for n in (1, 1, 2)), return_exceptions=True)
    assert [type(each) for each in found] == [ConnectionRefusedError] * 3
    rows.away = False
    assert await known.get(rows, 1) == "1"


async def test_what_was_known_stands_in_for_a_while_and_nothing_else_does(soon: None) -> None:
    rows = Rows()
    known = Lookups(rows.select, outlast=timedelta(seconds=1))
    assert await known.get(rows, 1) == "1"
    assert await known.get(rows, 1000) is None
    rows.away = True
    await asyncio.sleep(0.3)
    assert await known.get(rows, 1) == "1"
    for unknown in (2, 1000):
        with pytest.raises(ConnectionRefusedError):
            await known.get(rows, unknown)
    await asyncio.sleep(1)
    with pytest.raises(ConnectionRefusedError):
        await known.get(rows, 1)
    rows.away = False
    assert await known.get(rows, 1) == "1"
