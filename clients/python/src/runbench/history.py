"""Bringing runs over from elsewhere, such that stopping and starting again adds nothing twice.

A run is found again by its tag `import.source`. Of each metric only the points behind those that
the server already counts are sent, in batches whose ids follow from what is in them.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from runbench.api import Api, file_path
from runbench.file_upload import Hooks, send_file
from runbench.messages import Voice
from runbench.outbox import Outgoing
from runbench.records import ACTION, METRICS, Series, dump, series_columns
from runbench.spool import Spool
from runbench.upload import Uploader
from runbench.values import MAX_LABEL_LENGTH, label, storable, tags

SOURCE_TAG = "import.source"
BATCH_POINTS = 5000
MOST_TAGS = 190
SPACE = uuid.UUID("6f1c1c8e-5d0f-4a8e-9f0f-3b7f0c2f6a51")


class BadSource(ValueError):
    """What was given to import from cannot be read; the message says why."""


class Points(NamedTuple):
    """One metric's points in the order they were logged: steps, values, µs since 1970."""

    key: str
    step: list[int]
    value: list[float]
    time: list[int]


@dataclass
class PastRun:
    """A run as it stands elsewhere. source names it for ever; times are seconds since 1970."""

    source: str
    experiment: str
    name: str
    status: str
    points: Callable[[], Iterable[Points]]
    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    notes: str = ""
    parent: str | None = None
    git_commit: str | None = None
    program: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    files: Path | None = None


@dataclass
class Tally:
    """What an import did. points and files count what was sent, not what was there already."""

    runs: int = 0
    new_runs: int = 0
    points: int = 0
    known_points: int = 0
    files: int = 0
    shortened: int = 0
    refused: int = 0


class Importer:
    """Brings runs into one project. Raises ApiError, Unreachable and upload.Blocked; doing it again
    goes on where it was.
    """

    def __init__(self, api: Api, project: dict[str, Any], *, files: bool = True) -> None:
        self.api = api
        self.project = project
        self.tally = Tally()
        self._files = files
        self._ids: dict[str, str] = {}

    def bring(self, run: PastRun) -> str:
        """Bring one run over, its parent before it; its id at the server."""
        spool = _Held(self._manifest(run))
        uploader = Uploader(self.api, spool, Voice(quiet=True))
        known = self._find(run.source)
        if known is None:
            uploader.create()
            self.tally.new_runs += 1
        else:
            spool.manifest["run_id"] = known["id"]
        run_id = str(uploader.run_id)
        self._ids[run.source] = run_id
        if known is None or known["status"] != run.status:
            # A sign of life: a long import must not end as interrupted while it sends.
            uploader.heartbeat()
        listed = self.api.items(f"/api/v1/runs/{run_id}/metrics")
        counts = {entry["key"]: int(entry["count"]) for entry in listed}
        for series in _batches(run.points(), counts, self.tally):
            spool.append(_record(run.source, series, counts), droppable=False)
            _send(spool, uploader)
            self.tally.points += sum(len(steps) for steps, _, _ in series.values())
        if self._files and run.files is not None:
            self._send_files(run_id, run.files)
        if known is None or known["status"] != run.status:
            finish = {"do": "finish", "status": run.status}
            spool.append(ACTION + dump(finish), droppable=False)
            _send(spool, uploader)
        self.tally.refused += spool.refused
        self.tally.runs += 1
        return run_id

    def _find(self, source: str) -> dict[str, Any] | None:
        path = f"/api/v1/projects/{self.project['id']}/runs"
        found = self.api.items(path, tag=f"{SOURCE_TAG}={source}", archived="all", limit=1)
        return next(iter(found), None)

    def _manifest(self, run: PastRun) -> dict[str, Any]:
        given = {**run.tags, SOURCE_TAG: run.source}
        for name, moment in (("started_at", run.started_at), ("finished_at", run.finished_at)):
            if moment is not None:
                given[f"import.{name}"] = datetime.fromtimestamp(moment, UTC).isoformat()
        kept = dict(list(given.items())[-MOST_TAGS:])
        self.tally.shortened += len(given) - len(kept)
        self.tally.shortened += sum(len(value) > MAX_LABEL_LENGTH for value in kept.values())
        body: dict[str, Any] = {
            "status": "running",
            "name": label(run.name, 200) or run.source[-32:],
            "params": run.params,
            "tags": {key: value or "" for key, value in tags(kept).items()},
            "notes": storable(run.notes),
        }
        for name, text in (("git_commit", run.git_commit), ("source", run.program)):
            if text:
                body[name] = label(text)
        if run.parent in self._ids:
            body["parent_run_id"] = self._ids[run.parent]
        return {
            "key": str(uuid.uuid5(SPACE, f"{self.project['id']}/{run.source}")),
            "project_id": self.project["id"],
            "project_slug": self.project["slug"],
            "experiment": label(run.experiment, 200) or "Default",
            "body": body,
        }

    def _send_files(self, run_id: str, folder: Path) -> None:
        from runbench.sync import patiently  # noqa: PLC0415 - sync imports what this module does

        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            file = Outgoing.of(path.relative_to(folder).as_posix(), path)
            known = self.api.head(file_path(run_id, file.path))
            if known is None or known.get("content-length") != str(file.size):
                patiently(lambda file=file: _send_file(self.api, run_id, file))
                self.tally.files += 1


