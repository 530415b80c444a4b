"""What MLflow clients ask a server about itself, and what Runbench has no part of."""

from aiohttp import web
from aiohttp.web import Request
from servicekit import policy
from servicekit.mlflow import Calls, EndpointNotFound

from experiment_service.mlflow.answers import Json

MLFLOW_VERSION = "3.17.2"
"""The version whose tracking API this room follows; clients ask for it."""

_NOT_HERE = {
    "registered-models": "a model registry",
    "model-versions": "a model registry",
    "traces": "traces",
    "assessments": "assessments",
    "datasets": "evaluation datasets",
    "scorers": "scorers",
    "prompts": "a prompt registry",
    "prompt-optimization": "a prompt registry",
    "webhooks": "MLflow's webhooks",
    "gateway": "an AI gateway",
    "endpoints": "an AI gateway",
    "workspaces": "workspaces: projects stand in their place",
    "jobs": "jobs",
}

calls = Calls()


@calls.add("GET", "/version", policy=policy.public())
async def tell_version(request: Request) -> web.Response:  # noqa: ARG001
    """Tell which MLflow the client may take this for."""
    return web.Response(text=MLFLOW_VERSION)


@calls.add("GET", "3.0/mlflow/server-info", policy=policy.public())
async def tell_server_info(request: Request) -> Json:  # noqa: ARG001
    """Tell what this server can do; anybody may know."""
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": {"gateway": False},
    }


@calls.add("*", "{version}/mlflow/{rest:.*}", policy=policy.signed_in())
async def refuse(request: Request) -> None:
    """Say what Runbench does not have; clients then do without, or say so in turn.

    Raises:
        EndpointNotFound: always.
    """
    part = request.match_info["rest"].partition("/")[0]
    what = _NOT_HERE.get(part, "this part of MLflow's API")
    msg = f"Runbench does not have {what} ({request.method} {request.path[:200]})."
    raise EndpointNotFound(msg)
