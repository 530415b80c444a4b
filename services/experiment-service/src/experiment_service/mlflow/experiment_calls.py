"""/api/2.0/mlflow/experiments/…"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.mlflow import Calls, name_in_project, shown_name
from servicekit.observability import ARRIVED

from experiment_service.mlflow import answers, experiments
from experiment_service.mlflow.answers import Json
from experiment_service.mlflow.entities import StoredExperiment
from experiment_service.mlflow.experiment_search import search_experiments
from experiment_service.mlflow.messages import (
    CreateExperiment,
    GetExperimentByName,
    OfExperiment,
    Pair,
    RenameExperiment,
    SearchExperiments,
    TagExperiment,
    UntagExperiment,
)
from experiment_service.mlflow.projects import (
    of_experiment,
    of_experiment_name,
    of_name,
    the_experiment,
)

calls = Calls()


@calls.add("POST", "2.0/mlflow/experiments/create", policy=policy.editor(), project=of_name)
async def create_experiment(request: Request, message: CreateExperiment) -> Json:
    """Create an experiment."""
    created = await experiments.create_experiment(
        request.app[DATABASE],
        request[PRINCIPAL],
        request[ACCESS].project_id,
        name=name_in_project(request, message.name),
        artifact_location=message.artifact_location,
        tags=message.tags,
    )
    return {"experiment_id": created.hex}


@calls.add("GET", "2.0/mlflow/experiments/get", policy=policy.viewer(), project=of_experiment)
async def get_experiment(request: Request, message: OfExperiment) -> Json:
    """Read an experiment, deleted or not."""
    return {"experiment": _shown(request, await the_experiment(request, message.experiment_id))}


@calls.add(
    "GET",
    "2.0/mlflow/experiments/get-by-name",
    policy=policy.viewer(),
    project=of_experiment_name,
)
async def get_experiment_by_name(request: Request, message: GetExperimentByName) -> Json:
    """Read the experiment of that name, deleted or not."""
    name = name_in_project(request, message.experiment_name)
    found = await experiments.find_experiment_by_name(
        request.app[DATABASE], request[ACCESS].project_id, name
    )
    return {"experiment": _shown(request, found)}


async def _search(request: Request, message: SearchExperiments) -> Json:
    found, token = await search_experiments(
        request.app[DATABASE], request[ACCESS].project_id, message
    )
    page: Json = {"experiments": [_shown(request, one) for one in found]} if found else {}
    return page | ({"next_page_token": token} if token else {})


@calls.add("POST", "2.0/mlflow/experiments/search", policy=policy.viewer())
async def search(request: Request, message: SearchExperiments) -> Json:
    """Find experiments."""
    return await _search(request, message)


@calls.add("GET", "2.0/mlflow/experiments/search", policy=policy.viewer())
async def search_by_query(request: Request, message: SearchExperiments) -> Json:
    """Find experiments; the search in the address."""
    return await _search(request, message)


@calls.add("POST", "2.0/mlflow/experiments/update", policy=policy.editor(), project=of_experiment)
async def rename_experiment(request: Request, message: RenameExperiment) -> None:
    """Give an experiment another name."""
    await experiments.rename_experiment(
        request.app[DATABASE],
        request[ACCESS].project_id,
        message.experiment_id,
        name_in_project(request, message.new_name),
        arrived=request[ARRIVED],
    )


@calls.add("POST", "2.0/mlflow/experiments/delete", policy=policy.editor(), project=of_experiment)
async def delete_experiment(request: Request, message: OfExperiment) -> None:
    """Archive an experiment and its runs."""
    await experiments.delete_experiment(
        request.app[DATABASE], request[ACCESS].project_id, message.experiment_id
    )


@calls.add("POST", "2.0/mlflow/experiments/restore", policy=policy.editor(), project=of_experiment)
async def restore_experiment(request: Request, message: OfExperiment) -> None:
    """Bring an experiment back, with the runs that its deletion hid."""
    await experiments.restore_experiment(
        request.app[DATABASE],
        request[ACCESS].project_id,
        message.experiment_id,
        arrived=request[ARRIVED],
    )


@calls.add(
    "POST",
    "2.0/mlflow/experiments/set-experiment-tag",
    policy=policy.editor(),
    project=of_experiment,
)
async def tag_experiment(request: Request, message: TagExperiment) -> None:
    """Set a tag of an experiment."""
    experiment = await the_experiment(request, message.experiment_id)
    await experiments.tag_experiment(
        request.app[DATABASE],
        request[ACCESS].project_id,
        experiment.id,
        Pair(key=message.key, value=message.value),
    )


@calls.add(
    "POST",
    "2.0/mlflow/experiments/delete-experiment-tag",
    policy=policy.editor(),
    project=of_experiment,
)
async def untag_experiment(request: Request, message: UntagExperiment) -> None:
    """Take a tag off an experiment."""
    await experiments.untag_experiment(
        request.app[DATABASE], request[ACCESS].project_id, message.experiment_id, message.key
    )


def _shown(request: Request, stored: StoredExperiment) -> Json:
    return answers.experiment(stored, shown_name(request, stored.name))
