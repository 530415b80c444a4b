"""Some rows of a Parquet file, read by a process that may take so much memory and time, no more.

A file of a few kilobytes can claim to hold gigabytes; the process that believes it is not this one.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

import orjson

WITHIN_SEC = 10.0
MAX_READ_BYTES = 128 << 20
MAX_ANSWER_BYTES = 8 << 20
AT_ONCE = 2

type Read = Callable[[int, int], AsyncGenerator[bytes]]

_turns = asyncio.Semaphore(AT_ONCE)


async def read_rows(read: Read, *, size: int, rows: int, offset: int) -> dict[str, Any]:
    """What the worker answers; where it fails, nothing but a `reason`.

    `read` gives the bytes from one place of the file to before another.

    Raises:
        StoreUnavailable: the file cannot be read.
    """
    try:
        async with asyncio.timeout(WITHIN_SEC * 2), _turns:
            return await _ask(read, size, rows, offset)
    except TimeoutError:
        return {"reason": "It takes too long to be read."}


async def _ask(read: Read, size: int, rows: int, offset: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "artifact_service.previews.parquet_worker",
        str(size),
        str(rows),
        str(offset),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=MAX_ANSWER_BYTES,
        env={
            "PATH": os.environ.get("PATH", ""),
            "ARROW_DEFAULT_MEMORY_POOL": "system",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
    )
    try:
        async with asyncio.timeout(WITHIN_SEC):
            return await _serve(process, read, size)
    except TimeoutError:
        return {"reason": "It takes too long to be read."}
    except (ConnectionError, ValueError):
        return {"reason": "It cannot be read."}
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def _serve(process: asyncio.subprocess.Process, read: Read, size: int) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        raise ConnectionError
    left = MAX_READ_BYTES
    while line := await process.stdout.readline():
        if line.startswith(b"="):
            return orjson.loads(line[1:])
        begin, length = (int(word) for word in line.split())
        left -= length
        if left < 0 or not 0 <= begin <= begin + length <= size:
            return {"reason": "Too much of it would have to be read."}
        async for block in read(begin, begin + length):
            process.stdin.write(block)
            await process.stdin.drain()
    return {"reason": "It takes too much memory or time to be read."}
