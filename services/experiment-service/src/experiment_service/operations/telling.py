"""Telling others of what happened, in the transaction in which it does."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection
from servicekit.events import Event
from servicekit.outbox import emit

from experiment_service.operations.deliveries import receive_events
from experiment_service.operations.mailing import queue_mails
from experiment_service.queries.run_events import select_is_heard


async def is_heard(connection: Connection, project_id: UUID) -> bool:
    """Whether anybody is told of what happens in the project: to skip the work where nobody is."""
    return await select_is_heard(connection, project_id=project_id)


async def tell(connection: Connection, events: Sequence[Event]) -> None:
    """Leave events for the relay, queue them for the project's webhooks and for people's mails."""
    await emit(connection, events)
    await receive_events(connection, events)
    await queue_mails(connection, events)
