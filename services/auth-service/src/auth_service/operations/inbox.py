"""What other services tell: an event of theirs is a row of the audit trail."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from servicekit.addresses import IPAddress
from servicekit.database import Database
from servicekit.events import Recorded
from servicekit.problems import Invalid

from auth_service.queries.audit import insert_told

MOST_AHEAD = timedelta(days=1)


async def receive(database: Database, events: Sequence[Recorded]) -> None:
    """Write down all of them, or none; those that are there already stay as they are.

    Raises:
        Invalid: an address is none, or a time lies more than a day ahead.
    """
    addresses = _addresses(events)
    async with database.acquire() as connection, connection.transaction():
        await insert_told(connection, events, addresses)


def _addresses(events: Sequence[Recorded]) -> list[IPAddress | None]:
    mistakes: list[dict[str, str]] = []
    addresses: list[IPAddress | None] = []
    latest = datetime.now(UTC) + MOST_AHEAD
    for number, event in enumerate(events):
        try:
            addresses.append(ipaddress.ip_address(event.address) if event.address else None)
        except ValueError:
            pointer = f"#/events/{number}/address"
            mistakes.append({"pointer": pointer, "detail": "is no IP address"})
        if event.occurred_at > latest:
            pointer = f"#/events/{number}/occurred_at"
            mistakes.append({"pointer": pointer, "detail": "lies more than a day ahead"})
    if mistakes:
        raise Invalid(errors=mistakes)
    return addresses