class _Held(Spool):
    """A spool in memory for what is read again on the next try; counts what is refused."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        super().__init__(None, manifest, limit=0)
        self.refused = 0

    def put_aside(self, content: dict[str, Any], reason: str) -> None:  # noqa: ARG002
        self.refused += 1


def _send_file(api: Api, run_id: str, file: Outgoing) -> None:
    send_file(api, run_id, file, Hooks())


def _send(spool: Spool, uploader: Uploader) -> None:
    from runbench.sync import patiently  # noqa: PLC0415 - sync imports what this module does

    while (record := spool.peek()) is not None:
        patiently(lambda record=record: uploader.send(record))


def _batches(points: Iterable[Points], counts: dict[str, int], tally: Tally) -> Iterator[Series]:
    """What the server does not have yet, packed into batches that it takes."""
    series: Series = {}
    size = 0
    for metric in points:
        at = min(counts.get(metric.key, 0), len(metric.step))
        tally.known_points += at
        while at < len(metric.step):
            end = min(len(metric.step), at + BATCH_POINTS - size)
            series[metric.key] = (metric.step[at:end], metric.value[at:end], metric.time[at:end])
            size += end - at
            at = end
            if size >= BATCH_POINTS:
                yield series
                series, size = {}, 0
    if series:
        yield series


def _record(source: str, series: Series, counts: dict[str, int]) -> bytes:
    """A metrics record whose id follows from the run, from what is in it and from where it begins:
    equal points further on are points of their own.
    """
    columns = series_columns(series)
    begins = [counts.get(key, 0) for key in series]
    for key, (steps, _, _) in series.items():
        counts[key] = counts.get(key, 0) + len(steps)
    digest = hashlib.sha256(dump([source, begins, columns])).hexdigest()
    return METRICS + dump({"batch_id": str(uuid.uuid5(SPACE, digest)), "series": columns})


def in_order(runs: Iterable[PastRun]) -> list[PastRun]:
    """Runs, each behind its parent."""
    waiting = {run.source: run for run in runs}
    ordered: dict[str, PastRun] = {}

    def add(run: PastRun, above: frozenset[str]) -> None:
        parent = waiting.get(run.parent or "")
        if parent is not None and parent.source not in above:
            add(parent, above | {run.source})
        ordered.setdefault(run.source, run)

    for run in waiting.values():
        add(run, frozenset({run.source}))
    return list(ordered.values())
