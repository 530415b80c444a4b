"""The calls of MLflow's client that concern metrics: logging them, and reading histories."""

from typing import Any
from uuid import uuid4

import pytest
from metrics_api import EDITOR, VIEWER, read

API = "/api/2.0/mlflow"


async def post(client, path: str, body: Any, *, status: int = 200, headers=EDITOR) -> Any:
    response = await client.post(f"{API}/{path}", json=body, headers=headers)
    assert response.status == status, await response.text()
    return await response.json()


async def get(client, path: str, query: Any, *, status: int = 200, headers=VIEWER) -> Any:
    response = await client.get(f"{API}/{path}", params=query, headers=headers)
    assert response.status == status, await response.text()
    return await response.json()


def metric(key: str = "loss", value: Any = 0.5, timestamp: Any = 1_700_000_000_000, **more) -> Any:
    return {"key": key, "value": value, "timestamp": timestamp, **more}


async def test_a_metric_is_logged_and_read_back(client, run_id) -> None:
    body = {"run_id": run_id.hex, **metric(step="3", value="NaN")}

    assert await post(client, "runs/log-metric", body) == {}
    await post(client, "runs/log-metric", body)

    query = {"run_id": run_id.hex, "metric_key": "loss"}
    assert await get(client, "metrics/get-history", query) == {
        "metrics": [
            {"key": "loss", "value": "NaN", "timestamp": 1_700_000_000_000, "step": 3},
        ]
    }
    (series,) = await read(client, run_id, "loss")
    assert (series["step"], series["value"], series["time"]) == ([3], ["NaN"], [17 * 10**14])


async def test_a_batch_of_a_thousand_is_logged_at_once(client, run_id) -> None:
    metrics = [metric(f"k{n % 10}", n / 7, 1_700_000_000_000 + n, step=n) for n in range(1000)]

    await post(client, "runs/log-batch", {"run_id": run_id.hex, "metrics": metrics})

    query = {"run_id": run_id.hex, "metric_key": "k3"}
    found = (await get(client, "metrics/get-history", query))["metrics"]
    assert [point["value"] for point in found] == [n / 7 for n in range(3, 1000, 10)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metrics": [metric()] * 1001}, "at most 1000 metrics"),
        ({"metrics": [metric("")]}, "metrics[0].key"),
        ({"metrics": [metric(), metric("../x")]}, "metrics[1].key"),
        ({"metrics": [metric("k" * 251)]}, "maximum length"),
        ({"metrics": [metric(value="much")]}, "metrics[0].value"),
        ({"metrics": [metric(), metric(timestamp=None)]}, "metrics[1].timestamp"),
        ({"metrics": [metric(timestamp=-1)]}, "metrics[0].timestamp"),
        ({"metrics": [metric(step=2**63)]}, "metrics[0].step"),
        ({"metrics": [metric(value=True)]}, "metrics[0].value"),
        ({"metrics": "many"}, "list of objects"),
        ({"run_id": ""}, "run_id"),
    ],
)
async def test_what_cannot_be_logged_is_named_and_nothing_is_stored(
    client, run_id, change, words
) -> None:
    body = {"run_id": run_id.hex, "metrics": [metric()], **change}

    problem = await post(client, "runs/log-batch", body, status=400)

    assert problem["error_code"] == "INVALID_PARAMETER_VALUE"
    assert words in problem["message"]
    (series,) = await read(client, run_id, "loss")
    assert series["count"] == 0


async def test_a_body_that_is_no_json_is_refused_in_mlflows_words(client) -> None:
    for body in (b"", b"{", b"[]", b"null", b'{"run_id": "\xff"}'):
        response = await client.post(
            f"{API}/runs/log-batch",
            data=body,
            headers={**EDITOR, "Content-Type": "application/json"},
        )
        assert response.status == 400
        assert "error_code" in await response.json()


