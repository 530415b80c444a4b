"""What is Runbench's own for MLflow's clients: who they are, which project, what is not here."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from scripts.stack import Stack
from tests.mlflow.conftest import Bench
from tests.support.world import PASSWORD

# But no #: the client itself takes it for the end of the address, with any server.
ODD = "größe 100% [a];b&c=d+e.txt"


def test_user_and_password_do_what_a_token_does(
    ours: str, token: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anybody")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", token)
    mlflow.set_experiment("basic")
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1)
        mlflow.log_text("kept", "a.txt")
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/a.txt") == "kept"

    for wrong in (token[:-1] + "!", "guess"):
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", wrong)
        with pytest.raises(MlflowException) as caught:
            MlflowClient().get_run(run.info.run_id)
        assert caught.value.error_code == "UNAUTHENTICATED"


def test_a_reader_reads_and_changes_nothing(
    ours: str, bench: Bench, at: Callable[[str, str], None]
):
    experiment = mlflow.set_experiment("reading").experiment_id
    with mlflow.start_run() as run:
        pass
    at(ours, bench.token("viewer"))

    client = MlflowClient()
    assert client.get_run(run.info.run_id).info.status == "FINISHED"
    for change in (
        lambda: client.log_metric(run.info.run_id, "a", 1),
        lambda: client.log_param(run.info.run_id, "a", 1),
        lambda: client.create_run(experiment),
        lambda: client.create_experiment("another"),
    ):
        with pytest.raises(MlflowException) as caught:
            change()
        assert caught.value.error_code == "PERMISSION_DENIED"


def test_each_token_has_a_project_of_its_own(
    ours: str, make_bench: Callable[[], Bench], at: Callable[[str, str], None]
):
    here = mlflow.set_experiment("apart").experiment_id
    with mlflow.start_run() as run:
        pass
    at(ours, make_bench().token())

    assert mlflow.set_experiment("apart").experiment_id != here
    for asked in (
        lambda: MlflowClient().get_run(run.info.run_id),
        lambda: MlflowClient().get_experiment(here),
        lambda: MlflowClient().list_artifacts(run.info.run_id),
        lambda: MlflowClient().log_metric(run.info.run_id, "a", 1),
        lambda: MlflowClient().get_metric_history(run.info.run_id, "a"),
    ):
        with pytest.raises(MlflowException) as caught:
            asked()
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert MlflowClient().search_runs([here]) == []


def test_a_persons_own_token_names_the_project(
    stack: Stack, bench: Bench, at: Callable[[str, str], None]
):
    at(stack.gateway_url, bench.owner.access_token)
    name = f"{bench.slug}/by prefix"
    experiment = mlflow.set_experiment(name)
    assert experiment.name == name
    with mlflow.start_run() as run:
        mlflow.log_param("a", 1)
    assert MlflowClient().get_run(run.info.run_id).data.params == {"a": "1"}

    by_header = httpx.get(
        f"{stack.gateway_url}/api/2.0/mlflow/experiments/get-by-name",
        params={"experiment_name": "by prefix"},
        headers={
            "Authorization": f"Bearer {bench.owner.access_token}",
            "X-Runbench-Project": bench.slug,
        },
    )
    assert by_header.json()["experiment"]["experiment_id"] == experiment.experiment_id
    with pytest.raises(MlflowException, match="X-Runbench-Project"):
        mlflow.set_experiment("nowhere")


def test_the_portals_address_is_as_good_as_the_gateways(
    stack: Stack, token: str, at: Callable[[str, str], None], tmp_path: Path
):
    at(stack.portal_url, token)
    mlflow.set_experiment("at the portal")
    (tmp_path / ODD).write_text("kept")
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 0.5)
        mlflow.log_artifact(str(tmp_path / ODD), "deep er/ünd")
    client = MlflowClient()
    assert [one.path for one in client.list_artifacts(run.info.run_id, "deep er/ünd")] == [
        f"deep er/ünd/{ODD}"
    ]
    found = client.download_artifacts(run.info.run_id, f"deep er/ünd/{ODD}", str(tmp_path))
    assert Path(found).read_text() == "kept"
    assert client.get_run(run.info.run_id).data.metrics == {"loss": 0.5}


def test_a_large_file_goes_in_parts(ours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(1 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 << 20))
    content = bytes(range(256)) * (48 << 10)  # 12 MiB
    (tmp_path / ODD).write_bytes(content)
    sent: list[str] = []
    put = requests.put

    def noted(url: str, **more: Any) -> requests.Response:
        sent.append(url)
        return put(url, **more)

    monkeypatch.setattr(requests, "put", noted)
    mlflow.set_experiment("in parts")
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / ODD), "deep")

    assert sorted(url.rpartition("/")[2] for url in sent) == ["1", "2", "3"]
    assert all(url.startswith(ours) for url in sent)
    found = MlflowClient().download_artifacts(run.info.run_id, f"deep/{ODD}", str(tmp_path))
    assert Path(found).read_bytes() == content


def test_a_browsers_session_means_nothing_where_mlflow_is_spoken(stack: Stack, bench: Bench):
    with httpx.Client(base_url=stack.portal_url, headers={"Origin": stack.portal_url}) as browser:
        entered = browser.post(
            "/auth/login", json={"email": bench.owner.email, "password": PASSWORD}
        )
        assert entered.is_success
        assert browser.cookies
        response = browser.get("/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"})

    assert response.status_code == 401
    assert response.json()["error_code"] == "UNAUTHENTICATED"
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_portal_shows_what_a_client_has_logged(ours: str, bench: Bench, token: str):
    mlflow.set_experiment("shown")
    with mlflow.start_run(run_name="best", description="Why it was tried") as run:
        mlflow.log_params({"lr": 0.1})
        mlflow.log_metric("loss", 0.25, step=3)
        mlflow.log_metric("odd", math.inf)
        mlflow.log_text("x", "notes/a.txt")
    headers = {"Authorization": f"Bearer {token}"}
    address = f"/api/v1/runs/{UUID(run.info.run_id)}"
    shown = bench.gateway.get(address, headers=headers).json()

    assert (shown["name"], shown["notes"]) == ("best", "Why it was tried")
    assert (shown["status"], shown["params"]) == ("succeeded", {"lr": "0.1"})
    assert shown["metrics"] == {"loss": 0.25, "odd": "Infinity"}
    assert shown["started_at"] <= shown["finished_at"]
    files = bench.gateway.get(f"{address}/artifacts", headers=headers).json()["items"]
    assert [one["path"] for one in files] == ["notes"]


def test_what_runbench_does_not_have_is_said_and_stops_nothing_else(ours: str):
    client = MlflowClient()
    experiment = mlflow.set_experiment("without").experiment_id
    for asked in (
        lambda: client.create_registered_model("m"),
        client.search_registered_models,
        client.search_model_versions,
        lambda: client.search_traces(locations=[experiment]),
        lambda: client.create_webhook("w", "https://example.org", []),
    ):
        with pytest.raises(MlflowException) as caught:
            asked()
        assert caught.value.error_code == "ENDPOINT_NOT_FOUND"
        assert "Runbench does not have" in str(caught.value)

    with mlflow.start_run() as run, mlflow.start_span("step"):
        mlflow.log_metric("loss", 1)
    mlflow.flush_trace_async_logging()
    assert client.get_run(run.info.run_id).data.metrics == {"loss": 1}
