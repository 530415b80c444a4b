"""Servers that may be killed and started again: the service, Valkey and PostgreSQL."""

import os
import signal
import subprocess
from pathlib import Path

from localpostgres.cluster import Cluster
from servicekit.testing.valkey import valkey_server


class Server:
    """A process that may be killed and started again at the same address."""

    def __init__(self, command: list[str], folder: Path, **environment: str) -> None:
        self._command, self._folder, self._environment = command, folder, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "AUTH_SERVICE_URL"}
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, env=environment | self._environment
        )

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()


def pg_ctl(cluster: Cluster, action: str) -> None:
    """End every process of the server at once, as a crash does; `restart` starts it again."""
    words = [cluster.executable, action, "-D", cluster.datadir, "-m", "immediate", "-w"]
    log = ["-l", cluster.logfile] if action == "restart" else []
    subprocess.run([*words, *log], check=True, stdout=subprocess.DEVNULL, timeout=60)


def valkey(port: int, folder: Path, *more: str) -> Server:
    """A Valkey that writes down what it takes, and has it again after it was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [valkey_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--appendonly", "yes", "--loglevel", "warning", "--dir", str(folder)]
    return Server([*command, *more], folder)