async def test_only_who_may_edit_logs_and_only_who_sees_reads(client, new_run, run_id) -> None:
    body = {"run_id": run_id.hex, **metric()}
    query = {"run_id": run_id.hex, "metric_key": "loss"}
    for headers, status in (({}, 401), (VIEWER, 403), ({"Authorization": "Bearer outsider"}, 404)):
        assert "error_code" in await post(
            client, "runs/log-metric", body, status=status, headers=headers
        )
    outsider = {"Authorization": "Bearer outsider"}
    missing = await get(client, "metrics/get-history", query, status=404, headers=outsider)
    assert missing["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    nobodys = {"run_id": uuid4().hex, "metric_key": "loss"}
    await get(client, "metrics/get-history", nobodys, status=404)
    foreign = await new_run(project=uuid4())
    for path, name in (("get-history-bulk", "run_id"), ("get-history-bulk-interval", "run_ids")):
        several = [(name, run_id.hex), (name, foreign.hex), ("metric_key", "loss")]
        await get(client, f"metrics/{path}", several, status=404)


async def test_an_archived_run_takes_nothing_more(client, new_run) -> None:
    archived = await new_run(status="archived")

    problem = await post(
        client, "runs/log-metric", {"run_id": archived.hex, **metric()}, status=400
    )

    assert problem["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "deleted" in problem["message"]


async def test_params_without_experiment_service_are_refused_before_metrics_are_stored(
    client, run_id
) -> None:
    body = {
        "run_id": run_id.hex,
        "metrics": [metric()],
        "params": [{"key": "lr", "value": "1"}],
    }

    await post(client, "runs/log-batch", body, status=503)

    (series,) = await read(client, run_id, "loss")
    assert series["count"] == 0


async def test_a_long_history_comes_whole_or_page_by_page(client, run_id) -> None:
    for start in range(0, 50_000, 1000):
        metrics = [metric("x", n, n, step=n) for n in range(start, start + 1000)]
        await post(client, "runs/log-batch", {"run_id": run_id.hex, "metrics": metrics})
    query = {"run_id": run_id.hex, "metric_key": "x"}

    whole = (await get(client, "metrics/get-history", query))["metrics"]
    assert [point["step"] for point in whole] == list(range(50_000))
    pages, token = [], ""
    while True:
        more = {"max_results": "17000", **({"page_token": token} if token else {})}
        page = await get(client, "metrics/get-history", {**query, **more})
        pages += page["metrics"]
        if not (token := page.get("next_page_token", "")):
            break
    assert pages == whole
    await get(client, "metrics/get-history", {**query, "page_token": "%%"}, status=400)


async def test_histories_of_several_runs_come_in_bulk_and_sampled(client, new_run) -> None:
    runs = [await new_run() for _ in range(2)]
    for run in runs:
        metrics = [metric("x", n, n, step=n) for n in range(100)]
        await post(client, "runs/log-batch", {"run_id": run.hex, "metrics": metrics})

    bulk = [*(("run_id", run.hex) for run in runs), ("metric_key", "x")]
    found = (await get(client, "metrics/get-history-bulk", bulk))["metrics"]
    assert len(found) == 200
    assert {point["run_id"] for point in found} == {run.hex for run in runs}
    sampled = [*(("run_ids", run.hex) for run in runs), ("metric_key", "x"), ("max_results", "10")]
    found = (await get(client, "metrics/get-history-bulk-interval", sampled))["metrics"]
    steps = [point["step"] for point in found if point["run_id"] == runs[0].hex]
    assert (len(steps), steps[0], steps[-1]) == (10, 0, 99)
    half = [*sampled, ("start_step", "1")]
    await get(client, "metrics/get-history-bulk-interval", half, status=400)
    await get(client, "metrics/get-history-bulk", {"metric_key": "x"}, status=400)


ODD = [None, "", [], {}, [1], {"a": 1}, True, "x", "1e400", 2**63, 2**64, 10**40, -1, 1.5]


@pytest.mark.parametrize("field", ["key", "value", "timestamp", "step", "run_id", "metrics"])
async def test_no_value_of_any_field_is_a_crash(client, run_id, field: str) -> None:
    for value in ODD:
        entry = metric(step=1) | ({field: value} if field not in {"run_id", "metrics"} else {})
        batch = {"run_id": run_id.hex, "metrics": [metric(), entry]}
        batch |= {field: value} if field in {"run_id", "metrics"} else {}
        for path, body in (("log-batch", batch), ("log-metric", {"run_id": run_id.hex, **entry})):
            response = await client.post(f"{API}/runs/{path}", json=body, headers=EDITOR)
            assert response.status in {200, 400, 404}, (value, await response.text())
            if response.status != 200:
                assert (await response.json())["error_code"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"text"', b"{", b"NaN", b"\xff", b'{"run_id": "a\\u0000b"}']
)
async def test_what_is_no_request_is_refused(client, body: bytes) -> None:
    for path in ("log-batch", "log-metric"):
        response = await client.post(
            f"{API}/runs/{path}",
            data=body,
            headers=EDITOR | {"Content-Type": "application/json"},
        )
        assert response.status == 400, await response.text()
        assert (await response.json())["error_code"] == "INVALID_PARAMETER_VALUE"


async def test_keys_in_any_order_keep_the_order_of_their_points(client, run_id) -> None:
    keys = ["b", "a", "b", "c", "a", "b"]
    metrics = [metric(key, n, 1_700_000_000_000, step=-n) for n, key in enumerate(keys)]

    await post(client, "runs/log-batch", {"run_id": run_id.hex, "metrics": metrics})

    found = {series["key"]: series["value"] for series in await read(client, run_id, "a", "b", "c")}
    assert found == {"a": [4, 1], "b": [5, 2, 0], "c": [3]}
