"""What callers may use up: counted in Valkey for all processes together.

A budget fills at a steady rate up to its size, and whoever uses it takes from it. A process
draws ahead what it will let in, a fiftieth of a second's worth at a time, so that many small
requests cost few round trips, and what is asked for while a round trip is under way shares the
next one, so that however many ask there is one connection to each node that counts. While the
node of a budget is away each process counts by itself, more strictly, because it cannot know of
the others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

import structlog
from aiohttp import web
from prometheus_client import Gauge
from valkey.asyncio import Valkey

from servicekit.broker import FAILURES, Broker

log = structlog.get_logger()

ALONE = Gauge("budgets_counted_alone", "1 while this process counts without its Valkey.")

PART_ALONE = 4  # without Valkey a process lets in this part of the rate
AHEAD_SEC = 0.02
PATIENCE_SEC = 0.5
AGAIN_SEC = 1.0
_MOST_KEPT = 20_000
# Fills at a rate (ARGV 1) up to a size (ARGV 2). Takes ARGV 3, and answers 0 and what is left; or
# takes nothing, and answers in how many ms there is enough, and what there is.
_TAKE = """
local now = redis.call('TIME')
local at = now[1] * 1000 + now[2] / 1000
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local rate, size, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local left = size
if kept[1] then
  left = math.min(size, tonumber(kept[1]) + math.max(0, at - tonumber(kept[2])) * rate / 1000)
end
if left < want then return {math.ceil((want - left) * 1000 / rate), math.floor(left)} end
redis.call('HSET', KEYS[1], 'left', left - want, 'at', at)
redis.call('PEXPIRE', KEYS[1], math.ceil(size * 1000 / rate) + 1000)
return {0, math.floor(left - want)}
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """So much a second on average, and so much at once; `size_alone` at once without Valkey."""

    rate: float
    size: int
    size_alone: int

    @property
    def rate_alone(self) -> float:
        """What one process lets in a second while it cannot know of the others."""
        return self.rate / PART_ALONE


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands after asking: `wait` seconds until there is enough (0 lets in), and what is
    left, as far as this process knows."""

    wait: float
    left: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits to hear how it stands."""

    key: str
    budget: Budget
    amount: int
    answer: asyncio.Future[Standing]


@dataclass(slots=True)
class _Ahead:
    """What was drawn and not used yet, beside what was left in Valkey."""

    drawn: int
    left: int
    until: float


