"""Passwords: which ones are refused, and how they are hashed without holding anything up."""

import asyncio
import os
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from hashlib import sha384
from time import perf_counter

import bcrypt
from aiohttp import web
from servicekit.problems import Unavailable
from zxcvbn.frequency_lists import FREQUENCY_LISTS

MAX_LENGTH = 256
# Longer ones are on no list, and repeating one letter a hundred times is nobody's guess.
LONGEST_COMMON = 32
PATIENCE_SEC = 6.0
ALWAYS_QUEUED = 10  # per worker, however slow the machine is
USUAL_SEC = 0.25  # what 12 rounds take on a core of its own

_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789012345678901234567890",
    "12345678901234567890123456789012345678901",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop1234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "йцукенгшщзхъфывапролджэячсмитьбю",
)
_DECORATION = "0123456789!?.,_-#*+$@ "
_LOOKALIKES = str.maketrans("@4301!57$", "aaeoiists")


def why_refused(password: str, *, least: int, about: tuple[str, ...] = ()) -> str | None:
    """The rule that a new password breaks, or None.

    It needs `least` characters, may be neither a common one nor what is known about the person
    (`about`: their e-mail address, their name), and is otherwise free: no rules of composition.
    """
    length = len(unicodedata.normalize("NFC", password))
    if length < least:
        return f"must have at least {least} characters"
    if length > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    plain = unicodedata.normalize("NFKC", password).casefold()
    if _is_common(plain):
        return "is too common; choose one that nobody would guess"
    if any(plain == known.casefold() for known in about):
        return "must not be your e-mail address or your name"
    return None


class Hasher:
    """bcrypt over a digest of the whole password, in a pool of threads beside the event loop.

    Who would have to wait longer than `patience_sec` is refused at once; how long a hash takes on
    this machine at this hour is learnt from those before.
    """

    def __init__(
        self, *, rounds: int, workers: int | None = None, patience_sec: float = PATIENCE_SEC
    ) -> None:
        self.rounds = rounds
        self._patience_sec = patience_sec
        self._takes_sec = USUAL_SEC * 2.0 ** (rounds - 12)
        self._workers = workers or max(1, os.process_cpu_count() or 1)
        self._waiting = 0
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="bcrypt")
        # Nobody's hash, of the cost in force: an unknown person costs what a known one does.
        self._dummy = bcrypt.gensalt(rounds).decode() + secrets.token_hex(16)[1:]

    async def hash(self, password: str) -> str:
        """A new hash of the cost in force.

        Raises:
            Unavailable: too many are waiting.
        """
        return await self._run(partial(_hash, password, self.rounds))

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether it is the password; False, for the same effort, where none is stored.

        Raises:
            Unavailable: too many are waiting.
        """
        return await self._run(partial(_check, password, stored, self._dummy))

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash has another cost than the one in force."""
        return _cost(stored) != self.rounds

    def close(self) -> None:
        """Let the workers go; those at work finish."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run[T](self, work: Callable[[], T]) -> T:
        ahead = self._waiting // self._workers
        wait = ahead * self._takes_sec
        if wait > self._patience_sec and ahead >= ALWAYS_QUEUED:
            msg = "Too many people are signing in at once."
            raise Unavailable(msg, retry_after=wait / 2)

        def timed() -> tuple[T, float]:
            began = perf_counter()
            return work(), perf_counter() - began

        self._waiting += 1
        try:
            result, took = await asyncio.get_running_loop().run_in_executor(self._pool, timed)
        finally:
            self._waiting -= 1
        self._takes_sec += (took - self._takes_sec) / 8
        return result


HASHER = web.AppKey("hasher", Hasher)


def _digest(password: str) -> bytes:
    # bcrypt stops at 72 bytes and at NUL: 64 characters of base 64 carry all of the password.
    return b64encode(sha384(unicodedata.normalize("NFC", password).encode()).digest())


def _hash(password: str, rounds: int) -> str:
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(rounds)).decode()


def _check(password: str, stored: str | None, dummy: str) -> bool:
    right = bcrypt.checkpw(_digest(password), (stored or dummy).encode())
    _make_up(stored or dummy, dummy)
    return right and stored is not None


def _make_up(stored: str, dummy: str) -> None:
    """Spend what a hash of lower cost saved, so that nobody learns of it by the clock.

    Costs c, c+1, … n-1 and c once more add up to 2^n: the effort of the cost in force.
    """
    for rounds in range(_cost(stored), _cost(dummy)):
        bcrypt.hashpw(b"", bcrypt.gensalt(rounds))


def _cost(stored: str) -> int:
    return int(stored.split("$")[2])


def _is_common(plain: str) -> bool:
    if len(plain) > LONGEST_COMMON:
        return False
    bare = plain.strip(_DECORATION)
    candidates = {plain, bare} if len(bare) * 2 >= len(plain) else {plain}
    candidates |= {candidate.translate(_LOOKALIKES) for candidate in candidates}
    return any(
        _unit(candidate) in _common() or any(candidate in run for run in _RUNS)
        for candidate in candidates
    )


def _unit(text: str) -> str:
    """The shortest text whose repetition this is: `abcabcabc` is as good as `abc`."""
    turned = (text + text).find(text, 1)
    return text[:turned] if turned > 0 else text


@cache
def _common() -> frozenset[str]:
    return frozenset({*FREQUENCY_LISTS["passwords"], *map(chr, range(32, 127))})
