"""Whatever breaks: what was acknowledged stays whole, and what was not leaves nothing behind."""

import asyncio
import errno
import hashlib
import os
import signal
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from aiohttp import ClientError
from aiohttp.test_utils import TestClient
from artifact_api import EDITOR, address, get, kept, names, no_objects, put, settled
from artifact_service.jobs.collector import take_turn
from artifact_service.operations import receiving, uploads
from processes import Process
from servicekit.database import Connection

LONG_AGO = "UPDATE artifact.objects SET suspect_since = suspect_since - interval '1 day'"


async def collect(client: TestClient) -> int:
    assert client.app
    return await take_turn(client.app, keep_sec=3600)


async def objects(connection: Connection) -> dict[str, int]:
    """How many objects there are in each state."""
    rows = await connection.fetch("SELECT state, count(*) FROM artifact.objects GROUP BY state")
    return {row["state"]: row["count"] for row in rows}


def endless() -> tuple[AsyncIterator[bytes], asyncio.Event]:
    """A body that has no end, and when a good part of it was sent."""
    on_its_way = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(10**9):
            yield os.urandom(100_000)
            if number == 30:
                on_its_way.set()
            await asyncio.sleep(0.01)

    return pieces(), on_its_way


async def test_an_upload_that_is_cut_off_is_never_seen_and_leaves_nothing(
    client: TestClient, run_id: UUID, folder: Path, connection: Connection
) -> None:
    pieces, on_its_way = endless()
    upload = asyncio.create_task(client.put(address(run_id, "a"), data=pieces, headers=EDITOR))
    await on_its_way.wait()
    assert kept(folder) == 1
    assert await names(client, run_id) == []

    upload.cancel()
    await asyncio.wait([upload])

    await settled(lambda: kept(folder) == 0)
    await settled(lambda: no_objects(connection))
    assert await names(client, run_id) == []


async def test_a_body_that_ends_before_its_length_is_not_stored(
    client: TestClient, run_id: UUID, folder: Path, connection: Connection
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"PUT {address(run_id, 'a')} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer editor\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n".encode() + bytes(999))
    writer.write_eof()
    answer = await reader.read()
    writer.close()

    assert not answer or b" 400 " in answer.splitlines()[0]
    await settled(lambda: kept(folder) == 0)
    await settled(lambda: no_objects(connection))
    assert await names(client, run_id) == []