class Budgets:
    """The budgets of all callers, by key; `url` is Valkey's, or empty to count alone."""

    def __init__(self, url: str) -> None:
        self._broker = (
            Broker(url, connect_sec=PATIENCE_SEC, answer_sec=PATIENCE_SEC) if url else None
        )
        self._ahead: dict[str, _Ahead] = {}
        self._alone: dict[str, tuple[float, float]] = {}
        # By the node that does not answer; None stands for all of them.
        self._away_until: dict[Valkey | None, float] = {}
        self._asked: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def take(self, key: str, budget: Budget, amount: int = 1) -> Standing:
        """Take the amount from the budget of that key, or nothing where there is not enough."""
        standing = self._take_ahead(key, amount)
        return standing or await self._draw(key, budget, amount)

    async def close(self) -> None:
        """Give the connection back."""
        if self._asking:
            await self._asking
        if self._broker:
            await self._broker.close()

    def _take_ahead(self, key: str, amount: int) -> Standing | None:
        ahead = self._ahead.get(key)
        if ahead is None or ahead.drawn < amount or ahead.until <= monotonic():
            return None
        ahead.drawn -= amount
        return Standing(0, ahead.left + ahead.drawn)

    async def _draw(self, key: str, budget: Budget, amount: int) -> Standing:
        if self._broker is None:
            return self._take_alone(key, budget, amount)
        asked = _Asked(key, budget, amount, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._asking is None:
            self._asking = asyncio.create_task(self._answer_all(self._broker))
        return await asked.answer

    async def _answer_all(self, broker: Broker) -> None:
        """Answer whoever asks, all at once who do so meanwhile, until nobody does any more."""
        waiting: list[_Asked] = []
        try:
            while self._asked:
                waiting, self._asked = self._asked, []
                shares: dict[Valkey | None, list[_Asked]] = defaultdict(list)
                for one in waiting:
                    shares[await self._counter(broker, one.key)].append(one)
                await asyncio.gather(
                    *(self._answer_share(broker, client, share) for client, share in shares.items())
                )
        except Exception as exc:  # a mistake of ours, of which those who wait must hear
            for one in (*waiting, *self._asked):
                if not one.answer.done():
                    one.answer.set_exception(exc)
            self._asked = []
        finally:
            self._asking = None

    async def _counter(self, broker: Broker, key: str) -> Valkey | None:
        """The node that counts a budget; None while it is away."""
        if self._away_until.get(None, 0) > monotonic():
            return None
        try:
            client = await broker.holder(key)
        except FAILURES as exc:
            self._is_away(broker, None, exc)
            return None
        return None if self._away_until.get(client, 0) > monotonic() else client

    def _is_away(self, broker: Broker, client: Valkey | None, failure: BaseException) -> None:
        log.warning("budgets.unreachable", error=repr(failure))
        ALONE.set(1)
        broker.failed(failure)
        self._forget_past()
        self._away_until[client] = monotonic() + AGAIN_SEC

    def _forget_past(self) -> None:
        past = [node for node, until in self._away_until.items() if until <= monotonic()]
        for node in past:
            del self._away_until[node]

    async def _answer_share(
        self, broker: Broker, client: Valkey | None, waiting: Sequence[_Asked]
    ) -> None:
        try:
            if client:
                await self._answer(client, waiting)
                if self._away_until:
                    self._forget_past()
                ALONE.set(1 if self._away_until else 0)
        except FAILURES as exc:
            self._is_away(broker, client, exc)
        for one in waiting:
            if not one.answer.done():
                _tell(one, self._take_alone(one.key, one.budget, one.amount))

    async def _answer(self, client: Valkey, waiting: Sequence[_Asked]) -> None:
        together: dict[str, list[_Asked]] = defaultdict(list)
        for one in waiting:
            if standing := self._take_ahead(one.key, one.amount):
                _tell(one, standing)
            else:
                together[one.key].append(one)
        wanted = [
            (
                key,
                asking[0].budget,
                max(
                    int(asking[0].budget.rate * AHEAD_SEC),
                    sum(one.amount for one in asking),
                ),
            )
            for key, asking in together.items()
        ]
        refused: list[_Asked] = []
        found = await self._ask(client, wanted)
        for (key, _, drawn), standing in zip(wanted, found, strict=True):
            asking = together[key]
            if standing.wait > 0:
                refused += asking
                continue
            ahead = _Ahead(drawn, standing.left, monotonic() + 1)
            _keep(self._ahead, key, ahead)
            for one in asking:
                ahead.drawn -= one.amount
                _tell(one, Standing(0, ahead.left + ahead.drawn))
        # Not all of them together; as many as there is room for, in the order they came.
        singly = [(one.key, one.budget, one.amount) for one in refused]
        for one, standing in zip(refused, await self._ask(client, singly), strict=True):
            _tell(one, standing)

    async def _ask(
        self, client: Valkey, wanted: Sequence[tuple[str, Budget, int]]
    ) -> list[Standing]:
        """In one round trip, how each stands."""
        if not wanted:
            return []
        pipeline = cast("Any", client).pipeline(transaction=False)
        for key, budget, amount in wanted:
            pipeline.eval(_TAKE, 1, key, budget.rate, budget.size, amount)
        return [Standing(float(wait) / 1000, int(left)) for wait, left in await pipeline.execute()]

    def _take_alone(self, key: str, budget: Budget, amount: int) -> Standing:
        rate, now = budget.rate_alone, monotonic()
        left, at = self._alone.get(key, (float(budget.size_alone), now))
        left = min(budget.size_alone, left + (now - at) * rate)
        if left < amount:
            return Standing((amount - left) / rate, int(left))
        _keep(self._alone, key, (left - amount, now))
        return Standing(0, int(left - amount))


def _tell(asked: _Asked, standing: Standing) -> None:
    if not asked.answer.done():  # its caller is still there
        asked.answer.set_result(standing)


def _keep[T](kept: dict[str, T], key: str, value: T) -> None:
    kept.pop(key, None)
    while len(kept) >= _MOST_KEPT:
        del kept[next(iter(kept))]
    kept[key] = value


BUDGETS = web.AppKey("budgets", Budgets)
