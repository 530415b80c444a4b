"""Runs side by side."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Database

from comparison_service.models.runs import ComparedRuns, Omitted, RunsComparison
from comparison_service.models.selection import FoundRun
from comparison_service.operations.baselines import baselines_of
from comparison_service.operations.metric_table import artifact_rows, metric_rows
from comparison_service.operations.reading import Reading, together
from comparison_service.operations.value_table import environment_of, value_rows


async def compare_runs(database: Database, reading: Reading, asked: RunsComparison) -> ComparedRuns:
    """Tables of what the runs have in common and what differs.

    Raises:
        NotFound: a run is missing, or of a project that the caller does not see.
        TooMuchToCompare, Unavailable: see `Reading.runs`.
    """
    wanted = list(dict.fromkeys([*asked.run_ids, *filter(None, [asked.baseline_run_id])]))
    # Every service asks for the caller's right itself: they need not wait for each other.
    found, files = await together(reading.runs(wanted), _files(reading, asked))
    by_id = {run.id: run for run in found}
    runs = [by_id[run_id] for run_id in asked.run_ids]
    baseline = asked.baseline_run_id or await shared_baseline(database, runs)
    metrics = None
    if "metrics" in asked.parts:
        metrics = await reading.metrics(list(dict.fromkeys([*wanted, *filter(None, [baseline])])))
    params, more_params = value_rows(
        [run.params if "params" in asked.parts else {} for run in runs]
    )
    tags, more_tags = value_rows([run.tags if "tags" in asked.parts else {} for run in runs])
    environment, more_environment = value_rows(
        [environment_of(run) if "environment" in asked.parts else {} for run in runs]
    )
    rows, more_metrics = metric_rows(
        metrics or [], asked.run_ids, baseline, asked.best, asked.summary
    )
    paths, more_paths = artifact_rows(files or [], asked.run_ids)
    return ComparedRuns(
        runs=[run.identity() for run in runs],
        params=params,
        tags=tags,
        environment=environment,
        metrics=rows,
        artifacts=paths,
        baseline_run_id=baseline,
        missing=reading.missing,
        omitted=Omitted(
            params=more_params,
            tags=more_tags,
            environment=more_environment,
            metrics=more_metrics,
            artifacts=more_paths,
        ),
    )


async def _files(reading: Reading, asked: RunsComparison) -> list[dict[str, object]] | None:
    return await reading.artifacts(asked.run_ids) if "artifacts" in asked.parts else None


async def shared_baseline(database: Database, runs: Sequence[FoundRun]) -> UUID | None:
    """The baseline of the experiment that all runs belong to, if it has one."""
    experiments = {run.experiment_id for run in runs}
    if len(experiments) != 1:
        return None
    return next(iter((await baselines_of(database, experiments)).values()), None)
