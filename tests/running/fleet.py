"""Two of every Python service behind one gateway, each to be stopped, killed and started again."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from scripts.environment import DATABASES, ROOT, Workspace
from scripts.processes import GATEWAY, caddy
from scripts.stack import stack

READY_SECONDS = 60
COPIES = 2
# What is in the way of nobody else: the ports of the stack, and these behind them.
SECOND_PORTS = 30


@dataclass
class Copy:
    """One process of a service."""

    name: str
    port: int
    told: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, http: aiohttp.ClientSession) -> None:
        module = self.name.replace("-", "_")
        environment = self.told | {"PORT": str(self.port)}
        self.process = launch([sys.executable, "-m", module], ROOT, environment, self.log)
        await wait_until_ready(http, f"{self.url}/ready", self.log)

    async def end(self, sign: signal.Signals) -> int:
        """Signal it and wait for its end; the exit code."""
        assert self.process
        self.process.send_signal(sign)
        return await asyncio.to_thread(self.process.wait, 40)


@dataclass
class Fleet:
    """All copies, and the gateway in front of them."""

    gateway_url: str
    copies: list[Copy] = field(default_factory=list)

    def generation(self, number: int) -> list[Copy]:
        """One copy of each service."""
        return self.copies[number::COPIES]


def launch(
    command: list[str], folder: Path, environment: dict[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a program whose words go to a file."""
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )


def last_words(log: Path) -> str:
    """The end of a file."""
    return log.read_text(errors="replace")[-3000:]


async def wait_until_ready(http: aiohttp.ClientSession, url: str, log: Path) -> None:
    for _ in range(READY_SECONDS * 10):
        try:
            async with http.get(url) as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError(f"{url} is not ready:\n{last_words(log)}")


@asynccontextmanager
async def fleet(**variables: str) -> AsyncIterator[Fleet]:
    """Start everything; PostgreSQL and Valkey are a stack's."""
    with stack(names=["postgres", "valkey"]) as running:
        base = running.workspace
        ports = {name: [base.ports[name], base.ports[name] + SECOND_PORTS] for name in DATABASES}
        several = {
            variable: " ".join(f"http://127.0.0.1:{port}" for port in ports[name])
            for variable, name in {
                "AUTH_SERVICE_URL": "auth-service",
                "EXPERIMENT_SERVICE_URL": "experiment-service",
                "TELEMETRY_SERVICE_URL": "telemetry-ingest-service",
                "METRICS_SERVICE_URL": "metrics-service",
                "ARTIFACT_SERVICE_URL": "artifact-service",
                "COMPARISON_SERVICE_URL": "comparison-service",
            }.items()
            if name in ports
        }
        several["HEALTH_CHECKS"] = "on"
        workspace = Workspace(base.home, base.given | several | variables)
        made = Fleet(workspace.url("api-gateway"))
        for name in DATABASES:
            for number, port in enumerate(ports[name]):
                log = workspace.home / f"{name}-{number}.log"
                made.copies.append(Copy(name, port, workspace.environment(name), log))
        gateway: subprocess.Popen[bytes] | None = None
        async with aiohttp.ClientSession() as http:
            try:
                for name in DATABASES:  # auth-service first: the others wait for it
                    await asyncio.gather(
                        *(copy.start(http) for copy in made.copies if copy.name == name)
                    )
                told = workspace.environment("api-gateway")
                own = str(workspace.home / "caddy")
                told |= {"XDG_DATA_HOME": own, "XDG_CONFIG_HOME": own}
                log = workspace.home / "api-gateway.log"
                command = [caddy(), "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
                gateway = launch(command, GATEWAY, told, log)
                await wait_until_ready(http, f"{made.gateway_url}/ready", log)
                yield made
            finally:
                for process in [gateway, *(copy.process for copy in made.copies)]:
                    if process and process.poll() is None:
                        process.kill()
                        process.wait()
