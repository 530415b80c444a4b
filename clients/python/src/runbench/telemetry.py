"""Reading sensors back: `runbench.sensors("bench")`, and what capture sessions of a run hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from runbench import settings
from runbench.api import Api
from runbench.reading import FileFormat, arrow_table, export_to, resolve_project
from runbench.readings import micros

Values: TypeAlias = Literal["raw", "physical", "both"]


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one signal: equally long columns, ordered by time (µs since 1970); None marks a
    gap, and where a raw value has no physical one.

    exact says whether these are all count readings, or a picture of them that keeps every extreme.
    """

    signal: str
    t: list[int]
    raw: list[float | None]
    physical: list[float | None]
    unit: str
    count: int
    exact: bool


class StoredSensor:
    """A sensor as the server knows it; `data` is the whole of it.

    start and end are times as `Sensor.send` takes them: seconds (float), µs (int), a datetime.
    """

    def __init__(self, api: Api, data: Mapping[str, Any]) -> None:
        self.data = data
        self._api = api

    @property
    def id(self) -> str:
        return self.data["id"]

    @property
    def name(self) -> str:
        return self.data["name"]

    @property
    def health(self) -> str:
        """online, delayed, offline or never, by when the server last heard of it."""
        return self.data["health"]

    @property
    def signals(self) -> list[str]:
        listed = cast("list[dict[str, Any]]", self.data.get("signals") or [])
        return [signal["name"] for signal in listed]

    def series(
        self,
        *signals: str,
        start: object = None,
        end: object = None,
        values: Values = "both",
        points: int = 10_000,
    ) -> "dict[str, Readings]":
        """The readings of these signals (of all without any), by signal, at most `points` each.
        Raises ApiError, Unreachable.
        """
        query = self._query(signals, start, end, values)
        answer = self._api.get("/api/v1/telemetry/series", **query, points=points)
        return {each["signal"]: _readings(each) for each in answer["series"]}

    def latest(self) -> "dict[str, dict[str, Any]]":
        """The newest reading of each signal: t, received_at, raw, physical, unit. Raises ApiError,
        Unreachable.
        """
        answer = self._api.get("/api/v1/telemetry/latest", sensor_id=self.id)
        return {each["signal"]: each for each in answer["items"]}

    def export(
        self,
        path: str | Path,
        *signals: str,
        start: object = None,
        end: object = None,
        values: Values = "both",
        format: FileFormat | None = None,
    ) -> Path:
        """Write every reading of these signals (of all without any) to a file, .parquet, .arrow or
        .csv. The file is there whole or not at all. Raises ApiError, Unreachable, OSError,
        ValueError for a format that is none.
        """
        query = self._query(signals, start, end, values)
        return export_to(self._api, "/api/v1/telemetry/export", query, path, format)

    def history(
        self, *signals: str, start: object = None, end: object = None, values: Values = "both"
    ) -> Any:
        """Every reading of these signals as a pyarrow Table; `.to_pandas()` and
        `polars.from_arrow` take it from there. Needs pyarrow. Raises ApiError, Unreachable.
        """
        query = self._query(signals, start, end, values)
        return arrow_table(self._api, "/api/v1/telemetry/export", query)

    def _query(
        self, signals: tuple[str, ...], start: object, end: object, values: Values
    ) -> dict[str, Any]:
        return {
            "sensor_id": self.id,
            "signal": list(signals) or None,
            "from": None if start is None else micros(start),
            "to": None if end is None else micros(end),
            "values": values,
        }

    def __repr__(self) -> str:
        return f"<runbench stored sensor {self.name}: {self.data.get('health')}>"


class StoredCapture:
    """A capture session as the server knows it; `data` is the whole of it."""

    def __init__(self, api: Api, data: Mapping[str, Any]) -> None:
        self.data = data
        self._api = api
        self._path = f"/api/v1/capture-sessions/{data['id']}/telemetry"

    @property
    def id(self) -> str:
        return self.data["id"]

    @property
    def ordinal(self) -> int:
        return self.data["ordinal"]

    @property
    def status(self) -> str:
        return self.data["status"]

    def summary(self) -> Any:
        """What it holds by sensor and signal: counts, how many came late, ends, extremes. Raises
        ApiError, Unreachable.
        """
        return self._api.get(f"{self._path}/summary")

    def export(self, path: str | Path, *, format: FileFormat | None = None) -> Path:
        """Write every reading in it to a file, .parquet, .arrow or .csv. Raises ApiError,
        Unreachable, OSError, ValueError for a format that is none.
        """
        return export_to(self._api, f"{self._path}/export", {}, path, format)

    def history(self) -> Any:
        """Every reading in it as a pyarrow Table. Raises ApiError, Unreachable."""
        return arrow_table(self._api, f"{self._path}/export", {})

    def __repr__(self) -> str:
        return f"<runbench capture session {self.ordinal}: {self.status}>"


def _readings(entry: Mapping[str, Any]) -> Readings:
    return Readings(
        signal=entry["signal"],
        t=list(entry["t"]),
        raw=list(entry.get("raw") or []),
        physical=list(entry.get("physical") or []),
        unit=entry.get("unit") or "",
        count=entry["count"],
        exact=bool(entry.get("exact", True)),
    )


def sensors(project: str | None = None, *, q: str | None = None) -> list[StoredSensor]:
    """The sensors of a project (slug, name or id; default RUNBENCH_PROJECT, else the token's), by
    name; q: a part of it. Raises ApiError, Unreachable, LookupError for an unknown project.
    """
    current = settings.load()
    api = Api(current.url, current.token)
    found = resolve_project(api, project or current.project)
    listed = api.items(f"/api/v1/projects/{found['id']}/sensors", q=q)
    return [StoredSensor(api, data) for data in listed]
