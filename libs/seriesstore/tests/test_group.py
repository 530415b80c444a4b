"""Calls that come together form groups; what happens to one is the affair of that one."""

import asyncio
from collections.abc import Sequence

import pytest
from seriesstore.group import Full, GroupCommit


class Store:
    """Answers each number with its double; notes the groups, and waits as long as it is told."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(numbers))
        await self.open.wait()
        if any(number < 0 for number in numbers):
            msg = "negative"
            raise ValueError(msg)
        return [KeyError(number) if number == 13 else number * 2 for number in numbers]


@pytest.fixture
def store() -> Store:
    return Store()


def group(store: Store, **limits: int) -> GroupCommit[int, int]:
    return GroupCommit(store, weigh=abs, **({"most": 100, "most_waiting": 1000} | limits))


async def test_who_is_alone_is_stored_alone_and_who_comes_meanwhile_together(store: Store) -> None:
    commit = group(store)
    store.open.clear()
    first = asyncio.create_task(commit.submit(1))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(commit.submit(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0.01)
    store.open.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert store.groups == [[1], [2, 3, 4]]


async def test_a_group_has_a_limit_and_a_heavy_item_is_still_taken(store: Store) -> None:
    commit = group(store)
    answers = await asyncio.gather(*(commit.submit(number) for number in (60, 39, 2, 500, 1)))
    assert answers == [120, 78, 4, 1000, 2]
    assert store.groups == [[60, 39], [2], [500], [1]]


async def test_more_than_may_wait_is_refused_at_once(store: Store) -> None:
    commit = group(store, most_waiting=100)
    store.open.clear()
    tasks: list[asyncio.Task[int]] = []
    for _ in range(2):  # one is being stored, one waits
        tasks.append(asyncio.create_task(commit.submit(60)))
        await asyncio.sleep(0.01)
    with pytest.raises(Full):
        await commit.submit(60)
    store.open.set()
    assert await asyncio.gather(*tasks) == [120, 120]
    assert await commit.submit(60) == 120


async def test_an_item_that_breaks_its_group_is_stored_apart(store: Store) -> None:
    commit = group(store)
    results = await asyncio.gather(
        *(commit.submit(number) for number in (1, -2, 3, 13)), return_exceptions=True
    )
    assert [results[0], results[2]] == [2, 6]
    assert isinstance(results[1], ValueError)
    assert isinstance(results[3], KeyError)


async def test_a_caller_that_is_cancelled_breaks_nothing(store: Store) -> None:
    commit = group(store)
    store.open.clear()
    tasks = [asyncio.create_task(commit.submit(number)) for number in range(1, 7)]
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(commit.submit(number)) for number in (7, 8)]
    await asyncio.sleep(0.01)
    tasks[2].cancel()  # in the group that is being stored
    late[0].cancel()  # still waiting
    await asyncio.sleep(0.01)
    store.open.set()
    results = await asyncio.gather(*tasks, *late, return_exceptions=True)
    assert [result for result in results if not isinstance(result, BaseException)] == [
        2,
        4,
        8,
        10,
        12,
        16,
    ]
    assert store.groups[1] == [8], "who has left before is not stored"


async def test_draining_waits_for_everything(store: Store) -> None:
    commit = group(store)
    tasks = [asyncio.create_task(commit.submit(5)) for _ in range(100)]
    await asyncio.sleep(0)
    await commit.drain()
    assert sum(map(len, store.groups)) == 100
    assert await asyncio.gather(*tasks) == [10] * 100


@pytest.mark.parametrize("writers", [1, 2])
async def test_who_comes_again_at_once_is_not_forgotten(store: Store, writers: int) -> None:
    """Also in the very turn of the loop in which the last group is answered."""
    commit = group(store, writers=writers)
    async with asyncio.timeout(5):
        for number in range(20):
            assert await commit.submit(number + 20) == 2 * (number + 20)
