"""Reading recorded runs back: `runbench.runs("bench")`."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from runbench import settings
from runbench.api import Api, ApiError, Unreachable
from runbench.artifacts import StoredArtifact, download_all, find_artifact, list_artifacts
from runbench.card import ROWS, card
from runbench.frames import frame_of
from runbench.upload import find_project
from runbench.values import json_object

if TYPE_CHECKING:
    from runbench.telemetry import StoredCapture

DEFAULT_LIMIT = 1000
CARD_SECONDS = 3.0

FileFormat: TypeAlias = Literal["parquet", "arrow", "csv"]
FORMATS: tuple[str, ...] = get_args(FileFormat)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a run at a glance. Times are µs since 1970."""

    key: str
    count: int
    first_step: int
    last_step: int
    last_value: float
    last_time: int | str | None
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One metric's points: equally long columns, ordered by step. Times are µs since 1970.

    exact says whether these are all count points, or a picture of them that keeps every extreme.
    """

    key: str
    step: list[int]
    value: list[float]
    time: list[int]
    count: int
    exact: bool


class StoredRun:
    """A run as the server knows it; `data` is the whole of it."""

    def __init__(self, api: Api, data: Mapping[str, Any], address: str) -> None:
        self.data = data
        self.url = address
        self._api = api

    @property
    def id(self) -> str:
        return self.data["id"]

    @property
    def name(self) -> str:
        return self.data["name"]

    @property
    def status(self) -> str:
        return self.data["status"]

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.data.get("params") or {})

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.data.get("tags") or {})

    @property
    def latest(self) -> dict[str, float]:
        """The latest value of each metric (at most 100 of them; `metrics()` has all)."""
        return {key: float(value) for key, value in json_object(self.data.get("metrics")).items()}

    def metrics(self, *, q: str | None = None) -> dict[str, Metric]:
        """Every metric at a glance, by key; with q only those whose key holds it. Raises ApiError,
        Unreachable.
        """
        found = self._api.items(f"/api/v1/runs/{self.id}/metrics", q=q)
        return {entry["key"]: _metric(entry) for entry in found}

    def series(self, *keys: str, points: int = 10_000) -> dict[str, Series]:
        """The points of these metrics, by key, at most `points` each. Raises ApiError,
        Unreachable.
        """
        path = f"/api/v1/runs/{self.id}/metrics/series"
        answer = self._api.get(path, key=list(keys), points=points)
        return {entry["key"]: _series(entry) for entry in answer["series"]}

    def row(self) -> dict[str, Any]:
        """The run as one flat row: params, metrics and tags as `params.lr`, `metrics.loss`, …"""
        plain = ("id", "name", "status", "experiment_name", "created_at", "duration_seconds")
        return {
            **{name: self.data.get(name) for name in plain},
            **{f"params.{key}": value for key, value in self.params.items()},
            **{f"metrics.{key}": value for key, value in self.latest.items()},
            **{f"tags.{key}": value for key, value in self.tags.items()},
        }

    def export(self, path: str | Path, *keys: str, format: FileFormat | None = None) -> Path:
        """Write every point of these metrics (of all without keys) to a file: columns key, step,
        value, time. The format is that of the name's end (.parquet, .arrow, .csv) unless given.

        The file is there whole or not at all. Raises ApiError, Unreachable, OSError, ValueError for
        a format that is none.
        """
        where = f"/api/v1/runs/{self.id}/metrics/export"
        return export_to(self._api, where, {"key": list(keys) or None}, path, format)

    def history(self, *keys: str) -> "Any":
        """Every point of these metrics (of all without keys) as a pyarrow Table: key, step, value,
        time. `.to_pandas()` and `polars.from_arrow` take it from there. Needs pyarrow.

        Raises ApiError, Unreachable.
        """
        where = f"/api/v1/runs/{self.id}/metrics/export"
        return arrow_table(self._api, where, {"key": list(keys) or None})

    def artifacts(self, prefix: str = "") -> list[StoredArtifact]:
        """The files of the run; with a prefix those of one folder. Raises ApiError, Unreachable."""
        return list_artifacts(self._api, self.id, prefix)

    def artifact(self, path: str) -> StoredArtifact:
        """The file with this path. Raises LookupError, ApiError, Unreachable."""
        return find_artifact(self._api, self.id, path)

    def download(self, to: str | Path, prefix: str = "") -> Path:
        """Write the files of the run (of one folder with a prefix) below a folder; that folder.
        Raises what `StoredArtifact.download` does.
        """
        folder = Path(to).expanduser()
        download_all(self.artifacts(prefix), folder)
        return folder

    def capture_sessions(self) -> "list[StoredCapture]":
        """The windows in which sensors were recorded for this run, the first one first. Raises
        ApiError, Unreachable.
        """
        from runbench.telemetry import StoredCapture  # noqa: PLC0415 - most runs have none

        listed = self._api.items(f"/api/v1/runs/{self.id}/capture-sessions")
        found = [StoredCapture(self._api, data) for data in listed]
        return sorted(found, key=lambda session: session.ordinal)

    def __repr__(self) -> str:
        return f"<runbench stored run {self.name}: {self.status}, {self.url}>"

    def card(self) -> str:
        """The run as a static card of HTML, for notebooks."""
        latest = self.latest
        curves: dict[str, list[float]] = {}
        if latest:
            try:
                found = self.series(*list(latest)[:ROWS], points=100)
                curves = {key: series.value for key, series in found.items()}
            except (ApiError, Unreachable):
                pass
        return card(self.name, self.status, self.url, self.params, curves, latest)

    _repr_html_ = card


class Runs(list[StoredRun]):
    """Runs, newest first unless sorted; `pandas.DataFrame(found.rows())` makes a table."""

    def rows(self) -> list[dict[str, Any]]:
        """One flat row a run, see `StoredRun.row`."""
        return [run.row() for run in self]

    def to_frame(self, library: Literal["pandas", "polars"] | None = None) -> Any:
        """A data frame with one row a run, by pandas or polars (default: the one that is there).
        Raises ImportError when it is not.
        """
        return frame_of(self.rows(), library)


def runs(
    project: str | None = None,
    *,
    experiment: str | None = None,
    status: str | Iterable[str] | None = None,
    q: str | None = None,
    tag: str | None = None,
    sort: str = "-created_at",
    filter: str | None = None,
    order_by: str | Iterable[str] | None = None,
    limit: int | None = DEFAULT_LIMIT,
) -> Runs:
    """The runs of a project (slug, name or id; default RUNBENCH_PROJECT, else the token's).

    status: one or several; q: words in the name; tag: `key` or `key=value`; sort: a field,
    `metrics.<key>` or `params.<key>`, with `-` for descending; limit=None fetches all.
    filter: the search language, `metrics.loss < 0.2 and params.optimizer = "adam"`; order_by:
    `metrics.loss asc`, or several of that kind, instead of sort.
    Raises ApiError, Unreachable, LookupError when project or experiment is not there.
    """
    current = settings.load()
    api = Api(current.url, current.token)
    found = resolve_project(api, project or current.project)
    experiment_id = None
    if experiment is not None:
        path = f"/api/v1/projects/{found['id']}/experiments"
        named = next(iter(api.items(path, name=experiment, limit=1)), None)
        if named is None:
            raise LookupError(f"there is no experiment {experiment!r} in {found['slug']}")
        experiment_id = named["id"]
    listed = api.items(
        f"/api/v1/projects/{found['id']}/runs",
        limit=limit,
        experiment_id=experiment_id,
        status=status if status is None or isinstance(status, str) else list(status),
        q=q,
        tag=tag,
        sort=sort if order_by is None else None,
        filter=filter,
        order_by=order_by if order_by is None or isinstance(order_by, str) else list(order_by),
    )
    base = current.portal_url or current.url
    return Runs(StoredRun(api, data, f"{base}/p/{found['slug']}/r/{data['id']}") for data in listed)


def export_to(
    api: Api,
    where: str,
    query: Mapping[str, Any],
    path: str | Path,
    format: FileFormat | None,
) -> Path:
    """Write what an address exports to a file, whole or not at all, in the format of its name's end
    unless one is given. Raises ApiError, Unreachable, OSError, ValueError.
    """
    target = Path(path)
    chosen = format or target.suffix.lstrip(".").lower()
    if chosen not in FORMATS:
        raise ValueError(f"{chosen!r} is no format; use one of {', '.join(FORMATS)}")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            for piece in api.stream(where, {**query, "format": chosen}):
                file.write(piece)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def arrow_table(api: Api, where: str, query: Mapping[str, Any]) -> Any:
    """What an address exports, as a pyarrow Table. Raises ApiError, Unreachable, ImportError."""
    import pyarrow.ipc  # noqa: PLC0415 # pyright: ignore[reportMissingImports]

    pieces = api.stream(where, {**query, "format": "arrow"})
    reader: Any = pyarrow.ipc
    return reader.open_stream(b"".join(pieces)).read_all()


def live_card(
    current: settings.Settings,
    run_id: str | None,
    name: str,
    status: str,
    url: str,
    params: Mapping[str, Any],
) -> str:
    """The card of a run that is being recorded; without curves where the server does not say."""
    if run_id and current.token and current.mode == "online":
        try:
            with Api(current.url, current.token, read_timeout=CARD_SECONDS) as api:
                return StoredRun(api, api.get(f"/api/v1/runs/{run_id}"), url).card()
        except (ApiError, Unreachable):
            pass
    return card(name, status, url, params, {}, {})


def resolve_project(api: Api, wanted: str | None) -> dict[str, Any]:
    """The project that is meant: the named one, else the token's. Raises LookupError, ApiError,
    Unreachable.
    """
    if wanted is None:
        scope = json_object(api.get("/auth/me").get("scope"))
        if not scope.get("project_id"):
            raise LookupError("no project was named: use --project or set RUNBENCH_PROJECT")
        return api.get(f"/api/v1/projects/{scope['project_id']}")
    found = find_project(api, wanted)
    if found is None:
        raise LookupError(f"there is no project {wanted!r} at {api.url} that you may see")
    return found


def find_run(found: Mapping[str, Any], api: Api, reference: str, base: str) -> StoredRun:
    """The run of a project that is meant: an id or the end of one, a name, `@latest`, or
    `@best:<metric>` (largest) and `@best:-<metric>` (smallest). Raises LookupError, ApiError,
    Unreachable.
    """
    path = f"/api/v1/projects/{found['id']}/runs"
    data: dict[str, Any] | None = None
    if reference == "@latest":
        data = next(iter(api.items(path, sort="-created_at", limit=1)), None)
    elif reference.startswith("@best:"):
        key = reference.removeprefix("@best:")
        sort = f"metrics.{key[1:]}" if key.startswith("-") else f"-metrics.{key}"
        data = next(iter(api.items(path, sort=sort, limit=1)), None)
    else:
        data = _by_id(api, reference) or _by_name(api, path, reference)
    if data is None:
        raise LookupError(f"there is no run {reference!r} in {found['slug']}")
    return StoredRun(api, data, f"{base}/p/{found['slug']}/r/{data['id']}")


def _by_id(api: Api, reference: str) -> dict[str, Any] | None:
    if len(reference) != 36:
        return None
    try:
        return api.get(f"/api/v1/runs/{reference}")
    except ApiError as error:
        if error.status in (404, 422):
            return None
        raise


def _by_name(api: Api, path: str, reference: str) -> dict[str, Any] | None:
    for data in api.items(path, q=reference, sort="-created_at", limit=50):
        if data["name"].casefold() == reference.casefold():
            return data
    if len(reference) >= 4 and all(c in "0123456789abcdef-" for c in reference):
        for data in api.items(path, sort="-created_at", limit=1000):
            if data["id"].endswith(reference) or data["id"].startswith(reference):
                return data
    return None


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _metric(entry: Mapping[str, Any]) -> Metric:
    return Metric(
        key=entry["key"],
        count=entry["count"],
        first_step=entry["first_step"],
        last_step=entry["last_step"],
        last_value=float(entry["last_value"]),
        last_time=entry.get("last_time"),
        min=_number(entry.get("min")),
        max=_number(entry.get("max")),
    )


def _series(entry: Mapping[str, Any]) -> Series:
    return Series(
        key=entry["key"],
        step=list(entry["step"]),
        value=[float(value) for value in entry["value"]],
        time=list(entry.get("time") or []),
        count=entry["count"],
        exact=bool(entry.get("exact", True)),
    )
