"""A comparison as a file: CSV, JSON, or a report."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import orjson
from servicekit.database import Database
from servicekit.events import Event
from servicekit.outbox import note

from comparison_service.models.audited import COMPARISON_EXPORTED, ExportData
from comparison_service.models.export import ComparisonExport
from comparison_service.models.runs import ComparedRuns, RunsComparison
from comparison_service.models.selection import Scalar
from comparison_service.models.series import ComparedSeries, SeriesComparison
from comparison_service.operations.reading import Reading, together
from comparison_service.operations.report import report
from comparison_service.operations.runs import compare_runs
from comparison_service.operations.series import compare_series

PICTURE_POINTS = 300


async def export(database: Database, reading: Reading, asked: ComparisonExport) -> bytes:
    """The file; that it was taken is noted before it goes out.

    Raises:
        NotFound: a run is missing, or of a project that the caller does not see.
        TooMuchToCompare, Unavailable: see `Reading.runs`.
    """
    fields = {name: getattr(asked, name) for name in RunsComparison.model_fields}
    runs, series = await together(
        compare_runs(database, reading, RunsComparison.model_construct(**fields)),
        _series(reading, asked),
    )
    async with database.acquire() as connection:
        await note(connection, _noted(asked, runs))
    # Either may have noticed something after the other was done.
    runs = runs.model_copy(update={"missing": reading.missing})
    match asked.format:
        case "csv":
            return as_csv(runs)
        case "json":
            return as_json(asked, runs, series)
        case "html":
            return report(asked, runs, series, at=datetime.now(UTC)).encode()


def _noted(asked: ComparisonExport, runs: ComparedRuns) -> list[Event]:
    """What each project's audit trail is told."""
    of_projects: dict[UUID, list[UUID]] = {}
    for run in runs.runs:
        of_projects.setdefault(run.project_id, []).append(run.id)
    return [
        COMPARISON_EXPORTED.event(
            ExportData(format=asked.format, run_ids=run_ids),
            project_id=project_id,
            subject_id=project_id,
        )
        for project_id, run_ids in of_projects.items()
    ]


async def _series(reading: Reading, asked: ComparisonExport) -> ComparedSeries:
    if not asked.metrics or asked.format == "csv":
        return ComparedSeries(metrics=[], missing=[])
    return await compare_series(
        reading,
        SeriesComparison(
            run_ids=asked.run_ids,
            metrics=asked.metrics,
            x=asked.x,
            points=min(PICTURE_POINTS, 1_000_000 // (len(asked.run_ids) * len(asked.metrics))),
            group_by=asked.group_by,
        ),
    )


def as_json(asked: ComparisonExport, runs: ComparedRuns, series: ComparedSeries) -> bytes:
    """Everything, as the API answers it."""
    return orjson.dumps(
        {
            "title": asked.title,
            "notes": asked.notes,
            "comparison": orjson.Fragment(runs.model_dump_json()),
            "series": orjson.Fragment(series.model_dump_json()),
        }
    )


def as_csv(runs: ComparedRuns) -> bytes:
    """One row a key, one column a run; what a run does not have is empty."""
    text = io.StringIO()
    write = csv.writer(text).writerow
    write(["section", "key", *(_cell(run.name) for run in runs.runs)])
    write(["run", "id", *(str(run.id) for run in runs.runs)])
    write(["run", "experiment", *(_cell(run.experiment_name) for run in runs.runs)])
    write(["run", "status", *(run.status for run in runs.runs)])
    write(["run", "duration_seconds", *(run.duration_seconds for run in runs.runs)])
    for section in ("params", "tags", "environment"):
        for row in getattr(runs, section):
            missing = set(row.missing)
            cells = [
                "" if place in missing else _cell(value) for place, value in enumerate(row.values)
            ]
            write([section, _cell(row.key), *cells])
    for row in runs.metrics:
        for name in ("last", "min", "max"):
            cells = [getattr(cell, name) if cell else "" for cell in row.cells]
            write([f"metrics.{name}", _cell(row.key), *cells])
    for row in runs.artifacts:
        write(["artifacts.sha256", _cell(row.path), *(c.sha256 if c else "" for c in row.cells)])
    for one in runs.missing:
        write(["missing", one.part, _cell(one.reason)])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Scalar) -> Scalar:
    """A text that a spreadsheet would take for a formula is told to be a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str) and value.lstrip()[:1] in {"=", "+", "-", "@"} and value.strip():
        return f"'{value}"
    return value
