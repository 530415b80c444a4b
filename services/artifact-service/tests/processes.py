"""The service as its own process, to be killed."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

HERE = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Process:
    """The service as its own process, let in by the debug headers."""

    def __init__(self, database_url: str, store_url: str, **more: str) -> None:
        self.port = free_port()
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "AUTH_SERVICE_URL"},
            "RUNBENCH_ENV": "dev",
            "PORT": str(self.port),
            "DATABASE_URL": database_url,
            "ARTIFACT_STORE_URL": store_url,
            "LOG_LEVEL": "warning",
            **more,
        }
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Process":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop(signal.SIGKILL)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "artifact_service", env=self._environment, cwd=HERE
        )

    async def stop(self, number: signal.Signals) -> int:
        assert self.process
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(30):
            return await self.process.wait()

    def client(self) -> ClientSession:
        return ClientSession(
            f"http://127.0.0.1:{self.port}",
            headers={"X-Debug-User": "tester", "X-Debug-Role": "editor"},
            timeout=ClientTimeout(total=60),
        )

    async def ready(self) -> dict[str, Any]:
        async with self.client() as http:
            for _ in range(600):
                try:
                    async with http.get("/ready") as response:
                        return await response.json()
                except (ClientError, TimeoutError):
                    await asyncio.sleep(0.1)
        raise TimeoutError
