"""What is said of files: details, approval, provenance; and their content in place."""

import io
import json
import zipfile
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from artifact_api import EDITOR, VIEWER, address, listed, put
from servicekit.testing.identity import KnownPeople

OWNER = {"Authorization": "Bearer owner"}
OUTSIDER = {"Authorization": "Bearer outsider"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


async def details(client: TestClient, artifact_id: str) -> dict[str, Any]:
    response = await client.get(f"/api/v1/artifacts/{artifact_id}", headers=VIEWER)
    assert response.status == 200, await response.text()
    return await response.json()


async def test_a_file_keeps_its_id_and_what_was_said_of_it_when_its_content_is_replaced(
    client: TestClient, run_id: UUID, project_id: UUID
) -> None:
    first = await put(client, run_id, "a.txt", b"one")
    response = await client.patch(
        f"/api/v1/artifacts/{first['id']}",
        json={"description": "Best so far", "metadata": {"fold": 3, "seed": 7}},
        headers=EDITOR,
    )
    assert response.status == 200, await response.text()
    response = await client.patch(
        f"/api/v1/artifacts/{first['id']}", json={"metadata": {"seed": None}}, headers=EDITOR
    )
    assert (await response.json())["metadata"] == {"fold": 3}

    second = await put(client, run_id, "a.txt", b"two")
    assert second["id"] == first["id"]
    found = await details(client, first["id"])
    assert found["description"] == "Best so far"
    assert found["metadata"] == {"fold": 3}
    assert found["run_id"] == str(run_id)
    assert found["project_id"] == str(project_id)
    assert found["detected_media_type"] == "text/plain"
    assert found["previews"] == "text"
    [entry] = await listed(client, run_id)
    assert entry["id"] == first["id"]
    assert entry["description"] == "Best so far"
    assert entry["approved"] is False


async def test_an_approval_names_the_content_and_falls_away_with_it(
    client: TestClient, run_id: UUID, people: KnownPeople
) -> None:
    made = await put(client, run_id, "model.bin", b"one")
    approval = f"/api/v1/artifacts/{made['id']}/approval"
    body = {"sha256": made["sha256"], "note": "checked on the car"}
    assert (await client.put(approval, json=body, headers=EDITOR)).status == 403
    wrong = await client.put(approval, json={"sha256": "0" * 64}, headers=OWNER)
    assert wrong.status == 409
    assert (await wrong.json())["type"].endswith("/other-content")

    response = await client.put(approval, json=body, headers=OWNER)
    assert response.status == 200
    said = (await response.json())["approval"]
    assert said["by"] == str(people.principals["owner"].user_id)
    assert said["note"] == "checked on the car"

    await put(client, run_id, "model.bin", b"one")
    assert (await details(client, made["id"]))["approved"], "the same content stays approved"
    await put(client, run_id, "model.bin", b"two")
    found = await details(client, made["id"])
    assert found["approval"] is None
    assert found["approved"] is False


async def test_an_owner_takes_an_approval_back(client: TestClient, run_id: UUID) -> None:
    made = await put(client, run_id, "model.bin", b"one")
    approval = f"/api/v1/artifacts/{made['id']}/approval"
    await client.put(approval, json={"sha256": made["sha256"]}, headers=OWNER)
    assert (await client.delete(approval, headers=EDITOR)).status == 403
    assert (await client.delete(approval, headers=OWNER)).status == 204
    assert (await details(client, made["id"]))["approval"] is None


@pytest.mark.parametrize(
    "metadata", [{"a": "x" * 70_000}, {"a": "\x00"}, {"a": 2**70}], ids=["long", "nul", "large"]
)
async def test_metadata_that_cannot_be_kept_is_refused(
    client: TestClient, run_id: UUID, metadata: dict[str, Any]
) -> None:
    made = await put(client, run_id, "a", b"one")
    response = await client.patch(
        f"/api/v1/artifacts/{made['id']}", json={"metadata": metadata}, headers=EDITOR
    )
    assert response.status == 422


async def test_files_of_archived_runs_are_not_changed(
    client: TestClient, run_id: UUID, connection: Any
) -> None:
    made = await put(client, run_id, "a", b"one")
    await connection.execute("UPDATE experiment.published_runs SET status = 'archived'")
    one = f"/api/v1/artifacts/{made['id']}"
    body = {"sha256": made["sha256"]}
    for response in (
        await client.patch(one, json={"description": "x"}, headers=EDITOR),
        await client.put(f"{one}/approval", json=body, headers=OWNER),
        await client.delete(f"{one}/approval", headers=OWNER),
        await client.post(
            f"/api/v1/runs/{run_id}/uploads", json={"path": "b", "size": 1}, headers=EDITOR
        ),
    ):
        assert response.status == 409
        assert (await response.json())["type"].endswith("/run-archived")


async def test_who_has_no_part_in_the_project_hears_that_there_is_nothing(
    client: TestClient, run_id: UUID
) -> None:
    made = await put(client, run_id, "a", b"one")
    for artifact_id in (made["id"], uuid4()):
        for tail in ("", "/preview", "/content", "/uses"):
            response = await client.get(f"/api/v1/artifacts/{artifact_id}{tail}", headers=OUTSIDER)
            assert response.status == 404


async def test_a_run_names_the_files_that_it_uses_and_each_side_shows_what_the_caller_may_see(
    client: TestClient, run_id: UUID, new_run: Any, people: KnownPeople
) -> None:
    elsewhere = uuid4()
    people.roles[people.principals["editor"].user_id, elsewhere] = people.roles[
        people.principals["editor"].user_id, next(iter(people.roles))[1]
    ]
    data = await put(client, run_id, "train.csv", b"a,b\n1,2\n")
    user, foreign = await new_run(), await new_run(project=elsewhere)
    for run in (user, foreign):
        response = await client.put(
            f"/api/v1/runs/{run}/inputs/{data['id']}", json={"role": "training"}, headers=EDITOR
        )
        assert response.status == 200, await response.text()

    uses = f"/api/v1/artifacts/{data['id']}/uses"
    seen = (await (await client.get(uses, headers=EDITOR)).json())["items"]
    assert {one["run_id"] for one in seen} == {str(user), str(foreign)}
    seen = (await (await client.get(uses, headers=VIEWER)).json())["items"]
    assert [one["run_id"] for one in seen] == [str(user)]

    inputs = f"/api/v1/runs/{user}/inputs"
    [used] = (await (await client.get(inputs, headers=VIEWER)).json())["items"]
    assert used["role"] == "training"
    assert used["path"] == "train.csv"
    assert used["source_run_id"] == str(run_id)
    assert used["current"] is True
    await put(client, run_id, "train.csv", b"other")
    [used] = (await (await client.get(inputs, headers=VIEWER)).json())["items"]
    assert used["sha256"] == data["sha256"], "what it was when it was used"
    assert used["current"] is False
    await client.delete(address(run_id, "train.csv"), headers=EDITOR)
    [used] = (await (await client.get(inputs, headers=VIEWER)).json())["items"]
    assert used["path"] == "train.csv", "what was used is known after the file is gone"


async def test_a_file_that_the_caller_cannot_see_is_no_input(
    client: TestClient, run_id: UUID, new_run: Any, people: KnownPeople, connection: Any
) -> None:
    made = await put(client, run_id, "a", b"one")
    await connection.execute(
        "UPDATE experiment.published_runs SET project_id = $1 WHERE run_id = $2", uuid4(), run_id
    )
    user = await new_run()
    response = await client.put(f"/api/v1/runs/{user}/inputs/{made['id']}", json={}, headers=EDITOR)
    assert response.status == 404


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.png", PNG, "image/png"),
        ("a.html", b"<!doctype html><script>alert(1)</script>", "text/html"),
        ("a.svg", b"<svg xmlns='x'><script>alert(1)</script></svg>", "image/svg+xml"),
        ("a.pdf", b"%PDF-1.7 /JS", "application/pdf"),
    ],
)
async def test_content_in_place_can_run_nothing(
    client: TestClient, run_id: UUID, name: str, content: bytes, media_type: str
) -> None:
    made = await put(client, run_id, name, content)
    response = await client.get(f"/api/v1/artifacts/{made['id']}/content", headers=VIEWER)
    assert await response.read() == content
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Disposition"] == "inline"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert policy.startswith("sandbox;") is (media_type != "application/pdf")
    part = await client.get(
        f"/api/v1/artifacts/{made['id']}/content", headers=VIEWER | {"Range": "bytes=1-3"}
    )
    assert part.status == 206
    assert await part.read() == content[1:4]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"<!doctype html><script>alert(1)</script>"),
        ("a.js", b"alert(1)"),
        ("a.xml", b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>"),
        ("a.bin", PNG[1:]),
    ],
)
async def test_content_that_is_not_what_its_name_says_is_for_saving(
    client: TestClient, run_id: UUID, name: str, content: bytes
) -> None:
    made = await put(client, run_id, name, content)
    response = await client.get(f"/api/v1/artifacts/{made['id']}/content", headers=VIEWER)
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_folder_is_one_zip(client: TestClient, run_id: UUID) -> None:
    files = {
        f"d/{number:03}/ä {number}.bin": bytes([number % 256]) * number for number in range(600)
    }
    for path, content in files.items():
        await put(client, run_id, path, content)
    await put(client, run_id, "other", b"x")
    response = await client.get(
        f"/api/v1/runs/{run_id}/artifact-archive", params={"prefix": "d"}, headers=VIEWER
    )
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(await response.read())) as archive:
        assert archive.testzip() is None
        found = {one.filename: archive.read(one) for one in archive.infolist()}
    assert found == {path.removeprefix("d/"): content for path, content in files.items()}


async def test_an_empty_folder_is_an_empty_zip(client: TestClient, run_id: UUID) -> None:
    response = await client.get(f"/api/v1/runs/{run_id}/artifact-archive", headers=VIEWER)
    with zipfile.ZipFile(io.BytesIO(await response.read())) as archive:
        assert archive.namelist() == []


async def test_a_folder_has_no_links_in_a_local_store(client: TestClient, run_id: UUID) -> None:
    made = await put(client, run_id, "a", b"one")
    response = await client.post(f"/api/v1/artifacts/{made['id']}/link", headers=VIEWER)
    assert response.status == 409
    assert json.loads(await response.text())["type"].endswith("/no-presigned-links")
