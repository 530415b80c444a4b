"""Who the relay tells: RabbitMQ for other systems, and auth-service for the audit trail."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, AMQPException
from yarl import URL

from servicekit.events import Event, Recorded
from servicekit.inside import Inside
from servicekit.outbox import AUDIT, Sink
from servicekit.problems import Unavailable
from servicekit.settings import ServiceSettings

EXCHANGE = "runbench.events"
UNROUTED = "runbench.events.unrouted"
# What nobody has bound a queue for waits this long, so that who comes late can still have it.
UNROUTED_KEPT_MS = 7 * 24 * 3600 * 1000
UNROUTED_MOST = 100_000
ANSWER_SEC = 10.0
HEARTBEAT_SEC = 30
PLATFORM = "platform"

# An event without the address, which is the audit trail's alone.
_TOLD = set(Event.model_fields)
_BROKEN = (*CONNECTION_EXCEPTIONS, AMQPException, OSError, TimeoutError)


def sinks(settings: ServiceSettings, *, service: str, audit: bool = True) -> list[Sink]:
    """The sinks that the settings of a service name; without `audit`, RabbitMQ alone."""
    found: list[Sink] = []
    if settings.rabbitmq_url:
        found.append(RabbitMQ(settings.rabbitmq_url, service=service))
    return [*found, *audit_trail(settings)] if audit else found


def audit_trail(settings: ServiceSettings) -> list[Sink]:
    """The audit trail, for a service that tells nobody else; none where the settings name none."""
    if settings.auth_service_url and settings.service_secrets:
        return [AuditTrail(settings.auth_service_url, settings.service_secrets[0])]
    return []


def routing_key(event: Event) -> str:
    """`<project id>.<type>`, as `0199….run.failed`; `platform.<type>` where there is no project."""
    return f"{event.project_id or PLATFORM}.{event.type}"


def waves(events: Sequence[Recorded]) -> list[list[Recorded]]:
    """The events, in parts that follow one another: none has two events of one subject.

    What is in one part may be on its way at the same time without a subject's order being lost.
    """
    seen: defaultdict[UUID, int] = defaultdict(int)
    parts: list[list[Recorded]] = []
    for event in events:
        number = seen[event.subject.id]
        seen[event.subject.id] += 1
        if number == len(parts):
            parts.append([])
        parts[number].append(event)
    return parts


class RabbitMQ:
    """A durable topic exchange; a message counts once the broker has confirmed it.

    What no queue is bound for goes to an alternate exchange with a queue of its own, so it is still
    returned (`mandatory`), and told again, where somebody has taken that one away.
    """

    name = "rabbitmq"

    def __init__(self, url: str, *, service: str) -> None:
        self._url = URL(url).update_query(heartbeat=HEARTBEAT_SEC)
        self._service = service
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Close at the end what was opened when it was needed."""
        try:
            yield
        finally:
            await self._close()

    async def reach(self) -> None:
        """Connect and declare the exchanges, if that is not done.

        Raises:
            Unavailable: the broker does not answer, or refuses.
        """
        if self._connection and not self._connection.is_closed and self._channel:
            return
        await self._close()
        try:
            self._connection = await aio_pika.connect(self._url, timeout=ANSWER_SEC)
            self._channel = await self._declare(self._connection)
        except _BROKEN as exc:
            await self._close()
            raise _unavailable(exc) from None

    async def tell(self, events: Sequence[Recorded]) -> None:
        """Publish, and return when the broker has confirmed each.

        Raises:
            Unavailable: one was refused or returned, or the broker went away.
        """
        channel = self._channel
        if channel is None:
            msg = "RabbitMQ is not connected."
            raise Unavailable(msg)
        for wave in waves(events):
            answers = await asyncio.gather(
                *(self._publish(channel, event) for event in wave), return_exceptions=True
            )
            for answer in answers:
                if isinstance(answer, _BROKEN):
                    await self._close()
                    raise _unavailable(answer) from None
                if isinstance(answer, BaseException):
                    raise answer

    async def _declare(self, connection: AbstractConnection) -> AbstractChannel:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        unrouted = await channel.declare_exchange(
            UNROUTED, aio_pika.ExchangeType.FANOUT, durable=True, timeout=ANSWER_SEC
        )
        queue = await channel.declare_queue(
            UNROUTED,
            durable=True,
            arguments={"x-message-ttl": UNROUTED_KEPT_MS, "x-max-length": UNROUTED_MOST},
            timeout=ANSWER_SEC,
        )
        await queue.bind(unrouted, timeout=ANSWER_SEC)
        await channel.declare_exchange(
            EXCHANGE,
            aio_pika.ExchangeType.TOPIC,
            durable=True,
            arguments={"alternate-exchange": UNROUTED},
            timeout=ANSWER_SEC,
        )
        return channel

    async def _publish(self, channel: AbstractChannel, event: Recorded) -> None:
        message = aio_pika.Message(
            event.model_dump_json(include=_TOLD).encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(event.id),
            timestamp=event.occurred_at,
            type=event.type,
            app_id=self._service,
            headers={"version": event.version},
        )
        # Not `Exchange.publish`: that writes each message out before it takes the next, for a fifth
        # more of processor time. The confirmation is waited for here too.
        publisher = await channel.get_underlay_channel()
        await publisher.basic_publish(
            message.body,
            exchange=EXCHANGE,
            routing_key=routing_key(event),
            properties=message.properties,
            mandatory=True,
            timeout=ANSWER_SEC,
            wait=False,  # pyright: ignore[reportCallIssue]: in the class, not in its interface
        )

    async def _close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection:
            try:
                async with asyncio.timeout(ANSWER_SEC):
                    await connection.close()
            except _BROKEN:
                pass  # it is gone already


class AuditTrail:
    """auth-service's list of who did what; it knows a repeat by the event's id."""

    name = AUDIT

    def __init__(self, addresses: str, secret: bytes) -> None:
        self._auth = Inside("auth-service", addresses, secret)

    def open(self) -> AbstractAsyncContextManager[None]:
        """Hold the connections."""
        return self._auth.open()

    async def reach(self) -> None:
        """Nothing is connected beforehand."""

    async def tell(self, events: Sequence[Recorded]) -> None:
        """Hand over what happened.

        Raises:
            Unavailable: auth-service does not take it.
        """
        told = {"events": [event.model_dump(mode="json") for event in events]}
        await self._auth.post("/internal/events", orjson.dumps(told))


def _unavailable(exc: BaseException) -> Unavailable:
    # Only what kind of failure it is: the texts of some carry the address with its password.
    return Unavailable(f"RabbitMQ does not take events ({type(exc).__name__}).")
