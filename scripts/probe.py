"""Whether a process of ours can work: the answer of its ready path."""

import asyncio
import contextlib

from scripts.environment import LOOPBACK

ANSWER_SECONDS = 2.0


async def status_code(port: int, path: str) -> int | None:
    """The HTTP status that a local server answers; None when it does not in time."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                first = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        return int(first.split()[1])
    except (OSError, TimeoutError, IndexError, ValueError):
        return None
