"""The calls of MLflow's client, as they stand in its own requests."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from artifact_api import EDITOR, VIEWER, get, kept, names, put
from conftest import NewRun
from servicekit.database import Connection
from yarl import URL

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
async def root(connection: Connection, run_id: UUID) -> str:
    """The address of the run's files, below the proxy's."""
    experiment = await connection.fetchval("SELECT experiment_id FROM experiment.published_runs")
    return f"{experiment.hex}/{run_id.hex}/artifacts"


@pytest.fixture
async def model_root(connection: Connection, project_id: UUID) -> str:
    """The address of a logged model's files."""
    experiment, model = uuid4(), uuid4()
    await connection.execute(
        "INSERT INTO experiment.published_models VALUES ($1, $2, $3, NULL, false)",
        model,
        project_id,
        experiment,
    )
    return f"{experiment.hex}/models/m-{model.hex}/artifacts"


async def upload(client: TestClient, address: str, content: bytes, *, expect: int = 200) -> Any:
    response = await client.put(
        URL(f"{PROXY}/{address}", encoded=True), data=content, headers=EDITOR
    )
    assert response.status == expect, await response.text()
    return await response.json()


async def listed(client: TestClient, path: str) -> Any:
    response = await client.get(PROXY, params={"path": path}, headers=VIEWER)
    assert response.status == 200, await response.text()
    return await response.json()


async def test_what_the_proxy_takes_it_gives_back_and_it_is_the_runs_file(
    client: TestClient, run_id: UUID, root: str
) -> None:
    assert await upload(client, f"{root}/model/weights%20%C3%A4.bin", b"0123456789") == {}

    response = await client.get(
        URL(f"{PROXY}/{root}/model/weights%20%C3%A4.bin", encoded=True), headers=VIEWER
    )
    assert await response.read() == b"0123456789"
    assert await (await get(client, run_id, "model/weights ä.bin")).read() == b"0123456789"


async def test_lists_are_of_mlflows_shape(client: TestClient, run_id: UUID, root: str) -> None:
    await put(client, run_id, "a.txt", b"xyz")
    await put(client, run_id, "plots/1.png", b"x")
    await put(client, run_id, "plots/deep/2.png", b"x")

    assert await listed(client, root) == {
        "files": [
            {"path": "a.txt", "is_dir": False, "file_size": 3},
            {"path": "plots", "is_dir": True},
        ]
    }
    assert await listed(client, f"{root}/plots") == {
        "files": [
            {"path": "1.png", "is_dir": False, "file_size": 1},
            {"path": "deep", "is_dir": True},
        ]
    }
    assert await listed(client, f"{root}/a.txt") == {}
    assert await listed(client, f"{root}/nothing") == {}
    response = await client.get(
        "/ajax-api/2.0/mlflow/artifacts/list",
        params={"run_id": run_id.hex, "path": "plots"},
        headers=VIEWER,
    )
    assert await response.json() == {
        "root_uri": f"mlflow-artifacts:/{root}",
        "files": [
            {"path": "plots/1.png", "is_dir": False, "file_size": 1},
            {"path": "plots/deep", "is_dir": True},
        ],
    }


async def test_deleting_takes_a_file_or_a_folder_with_all_that_is_in_it(
    client: TestClient, run_id: UUID, root: str
) -> None:
    for path in ("a", "f/1", "f/g/2", "f0", "z"):
        await put(client, run_id, path, b"x")

    for path in ("a", "f", "not-there"):
        response = await client.delete(f"{PROXY}/{root}/{path}", headers=EDITOR)
        assert (response.status, await response.json()) == (200, {})

    assert await names(client, run_id) == ["f0", "z"]
    response = await client.delete(f"{PROXY}/{root}", headers=EDITOR)
    assert response.status == 200
    assert await names(client, run_id) == []


