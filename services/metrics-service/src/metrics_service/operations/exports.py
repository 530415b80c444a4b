"""Every point of a run's metrics as a file that is written while it is sent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from uuid import UUID

from seriesstore.export import export
from seriesstore.summary import find_summaries, list_summaries
from servicekit.database import Database
from servicekit.outbox import note
from servicekit.problems import Unavailable

from metrics_service.models.audited import METRICS_EXPORTED, ExportData
from metrics_service.models.series import ExportQuery

MOST_AT_ONCE = 4
"""An export holds a connection as long as its reader takes; the others must not run out of them."""

COLUMNS = ("key", "step", "value", "time")
_ALL = 1_000_000

_running = asyncio.Semaphore(MOST_AT_ONCE)


@asynccontextmanager
async def export_metrics(
    database: Database, project_id: UUID, run_id: UUID, query: ExportQuery
) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """The pieces of the file: metric by metric in the order of their keys, each by step.

    The whole file shows the run at one moment, however much is logged meanwhile. That it was taken
    is noted before anything of it goes out.

    Raises:
        Unavailable: as many exports as may run are running.
    """
    if _running.locked():
        msg = f"{MOST_AT_ONCE} exports are running here already."
        raise Unavailable(msg, retry_after=5)
    async with _running, database.acquire() as connection:
        keys = query.key
        summaries = (
            await list_summaries(connection, run_id, limit=_ALL)
            if keys is None
            else await find_summaries(connection, [run_id], list(dict.fromkeys(keys)))
        )
        told = METRICS_EXPORTED.event(
            ExportData(format=query.format, keys=keys), project_id=project_id, subject_id=run_id
        )
        await note(connection, [told])
        pieces = export(connection, summaries, form=query.format, names=COLUMNS)
        async with aclosing(pieces):
            yield pieces
