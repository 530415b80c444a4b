"""What the service needs of an object store. Keys are made by the service, see `key_of`."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from aiohttp import web


class Sink(Protocol):
    """An object on its way in: nobody sees it before `finish`."""

    async def write(self, block: bytes) -> None:
        """Take the next bytes.

        Raises:
            StoreFull, StoreUnavailable: they cannot be kept.
        """
        ...

    async def finish(self) -> None:
        """Make the object durable and visible.

        Raises:
            StoreFull, StoreUnavailable: it could not be.
        """
        ...

    async def abort(self) -> None:
        """Leave nothing behind, whatever was written; never raises."""
        ...


class Store(Protocol):
    """Keeps objects under keys; an object never changes."""

    async def create(self, key: str, *, expected: int = 0) -> Sink:
        """Begin an object of about the `expected` bytes, 0 where nobody knows.

        Raises:
            StoreFull, StoreUnavailable: the store takes none now.
        """
        ...

    async def prepare_parts(self, key: str) -> None:
        """Make room for an object that will come in parts.

        Raises:
            StoreFull, StoreUnavailable: there is none.
        """
        ...

    async def create_part(self, key: str, number: int, offset: int | None) -> Sink:
        """Begin a part, which begins at `offset` of the object; the one before is lost.

        A loose part, whose place is not known yet (None), stands by itself until it is read.

        Raises:
            StoreFull, StoreUnavailable: the store takes none now.
        """
        ...

    def read_part(
        self, key: str, number: int, offset: int | None, size: int
    ) -> AsyncGenerator[bytes]:
        """A part, in blocks.

        Raises:
            StoreUnavailable: the part cannot be read.
        """
        ...

    async def join(self, key: str, *, size: int) -> Sink:
        """Begin to make one object of its parts, whose bytes are then written in order.

        Unlike those of others, an `abort` of this leaves the parts.

        Raises:
            StoreFull, StoreUnavailable: the store cannot now.
        """
        ...

    async def remove_parts(self, key: str, *, count: int) -> None:
        """Remove the parts, at most `count`, of an object that was joined or is not to be.

        Raises:
            StoreUnavailable: they could not be removed.
        """
        ...

    async def link(self, key: str, *, valid: timedelta) -> str | None:
        """An address that serves the object to anybody for a while; None where there are none.

        Raises:
            StoreUnavailable: the store cannot now.
        """
        ...

    def read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes]:
        """The bytes from `start` to before `end`, in blocks.

        Raises:
            StoreUnavailable: the object cannot be read.
        """
        ...

    async def remove(self, key: str) -> None:
        """Remove an object, or what a broken upload left of it; one that is not there is fine.

        Raises:
            StoreUnavailable: it could not be removed.
        """
        ...

    async def answers(self) -> bool:
        """Whether the store can be used right now."""
        ...


STORE: web.AppKey[Store] = web.AppKey("store", Store)


def key_of(object_id: UUID) -> str:
    """The key of an object: its id, below a folder by its last digits, which are random."""
    return f"{object_id.hex[-2:]}/{object_id}"
