"""The load as MLflow's client sends it: the same requests for MLflow's server and for Runbench."""

import math
import time
from collections.abc import Sequence
from typing import Any

import orjson

from benchmarks.load import Channel, LoadFailed, Make, Target, Timing, measure

ROOT = "/api/2.0/mlflow"
BATCH_KEYS, BATCH_STEPS = 10, 100
FIRST_TIME_MS = 1_760_000_000_000
SEARCH_PAGE = 100
HISTORY_PAGE = 25_000
FILTER = "metrics.loss < 0.2 and params.optimizer = 'adam'"
ORDER = "metrics.loss ASC"


async def ask(target: Target, method: str, path: str, body: object = None) -> Any:
    """One request and its answer, outside of any measurement."""
    channel = Channel(target)
    try:
        return orjson.loads(await channel.ask(target.request(method, f"{ROOT}/{path}", body)))
    finally:
        channel.close()


async def create_experiment(target: Target, name: str) -> str:
    """Its id."""
    made = await ask(target, "POST", "experiments/create", {"name": name})
    return made["experiment_id"]


async def create_runs(target: Target, experiment_id: str, count: int) -> list[str]:
    """Their ids."""
    body = _new_run(experiment_id)
    made = [await ask(target, "POST", "runs/create", body) for _ in range(count)]
    return [one["run"]["info"]["run_id"] for one in made]


async def log_batches(target: Target, runs: Sequence[str], *, seconds: float) -> Timing:
    """Calls of log-batch with 1,000 metrics (10 keys, 100 steps), each client into its own run."""

    def client(run_id: str) -> Make:
        return lambda number: target.request(
            "POST",
            f"{ROOT}/runs/log-batch",
            {
                "run_id": run_id,
                "metrics": [
                    _metric(f"metric-{key}", step)
                    for step in range(number * BATCH_STEPS, (number + 1) * BATCH_STEPS)
                    for key in range(BATCH_KEYS)
                ],
                "params": [],
                "tags": [],
            },
        )

    return await measure(target, [client(run_id) for run_id in runs], seconds=seconds)


async def log_single(target: Target, runs: Sequence[str], *, seconds: float) -> Timing:
    """Calls of log-metric, each client into its own run."""

    def client(run_id: str) -> Make:
        return lambda step: target.request(
            "POST", f"{ROOT}/runs/log-metric", {"run_id": run_id, **_metric("loss", step)}
        )

    return await measure(target, [client(run_id) for run_id in runs], seconds=seconds)


async def make_runs(target: Target, experiment_id: str, *, seconds: float) -> Timing:
    """Calls of create-run from one client."""
    request = target.request("POST", f"{ROOT}/runs/create", _new_run(experiment_id))
    return await measure(target, [lambda _: request], seconds=seconds)


async def search(target: Target, experiment_id: str, *, filtered: bool, seconds: float) -> Timing:
    """Pages of 100 runs, filtered by a metric and a param and sorted by the metric, or not."""
    body: dict[str, object] = {"experiment_ids": [experiment_id], "max_results": SEARCH_PAGE}
    if filtered:
        body |= {"filter": FILTER, "order_by": [ORDER]}
    found = await ask(target, "POST", "runs/search", body)
    if len(found.get("runs", [])) != SEARCH_PAGE:
        raise LoadFailed(f"{target.name} finds {len(found.get('runs', []))} runs for a page")
    request = target.request("POST", f"{ROOT}/runs/search", body)
    return await measure(target, [lambda _: request], seconds=seconds)


async def read_history(target: Target, run_id: str, key: str, points: int) -> float:
    """Seconds until every point of a long metric is here, page by page as the client asks."""
    channel = Channel(target)
    path = f"{ROOT}/metrics/get-history?run_id={run_id}&metric_key={key}&max_results={HISTORY_PAGE}"
    began = time.perf_counter()
    token, count = "", 0
    while True:
        page = orjson.loads(await channel.ask(target.request("GET", f"{path}{token}")))
        count += len(page["metrics"])
        if not page.get("next_page_token"):
            break
        token = f"&page_token={page['next_page_token']}"
    took = time.perf_counter() - began
    channel.close()
    if count != points:
        raise LoadFailed(f"{target.name} hands out {count:,} of {points:,} points")
    return took


def _new_run(experiment_id: str) -> dict[str, object]:
    tags = [{"key": "mlflow.source.name", "value": "train.py"}]
    return {"experiment_id": experiment_id, "start_time": FIRST_TIME_MS, "tags": tags}


def _metric(key: str, step: int) -> dict[str, object]:
    value = math.exp(-step / 10_000) + step % 7 / 100
    return {"key": key, "value": value, "timestamp": FIRST_TIME_MS + step * 100, "step": step}
