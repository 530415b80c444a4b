"""Uploads in parts: any order, at once, again, after a kill; nothing before the end or left."""

import asyncio
import errno
import hashlib
import os
import signal
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientError, ClientResponse, ClientSession
from aiohttp.test_utils import TestClient
from artifact_api import EDITOR, VIEWER, get, kept, names, no_objects, put, settled
from artifact_service.jobs.collector import take_turn
from artifact_service.models import uploads as sizes
from artifact_service.operations import joining
from processes import Process
from servicekit.database import Connection

MIB = 1 << 20


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A file of four parts, the last of them short."""
    monkeypatch.setattr(sizes, "LEAST_PART_BYTES", MIB)
    return os.urandom(3 * MIB + 17)


async def begin(
    client: TestClient, run_id: UUID, path: str, size: int, **more: Any
) -> dict[str, Any]:
    response = await client.post(
        f"/api/v1/runs/{run_id}/uploads", json={"path": path, "size": size} | more, headers=EDITOR
    )
    assert response.status == 201, await response.text()
    return await response.json()


async def send(
    client: TestClient | ClientSession,
    upload: dict[str, Any],
    content: bytes,
    number: int,
    **headers: str,
) -> ClientResponse:
    start = (number - 1) * upload["part_size"]
    return await client.put(
        f"/api/v1/uploads/{upload['id']}/parts/{number}",
        data=content[start : start + upload["part_size"]],
        headers=EDITOR | headers,
    )


async def complete(client: TestClient, upload: dict[str, Any], **body: Any) -> ClientResponse:
    return await client.post(f"/api/v1/uploads/{upload['id']}/complete", json=body, headers=EDITOR)


def spoil(folder: Path, *, at: int) -> None:
    """Change some bytes of the only file in the store."""
    [draft] = [path for path in folder.rglob("*") if path.is_file()]
    with draft.open("r+b") as file:
        file.seek(at)
        file.write(b"spoiled")


async def state(client: TestClient, upload: dict[str, Any]) -> dict[str, Any]:
    return await (await client.get(f"/api/v1/uploads/{upload['id']}", headers=EDITOR)).json()


async def completes(client: TestClient, upload: dict[str, Any]) -> bool:
    response = await complete(client, upload)
    assert response.status in {200, 503}
    return response.status == 200


async def test_parts_come_in_any_order_and_at_once_and_are_seen_when_all_are_there(
    client: TestClient, run_id: UUID, content: bytes, folder: Path, connection: Connection
) -> None:
    upload = await begin(client, run_id, "d/big.bin", len(content))
    assert upload["parts"] == []
    await asyncio.gather(*(send(client, upload, content, number) for number in (4, 2, 1)))
    assert [one["number"] for one in (await state(client, upload))["parts"]] == [1, 2, 4]

    early = await complete(client, upload)
    assert early.status == 409
    problem = await early.json()
    assert problem["type"].endswith("/parts-missing")
    assert [one["part"] for one in problem["errors"]] == [3]
    assert await names(client, run_id) == []

    part = await (await send(client, upload, content, 3)).json()
    assert part["sha256"] == hashlib.sha256(content[2 * MIB : 3 * MIB]).hexdigest()
    response = await complete(client, upload)
    assert response.status == 200, await response.text()
    made = await response.json()
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    assert await (await get(client, run_id, "d/big.bin")).read() == content
    assert kept(folder) == 1

    again = await complete(client, upload)
    assert (again.status, await again.json()) == (200, made)
    closed = await send(client, upload, content, 1)
    assert closed.status == 409
    assert (await closed.json())["type"].endswith("/upload-closed")


async def test_a_part_that_is_sent_again_takes_the_place_of_the_one_before(
    client: TestClient, run_id: UUID, content: bytes
) -> None:
    upload = await begin(client, run_id, "a", len(content))
    await send(client, upload, bytes(len(content)), 2)
    for number in (1, 2, 3, 4):
        await send(client, upload, content, number)
    assert (await complete(client, upload)).status == 200
    assert await (await get(client, run_id, "a")).read() == content


async def test_a_part_of_another_size_or_digest_or_number_is_not_kept(
    client: TestClient, run_id: UUID, content: bytes
) -> None:
    upload = await begin(client, run_id, "a", len(content))
    address = f"/api/v1/uploads/{upload['id']}/parts"
    digest = f"sha-256=:{b64encode(bytes(32)).decode()}:"
    wrong = [
        await client.put(f"{address}/1", data=content[: MIB - 1], headers=EDITOR),
        await client.put(f"{address}/1", data=content[: MIB + 1], headers=EDITOR),
        await client.put(f"{address}/4", data=content[:MIB], headers=EDITOR),
        await client.put(f"{address}/5", data=b"x", headers=EDITOR),
        await client.put(f"{address}/0", data=b"x", headers=EDITOR),
        await send(client, upload, content, 1, **{"Repr-Digest": digest}),
    ]
    assert [one.status for one in wrong] == [422] * 6
    assert (await state(client, upload))["parts"] == []


async def test_what_is_declared_of_the_whole_is_checked(
    client: TestClient, run_id: UUID, content: bytes
) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    for at_first, at_last, status in (
        ("0" * 64, None, 422),
        (None, "0" * 64, 422),
        (sha256, None, 200),
        (None, sha256, 200),
    ):
        upload = await begin(client, run_id, "a", len(content), sha256=at_first)
        for number in (1, 2, 3, 4):
            await send(client, upload, content, number)
        response = await complete(client, upload, sha256=at_last)
        assert response.status == status, await response.text()


@pytest.mark.parametrize("declare", ["declared", "undeclared"])
async def test_a_part_that_spoiled_in_the_store_is_named_and_sent_again(
    client: TestClient, run_id: UUID, content: bytes, folder: Path, declare: str
) -> None:
    sha256 = hashlib.sha256(content).hexdigest() if declare == "declared" else None
    upload = await begin(client, run_id, "a", len(content), sha256=sha256)
    for number in (1, 2, 3, 4):
        await send(client, upload, content, number)
    spoil(folder, at=2 * MIB + 5)
    response = await complete(client, upload)
    assert response.status == 409
    assert [one["part"] for one in (await response.json())["errors"]] == [3]
    assert await names(client, run_id) == []
    await send(client, upload, content, 3)
    assert (await complete(client, upload)).status == 200


async def test_an_upload_that_is_given_up_leaves_nothing(
    client: TestClient, run_id: UUID, content: bytes, folder: Path, connection: Connection
) -> None:
    upload = await begin(client, run_id, "a", len(content))
    await send(client, upload, content, 2)
    response = await client.delete(f"/api/v1/uploads/{upload['id']}", headers=EDITOR)
    assert response.status == 204
    assert kept(folder) == 0
    assert await no_objects(connection)
    assert (await send(client, upload, content, 1)).status == 404
    assert (await complete(client, upload)).status == 404


async def test_an_upload_that_stands_still_expires(
    client: TestClient, run_id: UUID, content: bytes, folder: Path, connection: Connection
) -> None:
    upload = await begin(client, run_id, "a", len(content))
    await send(client, upload, content, 2)
    assert client.app
    await connection.execute(
        "UPDATE artifact.objects SET suspect_since = suspect_since - interval '24 hours'"
    )
    assert await take_turn(client.app, keep_sec=3600) == 0
    await connection.execute(
        "UPDATE artifact.objects SET suspect_since = suspect_since - interval '2 hours'"
    )
    assert await take_turn(client.app, keep_sec=3600) == 1
    assert kept(folder) == 0
    assert await no_objects(connection)
    assert await connection.fetchval("SELECT count(*) FROM artifact.uploads") == 0
    assert (await client.get(f"/api/v1/uploads/{upload['id']}", headers=EDITOR)).status == 404


async def test_content_that_is_there_already_is_kept_once(
    client: TestClient, run_id: UUID, content: bytes, folder: Path
) -> None:
    await put(client, run_id, "first", content)
    upload = await begin(client, run_id, "second", len(content))
    for number in (1, 2, 3, 4):
        await send(client, upload, content, number)
    made = await (await complete(client, upload)).json()
    assert kept(folder) == 1
    assert await (await complete(client, upload)).json() == made


async def test_while_parts_are_put_together_nothing_changes_them(
    client: TestClient, run_id: UUID, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "ANSWER_WITHIN_SEC", 0.05)
    go_on = asyncio.Event()
    copy = joining._copy

    async def slowly(*arguments: Any, **more: Any) -> Any:
        await go_on.wait()
        return await copy(*arguments, **more)

    monkeypatch.setattr(joining, "_copy", slowly)
    upload = await begin(client, run_id, "a", len(content))
    for number in (1, 2, 3, 4):
        await send(client, upload, content, number)
    for _ in range(2):
        response = await complete(client, upload)
        assert response.status == 503
        assert response.headers["Retry-After"]
    assert (await send(client, upload, content, 1)).status == 409
    assert (await client.delete(f"/api/v1/uploads/{upload['id']}", headers=EDITOR)).status == 409
    go_on.set()
    await settled(lambda: completes(client, upload))
    assert await (await get(client, run_id, "a")).read() == content


async def test_only_editors_of_the_project_take_part(client: TestClient, run_id: UUID) -> None:
    upload = await begin(client, run_id, "a", 10)
    one = f"/api/v1/uploads/{upload['id']}"
    assert (await client.get(one, headers=VIEWER)).status == 403
    assert (await client.put(f"{one}/parts/1", data=b"x", headers=VIEWER)).status == 403
    outsider = {"Authorization": "Bearer outsider"}
    assert (await client.get(one, headers=outsider)).status == 404


@pytest.mark.parametrize("path", ["../a", "/a", "a//b", "a\x00b", "%2e%2e/a", "C:\\a", ""])
async def test_paths_are_held_to_the_one_rule(client: TestClient, run_id: UUID, path: str) -> None:
    response = await client.post(
        f"/api/v1/runs/{run_id}/uploads", json={"path": path, "size": 5}, headers=EDITOR
    )
    assert response.status == 422


def test_there_are_never_more_than_ten_thousand_parts() -> None:
    for size in (1, 32 << 20, (32 << 20) * 10_000, (32 << 20) * 10_000 + 1, sizes.MAX_BYTES):
        assert -(-size // sizes.part_size_for(size)) <= 10_000


async def test_a_killed_service_goes_on_with_the_parts_that_it_had(
    database_url: str, tmp_path: Path, new_run: Callable[..., Awaitable[UUID]]
) -> None:
    run_id = await new_run()
    content = os.urandom((64 << 20) + 5)
    async with Process(database_url, str(tmp_path)) as process:
        await process.ready()
        async with process.client() as http:
            new = {"path": "big", "size": len(content)}
            async with http.post(f"/api/v1/runs/{run_id}/uploads", json=new) as response:
                upload = await response.json()
            part = f"/api/v1/uploads/{upload['id']}/parts"
            size = upload["part_size"]
            async with http.put(f"{part}/2", data=content[size : 2 * size]) as response:
                assert response.status == 200

            async def half() -> Any:
                yield content[: size // 2]
                await process.stop(signal.SIGKILL)
                yield content[size // 2 : size]

            with pytest.raises(ClientError):
                async with http.put(f"{part}/1", data=half()) as response:
                    await response.read()

        await process.start()
        await process.ready()
        async with process.client() as http:
            async with http.get(f"/api/v1/uploads/{upload['id']}") as response:
                assert [one["number"] for one in (await response.json())["parts"]] == [2]
            for number in (1, 3):
                data = content[(number - 1) * size : number * size]
                async with http.put(f"{part}/{number}", data=data) as response:
                    assert response.status == 200
            async with http.post(f"/api/v1/uploads/{upload['id']}/complete", json={}) as response:
                assert response.status == 200, await response.text()
                assert (await response.json())["sha256"] == hashlib.sha256(content).hexdigest()
            async with http.get(f"/api/v1/runs/{run_id}/artifacts/big") as response:
                assert await response.read() == content
    assert kept(tmp_path) == 1


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [(errno.ENOSPC, 507, "store-full"), (errno.EIO, 503, "store-unavailable")],
)
async def test_a_full_or_broken_disk_is_a_clear_answer_and_the_upload_goes_on_later(
    client: TestClient,
    run_id: UUID,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    status: int,
    code: str,
) -> None:
    upload = await begin(client, run_id, "a", len(content))
    await send(client, upload, content, 1)

    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr("artifact_service.stores.folder.os.pwrite", fails)
        response = await send(client, upload, content, 2)
    assert response.status == status
    assert (await response.json())["type"] == f"/problems/{code}"
    assert [one["number"] for one in (await state(client, upload))["parts"]] == [1]
    for part in (2, 3, 4):
        await send(client, upload, content, part)
    assert (await complete(client, upload)).status == 200


async def test_a_store_that_is_away_is_a_clear_answer_and_completing_goes_on_later(
    client: TestClient, run_id: UUID, content: bytes, folder: Path
) -> None:
    upload = await begin(client, run_id, "a", len(content))
    for part in (1, 2, 3, 4):
        await send(client, upload, content, part)
    away = folder.with_name("away")
    folder.rename(away)  # noqa: ASYNC240 - a test may wait for its disk
    assert (await complete(client, upload)).status == 503
    assert await names(client, run_id) == []
    away.rename(folder)
    assert (await complete(client, upload)).status == 200


async def test_what_breaks_between_the_store_and_the_database_is_gone_on_with(
    client: TestClient,
    run_id: UUID,
    content: bytes,
    folder: Path,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = await begin(client, run_id, "a", len(content))
    for part in (1, 2, 3, 4):
        await send(client, upload, content, part)

    async def breaks(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(joining, "settle", breaks)
        assert (await complete(client, upload)).status >= 500
    assert await names(client, run_id) == []
    assert (await complete(client, upload)).status == 200
    assert await (await get(client, run_id, "a")).read() == content
    assert kept(folder) == await connection.fetchval("SELECT count(*) FROM artifact.objects")


async def test_of_two_uploads_of_one_path_the_one_that_is_completed_last_stays(
    client: TestClient, run_id: UUID, content: bytes, folder: Path, connection: Connection
) -> None:
    other = os.urandom(len(content))
    first = await begin(client, run_id, "a", len(content))
    second = await begin(client, run_id, "a", len(content))
    for part in (1, 2, 3, 4):
        await asyncio.gather(send(client, first, content, part), send(client, second, other, part))
    assert (await complete(client, second)).status == 200
    assert (await complete(client, first)).status == 200
    assert await (await get(client, run_id, "a")).read() == content
    await connection.execute(
        "UPDATE artifact.objects SET suspect_since = suspect_since - interval '1 day'"
    )
    assert client.app
    assert await take_turn(client.app, keep_sec=3600) == 1
    rows = await connection.fetch("SELECT id::text FROM artifact.objects")
    stored = {path.name for path in folder.rglob("*") if path.is_file()}  # noqa: ASYNC240
    assert stored == {row["id"] for row in rows}
