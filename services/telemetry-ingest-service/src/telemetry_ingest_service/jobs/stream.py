"""The buffer in Valkey: a stream a shard, whose entries are records of requests.

In a cluster each shard lies on one node, with all that belongs to it; the shards of a node that is
away are away, and the others go on.

An entry's id says how many bytes were put into its stream up to its end, so that ids need no clock,
and what waits is the last id less the place that is stored. Beside each stream stands a hash: `id`,
a name that the stream got when it began, `end`, the last place, and `begin`, up to where it was
trimmed. Stream and hash begin, grow and vanish together, but nothing is lost where they do not: a
hash that is gone is made again from the stream, under a new name, and a reader who finds another
name, or another run of the server (which may have come back with less), begins at the beginning.
Whatever it then meets a second time is known by the name of its batch.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

from servicekit.broker import FAILURES, Broker
from servicekit.ids import uuid7
from valkey.exceptions import OutOfMemoryError

CONNECT_SEC = 1.0
# A disk that hangs makes Valkey hang too, for 2 s under `appendfsync everysec`.
ANSWER_SEC = 5.0
FOLLOW_SEC = 1.0
LOOK_SEC = 2.0

# KEYS: hash, stream; ARGV: bytes at most, a name for a stream that begins, the records. Answers
# how many of them it took. What Valkey does not write down, it may not be trusted with.
_ADD = """
if not string.find(redis.call('INFO', 'persistence'), 'aof_enabled:1', 1, true) then return -1 end
local known = redis.call('HMGET', KEYS[1], 'id', 'end', 'begin')
local last, first = tonumber(known[2] or 0), tonumber(known[3] or 0)
if not known[1] then
  last, first = 0, 0
  local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  if newest then
    local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
    last = tonumber(string.match(newest[1], '^%d+'))
    first = tonumber(string.match(oldest[1], '^%d+')) - #oldest[2][2]
  end
  redis.call('HSET', KEYS[1], 'id', ARGV[2], 'begin', string.format('%d', first))
end
local most, taken, failed = tonumber(ARGV[1]), 0, nil
for i = 3, #ARGV do
  local place = last + #ARGV[i]
  if place - first > most then break end
  failed = redis.pcall('XADD', KEYS[2], string.format('%d-0', place), 'r', ARGV[i])
  if type(failed) == 'table' and failed.err then break end
  last, taken, failed = place, taken + 1, nil
end
if failed and taken == 0 then
  -- The hash knows less than the stream: it is made again.
  if string.find(failed.err, 'equal or smaller', 1, true) then redis.call('DEL', KEYS[1]) end
  return failed
end
redis.call('HSET', KEYS[1], 'end', string.format('%d', last))
return taken
"""
# KEYS: hash, stream; ARGV: the stream's name and the server's run, the place up to which it is
# stored. In another run the places before it may have been given anew.
_TRIM = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
if (redis.call('HGET', KEYS[1], 'id') or '') .. ' ' .. run ~= ARGV[1] then return 0 end
local begin = tonumber(redis.call('HGET', KEYS[1], 'begin') or 0)
if tonumber(ARGV[2]) <= begin then return 0 end
redis.call('HSET', KEYS[1], 'begin', ARGV[2])
return redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2] .. '-1')
"""


class StreamAway(Exception):
    """Valkey does not answer, or may not be trusted with what is acknowledged."""


class StreamFull(Exception):
    """Valkey has no memory left."""


