"""Files in a bucket: the same behaviour on S3, here SeaweedFS."""

import asyncio
import hashlib
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import ClientError
from aiohttp.test_utils import TestClient
from artifact_api import EDITOR, VIEWER, address, get, names, no_objects, put, settled
from artifact_service.jobs.collector import take_turn
from artifact_service.models import uploads as sizes
from artifact_service.settings import Settings
from artifact_service.stores.bucket import BucketStore
from artifact_service.stores.opening import open_store
from conftest import StartApp
from obstore.store import S3Store
from processes import free_port
from servicekit.database import Connection

BUCKET = "runbench-test"
ACCESS = {"AWS_ACCESS_KEY_ID": "runbench", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "main"}
OFF = ("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-master.telemetry=false")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 of this session's own."""
    home = tmp_path_factory.mktemp("seaweed")
    ports = [free_port() for _ in range(8)]
    names = ("master", "volume", "filer", "s3")
    numbers = [f"-{name}.port={port}" for name, port in zip(names, ports[:4], strict=True)]
    numbers += [f"-{name}.port.grpc={port}" for name, port in zip(names, ports[4:], strict=True)]
    identity = home / "s3.json"
    identity.write_text(
        '{"identities": [{"name": "runbench", "credentials": [{"accessKey": "runbench",'
        ' "secretKey": "secret"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}'
    )
    weed = Path(sys.executable).with_name("weed")
    command = [str(weed), "-logtostderr=false", f"-logdir={home}", "server", f"-dir={home}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.config={identity}"]
    command += ["-volume.max=50", "-master.volumeSizeLimitMB=256", *OFF, *numbers]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{ports[3]}"
    try:
        for _ in range(600):
            try:
                assert httpx.get(f"{url}/healthz").is_success
                break
            except (httpx.TransportError, AssertionError):
                assert server.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        server.kill()  # a stop in order takes it half a minute
        server.wait(30)


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A bucket, which the variables of the environment lead to."""
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    store = S3Store(BUCKET, endpoint=s3, client_options={"allow_http": True})
    make_bucket(s3)
    for page in obstore.list(store):
        obstore.delete(store, [one["path"] for one in page])
    return store


def make_bucket(s3: str) -> None:
    store = S3Store(BUCKET, endpoint=s3, client_options={"allow_http": True})
    answer = httpx.put(obstore.sign(store, "PUT", "", timedelta(minutes=5)))
    assert answer.status_code in {200, 409}, answer.text


@pytest.fixture
def store_url(bucket: S3Store) -> str:
    return f"s3://{BUCKET}/files"


def kept(bucket: S3Store) -> list[str]:
    """The keys of everything in the bucket."""
    return [one["path"] for page in obstore.list(bucket) for one in page]


async def test_small_and_large_files_come_back_byte_for_byte(
    client: TestClient, run_id: UUID, bucket: S3Store
) -> None:
    contents = {
        "empty": b"",
        "small": b"small",
        "large": os.urandom(30 << 20),  # several parts
    }
    for path, content in contents.items():
        stored = await put(client, run_id, path, content)
        assert stored["sha256"] == hashlib.sha256(content).hexdigest()

    for path, content in contents.items():
        assert await (await get(client, run_id, path)).read() == content
    part = await get(client, run_id, "large", Range="bytes=10000000-19999999")
    assert await part.read() == contents["large"][10_000_000:20_000_000]
    assert all(key.startswith("files/") for key in kept(bucket))
    assert (await client.get("/ready")).status == 200


async def test_the_same_content_is_one_object(
    client: TestClient, run_id: UUID, bucket: S3Store
) -> None:
    content = os.urandom(100_000)

    await asyncio.gather(*(put(client, run_id, f"copy-{number}", content) for number in range(5)))

    assert len(kept(bucket)) == 1
    assert len(await names(client, run_id)) == 5


async def test_what_breaks_on_its_way_in_is_not_there(
    client: TestClient, run_id: UUID, bucket: S3Store, connection: Connection
) -> None:
    async def breaks_off() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield os.urandom(1 << 20)
        raise ConnectionAbortedError

    with pytest.raises(ClientError):
        await client.put(address(run_id, "broken"), data=breaks_off(), headers=EDITOR)

    await settled(lambda: no_objects(connection))
    assert kept(bucket) == []
    assert await names(client, run_id) == []


async def test_what_no_file_names_is_removed_from_the_bucket(
    client: TestClient, run_id: UUID, bucket: S3Store, connection: Connection
) -> None:
    await put(client, run_id, "a", b"first")
    await put(client, run_id, "a", b"second")
    await connection.execute(
        "UPDATE artifact.objects SET suspect_since = suspect_since - interval '1 day'"
    )

    assert client.app
    assert await take_turn(client.app, keep_sec=3600) == 1

    assert len(kept(bucket)) == 1
    assert await (await get(client, run_id, "a")).read() == b"second"


async def test_a_bucket_that_is_away_is_a_clear_answer(
    start_app: StartApp, run_id: UUID, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    client = await start_app(artifact_store_url=f"s3://{BUCKET}")

    async with asyncio.timeout(30):
        response = await client.put(address(run_id, "a"), data=b"x", headers=EDITOR)
        ready = await client.get("/ready")

    assert response.status == 503
    assert (await response.json())["type"] == "/problems/store-unavailable"
    assert response.headers["Retry-After"]
    assert ready.status == 503
    assert await names(client, run_id) == []
    assert (
        await connection.fetchval("SELECT count(*) FROM artifact.objects") == 1
    )  # to be collected


async def test_parts_become_one_object_and_leave_nothing_beside_it(
    client: TestClient, run_id: UUID, bucket: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "LEAST_PART_BYTES", 9 << 20)
    content = os.urandom((20 << 20) + 3)
    answer = await client.post(
        f"/api/v1/runs/{run_id}/uploads", json={"path": "a", "size": len(content)}, headers=EDITOR
    )
    upload = await answer.json()
    one = f"/api/v1/uploads/{upload['id']}"

    async def send(number: int) -> int:
        start = (number - 1) * upload["part_size"]
        data = content[start : start + upload["part_size"]]
        return (await client.put(f"{one}/parts/{number}", data=data, headers=EDITOR)).status

    assert await asyncio.gather(*(send(number) for number in (3, 1, 2))) == [200] * 3
    assert await names(client, run_id) == []
    assert len(kept(bucket)) == 3
    made = await client.post(f"{one}/complete", json={}, headers=EDITOR)
    assert (await made.json())["sha256"] == hashlib.sha256(content).hexdigest()
    assert await (await get(client, run_id, "a")).read() == content
    assert len(kept(bucket)) == 1


@pytest.mark.parametrize("end", ["given up", "expired"])
async def test_parts_that_become_nothing_are_removed(
    client: TestClient, run_id: UUID, bucket: S3Store, connection: Connection, end: str
) -> None:
    new = {"path": "a", "size": 40 << 20}
    answer = await client.post(f"/api/v1/runs/{run_id}/uploads", json=new, headers=EDITOR)
    one = f"/api/v1/uploads/{(await answer.json())['id']}"
    await client.put(f"{one}/parts/2", data=bytes(8 << 20), headers=EDITOR)
    assert len(kept(bucket)) == 1
    if end == "given up":
        assert (await client.delete(one, headers=EDITOR)).status == 204
    else:
        await connection.execute(
            "UPDATE artifact.objects SET suspect_since = suspect_since - interval '2 days'"
        )
        assert client.app
        assert await take_turn(client.app, keep_sec=3600) == 1
    assert kept(bucket) == []
    assert await no_objects(connection)


async def test_a_link_serves_the_file_for_a_while_and_nothing_else(
    client: TestClient, run_id: UUID, bucket: S3Store
) -> None:
    made = await put(client, run_id, "a.html", b"<script>1</script>")
    other = await put(client, run_id, "b", b"secret")
    answer = await client.post(f"/api/v1/artifacts/{made['id']}/link", headers=VIEWER)
    link = await answer.json()
    valid = datetime.fromisoformat(link["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < valid <= timedelta(minutes=5)
    async with httpx.AsyncClient() as http:
        found = await http.get(link["url"])
        assert found.content == b"<script>1</script>"
        assert found.headers["Content-Type"] == "application/octet-stream"
        [key] = [one for one in kept(bucket) if one not in link["url"]]
        [own] = [one for one in kept(bucket) if one in link["url"]]
        expires = re.sub("X-Amz-Expires=[0-9]+", "X-Amz-Expires=86400", link["url"])
        for changed in (
            link["url"].replace(own, key),
            expires,
            link["url"].replace("X-Amz-Sig", "X"),
        ):
            assert (await http.get(changed)).status_code in {400, 403}
        assert (await http.put(link["url"], content=b"x")).status_code == 403
        assert (await http.delete(link["url"])).status_code == 403
    assert await (await get(client, run_id, "b")).read() == b"secret"
    assert other["path"] == "b"


async def test_tables_are_previewed_from_the_bucket_by_their_parts(
    client: TestClient, run_id: UUID, bucket: S3Store
) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"n": range(3_000_000)}), file, row_group_size=100_000)
    assert kept(bucket) == []
    made = await put(client, run_id, "a.parquet", file.getvalue())
    answer = await client.get(
        f"/api/v1/artifacts/{made['id']}/preview?rows=2&offset=1234567", headers=VIEWER
    )
    assert (await answer.json())["table"]["rows"] == [[1234567], [1234568]]


@pytest.mark.parametrize(
    ("url", "variables"),
    [
        ("gs://bucket/files", {"GOOGLE_SKIP_SIGNATURE": "true"}),
        ("az://container/files", {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_SKIP_SIGNATURE": "1"}),
        ("s3://bucket", {"AWS_REGION": "eu-central-1"}),
    ],
)
def test_each_cloud_is_opened_by_the_address_and_its_own_variables(
    url: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings(database_url="postgresql://a/b", artifact_store_url=url)
    assert isinstance(open_store(settings.artifact_store_url), BucketStore)
