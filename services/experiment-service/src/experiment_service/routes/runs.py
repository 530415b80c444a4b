"""/api/v1/projects/{project_id}/runs, /api/v1/experiments/{experiment_id}/runs, /api/v1/runs"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.observability import ARRIVED
from servicekit.pagination import Page
from servicekit.problems import Invalid, InvalidCursor, PreconditionFailed
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.runs import (
    ExperimentRunsQuery,
    Heartbeat,
    NewParams,
    NewRun,
    Run,
    RunChange,
    RunSearch,
    RunsQuery,
)
from experiment_service.operations import run_reading, run_search, run_states
from experiment_service.operations import runs as operations
from experiment_service.queries.runs import select_project
from experiment_service.routes.experiments import OF_EXPERIMENT, STEPS

routes = Routes("runs")

OF_RUN = policy.row("run_id", select_project)


@routes.post(
    "/api/v1/experiments/{experiment_id}/runs",
    policy=policy.editor(OF_EXPERIMENT),
    raises=(errors.ExperimentArchived, errors.LimitExceeded, Invalid),
    idempotent=True,
)
async def create_run(request: Request, experiment_id: UUID, body: NewRun) -> Run:
    """Record a run; it starts at once unless it is a draft."""
    return await operations.create_run(
        request_database(request),
        request[PRINCIPAL],
        experiment_id,
        request[ACCESS].project_id,
        body,
    )


@routes.get(
    "/api/v1/experiments/{experiment_id}/runs",
    policy=policy.viewer(OF_EXPERIMENT),
    raises=(InvalidCursor, Invalid),
)
async def list_experiment_runs(
    request: Request, experiment_id: UUID, query: ExperimentRunsQuery
) -> Page[Run]:
    """List an experiment's runs."""
    return await run_search.list_runs(
        request_database(request),
        request[ACCESS].project_id,
        query,
        experiment_id=experiment_id,
    )


@routes.get(
    "/api/v1/projects/{project_id}/runs",
    policy=policy.viewer(),
    raises=(InvalidCursor, Invalid),
)
async def list_runs(request: Request, project_id: UUID, query: RunsQuery) -> Page[Run]:
    """List a project's runs."""
    return await run_search.list_runs(
        request_database(request), project_id, query, experiment_id=query.experiment_id
    )


@routes.post(
    "/api/v1/projects/{project_id}/runs/search",
    policy=policy.viewer(),
    raises=(InvalidCursor, Invalid),
    status=200,
    limit="costly",
)
async def search_runs(request: Request, project_id: UUID, body: RunSearch) -> Page[Run]:
    """Search a project's runs.

    The same as the list, for filters that are too long for an address.
    """
    return await run_search.search_runs(request_database(request), project_id, body)


@routes.get("/api/v1/runs/{run_id}", policy=policy.viewer(OF_RUN))
async def get_run(request: Request, run_id: UUID) -> Run:
    """Read a run."""
    return await run_reading.get_run(request_database(request), run_id)


@routes.patch(
    "/api/v1/runs/{run_id}",
    policy=policy.editor(OF_RUN),
    raises=(errors.RunArchived, errors.LimitExceeded, PreconditionFailed, *STEPS),
)
async def change_run(request: Request, run_id: UUID, body: RunChange, if_match: int | None) -> Run:
    """Change a run.

    Tags are merged. The same status again changes nothing; of requests that compete for the
    next status one wins and the others are refused.
    """
    return await operations.change_run(
        request_database(request),
        run_id,
        request[ACCESS].project_id,
        body,
        if_match=if_match,
        arrived=request[ARRIVED],
    )


@routes.post(
    "/api/v1/runs/{run_id}/params",
    policy=policy.editor(OF_RUN),
    raises=(errors.ParamAlreadySet, errors.RunArchived, errors.LimitExceeded),
    status=200,
    limit="ingest",
)
async def add_params(request: Request, run_id: UUID, body: NewParams) -> Run:
    """Add params to a run.

    A param keeps its first value; the same value again changes nothing.
    """
    return await operations.add_params(
        request_database(request), run_id, request[ACCESS].project_id, body
    )


@routes.post(
    "/api/v1/runs/{run_id}/heartbeat", policy=policy.editor(OF_RUN), status=200, limit="ingest"
)
async def send_heartbeat(request: Request, run_id: UUID) -> Heartbeat:
    """Say that the program of a run is alive.

    An interrupted run runs again; a run that has ended stays so, and the answer says it.
    """
    return await run_states.note_heartbeat(
        request_database(request), run_id, request[ACCESS].project_id
    )


@routes.post(
    "/api/v1/runs/{run_id}/archive", policy=policy.editor(OF_RUN), raises=STEPS, status=200
)
async def archive_run(request: Request, run_id: UUID) -> Run:
    """Hide a run that is not running."""
    return await run_states.archive_run(
        request_database(request), run_id, request[ACCESS].project_id, arrived=request[ARRIVED]
    )


@routes.post(
    "/api/v1/runs/{run_id}/restore",
    policy=policy.editor(OF_RUN),
    raises=(errors.ExperimentArchived, errors.NotArchived, errors.StatusConflict),
    status=200,
)
async def restore_run(request: Request, run_id: UUID) -> Run:
    """Bring an archived run back as it was."""
    return await run_states.restore_run(
        request_database(request), run_id, request[ACCESS].project_id, arrived=request[ARRIVED]
    )
