"""The store against a plain list: append, repeat, abort, compact, read, follow."""

import asyncio
import math
from collections import defaultdict
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from localpostgres import Cluster
from seriesstore.append import Batch, append
from seriesstore.compact import compact
from seriesstore.live import current_place, read_news
from seriesstore.points import Points
from seriesstore.read import read_pictures, read_points
from seriesstore.summary import find_summaries, list_summaries
from strategies import bits, columns, keys, steps

type Row = tuple[int, float, int]


class Aborted(Exception):
    """The writer is gone before its commit."""


def machine(dsn: str, loop: asyncio.AbstractEventLoop) -> type[RuleBasedStateMachine]:
    class Store(RuleBasedStateMachine):
        batches = Bundle("batches")

        def run(self, work: Any) -> Any:
            return loop.run_until_complete(work)

        @initialize()
        def connect(self) -> None:
            self.owner = uuid4()
            self.model: dict[str, list[Row]] = defaultdict(list)
            self.followed: dict[str, list[Row]] = defaultdict(list)
            self.connection: asyncpg.Connection[Any] = self.run(
                asyncpg.connect(dsn, server_settings={"search_path": "series"})
            )
            self.place = self.run(current_place(self.connection))

        def teardown(self) -> None:
            if hasattr(self, "connection"):
                self.run(self.connection.close())

        async def _append(self, batches: list[Batch], *, abort: bool = False) -> list[bool]:
            async with self.connection.transaction():
                fresh = await append(self.connection, batches)
                if abort:
                    raise Aborted
            return fresh

        def _batch(self, content: dict[str, list[Row]], batch_id: UUID | None) -> Batch:
            return Batch(
                {
                    (self.owner, key): Points.of(*(list(part) for part in zip(*rows, strict=True)))
                    for key, rows in content.items()
                },
                batch_id,
            )

        @rule(
            target=batches,
            content=st.dictionaries(keys, columns(), min_size=1),
            named=st.booleans(),
        )
        def append(self, content: dict[str, list[Row]], named: bool) -> Any:  # noqa: FBT001
            batch = self._batch(content, uuid4() if named else None)
            assert self.run(self._append([batch])) == [True]
            for key, rows in content.items():
                self.model[key] += rows
            return batch

        @rule(first=st.dictionaries(keys, columns(), min_size=1), again=batches)
        def append_with_a_repeat(self, first: dict[str, list[Row]], again: Batch) -> None:
            if again.id is None:
                return
            new = self._batch(first, uuid4())
            assert self.run(self._append([again, new, new])) == [False, True, False]
            for key, rows in first.items():
                self.model[key] += rows

        @rule(content=st.dictionaries(keys, columns(), min_size=1))
        def abort(self, content: dict[str, list[Row]]) -> None:
            batch_id = uuid4()
            with pytest.raises(Aborted):
                self.run(self._append([self._batch(content, batch_id)], abort=True))
            assert self.run(self._append([self._batch(content, batch_id)])) == [True]
            for key, rows in content.items():
                self.model[key] += rows

        @rule()
        def compact(self) -> None:
            for _ in range(10):
                done = self.run(compact(self.connection, settle_sec=0, idle_sec=0))
                if not done.chunks_before:
                    break
            else:
                raise AssertionError("compaction never ends")

        @rule(key=keys)
        def read_all(self, key: str) -> None:
            assert self._stored(key) == self._expected(self.model[key])

        @rule(key=keys, ends=st.tuples(steps, steps))
        def read_a_range(self, key: str, ends: tuple[int, int]) -> None:
            low, high = min(ends), max(ends)
            inside = [row for row in self.model[key] if low <= row[0] <= high]
            assert self._stored(key, low=low, high=high) == self._expected(inside)

        @rule(key=keys, ends=st.none() | st.tuples(steps, steps), at_most=st.integers(10, 200))
        def draw(self, key: str, ends: tuple[int, int] | None, at_most: int) -> None:
            series_id = self._series(key)
            if series_id is None:
                return
            low, high = (min(ends), max(ends)) if ends else (None, None)
            inside = [
                row
                for row in self.model[key]
                if (low is None or row[0] >= low) and (high is None or row[0] <= high)
            ]
            drawn = self.run(
                read_pictures(self.connection, [series_id], at_most=at_most, low=low, high=high)
            )[series_id]
            shown = [
                (int(x), bits(v)) for x, v in zip(drawn.points.x, drawn.points.value, strict=True)
            ]
            there = [(x, bits(v)) for x, v, _ in inside]

            assert drawn.count == len(inside)
            assert drawn.exact == (len(shown) == len(inside))
            assert len(shown) <= max(at_most, 5)
            assert [x for x, _ in shown] == sorted(x for x, _ in shown)
            assert not set(shown) - set(there), "a picture invents nothing"
            known = [v for _, v, _ in inside if not math.isnan(v)]
            seen = drawn.points.value[~np.isnan(drawn.points.value)]
            if known:
                assert (seen.min(), seen.max()) == (min(known), max(known))
            assert bool(np.isnan(drawn.points.value).any()) == (len(known) < len(inside))

        @rule()
        def summarise(self) -> None:
            found = {one.key: one for one in self.run(list_summaries(self.connection, self.owner))}
            assert sorted(found) == sorted(key for key, rows in self.model.items() if rows)
            for key, one in found.items():
                rows = self.model[key]
                last = sorted(enumerate(rows), key=lambda item: (item[1][0], item[0]))[-1][1]
                known = [value for _, value, _ in rows if not math.isnan(value)]
                assert one.count == len(rows)
                assert (one.first_x, one.last_x) == (min(r[0] for r in rows), last[0])
                assert (bits(one.last_value), one.last_time) == (bits(last[1]), last[2])
                assert one.min_value == (min(known) if known else None)
                assert one.max_value == (max(known) if known else None)

        @rule()
        def follow(self) -> None:
            while True:
                news = self.run(
                    read_news(self.connection, self.place, owner_ids=[self.owner], at_most=3)
                )
                self.place = news.place
                if not news.complete:
                    self.followed = defaultdict(
                        list, {key: list(rows) for key, rows in self.model.items()}
                    )
                for _, key, points in news.points:
                    self.followed[key] += self._rows(points)
                if not news.points:
                    break
            for key, rows in self.model.items():
                mine, theirs = self._expected(self.followed[key]), self._expected(rows)
                assert sorted(mine, key=repr) == sorted(theirs, key=repr)

        def _series(self, key: str) -> int | None:
            found = self.run(find_summaries(self.connection, [self.owner], [key]))
            return found[0].id if found else None

        def _stored(self, key: str, **ends: int) -> list[Any]:
            series_id = self._series(key)
            if series_id is None:
                return []
            points = self.run(read_points(self.connection, series_id, **ends))
            return [(x, bits(v), t) for x, v, t in self._rows(points)]

        @staticmethod
        def _rows(points: Points) -> list[Row]:
            assert points.time is not None
            return list(
                zip(points.x.tolist(), points.value.tolist(), points.time.tolist(), strict=True)
            )

        @staticmethod
        def _expected(rows: list[Row]) -> list[Any]:
            return [(x, bits(v), t) for x, v, t in sorted(rows, key=lambda row: row[0])]

    return Store


def test_the_store_does_what_a_list_does(cluster: Cluster, database_url: str) -> None:
    loop = asyncio.new_event_loop()
    try:
        run_state_machine_as_test(
            machine(database_url, loop),
            settings=settings(
                max_examples=60,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        loop.close()
