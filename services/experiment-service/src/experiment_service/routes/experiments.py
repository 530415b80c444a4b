"""/api/v1/projects/{project_id}/experiments and /api/v1/experiments/{experiment_id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.observability import ARRIVED
from servicekit.pagination import Page
from servicekit.problems import InvalidCursor, PreconditionFailed
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.experiments import (
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    NewExperiment,
)
from experiment_service.operations import experiments as operations
from experiment_service.queries.experiments import select_project

routes = Routes("experiments")

OF_EXPERIMENT = policy.row("experiment_id", select_project)

STEPS = (errors.StatusConflict, errors.TransitionNotAllowed)


@routes.post(
    "/api/v1/projects/{project_id}/experiments",
    policy=policy.editor(),
    raises=(errors.ExperimentNameTaken,),
    idempotent=True,
)
async def create_experiment(request: Request, project_id: UUID, body: NewExperiment) -> Experiment:
    """Create an experiment."""
    return await operations.create_experiment(
        request_database(request), request[PRINCIPAL], project_id, body
    )


@routes.get(
    "/api/v1/projects/{project_id}/experiments", policy=policy.viewer(), raises=(InvalidCursor,)
)
async def list_experiments(
    request: Request, project_id: UUID, query: ExperimentQuery
) -> Page[Experiment]:
    """List a project's experiments."""
    return await operations.list_experiments(request_database(request), project_id, query)


@routes.get("/api/v1/experiments/{experiment_id}", policy=policy.viewer(OF_EXPERIMENT))
async def get_experiment(request: Request, experiment_id: UUID) -> Experiment:
    """Read an experiment."""
    return await operations.get_experiment(request_database(request), experiment_id)


@routes.patch(
    "/api/v1/experiments/{experiment_id}",
    policy=policy.editor(OF_EXPERIMENT),
    raises=(
        errors.ExperimentArchived,
        errors.ExperimentNameTaken,
        errors.LimitExceeded,
        PreconditionFailed,
        *STEPS,
    ),
)
async def change_experiment(
    request: Request, experiment_id: UUID, body: ExperimentChange, if_match: int | None
) -> Experiment:
    """Change an experiment.

    Tags and metadata are merged; the status `archived` hides the experiment and its runs.
    """
    return await operations.change_experiment(
        request_database(request),
        experiment_id,
        request[ACCESS].project_id,
        body,
        if_match=if_match,
        arrived=request[ARRIVED],
    )


@routes.post(
    "/api/v1/experiments/{experiment_id}/archive",
    policy=policy.editor(OF_EXPERIMENT),
    raises=STEPS,
    status=200,
)
async def archive_experiment(request: Request, experiment_id: UUID) -> Experiment:
    """Hide an experiment and its runs.

    Not while one of its runs is running.
    """
    return await operations.archive_experiment(
        request_database(request),
        experiment_id,
        request[ACCESS].project_id,
        arrived=request[ARRIVED],
    )


@routes.post(
    "/api/v1/experiments/{experiment_id}/restore",
    policy=policy.editor(OF_EXPERIMENT),
    raises=(errors.NotArchived, errors.StatusConflict),
    status=200,
)
async def restore_experiment(request: Request, experiment_id: UUID) -> Experiment:
    """Bring an experiment back, with the runs that its archiving hid."""
    return await operations.restore_experiment(
        request_database(request),
        experiment_id,
        request[ACCESS].project_id,
        arrived=request[ARRIVED],
    )
