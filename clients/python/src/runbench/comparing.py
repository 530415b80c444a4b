"""Comparing recorded runs: `runbench.compare(["first", "second"])`."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, cast

from runbench import settings
from runbench.api import Api
from runbench.frames import frame_of
from runbench.reading import StoredRun, find_run, resolve_project
from runbench.values import json_object

Given: TypeAlias = StoredRun | str
Row: TypeAlias = dict[str, Any]

# The parts of a comparison whose rows are a key and a value a run.
PARTS = ("params", "tags", "environment")
SUMMARIES = ("last", "min", "max", "best")


class Comparison:
    """Runs side by side; `data` is the whole answer of the server.

    What could not be read stands in `missing`; what a run does not have is None.
    """

    def __init__(self, api: Api, data: Mapping[str, Any]) -> None:
        self.data = data
        self._api = api

    @property
    def runs(self) -> list[Row]:
        """The runs, in the order in which they were asked for."""
        return cast("list[Row]", list(self.data["runs"]))

    @property
    def ids(self) -> list[str]:
        """The runs' ids."""
        return [str(run["id"]) for run in self.runs]

    @property
    def names(self) -> list[str]:
        """The runs' names; where two have the same one, with the end of their ids."""
        names = [str(run["name"]) for run in self.runs]
        return [
            name if names.count(name) == 1 else f"{name} …{run_id[-6:]}"
            for name, run_id in zip(names, self.ids, strict=True)
        ]

    @property
    def missing(self) -> list[Row]:
        """What could not be read: which part, of which run, and why."""
        return cast("list[Row]", list(self.data.get("missing") or []))

    @property
    def best(self) -> dict[str, str]:
        """For each metric of which that is known, the id of the best run."""
        found = cast("list[Row]", self.data.get("metrics") or [])
        return {str(m["key"]): str(m["best_run_id"]) for m in found if m.get("best_run_id")}

    @property
    def baseline(self) -> str | None:
        """Id of the run that the others are compared with."""
        return self.data.get("baseline_run_id")

    def table(self, *, only_different: bool = False) -> list[Row]:
        """One row a param, tag, part of the environment, metric and file, of each what differs
        first: `part`, `key`, `differs`, and under each run's name its value (of a metric the last
        one, of a file the beginning of its SHA-256).
        """
        names = self.names
        rows: list[Row] = []
        for part in PARTS:
            for entry in cast("list[Row]", self.data.get(part) or []):
                values = dict(zip(names, entry["values"], strict=True))
                rows.append(_row(part, entry["key"], bool(entry["differs"]), values))
        for entry in cast("list[Row]", self.data.get("metrics") or []):
            values = dict(zip(names, (_figure(cell) for cell in entry["cells"]), strict=True))
            rows.append(_row("metrics", entry["key"], bool(entry["differs"]), values))
        for entry in cast("list[Row]", self.data.get("artifacts") or []):
            digests = [str(json_object(c).get("sha256") or "")[:12] or None for c in entry["cells"]]
            values = dict(zip(names, digests, strict=True))
            rows.append(_row("artifacts", entry["path"], bool(entry["differs"]), values))
        return [row for row in rows if row["differs"] or not only_different]

    def rows(self) -> list[Row]:
        """One flat row a run: `name`, `status`, …, `params.lr`, `metrics.loss` (the last value),
        `metrics.loss.min`, `.max`, `.best`, `tags.rig`, `environment.python`.
        """
        rows: list[Row] = []
        for place, run in enumerate(self.runs):
            row = {name: run.get(name) for name in ("id", "name", "status", "duration_seconds")}
            row["baseline"] = run["id"] == self.baseline
            for part in PARTS:
                for entry in cast("list[Row]", self.data.get(part) or []):
                    row[f"{part}.{entry['key']}"] = entry["values"][place]
            for entry in cast("list[Row]", self.data.get("metrics") or []):
                cell = entry["cells"][place]
                row[f"metrics.{entry['key']}"] = _figure(cell)
                for summary in SUMMARIES[1:]:
                    row[f"metrics.{entry['key']}.{summary}"] = _figure(cell, summary)
            rows.append(row)
        return rows

    def to_frame(self, library: Literal["pandas", "polars"] | None = None) -> Any:
        """A data frame with one row a run, by pandas or polars (default: the one that is there).
        Raises ImportError when it is not.
        """
        return frame_of(self.rows(), library)

    def series(
        self,
        *metrics: str,
        x: Literal["step", "time", "relative"] = "step",
        points: int = 300,
        group_by: Iterable[str] | None = None,
        center: Literal["mean", "median"] = "mean",
        band: Literal["std", "minmax", "none"] = "std",
    ) -> list[Row]:
        """Metrics of these runs on one axis: for each its `key`, `x` and `runs` (columns `last`,
        `min`, `max`). With group_by (keys of params; () for all runs) also `groups`: `label`,
        `center`, `low`, `high` and `n` over the runs whose params are the same.

        x: steps, µs since 1970, or µs since the run's first point. Raises ApiError, Unreachable.
        """
        body: Row = {"run_ids": self.ids, "metrics": list(metrics), "x": x, "points": points}
        if group_by is not None:
            body |= {"group_by": list(group_by), "center": center, "band": band}
        answer: Row = self._api.post("/api/v1/comparisons/series", body)
        return cast("list[Row]", answer["metrics"])

    def correlations(
        self, metric: str, summary: Literal["last", "min", "max"] = "last"
    ) -> list[Row]:
        """How params go with a metric over these runs, the strongest first: `key`, `kind` (number
        or category), `pearson`, `spearman`, `eta_squared`, `n`, `reason`. Raises ApiError,
        Unreachable.
        """
        body = {"run_ids": self.ids, "metric": metric, "summary": summary}
        answer: Row = self._api.post("/api/v1/comparisons/correlations", body)
        return cast("list[Row]", answer["items"])

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"<runbench comparison of {', '.join(self.names)}>"


