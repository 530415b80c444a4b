"""Files of a run: stored, read, listed, removed."""

import asyncio
import hashlib
import os
from base64 import b64encode
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from artifact_api import EDITOR, VIEWER, address, get, kept, listed, names, put
from conftest import NewRun
from servicekit.database import Connection
from servicekit.testing.identity import KnownPeople


async def test_a_file_comes_back_byte_for_byte_with_what_is_known_of_it(
    client: TestClient, run_id: UUID, people: KnownPeople
) -> None:
    content = os.urandom(3_000_001)

    stored = await put(client, run_id, "models/best.bin", content)

    sha256 = hashlib.sha256(content).hexdigest()
    assert stored["path"] == "models/best.bin"
    assert stored["size"] == len(content)
    assert stored["sha256"] == sha256
    assert stored["created_by"] == str(people.principals["editor"].user_id)
    response = await get(client, run_id, "models/best.bin")
    assert response.status == 200
    assert response.headers["ETag"] == f'"{sha256}"'
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.content_length == len(content)
    assert await response.read() == content


async def test_an_empty_file_is_a_file(client: TestClient, run_id: UUID) -> None:
    await put(client, run_id, "empty", b"")

    response = await get(client, run_id, "empty")
    assert (response.status, await response.read()) == (200, b"")
    assert (await listed(client, run_id))[0]["size"] == 0


async def test_a_file_of_unknown_length_is_taken_as_it_comes(
    client: TestClient, run_id: UUID
) -> None:
    async def pieces():
        for number in range(300):
            yield bytes([number % 256]) * 10_000

    stored = await put(client, run_id, "streamed", pieces())

    assert stored["size"] == 3_000_000
    content = await (await get(client, run_id, "streamed")).read()
    assert hashlib.sha256(content).hexdigest() == stored["sha256"]


async def test_head_tells_the_same_without_the_content(client: TestClient, run_id: UUID) -> None:
    await put(client, run_id, "a.csv", b"x,y\n1,2\n")

    response = await client.head(address(run_id, "a.csv"), headers=VIEWER)

    assert response.status == 200
    assert response.headers["Content-Length"] == "8"
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["ETag"] == (await get(client, run_id, "a.csv")).headers["ETag"]
    assert (await client.head(address(run_id, "b.csv"), headers=VIEWER)).status == 404


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=-200", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=0-1,3-4", 416, None, "bytes */10"),
        ("bytes=" + "0-," * 1000 + "0-", 416, None, "bytes */10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=a-b", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
    ],
)
async def test_a_range_is_answered_exactly(
    client: TestClient, run_id: UUID, asked: str, status: int, content: bytes, said: str | None
) -> None:
    await put(client, run_id, "digits", b"0123456789")

    response = await get(client, run_id, "digits", Range=asked)

    assert response.status == status
    assert response.headers.get("Content-Range") == said
    if content is not None:
        assert await response.read() == content


async def test_a_range_of_another_version_is_answered_with_the_whole(
    client: TestClient, run_id: UUID
) -> None:
    await put(client, run_id, "digits", b"0123456789")

    changed = await get(client, run_id, "digits", Range="bytes=0-1", If_Range='"old"')
    same = await get(client, run_id, "digits", Range="bytes=0-1", If_Range=changed.headers["ETag"])

    assert (changed.status, await changed.read()) == (200, b"0123456789")
    assert (same.status, await same.read()) == (206, b"01")


async def test_who_has_the_content_already_is_not_sent_it_again(
    client: TestClient, run_id: UUID
) -> None:
    await put(client, run_id, "a", b"content")
    etag = (await get(client, run_id, "a")).headers["ETag"]

    response = await get(client, run_id, "a", If_None_Match=f'"other", {etag}')

    assert response.status == 304
    assert response.headers["ETag"] == etag
    assert (await get(client, run_id, "a", If_None_Match='"other"')).status == 200


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("plot.PNG", "image/png"),
        ("data.json", "application/json"),
        ("notes.md", "text/markdown"),
        ("weights.parquet", "application/x-parquet"),
        ("no-ending", "application/octet-stream"),
        ("archive.tar.gz", "application/octet-stream"),
        ("page.html", "application/octet-stream"),
        ("drawing.svg", "application/octet-stream"),
        ("script.js", "application/octet-stream"),
        ("feed.xml", "application/octet-stream"),
    ],
)
async def test_no_browser_runs_what_somebody_uploaded(
    client: TestClient, run_id: UUID, name: str, media_type: str
) -> None:
    await put(client, run_id, name, b"<script>alert(1)</script>", **{"Content-Type": "text/html"})

    response = await get(client, run_id, name)

    assert response.headers["Content-Type"] == media_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_a_second_upload_takes_the_place_of_the_first(
    client: TestClient, run_id: UUID
) -> None:
    await put(client, run_id, "a.txt", b"first")
    await put(client, run_id, "a.txt", b"second")

    assert await (await get(client, run_id, "a.txt")).read() == b"second"
    assert len(await listed(client, run_id)) == 1


async def test_the_same_content_is_stored_once_however_often_it_is_uploaded_at_once(
    client: TestClient, new_run: NewRun, folder: Path
) -> None:
    runs = [await new_run() for _ in range(4)]
    content = os.urandom(300_000)

    await asyncio.gather(
        *(put(client, run, f"copy-{number}", content) for run in runs for number in range(4))
    )

    assert kept(folder) == 1
    for run in runs:
        assert await (await get(client, run, "copy-3")).read() == content


