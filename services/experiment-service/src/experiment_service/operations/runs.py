"""Recording and changing runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.bodies import escape_pointer
from servicekit.database import Database, constraint
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.problems import Invalid, NotFound, PreconditionFailed

from experiment_service.errors import (
    ExperimentArchived,
    LimitExceeded,
    ParamAlreadySet,
    RunArchived,
)
from experiment_service.models.runs import NewParams, NewRun, Run, RunChange
from experiment_service.models.values import (
    MAX_PARAMS,
    MAX_PARAMS_BYTES,
    MAX_TAGS,
    json_size,
    merge_tags,
    same_param,
)
from experiment_service.operations.changing import Change, changing
from experiment_service.operations.names import readable_name
from experiment_service.operations.run_events import tell_of_runs
from experiment_service.operations.run_reading import answer_run, stored_run
from experiment_service.operations.run_states import step
from experiment_service.queries.experiments import (
    select_experiment_state,
    update_experiment_has_run,
)
from experiment_service.queries.run_values import (
    delete_run_tags,
    insert_run_params,
    insert_run_tags,
)
from experiment_service.queries.runs import (
    insert_run,
    update_run,
    update_run_params,
)


async def create_run(
    database: Database,
    principal: Principal,
    experiment_id: UUID,
    project_id: UUID,
    new: NewRun,
    *,
    started_at: datetime | None = None,
) -> Run:
    """Record a run, started at once unless it is a draft; `started_at` where that was earlier.

    Raises:
        ExperimentArchived: an archived experiment takes no runs.
        Invalid: the parent is no run of this project.
        LimitExceeded: the params are too much for one run.
    """
    _check_size(new.params)
    run_id = uuid7()
    async with changing(database, project_id) as now:
        state = await select_experiment_state(now.connection, experiment_id=experiment_id)
        if state is None:
            raise NotFound
        if state["status"] == "archived":
            raise ExperimentArchived
        with constraint("runs_parent_fkey", otherwise=_unknown_parent()):
            await insert_run(
                now.connection,
                new,
                run_id=run_id,
                project_id=project_id,
                experiment_id=experiment_id,
                name=new.name or readable_name(),
                created_by=principal.user_id,
                at=now.turn.at,
                started_at=started_at or now.turn.at,
                change=now.turn.change,
            )
        await insert_run_params(
            now.connection, run_id=run_id, project_id=project_id, params=new.params
        )
        await insert_run_tags(
            now.connection, run_ids=[run_id], project_id=project_id, tags=new.tags
        )
        await update_experiment_has_run(
            now.connection,
            experiment_id=experiment_id,
            at=now.turn.at,
            running=new.status == "running",
        )
        await tell_of_runs(now, project_id, [run_id])
        return await stored_run(now.connection, run_id)


async def change_run(
    database: Database,
    run_id: UUID,
    project_id: UUID,
    change: RunChange,
    *,
    if_match: int | None,
    arrived: float,
) -> Run:
    """Change what the patch names, all of it or nothing.

    Raises:
        PreconditionFailed: it is no longer the version that `if_match` names.
        RunArchived: an archived run takes no changes.
        StatusConflict, TransitionNotAllowed: see `run_states.step`.
        LimitExceeded: that would be too many tags.
    """
    given = change.given
    async with changing(database, project_id, arrived=arrived) as now:
        before = await stored_run(now.connection, run_id)
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        if "status" in given:
            await step(now, before, change.status)
        edited = _edited(before, given)
        if edited != before:
            if before.status == "archived":
                raise RunArchived
            await update_run(now.connection, edited, at=now.turn.at, change=now.turn.change)
            await _store_tags(now, before, edited)
        return await answer_run(now.connection, run_id)


async def add_params(database: Database, run_id: UUID, project_id: UUID, new: NewParams) -> Run:
    """Add params to a run; one that is there already keeps its value.

    Raises:
        ParamAlreadySet: a key has another value already; nothing is added then.
        RunArchived: an archived run takes no changes.
        LimitExceeded: that would be too much for one run.
    """
    async with changing(database, project_id) as now:
        before = await stored_run(now.connection, run_id)
        if before.status == "archived":
            raise RunArchived
        changed = [
            key
            for key, value in new.params.items()
            if key in before.params and not same_param(before.params[key], value)
        ]
        if changed:
            raise ParamAlreadySet(
                f"Already set to something else: {', '.join(map(repr, changed[:20]))}.",
                errors=[
                    {"pointer": f"#/params/{escape_pointer(key)}", "detail": "has another value"}
                    for key in changed[:100]
                ],
            )
        added = {key: value for key, value in new.params.items() if key not in before.params}
        if added:
            after = before.model_copy(update={"params": before.params | added})
            _check_size(after.params)
            await update_run_params(
                now.connection,
                run_id=run_id,
                params=after.params,
                at=now.turn.at,
                change=now.turn.change,
            )
            await insert_run_params(
                now.connection, run_id=run_id, project_id=project_id, params=added
            )
        return await answer_run(now.connection, run_id)


def _edited(before: Run, given: dict[str, Any]) -> Run:
    changes = {
        name: given[name] or "" if name == "notes" else given[name]
        for name in ("name", "notes", "auto_complete_minutes")
        if name in given
    }
    if "tags" in given:
        changes["tags"] = merge_tags(before.tags, given["tags"])
        if len(changes["tags"]) > MAX_TAGS:
            raise too_many_tags("#/tags")
    return before.model_copy(update=changes)


async def _store_tags(now: Change, before: Run, edited: Run) -> None:
    await delete_run_tags(
        now.connection, run_ids=[edited.id], keys=before.tags.keys() - edited.tags.keys()
    )
    await insert_run_tags(
        now.connection,
        run_ids=[edited.id],
        project_id=edited.project_id,
        tags=dict(edited.tags.items() - before.tags.items()),
    )


def _check_size(params: dict[str, Any]) -> None:
    if len(params) > MAX_PARAMS or json_size(params) > MAX_PARAMS_BYTES:
        msg = f"A run may have at most {MAX_PARAMS} params, and 1 MiB of them."
        raise LimitExceeded(msg, errors=[{"pointer": "#/params", "detail": msg}])


def _unknown_parent() -> Invalid:
    detail = "there is no such run in this project"
    return Invalid(errors=[{"pointer": "#/parent_run_id", "detail": detail}])


def too_many_tags(pointer: str) -> LimitExceeded:
    """What is said when a run would have more tags than it may."""
    msg = f"A run may have at most {MAX_TAGS} tags."
    return LimitExceeded(msg, errors=[{"pointer": pointer, "detail": msg}])
