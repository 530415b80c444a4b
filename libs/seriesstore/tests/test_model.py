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
from seriesstore.aggregate import Intervals, aggregate
from seriesstore.append import Batch, append
from seriesstore.compact import compact
from seriesstore.live import current_ordinals, read_news
from seriesstore.points import Axis, Points
from seriesstore.read import Picture, Window, read_pictures, read_points, snapshot
from seriesstore.summary import find_summaries, list_summaries
from strategies import bits, columns, keys, steps

type Row = tuple[int, float, int]
type Part = tuple[float, float] | None

axes = st.sampled_from(["x", "time"])
# Which part of a series is looked at: from one share of its points to another, or all of it.
parts = st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1))


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def along(row: Row, axis: Axis) -> int:
    return row[0] if axis == "x" else row[2]


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
            self.connection: asyncpg.Connection[Any] = self.run(
                asyncpg.connect(dsn, server_settings={"search_path": "series"})
            )
            self.batches: list[dict[str, list[Row]]] = []
            self.place = 0

        def teardown(self) -> None:
            if hasattr(self, "connection"):
                self.run(self.connection.close())

        async def _append(self, batches: list[Batch], *, abort: bool = False) -> list[bool]:
            async with self.connection.transaction():
                receipts = await append(self.connection, batches)
                if abort:
                    raise Aborted
            return [receipt.new for receipt in receipts]

        def _note(self, content: dict[str, list[Row]]) -> None:
            self.batches.append(content)
            for key, rows in content.items():
                self.model[key] += rows

        def _batch(self, content: dict[str, list[Row]], batch_id: UUID | None) -> Batch:
            return Batch(
                self.owner,
                {
                    key: Points.of(*(list(part) for part in zip(*rows, strict=True)))
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
            self._note(content)
            return batch

        @rule(first=st.dictionaries(keys, columns(), min_size=1), again=batches)
        def append_with_a_repeat(self, first: dict[str, list[Row]], again: Batch) -> None:
            if again.id is None:
                return
            new = self._batch(first, uuid4())
            assert self.run(self._append([again, new, new])) == [False, True, False]
            self._note(first)

        @rule(content=st.dictionaries(keys, columns(), min_size=1))
        def abort(self, content: dict[str, list[Row]]) -> None:
            batch_id = uuid4()
            with pytest.raises(Aborted):
                self.run(self._append([self._batch(content, batch_id)], abort=True))
            assert self.run(self._append([self._batch(content, batch_id)])) == [True]
            self._note(content)

        @rule()
        def compact(self) -> None:
            for _ in range(10):
                done = self.run(compact(self.connection, idle_sec=0))
                if not done.chunks_before:
                    break
            else:
                raise AssertionError("compaction never ends")

        @rule(key=keys, axis=axes)
        def read_all(self, key: str, axis: Axis) -> None:
            assert self._stored(key, axis) == self._expected(self.model[key], axis)

        @rule(key=keys, ends=st.tuples(steps, steps))
        def read_a_range(self, key: str, ends: tuple[int, int]) -> None:
            low, high = min(ends), max(ends)
            inside = [row for row in self.model[key] if low <= row[0] <= high]
            assert self._stored(key, "x", low=low, high=high) == self._expected(inside)

        @rule(key=keys, axis=axes, part=parts, at_most=st.integers(10, 200))
        def draw(self, key: str, axis: Axis, part: Part, at_most: int) -> None:
            series_id = self._series(key)
            if series_id is None:
                return
            low, high = self._ends(key, axis, part)
            inside = self._inside(key, axis, low, high)
            drawn = self.run(self._draw(Window(series_id, low, high), axis, at_most))
            shown = [(x, bits(v), t) for x, v, t in self._rows(drawn.points)]
            there = [(x, bits(v), t) for x, v, t in inside]

            assert drawn.count == len(inside)
            assert drawn.exact == (len(shown) == len(inside))
            assert len(shown) <= at_most
            assert drawn.points.is_sorted(axis)
            assert not set(shown) - set(there), "a picture invents nothing"
            known = [v for _, v, _ in inside if not math.isnan(v)]
            seen = drawn.points.value[~np.isnan(drawn.points.value)]
            if known:
                assert (seen.min(), seen.max()) == (min(known), max(known))
            assert bool(np.isnan(drawn.points.value).any()) == (len(known) < len(inside))

        async def _draw(self, window: Window, axis: Axis, at_most: int) -> Picture:
            async with snapshot(self.connection):
                drawn = await read_pictures(self.connection, [window], at_most=at_most, axis=axis)
            return drawn[window.series_id]

        @rule(key=keys, axis=axes, part=parts, count=st.integers(1, 50))
        def sum_up(self, key: str, axis: Axis, part: Part, count: int) -> None:
            series_id = self._series(key)
            if series_id is None:
                return
            low, high = self._ends(key, axis, part)
            rows = self._inside(key, axis, low, high)
            if low is None or high is None:
                return
            intervals = Intervals.over(low, high, count)
            found = self.run(aggregate(self.connection, series_id, intervals, axis=axis))
            by_place: dict[int, list[float]] = defaultdict(list)
            for row in rows:
                at = max(edge for edge in intervals.edges.tolist() if edge <= along(row, axis))
                by_place[at].append(row[1])
            assert found.x.tolist() == sorted(by_place)
            for number, at in enumerate(sorted(by_place)):
                values = by_place[at]
                known = [value for value in values if not math.isnan(value)]
                finite = [value for value in known if math.isfinite(value)]
                assert found.count[number] == len(values)
                # 0.0 and -0.0 are equally small.
                assert same(found.min[number], min(known, default=math.nan))
                assert same(found.max[number], max(known, default=math.nan))
                if not finite:
                    assert math.isnan(found.mean[number])
                elif sum(map(abs, finite)) < 1e300:
                    scale = max(map(abs, finite)) or 1.0
                    assert abs(found.mean[number] - sum(finite) / len(finite)) <= 1e-9 * scale

        @rule()
        def summarise(self) -> None:
            found = {one.key: one for one in self.run(list_summaries(self.connection, self.owner))}
            assert sorted(found) == sorted(key for key, rows in self.model.items() if rows)
            for key, one in found.items():
                rows = self.model[key]
                by_x = sorted(rows, key=lambda row: row[0])
                known = [value for _, value, _ in rows if not math.isnan(value)]
                assert one.count == len(rows)
                for row, said in (
                    (by_x[0], (one.first_x, one.first_value, one.first_time)),
                    (
                        [row for row in rows if row[0] == by_x[-1][0]][-1],
                        (one.last_x, one.last_value, one.last_time),
                    ),
                ):
                    assert (said[0], bits(said[1]), said[2]) == (row[0], bits(row[1]), row[2])
                assert one.min_value == (min(known) if known else None)
                assert one.max_value == (max(known) if known else None)
                pairs = {(row[0], row[1]) for row in rows}
                assert (
                    not known or {(one.min_x, one.min_value), (one.max_x, one.max_value)} <= pairs
                )

        @rule(at_most=st.sampled_from([1, 50, 10_000]))
        def follow(self, at_most: int) -> None:
            while news := self.run(
                read_news(self.connection, self.owner, after=self.place, at_most=at_most)
            ):
                batches = self.batches[self.place : news.ordinal]
                self.place = news.ordinal
                for key, points in news.points:
                    logged = [row for batch in batches for row in batch.get(key, [])]
                    # Of a batch that was merged, the points come by x.
                    theirs = [(x, bits(v), t) for x, v, t in self._rows(points)]
                    assert sorted(theirs, key=repr) == sorted(
                        [(x, bits(v), t) for x, v, t in logged], key=repr
                    )
                assert {key for key, _ in news.points} == {
                    key for batch in batches for key in batch
                }
            ordinals = self.run(current_ordinals(self.connection, [self.owner]))
            assert self.place == len(self.batches) == ordinals.get(self.owner, 0)

        def _ends(self, key: str, axis: Axis, part: Part) -> tuple[int | None, int | None]:
            if part is None:
                return None, None
            places = sorted(along(row, axis) for row in self.model[key])
            chosen = sorted(int(share * (len(places) - 1)) for share in part)
            return places[chosen[0]], places[chosen[1]]

        def _inside(self, key: str, axis: Axis, low: int | None, high: int | None) -> list[Row]:
            return [
                row
                for row in self.model[key]
                if (low is None or along(row, axis) >= low)
                and (high is None or along(row, axis) <= high)
            ]

        def _series(self, key: str) -> int | None:
            found = self.run(find_summaries(self.connection, [self.owner], [key]))
            return found[0].id if found else None

        def _stored(self, key: str, axis: Axis, **ends: int) -> list[Any]:
            series_id = self._series(key)
            if series_id is None:
                return []
            points = self.run(read_points(self.connection, series_id, axis=axis, **ends))
            return [(x, bits(v), t) for x, v, t in self._rows(points)]

        @staticmethod
        def _rows(points: Points) -> list[Row]:
            assert points.time is not None
            return list(
                zip(points.x.tolist(), points.value.tolist(), points.time.tolist(), strict=True)
            )

        @staticmethod
        def _expected(rows: list[Row], axis: Axis = "x") -> list[Any]:
            by_x = sorted(rows, key=lambda row: row[0])
            return [(x, bits(v), t) for x, v, t in sorted(by_x, key=lambda row: along(row, axis))]

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
