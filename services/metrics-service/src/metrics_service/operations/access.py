"""Which project a run belongs to, for whoever decides what a caller may do with it."""

from collections.abc import Mapping
from time import monotonic
from typing import Any
from uuid import UUID

from servicekit.database import Database

from metrics_service.queries.runs import select_project

KEPT_SEC = 5.0
_MOST_KEPT = 10_000


class ProjectOfRun:
    """The `ProjectOf` of routes below a run.

    A run stays in its project, and each call names a run: what was found is kept for seconds, as
    roles are. What was not found may be there a moment later, and is not kept.
    """

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[float, UUID]] = {}

    async def __call__(self, database: Database, path: Mapping[str, Any]) -> UUID | None:
        """The project of the run that the path names.

        Raises:
            Unavailable: experiment-service has not made its view yet.
        """
        run_id: UUID = path["run_id"]
        kept = self._kept.get(run_id)
        if kept and kept[0] > monotonic():
            return kept[1]
        async with database.acquire() as connection:
            project_id = await select_project(connection, run_id)
        self._kept.pop(run_id, None)
        if project_id:
            while len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[run_id] = monotonic() + KEPT_SEC, project_id
        return project_id


OF_RUN = ProjectOfRun()
