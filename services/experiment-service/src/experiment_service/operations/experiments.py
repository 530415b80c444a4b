"""What can be done with experiments."""

from typing import Any, Protocol, cast
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, Database, constraint
from servicekit.events import EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.pagination import Page
from servicekit.problems import NotFound, PreconditionFailed

from experiment_service.errors import (
    ExperimentArchived,
    ExperimentNameTaken,
    LimitExceeded,
    NotArchived,
    StatusConflict,
    TransitionNotAllowed,
)
from experiment_service.models.events import (
    EXPERIMENT_ARCHIVED,
    EXPERIMENT_CHANGED,
    EXPERIMENT_CREATED,
    EXPERIMENT_RESTORED,
    FieldsData,
    NoData,
)
from experiment_service.models.experiments import (
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    NewExperiment,
)
from experiment_service.models.statuses import EXPERIMENT_SOURCES, ExperimentStatus
from experiment_service.models.values import (
    MAX_JSON_BYTES,
    MAX_TAGS,
    is_storable,
    merge_patch,
    merge_tags,
)
from experiment_service.operations.capture_events import tell_of_captures_ended_with_runs
from experiment_service.operations.changing import Change, changing
from experiment_service.operations.filters import archived_filter, tag_filters
from experiment_service.operations.telling import tell
from experiment_service.queries.experiment_search import (
    EXPERIMENT_SORTS,
    ExperimentFilter,
    select_experiment_page,
)
from experiment_service.queries.experiments import (
    insert_experiment,
    lock_experiment,
    select_archived_namesake,
    select_experiment,
    select_experiment_state,
    select_experiments,
    update_experiment,
    update_experiment_restored,
    update_experiment_status,
)
from experiment_service.queries.keyset import position
from experiment_service.queries.run_states import (
    count_running_runs,
    update_runs_archived_with_experiment,
    update_runs_restored_with_experiment,
)


async def create_experiment(
    database: Database, principal: Principal, project_id: UUID, new: NewExperiment
) -> Experiment:
    """Create an experiment, unless the project has one of that name in any case."""
    experiment_id = uuid7()
    async with changing(database, project_id) as change:
        await _refuse_archived_namesake(change.connection, project_id, new.name)
        with constraint("experiments_name_key", otherwise=_name_taken(new.name)):
            await insert_experiment(
                change.connection,
                new,
                experiment_id=experiment_id,
                project_id=project_id,
                created_by=principal.user_id,
                at=change.turn.at,
            )
        experiment = await _experiment(change.connection, experiment_id)
        await tell_of_experiment(change, EXPERIMENT_CREATED, NoData(), experiment)
        return experiment


async def get_experiment(database: Database, experiment_id: UUID) -> Experiment:
    """One experiment."""
    async with database.acquire() as connection:
        return await _experiment(connection, experiment_id)


async def list_experiments(
    database: Database, project_id: UUID, query: ExperimentQuery
) -> Page[Experiment]:
    """One page of a project's experiments."""
    segments = EXPERIMENT_SORTS[query.sort.removeprefix("-")]
    after = position(query.cursor, query.sort, segments)
    wanted = ExperimentFilter(
        project_id=project_id,
        name=query.name,
        name_part=query.q,
        statuses=tuple(query.status),
        tags=tag_filters(query.tag),
        archived=archived_filter(query.archived, query.status),
    )
    async with database.acquire() as connection:
        page, end = await select_experiment_page(
            connection,
            wanted,
            segments,
            descending=query.sort.startswith("-"),
            after=after,
            limit=query.limit,
        )
        items = await select_experiments(
            connection, experiment_ids=[row.id for row in page if row.id]
        )
    return Page(items=items, next_cursor=end.cursor(query.sort).encode() if end else None)


async def change_experiment(
    database: Database,
    experiment_id: UUID,
    project_id: UUID,
    change: ExperimentChange,
    *,
    if_match: int | None,
    arrived: float,
) -> Experiment:
    """Change what the patch names, all of it or nothing.

    Raises:
        PreconditionFailed: it is no longer the version that `if_match` names.
        ExperimentArchived: it is archived.
        StatusConflict, TransitionNotAllowed: see `_step`.
        ExperimentNameTaken, LimitExceeded: the new values do not fit.
    """
    given = change.given
    async with changing(database, project_id, arrived=arrived) as now:
        before = await _experiment(now.connection, experiment_id)
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        if "status" in given:
            await _step(now, before, change.status)
        edited = _edited(before, given)
        if edited != before:
            if before.status == "archived":
                raise ExperimentArchived
            if edited.name != before.name:
                await _refuse_archived_namesake(
                    now.connection, project_id, edited.name, but=before.name
                )
            with constraint("experiments_name_key", otherwise=_name_taken(edited.name)):
                await update_experiment(now.connection, edited, at=now.turn.at)
            fields = [name for name in given if name != "status"]
            await tell_of_experiment(now, EXPERIMENT_CHANGED, FieldsData(fields=fields), edited)
        return await _experiment(now.connection, experiment_id)


