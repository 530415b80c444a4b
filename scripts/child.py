"""One started program: its lines go to the log and the terminal, its whole group ends with it."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from scripts import console
from scripts.state import Identity

KEPT_LINES = 200
LARGEST_LOG = 10 * 1024 * 1024
CHUNK = 64 * 1024


class Journal:
    """The log of one process: every raw line with its time in a file, a readable one on screen."""

    def __init__(self, name: str, folder: Path, *, colour: bool) -> None:
        self.name = name
        self.colour = colour
        self.last: deque[str] = deque(maxlen=KEPT_LINES)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def program(self, text: str) -> None:
        """A line that the program wrote."""
        self._keep(text)
        self.last.append(text)
        if (shown := console.for_terminal(self.name, text, colour=self.colour)) is not None:
            self._show(shown)

    def say(self, text: str) -> None:
        """Something that the workspace has to say about the program."""
        for line in text.splitlines():
            self._keep(f"[runbench] {line}")
        self._show(f"\033[36m{text}\033[0m" if self.colour else text)

    def ending(self, count: int) -> list[str]:
        """The last `count` lines of the program, as the terminal shows them."""
        shown = (console.render(console.parse(text)) for text in self.last)
        return "\n".join(shown).splitlines()[-count:]

    def _keep(self, text: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._file.write(f"{at} {text}\n")

    def _show(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone; the log file stays
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()


class Child:
    """A program that runs, leader of its own process group."""

    def __init__(self, process: asyncio.subprocess.Process, read: asyncio.Task[None]) -> None:
        self._process = process
        self._read = read
        self._began = time.monotonic()
        self.identity = Identity.of(process.pid) or Identity(process.pid, time.time())

    @classmethod
    async def start(
        cls,
        command: list[str],
        folder: Path,
        environment: dict[str, str],
        line: Callable[[str], None],
    ) -> Self:
        """Start a program; `line` gets each line that it writes."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        if process.stdout is None:
            raise RuntimeError("asyncio gave no pipe")
        return cls(process, asyncio.create_task(follow(process.stdout, line)))

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self._began

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        code = await self._process.wait()
        self._signal(signal.SIGKILL)  # whatever it started and left behind
        # A grandchild that moved to another group may hold the pipe open for ever.
        await asyncio.wait([self._read], timeout=0.5)
        self._read.cancel()
        return code

    async def stop(self, patience: float) -> int:
        """Ask the group to end, kill it after `patience` seconds; the exit code."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), patience)
        except TimeoutError:
            self._signal(signal.SIGKILL)
        return await self.ended()

    def _signal(self, sign: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, sign)


async def follow(stream: asyncio.StreamReader, line: Callable[[str], None]) -> None:
    """Hand on each line of a stream, however long; an unended last line counts."""
    rest = b""
    while chunk := await stream.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for one in whole:
            line(one.decode(errors="replace").rstrip("\r"))
    if rest:
        line(rest.decode(errors="replace"))
