"""Reading what is compared: each part in one call for all runs, and what is missing."""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import TypeAdapter
from servicekit.problems import Unavailable

from comparison_service.clients.services import Caller, NoAnswer, ServiceName, Services, TooLong
from comparison_service.errors import TooMuchToCompare
from comparison_service.models.selection import FoundRun, Missing
from comparison_service.models.series import SeriesComparison

type PartName = Literal["metrics", "artifacts", "telemetry", "capture_sessions"]

# As many series as one read of metrics-service asks for, if they are of several metrics.
SERIES_AT_ONCE = 60

_RUNS = TypeAdapter(list[FoundRun])


class Reading:
    """One caller's reads for one answer; `missing` gathers what could not be read."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self.services = services
        self.caller = caller
        self.missing: list[Missing] = []

    async def runs(self, run_ids: Sequence[UUID]) -> list[FoundRun]:
        """The runs in the order of the ids. Without them there is nothing to compare.

        Raises:
            NotFound: one of them is missing, or of a project that the caller does not see.
            TooMuchToCompare: they hold more than is kept in memory.
            Unavailable: experiment-service does not answer.
        """
        body = {"run_ids": [str(run_id) for run_id in run_ids]}
        try:
            answer = await self.services.read(
                self.caller, "experiment-service", "/api/v1/runs/lookup", body=body
            )
        except TooLong as exc:
            msg = "The params of these runs are too large to compare: choose fewer runs."
            raise TooMuchToCompare(msg) from exc
        except NoAnswer as exc:
            msg = f"{exc}."
            raise Unavailable(msg) from exc
        return _RUNS.validate_python(answer["items"])

    async def metrics(
        self, run_ids: Sequence[UUID], keys: Sequence[str] | None = None
    ) -> list[dict[str, Any]] | None:
        """The metrics of runs by key, each summed up; None where they could not be read."""
        body = {"run_ids": [str(run_id) for run_id in run_ids], "keys": keys}
        answer = await self.part(
            "metrics",
            self.services.read(
                self.caller, "metrics-service", "/api/v1/metrics/summaries", body=body
            ),
        )
        if answer and not answer["complete"]:
            self.note("metrics", "there are more metrics than are compared at once")
        return answer and answer["items"]

    async def aligned(self, asked: SeriesComparison) -> list[dict[str, Any]] | None:
        """Metrics of runs on one grid each; None where they could not be read.

        Some metrics at a time: while one answer is decoded the next is read from the database.
        """
        some = max(1, SERIES_AT_ONCE // len(asked.run_ids))
        groups = [asked.metrics[at : at + some] for at in range(0, len(asked.metrics), some)]
        found = await all_of([self._aligned(asked, keys) for keys in groups])
        if all(metrics is None for metrics in found):
            return None
        return [metric for metrics in found for metric in metrics or []]

    async def _aligned(
        self, asked: SeriesComparison, keys: Sequence[str]
    ) -> list[dict[str, Any]] | None:
        body = {
            "run_ids": [str(run_id) for run_id in asked.run_ids],
            "keys": keys,
            "x": asked.x,
            "points": asked.points,
        }
        answer = await self.part(
            "metrics",
            self.services.read(
                self.caller, "metrics-service", "/api/v1/metrics/aligned", body=body
            ),
        )
        return answer and answer["metrics"]

    async def metric_statistics(
        self, run_ids: Sequence[UUID], keys: Sequence[str], percentiles: Sequence[float]
    ) -> list[dict[str, Any]] | None:
        """Mean, deviation and percentiles of metrics; None where they could not be read."""
        body = {
            "run_ids": [str(run_id) for run_id in run_ids],
            "keys": keys,
            "percentiles": percentiles,
        }
        return await self._items("metrics", "metrics-service", "/api/v1/metrics/statistics", body)

    async def captures_of_runs(self, run_ids: Sequence[UUID]) -> list[dict[str, Any]] | None:
        """The capture sessions of runs, the newest first; None where they could not be read."""
        body = {"run_ids": [str(run_id) for run_id in run_ids]}
        path = "/api/v1/capture-sessions/lookup"
        return await self._items("capture_sessions", "experiment-service", path, body)

    async def captures(self, session_ids: Sequence[UUID]) -> list[dict[str, Any]] | None:
        """Capture sessions by their ids; None where they could not be read."""
        body = {"capture_session_ids": [str(one) for one in session_ids]}
        path = "/api/v1/capture-sessions/lookup"
        return await self._items("capture_sessions", "experiment-service", path, body)

    async def events(self, session_id: UUID) -> list[dict[str, Any]] | None:
        """The first 10,000 events of a capture session; None where they could not be read."""
        path = f"/api/v1/capture-sessions/{session_id}/events"
        found: list[dict[str, Any]] = []
        params = [("limit", "1000")]
        for _ in range(10):
            page = await self.part(
                "capture_sessions",
                self.services.read(self.caller, "experiment-service", path, params=params),
            )
            if page is None:
                return None
            found += page["items"]
            if page["next_cursor"] is None:
                break
            params = [("limit", "1000"), ("cursor", page["next_cursor"])]
        return found

    async def telemetry(
        self,
        session_id: UUID,
        *,
        sensor_ids: Sequence[UUID],
        signals: Sequence[str],
        points: int,
        values: str,
    ) -> list[dict[str, Any]] | None:
        """Pictures of signals of a capture session; None where they could not be read."""
        params = [("points", str(points)), ("values", values)]
        params += [("sensor_id", str(sensor_id)) for sensor_id in sensor_ids]
        params += [("signal", signal) for signal in signals]
        path = f"/api/v1/capture-sessions/{session_id}/telemetry"
        answer = await self.part(
            "telemetry",
            self.services.read(self.caller, "telemetry-ingest-service", path, params=params),
        )
        return answer and answer["series"]

    async def signal_statistics(
        self, items: Sequence[dict[str, Any]], percentiles: Sequence[float], values: str
    ) -> list[dict[str, Any]] | None:
        """Figures of signals over capture sessions; None where they could not be read."""
        body = {"items": items, "percentiles": percentiles, "values": values}
        path = "/api/v1/telemetry/statistics"
        return await self._items("telemetry", "telemetry-ingest-service", path, body)

    async def _items(
        self, part: PartName, service: ServiceName, path: str, body: object
    ) -> list[dict[str, Any]] | None:
        answer = await self.part(part, self.services.read(self.caller, service, path, body=body))
        return answer and answer["items"]

    async def artifacts(self, run_ids: Sequence[UUID]) -> list[dict[str, Any]] | None:
        """The files of runs by path; None where they could not be read."""
        body = {"run_ids": [str(run_id) for run_id in run_ids]}
        answer = await self.part(
            "artifacts",
            self.services.read(
                self.caller, "artifact-service", "/api/v1/artifacts/lookup", body=body
            ),
        )
        if answer and not answer["complete"]:
            self.note("artifacts", "there are more files than are compared at once")
        return answer and answer["items"]

    async def part(self, name: PartName, answer: Awaitable[Any]) -> Any:
        """The answer, or None and a note where there is none."""
        try:
            return await answer
        except NoAnswer as exc:
            self.note(name, str(exc))
            return None

    def note(self, part: PartName, reason: str, run_id: UUID | None = None) -> None:
        """Say that something is missing, once."""
        missing = Missing(part=part, run_id=run_id, reason=reason)
        if missing not in self.missing:
            self.missing.append(missing)


async def together[A, B](one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Both at once; where one fails the other is not waited for."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return first.result(), second.result()


async def all_of[A](calls: Sequence[Coroutine[Any, Any, A]]) -> list[A]:
    """All at once, in their order; where one fails the others are not waited for."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
