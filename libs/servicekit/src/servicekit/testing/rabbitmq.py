"""A RabbitMQ of a test's own, on loopback, that may be stopped and started again."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage

from servicekit.sinks import EXCHANGE

START_SEC = 90
STOP_SEC = 30
_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_STARTED = "Server startup complete"


def rabbitmq_server() -> Path:
    """The program as Debian installs it; a missing one is an error where CI is set."""
    if _SERVER.exists() and shutil.which("epmd"):
        return _SERVER
    missing = "no RabbitMQ: `apt-get install rabbitmq-server` as root brings it"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


class Broker:
    """One node with its data in a folder; `url` stays the same however often it is started."""

    def __init__(self, folder: Path) -> None:
        self._server = rabbitmq_server()
        self._folder = folder
        ports = [_free_port() for _ in range(3)]
        self._port, self._own, self._mapper = ports
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start, and return when it takes connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "plugins").write_text("[].")
        log = self._folder / "server.log"
        environment = self._environment()
        # Started here so that it ends here: the server would leave it behind.
        mapper = ["epmd", "-port", str(self._mapper), "-address", "127.0.0.1"]
        self._processes = [subprocess.Popen(mapper, env=environment)]  # noqa: S603 - as Debian has it
        with log.open("wb") as output:
            self._processes.append(
                subprocess.Popen(  # noqa: S603 - the server itself
                    [str(self._server)],
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        deadline = monotonic() + START_SEC
        while _STARTED not in log.read_text(errors="replace"):
            if self._processes[-1].poll() is not None or monotonic() > deadline:
                self.stop()
                pytest.fail(f"RabbitMQ did not start:\n{log.read_text(errors='replace')[-2000:]}")
            sleep(0.1)

    def stop(self) -> None:
        """Stop it in order; what it has confirmed is on disk."""
        # The server first: it says goodbye to the mapper.
        for process in reversed(self._processes):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_SEC)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []

    def _environment(self) -> dict[str, str]:
        nowhere = str(self._folder / "none")
        return {
            **os.environ,
            "HOME": str(self._folder),
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "test@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._own),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": nowhere,
            "RABBITMQ_ADVANCED_CONFIG_FILE": nowhere,
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self._folder / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }


@asynccontextmanager
async def listening(
    broker: Broker, key: str = "#"
) -> AsyncGenerator[list[AbstractIncomingMessage]]:
    """What comes by the binding key while the caller listens; from when the exchange is there."""
    came: list[AbstractIncomingMessage] = []

    async def take(message: AbstractIncomingMessage) -> None:
        async with message.process():
            came.append(message)

    async with await aio_pika.connect(broker.url) as connection:
        exchange = await _exchange(connection)
        queue = await (await connection.channel()).declare_queue(exclusive=True)
        await queue.bind(exchange, key)
        await queue.consume(take)
        yield came


async def keep(broker: Broker, key: str, *, queue: str) -> None:
    """Have a durable queue keep what comes by the binding key, also over a stop of the broker."""
    async with await aio_pika.connect(broker.url) as connection:
        exchange = await _exchange(connection)
        kept = await (await connection.channel()).declare_queue(queue, durable=True)
        await kept.bind(exchange, key)


async def take_kept(broker: Broker, queue: str) -> list[dict[str, Any]]:
    """The events that a queue has kept; it is gone afterwards."""
    async with await aio_pika.connect(broker.url) as connection:
        kept = await (await connection.channel()).get_queue(queue)
        events: list[dict[str, Any]] = []
        while message := await kept.get(no_ack=True, fail=False):
            events.append(json.loads(message.body))
        await kept.delete()
    return events


async def _exchange(connection: aio_pika.abc.AbstractConnection) -> AbstractExchange:
    """The exchange of the events, which the first service to start declares."""
    async with asyncio.timeout(START_SEC):
        while True:
            # A channel ends with the first thing that it asks for in vain.
            channel = await connection.channel()
            try:
                return await channel.get_exchange(EXCHANGE)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                await asyncio.sleep(0.1)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]