async def test_who_sends_too_slowly_is_told_so_and_sent_away(
    client: TestClient, run_id: UUID, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "LEAST_WITHIN_SEC", 1.0)

    async def trickles(writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            writer.write(bytes(100))
            await asyncio.sleep(0.1)

    for more in (trickles, None):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = f"PUT {address(run_id, 'a')} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer editor"
        writer.write(f"{head}\r\nContent-Length: 100000000\r\n\r\nbegin".encode())
        feeding = asyncio.create_task(more(writer)) if more else None
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readuntil(b"}")
        if feeding:
            feeding.cancel()
        writer.close()
        assert b" 408 " in answer.splitlines()[0]
        assert b"Connection: close" in answer
        assert b"/problems/request-timeout" in body
    assert kept(folder) == 0


async def test_killed_in_the_middle_of_uploads_it_keeps_what_it_acknowledged_and_nothing_else(
    database_url: str, store_url: str, folder: Path, run_id: UUID, connection: Connection
) -> None:
    acknowledged: dict[str, str] = {}

    async def write(process: Process, writer: int) -> None:
        async with process.client() as http:
            for number in range(12):
                content = os.urandom(2_000_000 + writer)
                path = f"{writer}/{number}"
                for _ in range(600):
                    try:
                        async with http.put(address(run_id, path), data=content) as response:
                            if response.status == 200:
                                acknowledged[path] = hashlib.sha256(content).hexdigest()
                                break
                            assert response.status == 503, await response.text()
                    except (ClientError, TimeoutError):
                        pass
                    await asyncio.sleep(0.05)

    async with Process(database_url, store_url) as process:
        await process.ready()
        async with asyncio.TaskGroup() as writers:
            for writer in range(4):
                writers.create_task(write(process, writer))
            for _ in range(3):
                await asyncio.sleep(0.3)
                await process.stop(signal.SIGKILL)
                await process.start()
                await process.ready()
        assert len(acknowledged) == 4 * 12
        async with process.client() as http:
            for path, sha256 in acknowledged.items():
                async with http.get(address(run_id, path)) as response:
                    assert hashlib.sha256(await response.read()).hexdigest() == sha256
        assert await process.stop(signal.SIGTERM) == 0

    left_over = kept(folder) - len(acknowledged)
    assert await connection.fetchval("SELECT count(*) FROM artifact.artifacts") == 48
    assert left_over >= 0


async def test_what_a_killed_process_left_is_collected_when_it_is_old_enough(
    client: TestClient,
    database_url: str,
    store_url: str,
    folder: Path,
    run_id: UUID,
    connection: Connection,
) -> None:
    pieces, on_its_way = endless()

    async def upload(process: Process) -> None:
        async with process.client() as http:
            await http.put(address(run_id, "broken"), data=pieces)

    async with Process(database_url, store_url) as process:
        await process.ready()
        uploading = asyncio.create_task(upload(process))
        await on_its_way.wait()
        await process.stop(signal.SIGKILL)
        await asyncio.wait([uploading])
        assert uploading.exception()
    assert kept(folder) == 1
    await put(client, run_id, "whole", b"whole")

    assert await collect(client) == 0
    assert kept(folder) == 2
    await connection.execute(LONG_AGO)
    assert await collect(client) == 1

    assert kept(folder) == 1
    assert await objects(connection) == {"stored": 1}
    assert await names(client, run_id) == ["whole"]


async def test_content_goes_when_the_last_file_that_names_it_has_gone_for_a_while(
    client: TestClient, run_id: UUID, folder: Path, connection: Connection
) -> None:
    await put(client, run_id, "one", b"shared")
    await put(client, run_id, "two", b"shared")
    await put(client, run_id, "three", b"replaced")
    await put(client, run_id, "three", b"new")

    await client.delete(address(run_id, "one"), headers=EDITOR)
    await connection.execute(LONG_AGO)
    assert await collect(client) == 1  # what `three` was
    assert await (await get(client, run_id, "two")).read() == b"shared"

    await client.delete(address(run_id, "two"), headers=EDITOR)
    assert await collect(client) == 0
    await connection.execute(LONG_AGO)
    assert await collect(client) == 1
    assert kept(folder) == 1
    assert await (await get(client, run_id, "three")).read() == b"new"


async def test_an_upload_of_content_that_is_being_collected_keeps_it(
    client: TestClient, run_id: UUID, connection: Connection, database_url: str
) -> None:
    """The collector and an upload of the same content meet at every order of their steps."""
    for number in range(20):
        content = b"contested %d" % number
        await put(client, run_id, "first", content)
        await client.delete(address(run_id, "first"), headers=EDITOR)
        await connection.execute(LONG_AGO)

        await asyncio.gather(
            put(client, run_id, "again", content),
            later(number / 2000, collect(client)),
            put(client, run_id, "and again", content),
        )

        await connection.execute(LONG_AGO)
        await collect(client)
        for path in ("again", "and again"):
            assert await (await get(client, run_id, path)).read() == content


async def later[T](seconds: float, what: Awaitable[T]) -> T:
    await asyncio.sleep(seconds)
    return await what


async def test_an_upload_waits_for_a_collector_that_has_condemned_its_content(
    client: TestClient, run_id: UUID, connection: Connection, database_url: str, folder: Path
) -> None:
    await put(client, run_id, "a", b"content")
    await client.delete(address(run_id, "a"), headers=EDITOR)
    other = await asyncpg.connect(database_url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("UPDATE artifact.objects SET state = 'leaving'")

    upload = asyncio.create_task(put(client, run_id, "b", b"content"))
    await asyncio.sleep(0.3)
    assert not upload.done()
    await transaction.commit()
    await other.close()
    await upload

    await connection.execute(LONG_AGO)
    assert await collect(client) == 1
    assert await (await get(client, run_id, "b")).read() == b"content"
    assert kept(folder) == 1


async def test_a_long_upload_is_not_taken_for_a_broken_one(
    client: TestClient, run_id: UUID, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SIGN_OF_LIFE_SEC", 0.05)
    finish = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"begin"
        await finish.wait()
        yield b"end"

    upload = asyncio.create_task(put(client, run_id, "long", pieces()))
    await asyncio.sleep(0.3)
    await connection.execute(LONG_AGO)
    await asyncio.sleep(0.3)
    assert await collect(client) == 0
    finish.set()
    await upload

    assert await (await get(client, run_id, "long")).read() == b"beginend"


async def test_an_upload_that_was_given_up_for_dead_is_refused_and_can_be_repeated(
    client: TestClient, run_id: UUID, connection: Connection, folder: Path
) -> None:
    finish = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"begin"
        await finish.wait()
        yield b"end"

    upload = asyncio.create_task(client.put(address(run_id, "late"), data=pieces(), headers=EDITOR))
    await settled(lambda: one_arrives(connection))
    await connection.execute(LONG_AGO)
    assert await collect(client) == 1
    finish.set()

    response = await upload
    assert response.status == 503
    assert (await response.json())["type"] == "/problems/store-unavailable"
    assert await names(client, run_id) == []
    await settled(lambda: kept(folder) == 0)
    await put(client, run_id, "late", b"beginend")
    assert await names(client, run_id) == ["late"]


async def one_arrives(connection: Connection) -> bool:
    return await objects(connection) == {"arriving": 1}


async def test_only_one_collector_has_its_turn(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    await put(client, run_id, "a", b"x")
    await client.delete(address(run_id, "a"), headers=EDITOR)
    await connection.execute(LONG_AGO)
    lock = "SELECT pg_advisory_lock(hashtextextended('artifact collector', 0))"
    await connection.execute(lock)

    assert await collect(client) == 0
    await connection.execute(lock.replace("_lock(", "_unlock("))
    assert await collect(client) == 1


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [(errno.ENOSPC, 507, "store-full"), (errno.EIO, 503, "store-unavailable")],
)
async def test_a_disk_that_is_full_or_broken_is_a_clear_answer_and_leaves_nothing(
    client: TestClient,
    run_id: UUID,
    folder: Path,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    status: int,
    code: str,
) -> None:
    write = os.write

    def fails_later(descriptor: int, data: bytes) -> int:
        if len(data) > 4096:
            raise OSError(number, os.strerror(number))
        return write(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr("artifact_service.stores.folder.os.write", fails_later)
        response = await client.put(address(run_id, "a"), data=bytes(3 << 20), headers=EDITOR)

    assert response.status == status
    assert (await response.json())["type"] == f"/problems/{code}"
    assert kept(folder) == 0
    assert await objects(connection) == {}
    await put(client, run_id, "a", bytes(3 << 20))


async def test_a_store_that_is_away_is_said_and_comes_back(
    client: TestClient, run_id: UUID, folder: Path
) -> None:
    await put(client, run_id, "a", b"x")
    away = folder.with_name("away")
    folder.rename(away)  # noqa: ASYNC240 - a test may wait for its disk
    folder.write_text("not a folder")  # noqa: ASYNC240

    read = await get(client, run_id, "a")
    written = await client.put(address(run_id, "b"), data=b"y", headers=EDITOR)
    ready = await client.get("/ready")
    assert (read.status, written.status, ready.status) == (503, 503, 503)
    assert (await ready.json())["dependencies"]["object-store"] == "unreachable"
    assert await names(client, run_id) == ["a"]

    folder.unlink()  # noqa: ASYNC240
    away.rename(folder)
    assert await (await get(client, run_id, "a")).read() == b"x"
    await put(client, run_id, "b", b"y")


async def test_a_content_that_has_lost_its_end_is_not_handed_out_as_the_whole(
    client: TestClient, run_id: UUID, folder: Path
) -> None:
    await put(client, run_id, "a", os.urandom(5_000_000))
    (stored,) = whole_files(folder)
    os.truncate(stored, 3_000_000)

    response = await get(client, run_id, "a")

    with pytest.raises(ClientError):
        await response.read()


def whole_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("objects/*/*") if path.is_file()]


async def test_a_wrong_digest_of_a_large_file_is_refused_after_it_all_arrived(
    client: TestClient, run_id: UUID, folder: Path, connection: Connection
) -> None:
    wrong = b64encode(bytes(32)).decode()

    response = await client.put(
        address(run_id, "a"),
        data=os.urandom(4 << 20),
        headers=EDITOR | {"Repr-Digest": f"sha-256=:{wrong}:"},
    )

    assert response.status == 422
    assert kept(folder) == 0
    assert await objects(connection) == {}