async def test_a_logged_models_files_are_apart_from_every_runs(
    client: TestClient, run_id: UUID, model_root: str, connection: Connection
) -> None:
    await upload(client, f"{model_root}/MLmodel", b"flavors: {}")

    assert (await listed(client, model_root))["files"][0]["path"] == "MLmodel"
    assert await names(client, run_id) == []
    await connection.execute("UPDATE experiment.published_models SET deleted = true")
    refused = await upload(client, f"{model_root}/MLmodel", b"x", expect=409)
    assert refused["error_code"] == "RESOURCE_CONFLICT"


async def test_uploads_in_parts_are_declined_in_the_words_that_clients_know(
    client: TestClient, root: str
) -> None:
    for call in ("create", "complete", "abort"):
        response = await client.post(
            f"/api/2.0/mlflow-artifacts/mpu/{call}/{root}", json={"path": "x"}, headers=EDITOR
        )
        assert response.status == 501
        body = await response.json()
        assert body["error_code"] == "NOT_IMPLEMENTED"
        assert body["message"].startswith("Multipart upload is not supported for the current")
    presigned = await client.get(f"/api/2.0/mlflow-artifacts/presigned/{root}/x", headers=VIEWER)
    assert presigned.status == 501


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/x",
        "a/%2e%2e/b",
        "%252e%252e%252fx",
        "a%00b",
        "a%5cb",
        "%2fetc/passwd",
        "file:%2f%2f%2fetc/passwd",
        "a//b",
    ],
)
async def test_paths_that_lead_elsewhere_are_refused_as_mlflow_refuses_them(
    client: TestClient, root: str, folder: Path, path: str
) -> None:
    for method in ("PUT", "GET", "DELETE"):
        response = await client.request(
            method, URL(f"{PROXY}/{root}/{path}", encoded=True), headers=EDITOR
        )
        body = await response.json()
        assert (response.status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), method
        assert body["message"].startswith("Invalid path")
    assert kept(folder) == 0


async def test_addresses_of_nothing_do_not_exist(
    client: TestClient, run_id: UUID, root: str, new_run: NewRun
) -> None:
    elsewhere = await new_run(project=uuid4())
    experiment = root.partition("/")[0]
    for address in (
        "",
        "x",
        "0/1/2",
        f"{experiment}/{uuid4().hex}/artifacts/a",
        f"{experiment}/{elsewhere.hex}/artifacts/a",
        f"{uuid4().hex}/{run_id.hex}/artifacts/a",
        f"{experiment}/models/m-{uuid4().hex}/artifacts/a",
        f"{root}/missing",
    ):
        response = await client.get(f"{PROXY}/{address or 'x'}", headers=VIEWER)
        body = await response.json()
        assert (response.status, body["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST"), address
    response = await client.get(f"{PROXY}/{experiment}/traces/tr-1/artifacts/x", headers=VIEWER)
    assert (await response.json())["error_code"] == "NOT_IMPLEMENTED"


async def test_roles_and_archived_runs_hold_here_too(
    client: TestClient, run_id: UUID, root: str, connection: Connection
) -> None:
    address = f"{PROXY}/{root}/a"
    assert (await client.put(address, data=b"x")).status == 401
    assert (await client.put(address, data=b"x", headers=VIEWER)).status == 403
    outsider = {"Authorization": "Bearer outsider"}
    assert (await client.put(address, data=b"x", headers=outsider)).status == 404
    assert (await client.get(PROXY, params={"path": root}, headers=outsider)).status == 404
    await connection.execute("UPDATE experiment.published_runs SET status = 'archived'")
    refused = await client.put(address, data=b"x", headers=EDITOR)
    assert (await refused.json())["error_code"] == "RESOURCE_CONFLICT"
    assert await names(client, run_id) == []


async def test_a_name_that_its_client_cannot_read_does_not_spoil_its_lists(
    client: TestClient, run_id: UUID, root: str
) -> None:
    await put(client, run_id, "plot #1.png", b"x")
    await put(client, run_id, "plot 2.png", b"x")

    assert [one["path"] for one in (await listed(client, root))["files"]] == ["plot 2.png"]