def compare(
    runs: Iterable[Given],
    *,
    project: str | None = None,
    baseline: Given | None = None,
    best: Mapping[str, Literal["min", "max"]] | None = None,
) -> Comparison:
    """Put runs side by side: params, tags, environment, metrics, files.

    runs, baseline: what `runbench.runs` answers, ids, or what the command line takes: a name,
    `@latest`, `@best:loss`. best: for a metric whether the smallest or the largest value is best.
    Raises ApiError, Unreachable, LookupError for a run that is not there.
    """
    current = settings.load()
    return compare_at(
        Api(current.url, current.token),
        project or current.project,
        list(runs),
        baseline=baseline,
        best=best,
    )


def compare_at(
    api: Api,
    project: str | None,
    runs: list[Given],
    *,
    baseline: Given | None = None,
    best: Mapping[str, Literal["min", "max"]] | None = None,
) -> Comparison:
    """`compare` at this server."""
    run_ids = ids_of(api, project, runs)
    body: Row = {"run_ids": run_ids}
    if baseline is not None:
        body["baseline_run_id"] = ids_of(api, project, [baseline])[0]
    if best:
        body["best"] = dict(best)
    return Comparison(api, api.post("/api/v1/comparisons/runs", body))


def ids_of(api: Api, project: str | None, runs: Iterable[Given]) -> list[str]:
    """The ids of runs, each once. Raises LookupError, ApiError, Unreachable."""
    found: Mapping[str, Any] | None = None
    ids: list[str] = []
    for run in runs:
        if isinstance(run, StoredRun):
            ids.append(run.id)
            continue
        found = found or resolve_project(api, project)
        ids.append(find_run(found, api, run, api.url).id)
    return list(dict.fromkeys(ids))


def _figure(cell: object, summary: str = "last") -> float | None:
    """One figure of a metric's cell; what is not finite comes as text."""
    value = json_object(cell).get(summary)
    return None if value is None else float(value)


def _row(part: str, key: str, differs: bool, values: Row) -> Row:  # noqa: FBT001 - a column
    return {"part": part, "key": key, "differs": differs, **values}
