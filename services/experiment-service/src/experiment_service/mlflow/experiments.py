"""What MLflow clients do with experiments."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.mlflow import AlreadyExists, DoesNotExist, InvalidParameter

from experiment_service.errors import ExperimentNameTaken, NotArchived
from experiment_service.mlflow import limits, queries
from experiment_service.mlflow.entities import StoredExperiment
from experiment_service.mlflow.labels import NOTE
from experiment_service.mlflow.messages import DEFAULT_EXPERIMENT, DEFAULT_EXPERIMENT_NAME, Pair
from experiment_service.models.events import (
    EXPERIMENT_ARCHIVED,
    EXPERIMENT_CHANGED,
    FieldsData,
    NoData,
)
from experiment_service.models.experiments import ExperimentChange, NewExperiment
from experiment_service.models.statuses import EXPERIMENT_SOURCES
from experiment_service.models.values import MAX_TAGS
from experiment_service.operations import experiments
from experiment_service.operations.capture_events import tell_of_captures_ended_with_runs
from experiment_service.operations.changing import Change, changing
from experiment_service.queries.experiments import update_experiment_status
from experiment_service.queries.run_states import update_runs_archived_with_experiment


async def create_experiment(
    database: Database,
    principal: Principal,
    project_id: UUID,
    *,
    name: str,
    artifact_location: str = "",
    tags: list[Pair] | None = None,
) -> UUID:
    """Create an experiment.

    Raises:
        AlreadyExists: the project has one of that name, in this or another case.
        InvalidParameter: a name or a tag that MLflow refuses, or that we cannot keep.
    """
    given = limits.experiment_tags_of(tags or [])
    location = limits.artifact_location(artifact_location)
    note = given.pop(NOTE, "")
    _check_count(given)
    new = NewExperiment.model_construct(
        name=limits.experiment_name(name),
        description=note,
        tags=given,
        metadata={"mlflow": {"artifact_location": location}} if location else {},
    )
    try:
        created = await experiments.create_experiment(database, principal, project_id, new)
    except ExperimentNameTaken as exc:
        raise AlreadyExists(f"Experiment {name!r} already exists. {exc.detail}") from exc
    return created.id


async def find_experiment(
    database: Database, project_id: UUID, experiment_id: UUID
) -> StoredExperiment:
    """An experiment of the project, archived or not; `0` is the one named Default.

    Raises:
        DoesNotExist: there is none.
    """
    async with database.acquire() as connection:
        return await _find(connection, project_id, experiment_id)


async def find_experiment_by_name(
    database: Database, project_id: UUID, name: str
) -> StoredExperiment:
    """The experiment of that name, archived or not.

    Raises:
        DoesNotExist: there is none.
    """
    async with database.acquire() as connection:
        found = await queries.select_experiment_by_name(
            connection, project_id=project_id, name=name.strip()
        )
    if found is None:
        raise DoesNotExist(f"Could not find experiment with name {name[:500]!r}")
    return found


async def want_experiment(
    database: Database, principal: Principal, project_id: UUID, experiment_id: UUID
) -> StoredExperiment:
    """An experiment of the project; the one named Default is made when it is first wanted."""
    try:
        return await find_experiment(database, project_id, experiment_id)
    except DoesNotExist:
        if experiment_id != DEFAULT_EXPERIMENT:
            raise
    with suppress(AlreadyExists):  # where somebody else wanted it at the same time
        await create_experiment(database, principal, project_id, name=DEFAULT_EXPERIMENT_NAME)
    return await find_experiment(database, project_id, experiment_id)


async def rename_experiment(
    database: Database, project_id: UUID, experiment_id: UUID, name: str, *, arrived: float
) -> None:
    """Give an experiment another name.

    Raises:
        AlreadyExists: another experiment of the project has it.
        ExperimentArchived: it is deleted.
    """
    experiment = await find_experiment(database, project_id, experiment_id)
    change = ExperimentChange(name=limits.experiment_name(name))
    try:
        await experiments.change_experiment(
            database, experiment.id, project_id, change, if_match=None, arrived=arrived
        )
    except ExperimentNameTaken as exc:
        raise AlreadyExists(exc.detail) from exc


async def delete_experiment(database: Database, project_id: UUID, experiment_id: UUID) -> None:
    """Archive an experiment with all its runs, also those that still say that they run.

    A program that ended without a word leaves its MLflow run running for ever; that must not
    keep an experiment from being deleted.

    Raises:
        DoesNotExist: there is none, or it is deleted already.
    """
    async with changing(database, project_id) as now:
        experiment = await _find(now.connection, project_id, experiment_id)
        if experiment.archived_at:
            raise _no_such(experiment_id)
        await update_experiment_status(
            now.connection,
            experiment_id=experiment.id,
            status="archived",
            sources=EXPERIMENT_SOURCES["archived"],
            arrived_at=now.turn.at,
            at=now.turn.at,
        )
        await queries.update_running_runs_archived(
            now.connection, experiment_id=experiment.id, at=now.turn.at, change=now.turn.change
        )
        await update_runs_archived_with_experiment(
            now.connection, experiment_id=experiment.id, at=now.turn.at, change=now.turn.change
        )
        await tell_of_captures_ended_with_runs(now, project_id)
        await experiments.tell_of_experiment(now, EXPERIMENT_ARCHIVED, NoData(), experiment)


async def restore_experiment(
    database: Database, project_id: UUID, experiment_id: UUID, *, arrived: float
) -> None:
    """Bring an experiment back, with the runs that its deletion hid.

    Raises:
        DoesNotExist: there is no deleted one of that id.
    """
    experiment = await find_experiment(database, project_id, experiment_id)
    try:
        await experiments.restore_experiment(database, experiment.id, project_id, arrived=arrived)
    except NotArchived as exc:
        raise _no_such(experiment_id) from exc


async def tag_experiment(
    database: Database, project_id: UUID, experiment_id: UUID, tag: Pair
) -> None:
    """Set a tag of an experiment.

    Raises:
        InvalidParameter: the experiment is deleted, or the tag is one that MLflow refuses.
    """
    given = limits.experiment_tags_of([tag])
    async with changing(database, project_id) as now:
        before = await _active(now.connection, project_id, experiment_id)
        tags = before.tags | given
        description = tags.pop(NOTE, before.description)
        _check_count(tags)
        after = before.model_copy(update={"tags": tags, "description": description})
        if after != before:
            await _store_labels(now, before, after)


async def untag_experiment(
    database: Database, project_id: UUID, experiment_id: UUID, key: str
) -> None:
    """Take a tag off an experiment.

    Raises:
        DoesNotExist: it has no such tag.
        InvalidParameter: the experiment is deleted.
    """
    async with changing(database, project_id) as now:
        before = await _active(now.connection, project_id, experiment_id)
        described = key == NOTE and before.description
        if key not in before.tags and not described:
            msg = f"No tag with name: {key[:300]} in experiment with id {before.id.hex}"
            raise DoesNotExist(msg)
        after = before.model_copy(
            update={
                "tags": {name: value for name, value in before.tags.items() if name != key},
                "description": "" if described else before.description,
            }
        )
        await _store_labels(now, before, after)


async def _store_labels(now: Change, before: StoredExperiment, after: StoredExperiment) -> None:
    await queries.update_experiment_labels(now.connection, after, at=now.turn.at)
    fields = [
        field
        for field, value in (("description", after.description), ("tags", after.tags))
        if value != getattr(before, field)
    ]
    await experiments.tell_of_experiment(now, EXPERIMENT_CHANGED, FieldsData(fields=fields), after)


async def _active(connection: Connection, project_id: UUID, id_: UUID) -> StoredExperiment:
    experiment = await _find(connection, project_id, id_)
    check_active(experiment)
    return experiment


def check_active(experiment: StoredExperiment) -> None:
    """Refuse a change of an experiment that is deleted.

    Raises:
        InvalidParameter: it is.
    """
    if experiment.archived_at:
        msg = (
            f"The experiment {experiment.id.hex} must be in the 'active' state."
            " Current state is deleted."
        )
        raise InvalidParameter(msg)


async def _find(connection: Connection, project_id: UUID, id_: UUID) -> StoredExperiment:
    if id_ == DEFAULT_EXPERIMENT:
        found = await queries.select_experiment_by_name(
            connection, project_id=project_id, name=DEFAULT_EXPERIMENT_NAME
        )
    else:
        found = await queries.select_experiment(connection, experiment_id=id_)
    if found is None or found.project_id != project_id:
        raise _no_such(id_)
    return found


def _no_such(id_: UUID) -> DoesNotExist:
    shown = "0" if id_ == DEFAULT_EXPERIMENT else id_.hex
    return DoesNotExist(f"No Experiment with id={shown} exists")


def _check_count(tags: Mapping[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        msg = f"An experiment may have at most {MAX_TAGS} tags."
        raise InvalidParameter(msg)
