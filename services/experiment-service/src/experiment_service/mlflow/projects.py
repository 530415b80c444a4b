"""How requests of MLflow clients lead to a project of ours: by the rows that they name."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from aiohttp.web import Request
from servicekit.database import DATABASE, Connection
from servicekit.identity import ACCESS, PRINCIPAL, Role
from servicekit.mlflow import PROJECT_HEADER, DoesNotExist, chosen_project

from experiment_service.mlflow.entities import StoredExperiment
from experiment_service.mlflow.experiments import find_experiment, want_experiment
from experiment_service.mlflow.messages import DEFAULT_EXPERIMENT
from experiment_service.mlflow.model_queries import select_project_of_model
from experiment_service.queries import experiments, runs

type Select = Callable[[Connection, UUID], Awaitable[UUID | None]]


async def of_experiment(request: Request, message: Any) -> UUID | None:
    """The project of the experiment; the chosen one where the default experiment is meant."""
    if message.experiment_id == DEFAULT_EXPERIMENT:
        return await chosen_project(request)
    return await _project(request, experiments.select_project, message.experiment_id)


async def of_run(request: Request, message: Any) -> UUID | None:
    """The project of the run."""
    return await _project(request, runs.select_project, message.run_id)


async def of_model(request: Request, message: Any) -> UUID | None:
    """The project of the logged model."""
    return await _project(request, select_project_of_model, message.model_id)


async def of_name(request: Request, message: Any) -> UUID:
    """The chosen project, where the experiment's name may begin with it."""
    return await chosen_project(request, message.name)


async def of_experiment_name(request: Request, message: Any) -> UUID:
    """As `of_name`, of requests that call it `experiment_name`."""
    return await chosen_project(request, message.experiment_name)


async def of_experiments(request: Request, message: Any) -> UUID | None:
    """The chosen project; where nothing chooses one, that of the first experiment."""
    named = [id_ for id_ in message.experiment_ids if id_ != DEFAULT_EXPERIMENT]
    chosen = request[PRINCIPAL].scope or PROJECT_HEADER in request.headers
    if chosen or not named:
        return await chosen_project(request)
    return await _project(request, experiments.select_project, named[0])


async def the_experiment(request: Request, experiment_id: UUID) -> StoredExperiment:
    """The experiment that the request is about; an editor's request makes the default one.

    Raises:
        DoesNotExist: there is none.
    """
    database, access = request.app[DATABASE], request[ACCESS]
    if not access.role.includes(Role.EDITOR) or access.archived:
        return await find_experiment(database, access.project_id, experiment_id)
    return await want_experiment(database, request[PRINCIPAL], access.project_id, experiment_id)


async def the_experiments(request: Request, experiment_ids: list[UUID]) -> list[UUID]:
    """The ids with that of the default experiment in its place, if there is one."""
    if DEFAULT_EXPERIMENT not in experiment_ids:
        return experiment_ids
    rest = [id_ for id_ in experiment_ids if id_ != DEFAULT_EXPERIMENT]
    database, access = request.app[DATABASE], request[ACCESS]
    try:
        found = await find_experiment(database, access.project_id, DEFAULT_EXPERIMENT)
    except DoesNotExist:
        return rest
    return [*rest, found.id]


async def _project(request: Request, select: Select, id_: UUID) -> UUID | None:
    async with request.app[DATABASE].acquire() as connection:
        return await select(connection, id_)
