"""What is done once for each key in a while."""

import asyncio

from servicekit.lately import Lately


class Notes:
    """Counts what was written, a moment after it was asked for."""

    def __init__(self, *, fail_first: bool = False) -> None:
        self.written = 0
        self.fails = fail_first

    async def write(self) -> None:
        await asyncio.sleep(0.01)
        if self.fails:
            self.fails = False
            raise OSError
        self.written += 1


async def test_a_hundred_at_once_are_noted_once_and_none_goes_on_before() -> None:
    lately, notes = Lately(), Notes()

    async def read() -> int:
        await lately.once("key", notes.write)
        return notes.written

    assert set(await asyncio.gather(*(read() for _ in range(100)))) == {1}
    await lately.once("other", notes.write)
    assert notes.written == 2


async def test_who_fails_leaves_it_to_the_next() -> None:
    lately, notes = Lately(), Notes(fail_first=True)

    outcomes = await asyncio.gather(
        *(lately.once("key", notes.write) for _ in range(3)), return_exceptions=True
    )

    assert [type(one) for one in outcomes].count(OSError) == 1
    assert notes.written == 1


async def test_it_is_done_again_after_a_while_and_when_there_is_no_room() -> None:
    notes = Notes()
    short = Lately(within_sec=0.02)
    await short.once("key", notes.write)
    await asyncio.sleep(0.03)
    await short.once("key", notes.write)
    assert notes.written == 2

    small = Lately(most=2)
    for key in "abcab":
        await small.once(key, notes.write)
    assert notes.written == 7
