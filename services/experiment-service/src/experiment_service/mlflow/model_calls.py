"""/api/2.0/mlflow/logged-models/…"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.mlflow import Calls

from experiment_service.mlflow import models
from experiment_service.mlflow.answers import Json
from experiment_service.mlflow.messages import (
    CreateModel,
    FinalizeModel,
    GetModel,
    LogModelParams,
    OfModel,
    SearchModels,
    TagModel,
    UntagModel,
)
from experiment_service.mlflow.model_search import search_models
from experiment_service.mlflow.projects import (
    of_experiment,
    of_experiments,
    of_model,
    the_experiment,
    the_experiments,
)

calls = Calls()


@calls.add("POST", "2.0/mlflow/logged-models", policy=policy.editor(), project=of_experiment)
async def create_model(request: Request, message: CreateModel) -> Json:
    """Record a model whose files come next."""
    experiment = await the_experiment(request, message.experiment_id)
    model = await models.create_model(
        request.app[DATABASE], request[PRINCIPAL], experiment, message
    )
    return {"model": model}


@calls.add(
    "POST",
    "2.0/mlflow/logged-models/search",
    policy=policy.viewer(),
    project=of_experiments,
    limit="costly",
)
async def search(request: Request, message: SearchModels) -> Json:
    """Find models."""
    database = request.app[DATABASE]
    ids, token = await search_models(
        database,
        request[ACCESS].project_id,
        await the_experiments(request, message.experiment_ids),
        message,
    )
    found = await models.read_models(database, ids)
    page: Json = {"models": found} if found else {}
    return page | ({"next_page_token": token} if token else {})


@calls.add("GET", "2.0/mlflow/logged-models/{model_id}", policy=policy.viewer(), project=of_model)
async def get_model(request: Request, message: GetModel) -> Json:
    """Read a model."""
    model = await models.get_model(
        request.app[DATABASE], message.model_id, allow_deleted=message.allow_deleted
    )
    return {"model": model}


@calls.add("PATCH", "2.0/mlflow/logged-models/{model_id}", policy=policy.editor(), project=of_model)
async def finalize_model(request: Request, message: FinalizeModel) -> Json:
    """Say how the upload of a model went."""
    model = await models.finalize_model(request.app[DATABASE], message.model_id, message.status)
    return {"model": model}


@calls.add(
    "DELETE", "2.0/mlflow/logged-models/{model_id}", policy=policy.editor(), project=of_model
)
async def delete_model(request: Request, message: OfModel) -> None:
    """Hide a model."""
    await models.delete_model(request.app[DATABASE], message.model_id)


@calls.add(
    "POST",
    "2.0/mlflow/logged-models/{model_id}/params",
    policy=policy.editor(),
    project=of_model,
    limit="ingest",
)
async def log_model_params(request: Request, message: LogModelParams) -> None:
    """Add params to a model."""
    await models.log_model_params(request.app[DATABASE], message)


@calls.add(
    "PATCH",
    "2.0/mlflow/logged-models/{model_id}/tags",
    policy=policy.editor(),
    project=of_model,
)
async def tag_model(request: Request, message: TagModel) -> None:
    """Set tags of a model."""
    await models.tag_model(request.app[DATABASE], message)


@calls.add(
    "DELETE",
    "2.0/mlflow/logged-models/{model_id}/tags/{tag_key:.+}",
    policy=policy.editor(),
    project=of_model,
)
async def untag_model(request: Request, message: UntagModel) -> None:
    """Take a tag off a model."""
    await models.untag_model(request.app[DATABASE], message.model_id, message.tag_key)
