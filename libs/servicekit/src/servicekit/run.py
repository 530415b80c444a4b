"""Starting a service: settings, logs, migrations, the port, and a stop that loses nothing."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import orjson
import structlog
import uvloop
from aiohttp import web

from servicekit import openapi
from servicekit.application import ENDPOINTS, LIFECYCLE
from servicekit.logs import configure_logs
from servicekit.migrations import migrate
from servicekit.settings import ServiceSettings, read_settings
from servicekit.spans import end_spans, start_spans

log = structlog.get_logger()

# Below the gateway's idle time for upstream connections, so that it never meets a closed
# one; it also ends a connection whose request head does not arrive.
KEEPALIVE_SEC = 15
BACKLOG = 1024
LAST_REQUESTS_SEC = 0.5
STOP_WITHIN_SEC = 20
# As the gateway has it: an address may name a few hundred runs.
MAX_HEAD_BYTES = 32 << 10
DATABASE_WITHIN_SEC = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Service[S: ServiceSettings]:
    """What the command line needs to know of a service.

    `commands` are further ones: a name, and what it does once the schema is current; the first
    line of its docstring is its help, its answer the exit code. `read_buffer` are the bytes of a
    body that wait for the handler before the connection is not read any more.
    """

    name: str
    version: str
    schema: str
    migrations: Path
    settings: type[S]
    create_app: Callable[[S], web.Application]
    contract_settings: Callable[[], S]
    commands: Mapping[str, Callable[[S], Awaitable[int]]] = field(
        default_factory=dict[str, Callable[[S], Awaitable[int]]]
    )
    read_buffer: int = 64 << 10


def main[S: ServiceSettings](service: Service[S], arguments: list[str] | None = None) -> int:
    """`serve` (the default), `migrate`, `openapi` or a further one; answers the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.name.replace('-', '_')}")
    texts = ["serve (migrates first), migrate only, or print the OpenAPI document"]
    texts += [f"{name}: {_help(command)}" for name, command in service.commands.items()]
    parser.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=["serve", "migrate", "openapi", *service.commands],
        help="; ".join(texts),
    )
    command = parser.parse_args(arguments).command
    if command == "openapi":
        sys.stdout.write(contract(service))
        return 0
    settings = read_settings(service.settings)
    configure_logs(service.name, level=settings.log_level, form=settings.log_format)
    if settings.otel_exporter_otlp_endpoint:
        start_spans(service.name, service.version, settings.otel_exporter_otlp_endpoint)
    if command == "migrate":
        return uvloop.run(_migrate(service, settings))
    if command in service.commands:
        return uvloop.run(_command(service, settings, service.commands[command]))
    try:
        return uvloop.run(serve(service, settings))
    finally:
        end_spans()


def contract[S: ServiceSettings](service: Service[S]) -> str:
    """The OpenAPI document as text, the same every time."""
    configure_logs(service.name, level="error")
    app = service.create_app(service.contract_settings())
    document = openapi.document(service.name, service.version, app[ENDPOINTS])
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


async def serve[S: ServiceSettings](service: Service[S], settings: S) -> int:
    """Migrate, then listen until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if code := await _migrate(service, settings):
        return code
    app = service.create_app(settings)
    runner = web.AppRunner(
        app,
        keepalive_timeout=KEEPALIVE_SEC,
        shutdown_timeout=STOP_WITHIN_SEC,
        access_log=None,
        read_bufsize=service.read_buffer,
        max_line_size=MAX_HEAD_BYTES,
        max_field_size=MAX_HEAD_BYTES,
    )
    await runner.setup()
    try:
        door = _listening(settings.host, settings.port)
    except OSError as exc:
        await runner.cleanup()
        log.error("service.port_taken", host=settings.host, port=settings.port, error=str(exc))
        return 1
    site = web.SockSite(runner, door, backlog=BACKLOG)
    await site.start()
    log.info("service.listening", host=settings.host, port=runner.addresses[0][1])
    await stop.wait()
    log.info("service.stopping")
    app[LIFECYCLE].draining.set()
    await asyncio.sleep(settings.drain_sec)
    app[LIFECYCLE].closing.set()
    await _close(site, door, runner)
    if settings.drain_sec:
        # Who came last has a connection, but has perhaps not sent the request yet.
        await asyncio.sleep(LAST_REQUESTS_SEC)
    await runner.cleanup()
    log.info("service.stopped")
    return 0


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


async def _close(site: web.SockSite, door: socket.socket, runner: web.AppRunner) -> None:
    """Take no more connections, but serve those that the system has already taken for us.

    Closing alone would reset them, and with them requests that nobody may send twice.
    """
    waiting: list[socket.socket] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            waiting.append(door.accept()[0])
    await site.stop()
    if runner.server is None:
        return
    for connection in waiting:
        connection.settimeout(0)
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(runner.server, connection)


async def _command[S: ServiceSettings](
    service: Service[S], settings: S, command: Callable[[S], Awaitable[int]]
) -> int:
    return await _migrate(service, settings) or await command(settings)


def _help(command: Callable[..., object]) -> str:
    return (command.__doc__ or "").strip().partition("\n")[0]


async def _migrate[S: ServiceSettings](service: Service[S], settings: S) -> int:
    """Bring the schema up to date, waiting a while for a database that is still starting."""
    dsn = str(settings.database_url)
    end = asyncio.get_running_loop().time() + DATABASE_WITHIN_SEC
    while True:
        try:
            applied = await migrate(dsn, service.migrations, schema=service.schema)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as exc:
            if asyncio.get_running_loop().time() > end:
                log.error("database.unreachable", error=str(exc))
                return 1
            await asyncio.sleep(0.2)
        except Exception as exc:
            log.error("migrations.failed", problem=type(exc).__doc__, error=str(exc))
            return 1
        else:
            if applied:
                log.info("migrations.applied", names=applied)
            return 0
