"""Objects in S3, Google Cloud Storage or Azure, by obstore."""

from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import from_url

from artifact_service.errors import StoreUnavailable

if TYPE_CHECKING:
    from obstore import AsyncWritableFile
    from obstore.store import ObjectStore

log = structlog.get_logger()

READ_BYTES = 1 << 20
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 3


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

    async def create(self, key: str) -> "BucketSink":
        """See `Store.create`."""
        return BucketSink(self._store, key)

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

    def __init__(self, store: "ObjectStore", key: str) -> None:
        self._writer: AsyncWritableFile = obstore.open_writer_async(
            store, key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
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


@contextmanager
def _told() -> Generator[None]:
    """Say what a failing bucket means to the caller."""
    try:
        yield
    except (BaseError, OSError) as exc:
        log.error("store.failed", error=repr(exc))
        raise StoreUnavailable from exc
