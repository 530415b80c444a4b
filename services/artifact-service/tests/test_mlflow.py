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


MPU = "/api/2.0/mlflow-artifacts/mpu"


async def ask(
    client: TestClient, call: str, address: str, *, expect: int = 200, **said: Any
) -> Any:
    body = {"path": "/home/kim/a b.bin"} | said
    response = await client.post(f"{MPU}/{call}/{address}", json=body, headers=EDITOR)
    assert response.status == expect, await response.text()
    return await response.json()


async def send(client: TestClient, credential: Any, content: bytes) -> dict[str, Any]:
    """A part, as the client sends it; how it names it later."""
    response = await client.put(
        URL(credential["url"]).path, data=content, headers=credential["headers"]
    )
    assert response.status == 200, await response.text()
    return {"part_number": credential["part_number"], "etag": response.headers["ETag"]}


async def test_a_file_comes_in_parts_of_any_length_and_in_any_order(
    client: TestClient, run_id: UUID, root: str
) -> None:
    begun = await ask(client, "create", f"{root}/deep", num_parts=3)
    assert [one["part_number"] for one in begun["credentials"]] == [1, 2, 3]
    contents = [b"0123456789", b"abcdefghij", b"end"]
    upload_id = begun["upload_id"]
    sent = [
        await send(client, begun["credentials"][number], contents[number]) for number in (2, 0, 1)
    ]
    assert await names(client, run_id) == []
    missing = await ask(client, "complete", root, expect=404, upload_id=upload_id, parts=sent)
    assert missing["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    wrong = [*sent[:2], {"part_number": 2, "etag": "00"}]
    refused = await ask(
        client, "complete", f"{root}/deep", expect=400, upload_id=upload_id, parts=wrong
    )
    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"

    for _ in range(2):  # an answer may be lost on its way
        await ask(client, "complete", f"{root}/deep", upload_id=upload_id, parts=sent)

    assert await (await get(client, run_id, "deep/a b.bin")).read() == b"".join(contents)
    assert [one["path"] for one in (await listed(client, f"{root}/deep"))["files"]] == ["a b.bin"]


async def test_parts_that_are_given_up_leave_nothing(
    client: TestClient, run_id: UUID, root: str, folder: Path
) -> None:
    begun = await ask(client, "create", root, num_parts=2)
    await send(client, begun["credentials"][1], b"x" * 100)
    incomplete = await ask(
        client, "complete", root, expect=409, upload_id=begun["upload_id"], parts=[]
    )
    assert "must be sent" in incomplete["message"]

    await ask(client, "abort", root, upload_id=begun["upload_id"])

    assert kept(folder) == 0
    assert await names(client, run_id) == []
    await ask(client, "abort", root, expect=404, upload_id=begun["upload_id"])


async def test_models_have_no_uploads_in_parts_and_addresses_lead_nowhere_else(
    client: TestClient, root: str, model_root: str
) -> None:
    declined = await ask(client, "create", model_root, expect=501, num_parts=1)
    assert declined["message"].startswith("Multipart upload is not supported for the current")
    for number in (0, 10_001):
        await ask(client, "create", root, expect=400, num_parts=number)
    response = await client.post(
        f"{MPU}/create/{root}", json={"path": "x", "num_parts": 1}, headers=VIEWER
    )
    assert response.status == 403
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