async def archive_experiment(
    database: Database, experiment_id: UUID, project_id: UUID, *, arrived: float
) -> Experiment:
    """Hide an experiment and its runs."""
    async with changing(database, project_id, arrived=arrived) as now:
        before = await _experiment(now.connection, experiment_id)
        await _step(now, before, "archived")
        return await _experiment(now.connection, experiment_id)


async def restore_experiment(
    database: Database, experiment_id: UUID, project_id: UUID, *, arrived: float
) -> Experiment:
    """Bring an experiment back as it was, with the runs that its archiving hid.

    Raises:
        NotArchived: it is not archived.
        StatusConflict: it was restored while this request was on its way.
    """
    async with changing(database, project_id, arrived=arrived) as now:
        restored = await update_experiment_restored(
            now.connection,
            experiment_id=experiment_id,
            arrived_at=now.arrived_at,
            at=now.turn.at,
        )
        if not restored:
            await _explain_not_restored(now, experiment_id)
        await update_runs_restored_with_experiment(
            now.connection,
            experiment_id=experiment_id,
            at=now.turn.at,
            change=now.turn.change,
        )
        experiment = await _experiment(now.connection, experiment_id)
        await tell_of_experiment(now, EXPERIMENT_RESTORED, NoData(), experiment)
        return experiment


class Told(Protocol):
    """What is told of an experiment beside what happened to it."""

    @property
    def id(self) -> UUID: ...
    @property
    def project_id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


async def tell_of_experiment[D: BaseModel](
    now: Change, kind: EventKind[D], data: D, experiment: Told
) -> None:
    """Tell of an experiment, in the change in which it happens."""
    event = kind.event(
        data,
        project_id=experiment.project_id,
        subject_id=experiment.id,
        subject_name=experiment.name,
        at=now.turn.at,
    )
    await tell(now.connection, [event])


async def _step(now: Change, before: Experiment, status: ExperimentStatus) -> None:
    """Take a step in the states of an experiment.

    Raises:
        StatusConflict: the status changed after the request had arrived.
        TransitionNotAllowed: there is no such step.
    """
    at = await lock_experiment(now.connection, experiment_id=before.id)
    stepped = await update_experiment_status(
        now.connection,
        experiment_id=before.id,
        status=status,
        sources=EXPERIMENT_SOURCES[status],
        arrived_at=now.arrived_at,
        at=at,
    )
    if not stepped:
        state = await select_experiment_state(now.connection, experiment_id=before.id)
        if state and state["status_changed_at"] > now.arrived_at:
            raise StatusConflict(f"It has become {state['status']}.")
        if before.status != status:
            raise TransitionNotAllowed(f"From {before.status} there is no step to {status}.")
    elif status == "archived":
        await _archive_runs(now, before)
        await tell_of_captures_ended_with_runs(now, before.project_id)
        await tell_of_experiment(now, EXPERIMENT_ARCHIVED, NoData(), before)


async def _archive_runs(now: Change, experiment: Experiment) -> None:
    await update_runs_archived_with_experiment(
        now.connection, experiment_id=experiment.id, at=now.turn.at, change=now.turn.change
    )
    running = await count_running_runs(now.connection, experiment_id=experiment.id)
    if running:
        msg = f"Runs that are still running: {running}. Finish them first."
        raise TransitionNotAllowed(msg)


async def _explain_not_restored(now: Change, experiment_id: UUID) -> None:
    state = await select_experiment_state(now.connection, experiment_id=experiment_id)
    if state and state["status_changed_at"] > now.arrived_at:
        raise StatusConflict(f"It has become {state['status']}.")
    raise NotArchived


async def _experiment(connection: Connection, experiment_id: UUID) -> Experiment:
    experiment = await select_experiment(connection, experiment_id=experiment_id)
    if experiment is None:
        raise NotFound
    return experiment


def _edited(before: Experiment, given: dict[str, Any]) -> Experiment:
    changes = {
        name: given[name] or "" if name == "description" else given[name]
        for name in ("name", "description", "type")
        if name in given
    }
    if "tags" in given:
        tags = merge_tags(before.tags, given["tags"])
        if len(tags) > MAX_TAGS:
            msg = f"An experiment may have at most {MAX_TAGS} tags."
            raise LimitExceeded(msg, errors=[{"pointer": "#/tags", "detail": msg}])
        changes["tags"] = tags
    if "metadata" in given:
        metadata = (
            {} if given["metadata"] is None else merge_patch(before.metadata, given["metadata"])
        )
        if not is_storable(cast("dict[str, Any]", metadata)):
            msg = f"It may hold at most {MAX_JSON_BYTES} bytes of JSON."
            raise LimitExceeded(msg, errors=[{"pointer": "#/metadata", "detail": msg}])
        changes["metadata"] = metadata
    return before.model_copy(update=changes)


async def _refuse_archived_namesake(
    connection: Connection, project_id: UUID, name: str, *, but: str | None = None
) -> None:
    """Say that the name is taken by something out of sight, where it is."""
    taken = await select_archived_namesake(connection, project_id=project_id, name=name)
    if taken and taken != but:
        raise ExperimentNameTaken(f"{taken!r} is archived; restore it, or choose another name.")


def _name_taken(name: str) -> ExperimentNameTaken:
    return ExperimentNameTaken(f"{name!r} is in use, in this or another case.")
