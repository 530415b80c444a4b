"""What the two kinds of viewers are sent: of one run, or of many on one connection."""

import json
from uuid import UUID

from servicekit.places import Places
from servicekit.sse import EventStream

from metrics_service.models.live import LiveBatch


class RunViewer:
    """Follows one run: event ids are its ordinals."""

    def __init__(self, stream: EventStream, position: int) -> None:
        self._stream = stream
        self._position = position

    def position(self, run_id: UUID) -> int:  # noqa: ARG002 - there is one
        return self._position

    async def show(self, run_id: UUID, batch: LiveBatch) -> None:  # noqa: ARG002
        data = b'{"series":[' + b",".join(batch.choose(None)) + b"]}"
        await self._stream.send("metrics", data, event_id=str(batch.ordinal))
        self._position = batch.ordinal

    async def tell(self, run_id: UUID, status: str) -> None:  # noqa: ARG002
        await self._stream.send("run", json.dumps({"status": status}))

    async def heartbeat(self) -> None:
        await self._stream.heartbeat()


class RunsViewer:
    """Follows many runs, all of their metrics or some: event ids are the places in all of them."""

    def __init__(
        self, stream: EventStream, places: Places, keys: frozenset[str] | None = None
    ) -> None:
        self._stream = stream
        self._places = places
        self._keys = keys

    def position(self, run_id: UUID) -> int:
        return self._places[run_id]

    async def show(self, run_id: UUID, batch: LiveBatch) -> None:
        self._places.move(run_id, batch.ordinal)
        if wanted := batch.choose(self._keys):
            head = f'{{"run_id":"{run_id}","series":['.encode()
            data = head + b",".join(wanted) + b"]}"
            await self._stream.send("metrics", data, event_id=str(self._places))

    async def tell(self, run_id: UUID, status: str) -> None:
        await self._stream.send("run", json.dumps({"run_id": str(run_id), "status": status}))

    async def heartbeat(self) -> None:
        await self._stream.heartbeat()
