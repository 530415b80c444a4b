"""/api/v1/runs/{run_id}/artifact-archive: a folder of a run as one zip."""

import asyncio
from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.fields import Query
from servicekit.identity import ACCESS
from servicekit.problems import Problem
from servicekit.routing import Routes

from artifact_service.errors import ArchiveTooLarge, StoreUnavailable
from artifact_service.models.paths import Prefix
from artifact_service.operations.archiving import archive, begin_archive
from artifact_service.routes.artifacts import OF_RUN
from artifact_service.routes.files import STALL_SEC, saved_as
from artifact_service.stores.contract import STORE

routes = Routes("artifacts")

ZIP = "application/zip"


class ArchiveQuery(Query):
    """Which folder."""

    prefix: Prefix = ""


@routes.get(
    "/api/v1/runs/{run_id}/artifact-archive",
    policy=policy.viewer(OF_RUN),
    raises=(ArchiveTooLarge, StoreUnavailable),
    sends=(ZIP,),
    limit="costly",
)
async def get_archive(request: Request, run_id: UUID, query: ArchiveQuery) -> StreamResponse:
    """Download a folder of a run's files, all of them if none is named, as one zip."""
    await begin_archive(request.app[DATABASE], request[ACCESS].project_id, run_id, query.prefix)
    name = query.prefix.rpartition("/")[2] or f"run-{run_id}"
    response = StreamResponse(headers=saved_as(f"{name}.zip") | {"Content-Type": ZIP})
    pieces = archive(request.app[DATABASE], request.app[STORE], run_id, query.prefix)
    try:
        async for piece in pieces:
            if not response.prepared:  # a file that cannot be read mostly shows before the head
                await response.prepare(request)
            async with asyncio.timeout(STALL_SEC):
                await response.write(piece)
        await response.write_eof()
    except (ConnectionError, TimeoutError, Problem):
        if not response.prepared:
            raise
        if request.transport:  # a short zip must not pass for the whole
            request.transport.abort()
    return response
