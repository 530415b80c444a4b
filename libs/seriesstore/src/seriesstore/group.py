"""Group commit: many small calls share one transaction, and each is answered after it.

Whoever comes while a group is being stored is in the next one, so that groups grow with the
load. A call that is alone is stored at once; behind a group of several, the next one waits a
moment for callers who have just been answered and are likely to come again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg


class Full(Exception):
    """So much waits to be stored that no more is taken; try again shortly."""


# What may be the fault of one item alone: the others are stored without it.
_ONE_TO_BLAME = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.InternalServerError,
    asyncpg.TransactionRollbackError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class _Waiting[Item, Answer]:
    item: Item
    weight: int
    answer: asyncio.Future[Answer]


class GroupCommit[Item, Answer]:
    """Gathers items into groups for `store`, which answers each item, or says why not.

    `most` is the weight of a group, `most_waiting` what may wait; a single item may be heavier.
    `writers` groups are stored at the same time. Behind a group of at least `company` items, the
    next one is gathered for `gather_sec`.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        weigh: Callable[[Item], int],
        most: int,
        most_waiting: int,
        writers: int = 1,
        company: int = 4,
        gather_sec: float = 0.002,
    ) -> None:
        self._store = store
        self._weigh = weigh
        self._most = most
        self._most_waiting = most_waiting
        self._writers = writers
        self._company = company
        self._gather_sec = gather_sec
        self._queue: deque[_Waiting[Item, Answer]] = deque()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Answer:
        """What became of the item, once its group is stored.

        A caller that is cancelled leaves its group alone; its item may be stored all the same.

        Raises:
            Full: too much waits already.
        """
        weight = self._weigh(item)
        if self._queue and self._waiting + weight > self._most_waiting:
            raise Full
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, weight, answer))
        self._waiting += weight
        if len(self._tasks) < self._writers:
            self._tasks.add(asyncio.create_task(self._work()))
        return await answer

    async def drain(self) -> None:
        """Wait until everything that was submitted is stored."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        try:
            while group := self._next_group():
                await self._store_group(group)
                if len(group) >= self._company:
                    await asyncio.sleep(self._gather_sec)
        finally:
            # In the same step that has found the queue empty: who submits next needs another task.
            if task := asyncio.current_task():
                self._tasks.discard(task)

    def _next_group(self) -> list[_Waiting[Item, Answer]]:
        group: list[_Waiting[Item, Answer]] = []
        weight = 0
        while self._queue and (not group or weight + self._queue[0].weight <= self._most):
            waiting = self._queue.popleft()
            self._waiting -= waiting.weight
            if not waiting.answer.done():  # its caller is still there
                group.append(waiting)
                weight += waiting.weight
        return group

    async def _store_group(self, group: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            answers = await self._store([waiting.item for waiting in group])
        except Exception as exc:  # whatever it is, every caller has to hear of it
            if len(group) > 1 and isinstance(exc, _ONE_TO_BLAME):
                for waiting in group:
                    await self._store_group([waiting])
            else:
                for waiting in group:
                    _settle(waiting.answer, exc)
        else:
            for waiting, answer in zip(group, answers, strict=True):
                _settle(waiting.answer, answer)


def _settle[Answer](future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
