"""What MLflow clients do with runs: make, read, end, delete and restore them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.mlflow import InvalidParameter
from servicekit.problems import NotFound

from experiment_service.errors import ExperimentArchived
from experiment_service.mlflow import answers, labels, limits, queries
from experiment_service.mlflow.datasets import RunDataset, select_run_datasets
from experiment_service.mlflow.entities import (
    Labels,
    LatestMetric,
    RunModel,
    StoredExperiment,
    StoredRun,
    moment,
)
from experiment_service.mlflow.messages import CreateRun, RunStatusName, UpdateRun
from experiment_service.models.runs import NewRun
from experiment_service.models.statuses import RunStatus
from experiment_service.models.values import MAX_TAGS
from experiment_service.operations import runs
from experiment_service.operations.changing import Change, changing
from experiment_service.operations.run_events import tell_of_runs
from experiment_service.queries.experiments import select_experiment_state
from experiment_service.queries.metrics import select_metrics_published
from experiment_service.queries.run_states import update_run_restored, update_run_status
from experiment_service.queries.run_values import delete_run_tags, insert_run_tags
from experiment_service.queries.runs import select_runs_of_project

_LIVING: tuple[RunStatus, ...] = ("draft", "running", "succeeded", "failed", "interrupted")
_STATUSES: dict[str, RunStatus] = {name: ours for ours, name in answers.STATUS_NAMES.items()}


async def create_run(
    database: Database, principal: Principal, experiment: StoredExperiment, asked: CreateRun
) -> answers.Json:
    """Record a run that runs, since when its client says.

    Raises:
        InvalidParameter: the experiment is deleted, a tag is one that MLflow refuses, or the
            two names that were given differ.
    """
    tags = limits.tags_of(asked.tags)
    named = tags.get(labels.RUN_NAME, "")
    if asked.run_name and named and asked.run_name != named:
        msg = (
            f"Both run_name ({asked.run_name[:200]!r}) and the tag {labels.RUN_NAME}"
            f" ({named[:200]!r}) are given, and they differ."
        )
        raise InvalidParameter(msg)
    if asked.run_name or named:
        tags[labels.RUN_NAME] = (asked.run_name or named)[: limits.TAG_LENGTH]
    else:
        tags.pop(labels.RUN_NAME, None)
    async with database.acquire() as connection:
        parents = await _parents(connection, experiment.project_id, tags)
    given = labels.with_tags(Labels(), tags, parents=parents)
    _check_count(given)
    unlike = asked.user_id != tags.get(labels.USER, "")
    new = NewRun.model_construct(
        name=given.name or labels.fitting_name(tags.get(labels.RUN_NAME, "")),
        tags=given.tags,
        notes=given.notes,
        source=given.source,
        git_commit=given.git_commit,
        git_branch=given.git_branch,
        parent_run_id=given.parent_run_id,
        environment={"mlflow": {"user_id": asked.user_id}} if unlike else {},
    )
    try:
        created = await runs.create_run(
            database,
            principal,
            experiment.id,
            experiment.project_id,
            new,
            started_at=moment(asked.start_time) if asked.start_time else None,
        )
    except ExperimentArchived as exc:
        msg = (
            f"The experiment {experiment.id.hex} must be in the 'active' state."
            " Current state is deleted."
        )
        raise InvalidParameter(msg) from exc
    run = await get_run(database, created.id)
    del run["outputs"]  # MLflow does not speak of them yet where a run has just been made
    return run


async def read_runs(database: Database, run_ids: Sequence[UUID]) -> list[answers.Json]:
    """Runs as they are answered, in the order of their ids."""
    async with database.acquire() as connection:
        stored = await queries.select_runs(connection, run_ids=run_ids)
        parts = await _parts(connection, [run.id for run in stored])
    return [answers.run(run, parts[run.id]) for run in stored]


async def get_run(database: Database, run_id: UUID) -> answers.Json:
    """A run with its data.

    Raises:
        NotFound: it is gone.
    """
    found = await read_runs(database, [run_id])
    if not found:
        raise NotFound
    return found[0]


async def update_run(database: Database, project_id: UUID, asked: UpdateRun) -> answers.Json:
    """Change a run's status, name and end; answers it without its data.

    Any state may follow any other, as MLflow has it: who resumes a run sets it running again.

    Raises:
        InvalidParameter: it is deleted, or the time is none.
    """
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, asked.run_id)
        if asked.run_name:
            name = asked.run_name[: limits.TAG_LENGTH]
            await change_labels(now, run, _renamed(run, name))
        if asked.status:
            await _step(now, run, asked.status)
        if asked.end_time is not None or asked.status == "SCHEDULED":
            await queries.update_run_end(
                now.connection,
                run_id=run.id,
                finished_at=None if asked.end_time is None else _time(asked.end_time),
                at=now.turn.at,
                change=now.turn.change,
            )
        return answers.run_info(await _run(now.connection, run.id))


async def delete_run(database: Database, project_id: UUID, run_id: UUID) -> None:
    """Archive a run, whatever it is doing; one that is archived stays so."""
    async with changing(database, project_id) as now:
        archived = await update_run_status(
            now.connection,
            project_id=project_id,
            run_ids=[run_id],
            status="archived",
            sources=_LIVING,
            arrived_at=now.turn.at,
            at=now.turn.at,
            change=now.turn.change,
        )
        await tell_of_runs(now, project_id, archived)


async def restore_run(database: Database, project_id: UUID, run_id: UUID) -> None:
    """Bring a run back as it was; one that is not archived stays so.

    Raises:
        InvalidParameter: its experiment is deleted; that one must be restored.
    """
    async with changing(database, project_id) as now:
        run = await _run(now.connection, run_id)
        state = await select_experiment_state(now.connection, experiment_id=run.experiment_id)
        if state and state["status"] == "archived":
            msg = f"The experiment {run.experiment_id.hex} is deleted; restore it first."
            raise InvalidParameter(msg)
        restored = await update_run_restored(
            now.connection,
            run_id=run_id,
            arrived_at=now.turn.at,
            at=now.turn.at,
            change=now.turn.change,
        )
        await tell_of_runs(now, project_id, [run_id] if restored else [], restored=True)


async def active_run(connection: Connection, run_id: UUID) -> StoredRun:
    """A run that takes changes.

    Raises:
        InvalidParameter: it is deleted.
    """
    run = await _run(connection, run_id)
    if run.status == "archived":
        msg = f"The run {run_id.hex} must be in the 'active' state. Current state is deleted."
        raise InvalidParameter(msg)
    return run


async def set_tags(now: Change, run: StoredRun, tags: dict[str, str]) -> None:
    """Set tags of a run, those that columns hold among them."""
    if name := tags.get(labels.RUN_NAME):
        run = await change_labels(now, run, _renamed(run, name))
    rest = {key: value for key, value in tags.items() if key != labels.RUN_NAME}
    parents = await _parents(now.connection, run.project_id, rest) - {run.id}
    await change_labels(now, run, labels.with_tags(run, rest, parents=parents))


async def change_labels(now: Change, before: StoredRun, after: StoredRun) -> StoredRun:
    """Store what has changed of a run's labels.

    Raises:
        InvalidParameter: it would have too many tags.
    """
    if after == before:
        return after
    _check_count(after)
    await queries.update_run_labels(now.connection, after, at=now.turn.at, change=now.turn.change)
    await delete_run_tags(
        now.connection, run_ids=[after.id], keys=before.tags.keys() - after.tags.keys()
    )
    await insert_run_tags(
        now.connection,
        run_ids=[after.id],
        project_id=after.project_id,
        tags=dict(after.tags.items() - before.tags.items()),
    )
    return after


def _renamed(run: StoredRun, name: str) -> StoredRun:
    renamed = labels.with_tags(run, {labels.RUN_NAME: name}, parents=frozenset())
    if labels.RUN_NAME in renamed.tags:  # too long or too odd for a name: it stays a tag too
        fitting = labels.fitting_name(name) or run.name
        renamed = renamed.model_copy(update={"name": fitting})
    return renamed


async def _step(now: Change, run: StoredRun, name: RunStatusName) -> None:
    status = _STATUSES[name]
    stepped = await update_run_status(
        now.connection,
        project_id=run.project_id,
        run_ids=[run.id],
        status=status,
        sources=[living for living in _LIVING if living != status],
        arrived_at=now.turn.at,
        at=now.turn.at,
        change=now.turn.change,
    )
    await tell_of_runs(now, run.project_id, stepped)


async def _parts(connection: Connection, run_ids: Sequence[UUID]) -> dict[UUID, answers.RunParts]:
    if not run_ids:
        return {}
    published = await select_metrics_published(connection)
    metrics = await queries.select_latest_metrics(connection, run_ids=run_ids) if published else []
    models = await queries.select_run_models(connection, run_ids=run_ids)
    datasets = await select_run_datasets(connection, run_ids=run_ids)
    metrics_of, datasets_of, models_of = _by_run(metrics), _by_run(datasets), _by_run(models)
    return {
        run_id: answers.RunParts(
            metrics_of.get(run_id, ()), datasets_of.get(run_id, ()), models_of.get(run_id, ())
        )
        for run_id in run_ids
    }


def _by_run[Part: (LatestMetric, RunDataset, RunModel)](
    parts: Iterable[Part],
) -> dict[UUID, list[Part]]:
    found: dict[UUID, list[Part]] = {}
    for part in parts:
        found.setdefault(part.run_id, []).append(part)
    return found


async def _parents(
    connection: Connection, project_id: UUID, tags: dict[str, str]
) -> frozenset[UUID]:
    named = labels.parents_among(tags)
    if not named:
        return frozenset()
    return frozenset(await select_runs_of_project(connection, project_id=project_id, run_ids=named))


async def _run(connection: Connection, run_id: UUID) -> StoredRun:
    run = await queries.select_run(connection, run_id=run_id)
    if run is None:
        raise NotFound
    return run


def _time(milliseconds: int) -> datetime:
    found = moment(milliseconds)
    if found is None:
        msg = f"{milliseconds} is no time in milliseconds since 1970."
        raise InvalidParameter(msg)
    return found


def _check_count(given: Labels) -> None:
    if len(given.tags) > MAX_TAGS:
        msg = f"A run may have at most {MAX_TAGS} tags."
        raise InvalidParameter(msg)
