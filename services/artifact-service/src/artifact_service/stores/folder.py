"""Objects as files of a folder on this machine, durable before they are acknowledged.

obstore can do this, too, but neither waits for the disk nor hands blocks on without a copy. An
upload is written below `arriving/` and moved to its place below `objects/` when it is complete.
"""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import structlog

from artifact_service.errors import StoreFull, StoreUnavailable

log = structlog.get_logger()

# A block costs a change of threads, which on a busy machine takes longer than to read it.
READ_BYTES = 4 << 20
# While more arrives, what is there already goes to the disk.
FLUSH_BYTES = 64 << 20

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderStore:
    """A `Store` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._objects = folder / "objects"
        self._arriving = folder / "arriving"

    async def create(self, key: str, *, expected: int = 0) -> "FolderSink":  # noqa: ARG002 - files grow
        """See `Store.create`."""
        sink = FolderSink(self._draft(key), self._objects / key)
        await sink.open()
        return sink

    async def prepare_parts(self, key: str) -> None:
        """See `Store.prepare_parts`: the file that the parts are written into."""
        sink = FolderSink(self._draft(key), self._objects / key)
        await sink.open()
        await sink.leave()

    async def create_part(self, key: str, number: int, offset: int | None) -> "PartSink":
        """See `Store.create_part`."""
        if offset is None:
            sink = PartSink(self._loose(key, number), 0, new=True)
        else:
            sink = PartSink(self._draft(key), offset)
        await sink.open()
        return sink

    def read_part(
        self,
        key: str,
        number: int,
        offset: int | None,
        size: int,
    ) -> AsyncGenerator[bytes]:
        """See `Store.read_part`."""
        if offset is None:
            return self._read((self._loose(key, number),), 0, size)
        return self._read((self._draft(key), self._objects / key), offset, offset + size)

    async def join(self, key: str, *, size: int) -> "JoinedSink":  # noqa: ARG002 - the bytes are there
        """See `Store.join`: the parts are in one file already."""
        sink = JoinedSink(self._draft(key), self._objects / key)
        await sink.open()
        return sink

    async def remove_parts(self, key: str, *, count: int) -> None:  # noqa: ARG002 - all there are
        """See `Store.remove_parts`: those with a place are removed with the object."""

        def remove() -> None:
            for path in self._arriving.glob(f"{self._draft(key).name}.*"):
                path.unlink(missing_ok=True)

        with _told():
            await asyncio.to_thread(remove)

    async def link(self, key: str, *, valid: timedelta) -> str | None:  # noqa: ARG002 - there are none
        """See `Store.link`."""
        return None

    def read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes]:
        """See `Store.read`."""
        return self._read((self._objects / key,), start, end)

    async def _read(self, places: tuple[Path, ...], start: int, end: int) -> AsyncGenerator[bytes]:
        with _told():
            descriptor = await asyncio.to_thread(_open_first, places)
        try:
            while start < end:
                length = min(READ_BYTES, end - start)
                with _told():
                    block = await asyncio.to_thread(os.pread, descriptor, length, start)
                if not block:
                    msg = "The file ends too early."
                    raise StoreUnavailable(msg)
                start += len(block)
                yield block
        finally:
            os.close(descriptor)

    async def remove(self, key: str) -> None:
        """See `Store.remove`."""
        for path in (self._draft(key), self._objects / key):
            with _told(), suppress(FileNotFoundError):
                await asyncio.to_thread(path.unlink)

    async def answers(self) -> bool:
        """See `Store.answers`."""

        def make() -> bool:
            for folder in (self._objects, self._arriving):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.access(self._arriving, os.W_OK)

        try:
            return await asyncio.to_thread(make)
        except OSError:
            return False

    def _loose(self, key: str, number: int) -> Path:
        return self._arriving / f"{self._draft(key).name}.{number}"

    def _draft(self, key: str) -> Path:
        return self._arriving / key.rpartition("/")[2]


class FolderSink:
    """A `Sink` into a file."""

    def __init__(self, draft: Path, target: Path) -> None:
        self._draft = draft
        self._target = target
        self._descriptor = -1
        self._unflushed = 0
        self._flushing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make the file."""
        with _told():
            self._descriptor = await asyncio.to_thread(self._open)

    async def write(self, block: bytes) -> None:
        """See `Sink.write`."""
        with _told():
            await asyncio.to_thread(self._write, block)
            self._unflushed += len(block)
            if self._unflushed >= FLUSH_BYTES:
                self._unflushed = 0
                await self._flushed()
                self._flushing = asyncio.create_task(
                    asyncio.to_thread(os.fdatasync, self._descriptor)
                )

    async def finish(self) -> None:
        """See `Sink.finish`."""
        with _told():
            await self._flushed()
            await asyncio.to_thread(self._move)

    async def abort(self) -> None:
        """See `Sink.abort`."""
        with suppress(OSError):
            await self._flushed()
        await asyncio.to_thread(self._remove)

    async def leave(self) -> None:
        """Close the file and let it stand where it is."""
        await asyncio.to_thread(self._close)

    async def _flushed(self) -> None:
        flushing, self._flushing = self._flushing, None
        if flushing:
            await flushing

    def _open(self) -> int:
        self._draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def _write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def _move(self) -> None:
        os.fsync(self._descriptor)
        self._close()
        if not self._target.parent.exists():
            self._target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _flush_folder(self._target.parent.parent)
        self._draft.rename(self._target)
        _flush_folder(self._target.parent)

    def _remove(self) -> None:
        self._close()
        with suppress(OSError):
            self._draft.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class PartSink:
    """A `Sink` into a stretch of a file that is there already.

    It is not waited for until the disk has it: whoever joins the parts reads all of them again.
    """

    def __init__(self, draft: Path, offset: int, *, new: bool = False) -> None:
        self._draft = draft
        self._offset = offset
        self._flags = os.O_WRONLY | (os.O_CREAT | os.O_TRUNC if new else 0)
        self._descriptor = -1

    async def open(self) -> None:
        """Open the file."""
        with _told():
            self._descriptor = await asyncio.to_thread(self._open)

    async def write(self, block: bytes) -> None:
        """See `Sink.write`."""
        with _told():
            await asyncio.to_thread(self._write, block)

    async def finish(self) -> None:
        """See `Sink.finish`."""
        self._close()

    async def abort(self) -> None:
        """See `Sink.abort`. What was written is written over by the next."""
        self._close()

    def _open(self) -> int:
        self._draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(self._draft, self._flags, 0o600)

    def _write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            written = os.pwrite(self._descriptor, rest, self._offset)
            self._offset += written
            rest = rest[written:]

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class JoinedSink(FolderSink):
    """A `Sink` whose bytes are in their file already."""

    async def write(self, block: bytes) -> None:
        """See `Sink.write`."""

    async def abort(self) -> None:
        """See `Store.join`: the parts stay."""
        await self.leave()

    def _open(self) -> int:
        return _open_first((self._draft, self._target))

    def _move(self) -> None:
        # Where a process was killed right after it had moved the file, it is in its place.
        if self._draft.exists():
            super()._move()
        else:
            self._close()


def _open_first(places: tuple[Path, ...]) -> int:
    for place in places[:-1]:
        with suppress(FileNotFoundError):
            return os.open(place, os.O_RDONLY)
    return os.open(places[-1], os.O_RDONLY)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told() -> Generator[None]:
    """Say what a failing disk means to the caller."""
    try:
        yield
    except OSError as exc:
        log.error("store.failed", error=repr(exc))
        if exc.errno in _FULL:
            raise StoreFull from exc
        raise StoreUnavailable from exc
