"""Runs and logged models as what files belong to."""

from servicekit.database import Connection, Database
from servicekit.problems import NotFound

from artifact_service.errors import RunArchived
from artifact_service.models.artifacts import Holder
from artifact_service.queries.runs import HolderState, select_model, select_run


async def select_holder(connection: Connection, holder: Holder) -> HolderState | None:
    """Where a run or a model stands; None where there is none."""
    if holder.kind == "model":
        return await select_model(connection, holder.id)
    return await select_run(connection, holder.id)


async def check_writable(connection: Connection, holder: Holder) -> HolderState:
    """Where it stands; refuse changes of what is archived.

    Raises:
        RunArchived: it is.
        NotFound: it is gone.
    """
    state = await select_holder(connection, holder)
    if state is None:
        raise NotFound
    if state.archived:
        raise RunArchived
    return state


async def read_holder(database: Database, holder: Holder) -> HolderState | None:
    """See `select_holder`."""
    async with database.acquire() as connection:
        return await select_holder(connection, holder)
