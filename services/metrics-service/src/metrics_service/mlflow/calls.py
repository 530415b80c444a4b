"""The metric calls of MLflow's tracking client: logging, and histories."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from aiohttp.web import Request, StreamResponse
from pydantic import AliasChoices, Field
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.mlflow import (
    Calls,
    DoesNotExist,
    Id,
    InvalidParameter,
    Message,
    Required,
)
from servicekit.problems import NotFound

from metrics_service.clients.experiments import EXPERIMENTS
from metrics_service.errors import RunArchived
from metrics_service.jobs.writer import WRITER
from metrics_service.mlflow.batches import Logged, to_batch, to_metric
from metrics_service.mlflow.history import History, ordered, read_histories
from metrics_service.mlflow.wire import send_metrics
from metrics_service.operations import batches
from metrics_service.operations.access import OF_RUN
from metrics_service.operations.series import admit_runs

calls = Calls()

BODY_LIMIT = 16 << 20
RUNS_AT_ONCE = 100
POINTS_OF_BULK = 25_000
POINTS_OF_RUN = 2_500


class ReadHistory(Message):
    """Which metric of which run, and how much of it at once."""

    run_id: Id = Field(validation_alias=AliasChoices("run_id", "run_uuid"))
    metric_key: Required
    max_results: Annotated[int | None, Field(gt=0)] = None
    page_token: str = ""


class ReadHistories(Message):
    """Which metric of which runs, and how much of all of them."""

    run_id: list[Id] = Field(default=[])
    metric_key: Required
    max_results: int = POINTS_OF_BULK


class SampleHistories(Message):
    """Which metric of which runs, between which steps, and how much of each."""

    run_ids: list[Id] = Field(min_length=1, max_length=RUNS_AT_ONCE)
    metric_key: Required
    start_step: int | None = None
    end_step: int | None = None
    max_results: int = Field(default=POINTS_OF_RUN, ge=1, le=POINTS_OF_RUN)


async def _of_run(request: Request, message: Logged | ReadHistory) -> UUID | None:
    return await OF_RUN(request.app[DATABASE], {"run_id": message.run_id})


@calls.add(
    "POST",
    "2.0/mlflow/runs/log-metric",
    policy=policy.editor(),
    project=_of_run,
    body_limit=BODY_LIMIT,
    read=to_metric,
    limit="ingest",
)
async def log_metric(request: Request, message: Logged) -> None:
    """Log a point of a metric; the same again changes nothing."""
    await _log(request, message)


@calls.add(
    "POST",
    "2.0/mlflow/runs/log-batch",
    policy=policy.editor(),
    project=_of_run,
    body_limit=BODY_LIMIT,
    read=to_batch,
    limit="ingest",
)
async def log_batch(request: Request, message: Logged) -> None:
    """Log params, tags and metrics: the first two are experiment-service's, and stored first."""
    await _log(request, message)


@calls.add("GET", "2.0/mlflow/metrics/get-history", policy=policy.viewer(), project=_of_run)
async def get_history(request: Request, message: ReadHistory) -> StreamResponse:
    """A metric's points by time, all of them or page by page."""
    found = await read_histories(request.app[DATABASE], [message.run_id], message.metric_key)
    history = [await ordered(one) for one in found]
    if message.max_results is None and not message.page_token:
        return await send_metrics(request, history, with_run=False)
    start = _decode(message.page_token)
    end = start + (message.max_results or 2**62)
    more = bool(history) and len(history[0]) > end
    return await send_metrics(
        request,
        [one.take(slice(start, end)) for one in history],
        with_run=False,
        token=_encode(end) if more else "",
    )


@calls.add("GET", "2.0/mlflow/metrics/get-history-bulk", policy=policy.signed_in())
async def get_histories(request: Request, message: ReadHistories) -> StreamResponse:
    """A metric's points of several runs, run by run and by time, up to a number of points."""
    if not 0 < len(message.run_id) <= RUNS_AT_ONCE:
        msg = (
            "GetMetricHistoryBulk request must specify at least one run_id and cannot specify more"
            f" than {RUNS_AT_ONCE} run_ids. Received {len(message.run_id)} run_ids."
        )
        raise InvalidParameter(msg)
    run_ids = sorted(await _admitted(request, message.run_id), key=lambda run_id: run_id.hex)
    left = min(max(message.max_results, 0), POINTS_OF_BULK)
    shown: list[History] = []
    for history in await read_histories(request.app[DATABASE], run_ids, message.metric_key):
        shown.append((await ordered(history)).take(slice(0, left)))
        left -= len(shown[-1])
    return await send_metrics(request, shown, with_run=True, always=True)


@calls.add("GET", "2.0/mlflow/metrics/get-history-bulk-interval", policy=policy.signed_in())
async def sample_histories(request: Request, message: SampleHistories) -> StreamResponse:
    """A metric's points of several runs by step, of each run so many, evenly chosen."""
    if (message.start_step is None) != (message.end_step is None):
        msg = "If either start step or end step are specified, both must be specified."
        raise InvalidParameter(msg)
    steps = None
    if message.start_step is not None and message.end_step is not None:
        if message.start_step > message.end_step:
            msg = (
                "end_step must be greater than start_step. Found"
                f" start_step={message.start_step} and end_step={message.end_step}."
            )
            raise InvalidParameter(msg)
        steps = message.start_step, message.end_step
    run_ids = await _admitted(request, message.run_ids)
    found = await read_histories(request.app[DATABASE], run_ids, message.metric_key, steps=steps)
    shown = [(await ordered(one, by_step=True)).sample(message.max_results) for one in found]
    return await send_metrics(request, shown, with_run=True)


async def _log(request: Request, logged: Logged) -> None:
    if logged.rest:
        await request.app[EXPERIMENTS].log_batch(
            request, {"run_id": logged.run_id.hex, **logged.rest}
        )
    if not logged.points:
        return
    try:
        await batches.log_points(
            request.app[WRITER],
            batches.Logged(logged.run_id, logged.points, logged.digest),
        )
    except RunArchived as exc:
        msg = (
            f"The run {logged.run_id.hex} must be in the 'active' state. Current state is deleted."
        )
        raise InvalidParameter(msg) from exc


async def _admitted(request: Request, run_ids: Sequence[UUID]) -> Sequence[UUID]:
    async def may_read(project_id: UUID) -> bool:
        identity, principal = request.app[IDENTITY], request[PRINCIPAL]
        return await identity.access(request, principal, project_id) is not None

    try:
        return await admit_runs(request.app[DATABASE], run_ids, may_read)
    except NotFound as exc:
        raise DoesNotExist(exc.detail) from exc


def _encode(offset: int) -> str:
    return urlsafe_b64encode(str(offset).encode()).decode()


def _decode(token: str) -> int:
    if not token:
        return 0
    try:
        offset = int(urlsafe_b64decode(token))
    except ValueError as exc:
        msg = "Invalid page token, it is none that was given here."
        raise InvalidParameter(msg) from exc
    return max(0, offset)
