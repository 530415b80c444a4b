"""Baselines: the run that the others of an experiment are compared with."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.outbox import emit

from comparison_service.errors import RunElsewhere
from comparison_service.models.events import BASELINE_SET, BaselineData
from comparison_service.models.saved import Baseline, NewBaseline
from comparison_service.queries.baselines import (
    delete_baseline,
    select_baselines,
    upsert_baseline,
)
from comparison_service.queries.experiments import (
    select_experiment_of_run,
    select_experiment_project,
)


async def get_baseline(database: Database, experiment_id: UUID) -> Baseline:
    """The experiment's baseline; its run is null where none is set."""
    async with database.acquire() as connection:
        found = await select_baselines(connection, experiment_ids=[experiment_id])
    none = Baseline(experiment_id=experiment_id, run_id=None, set_by=None, set_at=None)
    return found[0] if found else none


async def set_baseline(
    database: Database, principal: Principal, experiment_id: UUID, new: NewBaseline
) -> Baseline:
    """Compare the experiment's runs with one of them.

    Raises:
        RunElsewhere: the run is none of the experiment's.
    """
    async with database.acquire() as connection, connection.transaction():
        if await select_experiment_of_run(connection, new.run_id) != experiment_id:
            raise RunElsewhere(
                f"There is no run {new.run_id} in this experiment.",
                errors=[{"pointer": "#/run_id", "detail": "must be a run of the experiment"}],
            )
        await upsert_baseline(
            connection,
            experiment_id=experiment_id,
            run_id=new.run_id,
            by=principal.user_id,
            at=datetime.now(UTC),
        )
        await _tell(connection, experiment_id, new.run_id)
    return await get_baseline(database, experiment_id)


async def clear_baseline(database: Database, experiment_id: UUID) -> None:
    """Let the experiment have no baseline."""
    async with database.acquire() as connection, connection.transaction():
        if await delete_baseline(connection, experiment_id):
            await _tell(connection, experiment_id, None)


async def _tell(connection: Connection, experiment_id: UUID, run_id: UUID | None) -> None:
    project_id = await select_experiment_project(connection, experiment_id)
    event = BASELINE_SET.event(
        BaselineData(run_id=run_id), project_id=project_id, subject_id=experiment_id
    )
    await emit(connection, [event])


async def baselines_of(database: Database, experiment_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The baseline run of each experiment that has one."""
    async with database.acquire() as connection:
        found = await select_baselines(connection, experiment_ids=set(experiment_ids))
    return {one.experiment_id: one.run_id for one in found if one.run_id}
