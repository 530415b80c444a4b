"""/api/2.0/mlflow/runs/…"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.mlflow import Calls

from experiment_service.mlflow import run_values, runs
from experiment_service.mlflow.answers import Json
from experiment_service.mlflow.messages import (
    CreateRun,
    LogBatch,
    LogInputs,
    LogModel,
    LogOutputs,
    LogParam,
    OfRun,
    Pair,
    SearchRuns,
    TagRun,
    UntagRun,
    UpdateRun,
)
from experiment_service.mlflow.projects import (
    of_experiment,
    of_experiments,
    of_run,
    the_experiment,
    the_experiments,
)
from experiment_service.mlflow.run_search import search_runs

BATCH_LIMIT = 8 << 20
INPUTS_LIMIT = 20 << 20

calls = Calls()


@calls.add("POST", "2.0/mlflow/runs/create", policy=policy.editor(), project=of_experiment)
async def create_run(request: Request, message: CreateRun) -> Json:
    """Record a run, which runs at once."""
    experiment = await the_experiment(request, message.experiment_id)
    run = await runs.create_run(request.app[DATABASE], request[PRINCIPAL], experiment, message)
    return {"run": run}


@calls.add("GET", "2.0/mlflow/runs/get", policy=policy.viewer(), project=of_run)
async def get_run(request: Request, message: OfRun) -> Json:
    """Read a run with its data."""
    return {"run": await runs.get_run(request.app[DATABASE], message.run_id)}


@calls.add(
    "POST", "2.0/mlflow/runs/search", policy=policy.viewer(), project=of_experiments, limit="costly"
)
async def search(request: Request, message: SearchRuns) -> Json:
    """Find runs of the project's experiments; those of other projects are left out."""
    database = request.app[DATABASE]
    experiment_ids = await the_experiments(request, message.experiment_ids)
    ids, token = await search_runs(database, request[ACCESS].project_id, experiment_ids, message)
    found = await runs.read_runs(database, ids)
    page: Json = {"runs": found} if found else {}
    return page | ({"next_page_token": token} if token else {})


@calls.add("POST", "2.0/mlflow/runs/update", policy=policy.editor(), project=of_run)
async def update_run(request: Request, message: UpdateRun) -> Json:
    """Change status, end and name of a run."""
    info = await runs.update_run(request.app[DATABASE], request[ACCESS].project_id, message)
    return {"run_info": info}


@calls.add("POST", "2.0/mlflow/runs/delete", policy=policy.editor(), project=of_run)
async def delete_run(request: Request, message: OfRun) -> None:
    """Archive a run."""
    await runs.delete_run(request.app[DATABASE], request[ACCESS].project_id, message.run_id)


@calls.add("POST", "2.0/mlflow/runs/restore", policy=policy.editor(), project=of_run)
async def restore_run(request: Request, message: OfRun) -> None:
    """Bring an archived run back."""
    await runs.restore_run(request.app[DATABASE], request[ACCESS].project_id, message.run_id)


@calls.add(
    "POST", "2.0/mlflow/runs/log-parameter", policy=policy.editor(), project=of_run, limit="ingest"
)
async def log_param(request: Request, message: LogParam) -> None:
    """Log a param of a run."""
    await run_values.log_param(
        request.app[DATABASE],
        request[ACCESS].project_id,
        message.run_id,
        Pair(key=message.key, value=message.value),
    )


@calls.add(
    "POST",
    "2.0/mlflow/runs/log-batch",
    policy=policy.editor(),
    project=of_run,
    body_limit=BATCH_LIMIT,
    limit="ingest",
)
async def log_batch(request: Request, message: LogBatch) -> None:
    """Log the params and tags of a batch; metrics-service sends them on from there."""
    await run_values.log_batch(request.app[DATABASE], request[ACCESS].project_id, message)


@calls.add(
    "POST", "2.0/mlflow/runs/set-tag", policy=policy.editor(), project=of_run, limit="ingest"
)
async def set_tag(request: Request, message: TagRun) -> None:
    """Set a tag of a run."""
    await run_values.set_tag(
        request.app[DATABASE],
        request[ACCESS].project_id,
        message.run_id,
        Pair(key=message.key, value=message.value),
    )


@calls.add("POST", "2.0/mlflow/runs/delete-tag", policy=policy.editor(), project=of_run)
async def delete_tag(request: Request, message: UntagRun) -> None:
    """Take a tag off a run."""
    await run_values.delete_tag(
        request.app[DATABASE], request[ACCESS].project_id, message.run_id, message.key
    )


@calls.add(
    "POST", "2.0/mlflow/runs/log-model", policy=policy.editor(), project=of_run, limit="ingest"
)
async def log_model(request: Request, message: LogModel) -> None:
    """Add a model to the history that a run has in a tag."""
    await run_values.log_model(request.app[DATABASE], request[ACCESS].project_id, message)


@calls.add(
    "POST",
    "2.0/mlflow/runs/log-inputs",
    policy=policy.editor(),
    project=of_run,
    body_limit=INPUTS_LIMIT,
    limit="ingest",
)
async def log_inputs(request: Request, message: LogInputs) -> None:
    """Note datasets and models that a run reads."""
    await run_values.log_inputs(request.app[DATABASE], request[ACCESS].project_id, message)


@calls.add(
    "POST", "2.0/mlflow/runs/outputs", policy=policy.editor(), project=of_run, limit="ingest"
)
async def log_outputs(request: Request, message: LogOutputs) -> None:
    """Note models that a run has made."""
    await run_values.log_outputs(request.app[DATABASE], request[ACCESS].project_id, message)
