"""Two of every process behind a balancer, each to be stopped, killed and started again."""

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
from scripts.processes import PROCESSES, caddy, environment
from scripts.stack import stack

READY_SECONDS = 60
COPIES = 2
# What is in the way of nobody else: the ports of the stack, and these behind them.
SECOND_PORTS = 30
GATEWAY_PORTS = (SECOND_PORTS + 1, SECOND_PORTS + 10)
PROXY_PORTS = (SECOND_PORTS + 2, SECOND_PORTS + 11)
METRICS_PORTS = (SECOND_PORTS + 9, SECOND_PORTS + 12)
BALANCER = Path(__file__).with_name("balancer.Caddyfile")
ADDRESSES = {
    "AUTH_SERVICE_URL": "auth-service",
    "EXPERIMENT_SERVICE_URL": "experiment-service",
    "TELEMETRY_SERVICE_URL": "telemetry-ingest-service",
    "METRICS_SERVICE_URL": "metrics-service",
    "ARTIFACT_SERVICE_URL": "artifact-service",
    "COMPARISON_SERVICE_URL": "comparison-service",
}


@dataclass
class Copy:
    """One process of several that do the same."""

    name: str
    command: list[str]
    told: dict[str, str]
    log: Path
    folder: Path = ROOT
    ready_path: str = "/ready"
    process: subprocess.Popen[bytes] | None = None

    async def start(self, http: aiohttp.ClientSession) -> None:
        self.process = launch(self.command, self.folder, self.told, self.log)
        url = f"http://127.0.0.1:{self.told['PORT']}{self.ready_path}"
        await wait_until_ready(http, url, self.log)

    async def end(self, sign: signal.Signals) -> int:
        """Signal it and wait for its end; the exit code."""
        assert self.process
        self.process.send_signal(sign)
        return await asyncio.to_thread(self.process.wait, 40)


@dataclass
class Fleet:
    """All copies, and the addresses of the balancer in front of them."""

    gateway_url: str
    portal_url: str
    copies: list[Copy] = field(default_factory=list[Copy])

    def generation(self, number: int) -> list[Copy]:
        """One copy of each process."""
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


def several(workspace: Workspace) -> dict[str, str]:
    """Where the services are, each with two addresses, and that they are asked for their health."""
    ports = {
        variable: (workspace.ports[name], workspace.ports[name] + SECOND_PORTS)
        for variable, name in ADDRESSES.items()
    }
    addresses = {
        variable: " ".join(f"http://127.0.0.1:{port}" for port in both)
        for variable, both in ports.items()
    }
    # auth-proxy knows one address of each: that of a balancer.
    return {**addresses, "HEALTH_CHECKS": "on", "AUTH_URL": workspace.url("api-gateway")}


def copies(workspace: Workspace, base: int) -> list[Copy]:
    """Two of each service, gateway and auth-proxy, in the order in which they need each other."""
    made: list[Copy] = []
    for name in DATABASES:
        module = [sys.executable, "-m", name.replace("-", "_")]
        for number, port in enumerate(
            (workspace.ports[name], workspace.ports[name] + SECOND_PORTS)
        ):
            told = workspace.environment(name) | {"PORT": str(port)}
            made.append(Copy(name, module, told, workspace.home / f"{name}-{number}.log"))
    for name, ports in (("api-gateway", GATEWAY_PORTS), ("auth-proxy", PROXY_PORTS)):
        process = PROCESSES[name]
        for number, port in enumerate(ports):
            told = environment(process, workspace) | {"PORT": str(base + port)}
            if name == "api-gateway":
                told["METRICS_PORT"] = str(base + METRICS_PORTS[number])
            log = workspace.home / f"{name}-{number}.log"
            # Whether they themselves are there: what is behind them is started anew with them.
            made.append(
                Copy(name, process.command(workspace), told, log, process.folder, "/health")
            )
    return made


@asynccontextmanager
async def fleet(**variables: str) -> AsyncIterator[Fleet]:
    """Start everything; PostgreSQL and Valkey are a stack's.

    Programs come to the gateways by the address that a workspace has for its gateway, browsers to
    the auth-proxies by that of its portal.
    """
    with stack(names=["postgres", "valkey"]) as running:
        given = running.workspace.given | several(running.workspace) | variables
        workspace = Workspace(running.workspace.home, given)
        base = workspace.ports["portal"]
        made = Fleet(workspace.url("api-gateway"), workspace.portal_url, copies(workspace, base))
        front = workspace.environment("portal") | {
            "XDG_DATA_HOME": str(workspace.home / "balancer"),
            "XDG_CONFIG_HOME": str(workspace.home / "balancer"),
            "PROGRAMS_PORT": str(workspace.ports["api-gateway"]),
            "BROWSERS_PORT": str(base),
            "GATEWAYS": " ".join(f"127.0.0.1:{base + port}" for port in GATEWAY_PORTS),
            "PROXIES": " ".join(f"127.0.0.1:{base + port}" for port in PROXY_PORTS),
        }
        balancer: subprocess.Popen[bytes] | None = None
        async with aiohttp.ClientSession() as http:
            try:
                for name in dict.fromkeys(copy.name for copy in made.copies):
                    # auth-service first: the others wait for it
                    await asyncio.gather(
                        *(copy.start(http) for copy in made.copies if copy.name == name)
                    )
                log = workspace.home / "balancer.log"
                command = [caddy(), "run", "--config", str(BALANCER), "--adapter", "caddyfile"]
                balancer = launch(command, workspace.home, front, log)
                await wait_until_ready(http, f"{made.gateway_url}/ready", log)
                await wait_until_ready(http, f"{made.portal_url}/ready", log)
                yield made
            finally:
                for process in [balancer, *(copy.process for copy in made.copies)]:
                    if process and process.poll() is None:
                        process.kill()
                        process.wait()