@dataclass(frozen=True, slots=True)
class Read:
    """Records behind a place, and of which stream; none where there is none yet."""

    stream: str
    records: list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits in a shard: how many records and bytes, and the oldest record."""

    records: int
    waiting: int
    oldest: bytes | None


class Stream:
    """The shards of the buffer."""

    def __init__(self, url: str, *, most_bytes: int, replicas: int = 0) -> None:
        self._broker = Broker(url, connect_sec=CONNECT_SEC, answer_sec=ANSWER_SEC)
        self._most_bytes = most_bytes
        self._replicas = replicas
        # Of each shard: why it is not trusted, and when that was looked for.
        self._trouble: dict[int, tuple[str | None, float]] = {}
        # Where each stream begins, as far as is known; only a hint where to read.
        self._begins: dict[int, int] = {}

    async def close(self) -> None:
        """Give the connections back."""
        await self._broker.close()

    async def add(self, shard: int, records: Sequence[bytes]) -> int:
        """Put records in, and answer how many had room; they stand in Valkey's log by then.

        Where it is asked for, so many replicas have them too, of which one may take over.

        Raises:
            StreamAway: some of them may be in all the same.
            StreamFull: none of them is.
        """
        trouble, looked = self._trouble.get(shard, (None, -LOOK_SEC))
        if looked + LOOK_SEC < monotonic():
            trouble = await self.trouble(shard)
        if trouble:
            raise StreamAway(trouble)
        kept, stream = _keys(shard)
        with _answering():
            async with self._broker.holding(stream) as client:
                # Both on one connection, whose writes the second waits for.
                asked = cast("Any", client.pipeline(transaction=False))
                asked.eval(_ADD, 2, kept, stream, self._most_bytes, str(uuid7()), *records)
                if self._replicas:
                    asked.execute_command("WAIT", self._replicas, int(FOLLOW_SEC * 1000))
                try:
                    taken, *followed = await asked.execute()
                except OutOfMemoryError as exc:
                    raise StreamFull from exc
        if taken < 0:
            raise StreamAway(NO_LOG)
        if followed and followed[0] < self._replicas:
            raise StreamAway(f"{followed[0]} of {self._replicas} replicas have it")
        return taken

    async def read(self, shard: int, *, stream: str, after: int, most_bytes: int) -> Read:
        """Records behind a place of that stream, or the first of another that is there instead.

        Raises:
            StreamAway: see there.
        """
        start = max(after, self._begins.get(shard, 0))
        found, begin, records = await self._read(shard, after, start + most_bytes)
        self._begins[shard] = begin
        if found != stream and after:
            return await self.read(shard, stream=found, after=0, most_bytes=most_bytes)
        if found and not records:
            # Where little is left or the hint was wrong, the next one lies further away.
            _, _, records = await self._read(shard, after, None)
        return Read(found, records)

    async def wait(self, shard: int, *, after: int, seconds: float) -> None:
        """Return when there is something behind a place, or after a while.

        Raises:
            StreamAway: see there.
        """
        _, stream = _keys(shard)
        with _answering():
            async with self._broker.holding(stream) as client:
                await cast("Any", client).xread(
                    {stream: f"{after}-0"}, count=1, block=int(seconds * 1000)
                )

    async def trim(self, shard: int, *, stream: str, upto: int) -> None:
        """Forget the records up to a place, which are stored.

        Raises:
            StreamAway: see there.
        """
        with _answering():
            async with self._broker.holding(_keys(shard)[1]) as client:
                await cast("Any", client).eval(_TRIM, 2, *_keys(shard), stream, upto)

    async def depth(self, shard: int) -> Depth:
        """What waits in a shard.

        Raises:
            StreamAway: see there.
        """
        kept, stream = _keys(shard)
        with _answering():
            async with self._broker.holding(stream) as client:
                asked = cast("Any", client.pipeline(transaction=True))
                asked.hmget(kept, "begin", "end").xlen(stream).xrange(stream, count=1)
                (begin, end), records, oldest = await asked.execute()
        waiting = max(0, int(end or 0) - int(begin or 0))
        return Depth(records, waiting, oldest[0][1][b"r"] if oldest else None)

    async def trouble(self, shard: int) -> str | None:
        """Why what Valkey takes for a shard might be lost, or None.

        Raises:
            StreamAway: see there.
        """
        with _answering():
            async with self._broker.holding(_keys(shard)[1]) as client:
                asked = cast("Any", client)
                logged = (await asked.info("persistence")).get("aof_enabled")
                policy = str((await asked.info("memory")).get("maxmemory_policy", ""))
        found = EVICTS if policy.startswith("allkeys") else None
        found = found if logged else NO_LOG
        self._trouble[shard] = found, monotonic()
        return found

    async def _read(
        self, shard: int, after: int, upto: int | None
    ) -> tuple[str, int, list[tuple[int, bytes]]]:
        kept, stream = _keys(shard)
        with _answering():
            async with self._broker.holding(stream) as client:
                asked = cast("Any", client.pipeline(transaction=True))
                asked.info("server").hmget(kept, "id", "begin")
                if upto is None:
                    asked.xrange(stream, min=f"({after}-0", count=1)
                else:
                    asked.xrange(stream, min=f"({after}-0", max=f"{upto}-0")
                server, (name, begin), entries = await asked.execute()
        if name is None and not entries:
            return "", 0, []
        name = name or b"nameless"
        records = [(int(place.partition(b"-")[0]), entry[b"r"]) for place, entry in entries]
        return f"{name.decode()} {server.get('run_id', '')}", int(begin or 0), records


NO_LOG = "Valkey keeps no log of its writes: start it with `appendonly yes`"
EVICTS = "Valkey may throw the buffer away: set `maxmemory-policy noeviction`"


def _keys(shard: int) -> tuple[str, str]:
    # The braces keep both on one node of a cluster.
    return f"runbench:buffer:{{{shard}}}:place", f"runbench:buffer:{{{shard}}}"


@contextmanager
def _answering() -> Generator[None]:
    try:
        yield
    except FAILURES as exc:
        raise StreamAway(repr(exc)) from exc
