"""Slowing down who guesses, without locking out who knows.

An attempt is counted before its outcome is known, so that a hundred at once count as a
hundred. What is slowed down is an account as tried from one network: a stranger who tries
a thousand passwords slows down themselves, and the person signs in from elsewhere at once.
A program that has signed the person in from that network before counts by itself, so that
a stranger in the same network does not slow it down either. Beside that a whole network is
slowed down that fails with many accounts, and an account that is tried from very many
networks makes those that are new to it wait before their first attempt. Waiting is never
longer than a minute, refused attempts do not prolong it, and nothing that a client can say
of itself opens a fresh count.
"""

import hashlib
from dataclasses import dataclass

from servicekit.database import Connection

from auth_service.addresses import email_key
from auth_service.call import Call
from auth_service.counters import THROTTLED
from auth_service.errors import TooManyAttempts
from auth_service.models.audit import NewEvent
from auth_service.models.people import Account
from auth_service.operations.audit import record
from auth_service.queries.people import select_account_by_email
from auth_service.queries.sessions import is_known_device
from auth_service.queries.throttles import (
    count_failures,
    give_back_attempt,
    note_refusal,
    refuse_at_first,
    take_attempt,
)

LONGEST_SEC = 60.0
LONGEST_PER_NETWORK_SEC = 15.0
FORGET_SEC = 3600.0
KNOWN_DAYS = 90

FREE_PER_DEVICE = 10
FREE_PER_NETWORK = 100
MANY_PER_ACCOUNT = 50
WAIT_AT_FIRST_SEC = 30.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was admitted and counts as failed until it is taken back."""

    call: Call
    device: bytes
    others: tuple[bytes, ...]

    async def succeeded(self) -> None:
        """Forget the failures of this device, and this attempt elsewhere."""
        async with self.call.database.acquire() as connection:
            await give_back_attempt(connection, subject=self.device, wholly=True)
            for subject in self.others:
                await give_back_attempt(connection, subject=subject, wholly=False)

    async def never_happened(self) -> None:
        """Uncount an attempt that came to no decision."""
        async with self.call.database.acquire() as connection:
            for subject in (self.device, *self.others):
                await give_back_attempt(connection, subject=subject, wholly=False)


async def attempt_login(call: Call, *, key: str) -> Attempt:
    """Begin an attempt to sign in to the account with this e-mail key.

    Raises:
        TooManyAttempts: this device or network has to wait.
    """
    network = str(call.origin.network)
    account = _subject("account", key)
    async with call.database.acquire() as connection:
        known = await is_known_device(
            connection, email_key=key, origin=call.origin, days=KNOWN_DAYS
        )
        program = call.origin.user_agent if known else ""
        device = _subject("device", key, network, program)
        counted: list[bytes] = []
        if not known:
            around = _subject("network", network)
            await _take(
                call,
                connection,
                around,
                key,
                free=FREE_PER_NETWORK,
                longest_sec=LONGEST_PER_NETWORK_SEC,
            )
            counted.append(around)
            await _make_strangers_wait(call, connection, key, device, around)
        try:
            await _take(call, connection, device, key, free=FREE_PER_DEVICE)
        except TooManyAttempts:
            for subject in counted:
                await give_back_attempt(connection, subject=subject, wholly=False)
            raise
        await _count(connection, account)
    return Attempt(call, device, (*counted, account))


async def attempt_password(call: Call, *, account: Account) -> Attempt:
    """Begin an attempt to name the current password, by somebody who is signed in.

    Raises:
        TooManyAttempts: they have to wait.
    """
    device = _subject("password", str(account.id), str(call.origin.network))
    async with call.database.acquire() as connection:
        await _take(call, connection, device, email_key(account.email), free=FREE_PER_DEVICE)
    return Attempt(call, device, ())


async def is_within(call: Call, *, purpose: str, subject: str, free: int) -> bool:
    """Count one more of something that is not guessing; False where it is too often."""
    async with call.database.acquire() as connection:
        return await take_attempt(
            connection,
            subject=_subject(purpose, subject),
            free=free,
            longest_sec=LONGEST_SEC,
            forget_sec=FORGET_SEC,
        )


async def _take(
    call: Call,
    connection: Connection,
    subject: bytes,
    key: str,
    *,
    free: int,
    longest_sec: float = LONGEST_SEC,
) -> None:
    admitted = await take_attempt(
        connection, subject=subject, free=free, longest_sec=longest_sec, forget_sec=FORGET_SEC
    )
    if not admitted:
        await _refuse(call, connection, subject, key)


async def _count(connection: Connection, subject: bytes) -> None:
    """Count for the account as a whole, which is never made to wait."""
    await take_attempt(
        connection, subject=subject, free=1 << 30, longest_sec=0, forget_sec=FORGET_SEC
    )


async def _make_strangers_wait(
    call: Call, connection: Connection, key: str, device: bytes, around: bytes
) -> None:
    """Under an attack from everywhere, let a network begin with a wait; then it has its turn."""
    account = _subject("account", key)
    failures = await count_failures(connection, subject=account, within_sec=FORGET_SEC)
    if failures < MANY_PER_ACCOUNT:
        return
    begun = await refuse_at_first(
        connection, subject=device, failures=FREE_PER_DEVICE, sec=WAIT_AT_FIRST_SEC
    )
    if begun:
        await give_back_attempt(connection, subject=around, wholly=False)
        await _refuse(call, connection, device, key)


async def _refuse(call: Call, connection: Connection, subject: bytes, key: str) -> None:
    """Say how long to wait; the audit hears of each delay once, however often it is tried."""
    async with connection.transaction():
        refusal = await note_refusal(connection, subject=subject)
        if refusal.is_first:
            account = await select_account_by_email(connection, email_key=key)
            event = NewEvent(
                action="login.throttled",
                target_type="user",
                target_id=account.id if account else None,
                result="denied",
                details={"wait_sec": round(refusal.wait_sec, 1)},
            )
            await record(connection, call.origin, event)
    THROTTLED.inc()
    seconds = max(1, round(refusal.wait_sec + 0.5))
    msg = f"Try again in {seconds} s."
    raise TooManyAttempts(msg, retry_after=seconds)


def _subject(kind: str, *parts: str) -> bytes:
    return hashlib.sha256("\n".join((kind, *parts)).encode()).digest()