async def test_of_two_uploads_of_one_path_one_stays_whole(client: TestClient, run_id: UUID) -> None:
    contents = [bytes([number]) * 400_000 for number in range(8)]

    await asyncio.gather(*(put(client, run_id, "contested", content) for content in contents))

    assert await (await get(client, run_id, "contested")).read() in contents


async def test_a_declared_digest_is_checked_and_what_differs_is_not_kept(
    client: TestClient, run_id: UUID, folder: Path
) -> None:
    right = b64encode(hashlib.sha256(b"content").digest()).decode()
    wrong = b64encode(hashlib.sha256(b"another").digest()).decode()

    await put(client, run_id, "right", b"content", **{"Repr-Digest": f"sha-256=:{right}:"})
    response = await client.put(
        address(run_id, "wrong"),
        data=b"content!",
        headers=EDITOR | {"Content-Digest": f"md5=:YQ==:, sha-256=:{wrong}:"},
    )

    assert response.status == 422
    assert (await response.json())["type"] == "/problems/wrong-content"
    assert await names(client, run_id) == ["right"]
    assert kept(folder) == 1
    unreadable = await client.put(
        address(run_id, "odd"), data=b"x", headers=EDITOR | {"Repr-Digest": "sha-256=:YQ==:"}
    )
    assert unreadable.status == 400


async def test_a_file_and_a_folder_cannot_have_one_path(client: TestClient, run_id: UUID) -> None:
    await put(client, run_id, "a/b/c", b"x")

    for path in ("a/b/c/d", "a/b", "a"):
        response = await client.put(address(run_id, path), data=b"y", headers=EDITOR)
        assert response.status == 409, path
        assert (await response.json())["type"] == "/problems/path-taken"
    await put(client, run_id, "a/b.txt", b"x")
    await put(client, run_id, "a/b0", b"x")
    assert await names(client, run_id, "a") == ["a/b.txt", "a/b/", "a/b0"]


async def test_a_folder_shows_its_files_and_the_folders_in_it(
    client: TestClient, run_id: UUID, new_run: NewRun
) -> None:
    for path in ("z", "a/1", "a/2", "a/deep/er/3", "a-b/1", "a0/1", "ä/ö"):
        await put(client, run_id, path, b"x")
    await put(client, await new_run(), "another run's", b"x")

    assert await names(client, run_id) == ["a-b/", "a/", "a0/", "z", "ä/"]
    assert await names(client, run_id, "a") == ["a/1", "a/2", "a/deep/"]
    assert await names(client, run_id, "a/") == ["a/1", "a/2", "a/deep/"]
    assert await names(client, run_id, "a/deep") == ["a/deep/er/"]
    assert await names(client, run_id, "ä") == ["ä/ö"]
    assert await names(client, run_id, "nothing") == []


async def test_pages_of_a_folder_join_without_a_gap(client: TestClient, run_id: UUID) -> None:
    for number in range(7):
        await put(client, run_id, f"f/{number}", b"x")
        await put(client, run_id, f"f/{number}-folder/file", b"x")

    found: list[str] = []
    query = {"prefix": "f", "limit": "3"}
    while True:
        response = await client.get(
            f"/api/v1/runs/{run_id}/artifacts", params=query, headers=VIEWER
        )
        page = await response.json()
        assert len(page["items"]) <= 3
        found += [item["path"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert found == await_order(found)
    assert len(found) == 14
    response = await client.get(
        f"/api/v1/runs/{run_id}/artifacts", params={"cursor": "bogus"}, headers=VIEWER
    )
    assert response.status == 400


def await_order(found: list[str]) -> list[str]:
    """No path twice, and in order of their bytes; a folder stands where its slash does."""
    return sorted(
        set(found), key=lambda path: (path + ("/" if path.endswith("folder") else "")).encode()
    )


async def test_a_removed_file_is_gone_and_its_folder_with_it(
    client: TestClient, run_id: UUID
) -> None:
    await put(client, run_id, "a/only", b"x")

    response = await client.delete(address(run_id, "a/only"), headers=EDITOR)

    assert response.status == 204
    assert (await get(client, run_id, "a/only")).status == 404
    assert await names(client, run_id) == []
    again = await client.delete(address(run_id, "a/only"), headers=EDITOR)
    assert again.status == 404


async def test_the_role_in_the_runs_project_decides(
    client: TestClient, run_id: UUID, new_run: NewRun
) -> None:
    await put(client, run_id, "a", b"x")
    elsewhere = await new_run(project=uuid4())
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        writes = method in {"PUT", "DELETE"}
        for who, expected in {"outsider": 404, "viewer": 403 if writes else 200}.items():
            response = await client.request(
                method, address(run_id, "a"), headers={"Authorization": f"Bearer {who}"}
            )
            assert response.status == expected, (method, who)
        for run in (elsewhere, uuid4()):
            response = await client.request(method, address(run, "a"), headers=EDITOR)
            assert response.status == 404, method
        assert (await client.request(method, address(run_id, "a"))).status == 401


async def test_an_archived_run_is_read_and_not_changed(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    await put(client, run_id, "a", b"x")
    await connection.execute("UPDATE experiment.published_runs SET status = 'archived'")

    written = await client.put(address(run_id, "b"), data=b"y", headers=EDITOR)
    removed = await client.delete(address(run_id, "a"), headers=EDITOR)

    assert (written.status, removed.status) == (409, 409)
    assert (await written.json())["type"] == "/problems/run-archived"
    assert await (await get(client, run_id, "a")).read() == b"x"


async def test_an_archived_project_takes_no_files(
    client: TestClient, run_id: UUID, people: KnownPeople, project_id: UUID
) -> None:
    people.archived.add(project_id)

    response = await client.put(address(run_id, "a"), data=b"x", headers=EDITOR)

    assert response.status == 409
