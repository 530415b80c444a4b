"""Objects in S3, Google Cloud Storage or Azure, by obstore."""

from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store, from_url

from artifact_service.errors import StoreUnavailable

if TYPE_CHECKING:
    from obstore import AsyncWritableFile, Attributes
    from obstore.store import ObjectStore

log = structlog.get_logger()

READ_BYTES = 1 << 20
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 3
# Of the 10,000 that S3 takes.
MAX_PARTS = 9_000
PARTS_REMOVED_AT_ONCE = 1000
# For whoever has a link to the object: bytes to be saved, not to be shown.
_ATTRIBUTES: "Attributes" = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": "attachment",
}


class BucketStore:
    """A `Store` in a bucket, or below a prefix of one.

    Credentials, region and endpoint come from the variables of each cloud's own tools, for
    instance AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL.
    """

    def __init__(self, url: str) -> None:
        self._store: ObjectStore = from_url(
            url,
            client_options={"connect_timeout": timedelta(seconds=5), "allow_http": True},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )

    async def create(self, key: str, *, expected: int = 0) -> "BucketSink":
        """See `Store.create`."""
        return BucketSink(self._store, key, expected)

    async def prepare_parts(self, key: str) -> None:
        """See `Store.prepare_parts`."""

    async def create_part(self, key: str, number: int, offset: int | None) -> "BucketSink":  # noqa: ARG002 - each part is an object
        """See `Store.create_part`. obstore cannot take up an upload of the store's own kind again,
        so that each part is an object until they are copied into one."""
        return BucketSink(self._store, _part(key, number))

    def read_part(
        self,
        key: str,
        number: int,
        offset: int | None,  # noqa: ARG002 - each part is an object
        size: int,
    ) -> AsyncGenerator[bytes]:
        """See `Store.read_part`."""
        return self.read(_part(key, number), 0, size)

    async def join(self, key: str, *, size: int) -> "BucketSink":
        """See `Store.join`."""
        return BucketSink(self._store, key, size)

    async def remove_parts(self, key: str, *, count: int) -> None:
        """See `Store.remove_parts`."""
        for begin in range(1, count + 1, PARTS_REMOVED_AT_ONCE):
            numbers = range(begin, min(begin + PARTS_REMOVED_AT_ONCE, count + 1))
            with _told(), suppress(FileNotFoundError):
                await obstore.delete_async(self._store, [_part(key, one) for one in numbers])

    async def link(self, key: str, *, valid: timedelta) -> str | None:
        """See `Store.link`."""
        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            return None
        with _told():
            return await obstore.sign_async(self._store, "GET", key, valid)

    async def read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes]:
        """See `Store.read`."""
        if start == end:
            return
        with _told():
            found = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for block in found.stream(min_chunk_size=READ_BYTES):
                yield block

    async def remove(self, key: str) -> None:
        """See `Store.remove`. Parts of an upload that broke are for the bucket's own rules."""
        with _told(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def answers(self) -> bool:
        """See `Store.answers`."""
        try:
            await obstore.head_async(self._store, "runbench-is-it-there")
        except FileNotFoundError:
            return True
        except (BaseError, OSError):
            return False
        return True


class BucketSink:
    """A `Sink` into a bucket: one request for what is small, parts for what is not."""

    def __init__(self, store: "ObjectStore", key: str, expected: int = 0) -> None:
        self._writer: AsyncWritableFile = obstore.open_writer_async(
            store,
            key,
            attributes=_ATTRIBUTES,
            buffer_size=max(PART_BYTES, -(-expected // MAX_PARTS)),
            max_concurrency=PARTS_AT_ONCE,
        )

    async def write(self, block: bytes) -> None:
        """See `Sink.write`."""
        with _told():
            await self._writer.write(block)

    async def finish(self) -> None:
        """See `Sink.finish`."""
        with _told():
            await self._writer.close()

    async def abort(self) -> None:
        """See `Sink.abort`. A writer that is dropped unfinished makes no object."""
        del self._writer


def _part(key: str, number: int) -> str:
    return f"{key}.parts/{number:05d}"


@contextmanager
def _told() -> Generator[None]:
    """Say what a failing bucket means to the caller."""
    try:
        yield
    except (BaseError, OSError) as exc:
        log.error("store.failed", error=repr(exc))
        raise StoreUnavailable from exc
