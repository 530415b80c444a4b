"""A Valkey that may be killed and started again at the same address."""

import asyncio
import subprocess
from pathlib import Path

from localpostgres.cluster import free_port
from servicekit.testing.valkey import valkey_server
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError


class ValkeyServer:
    """It keeps nothing over a restart."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        command = [valkey_server(), "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--loglevel", "warning", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


async def reachable(url: str) -> None:
    """Wait until it answers."""
    client = Valkey.from_url(url)
    async with asyncio.timeout(20):
        while True:
            try:
                await client.ping()
                break
            except (ValkeyError, OSError):
                await asyncio.sleep(0.05)
    await client.aclose()
