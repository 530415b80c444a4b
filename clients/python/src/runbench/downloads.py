"""Bringing files from the server: in pieces side by side, going on after a break, checked against
their SHA-256, and never outside of the folder that they are meant for.
"""

import json
import os
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from runbench.api import Api, ApiError, Unreachable, file_path
from runbench.outbox import digest_of
from runbench.parallel import each
from runbench.recorder import Backoff

PIECE_BYTES = 32 * 1024 * 1024
PIECE_THREADS = 4
TRIES = 5


class WrongContent(ValueError):
    """What arrived is not what the server says that the file is; nothing of it is kept."""


def download(
    api: Api,
    run_id: str,
    path: str,
    target: Path,
    *,
    size: int,
    sha256: str,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> None:
    """Write a run's file to target, whole or not at all.

    What is there of it from an earlier try (`.NAME.SHA.part` beside it) is not asked for again.
    Raises ApiError, Unreachable, WrongContent, OSError.
    """
    draft = _Draft(target, size, sha256)
    try:
        missing = draft.open()
        on_bytes(size - sum(end - start for start, end in missing))
        where = file_path(run_id, path)

        def fetch(piece: tuple[int, int]) -> None:
            _patiently(lambda: draft.take(api, where, piece, on_bytes))

        each(missing, fetch, threads=min(PIECE_THREADS, len(missing)), name="runbench-download")
    finally:
        draft.close()
    sound = digest_of(draft.path) == sha256
    if sound:
        draft.path.replace(target)
    draft.remove()
    if not sound:
        raise WrongContent(f"{path} did not arrive as the server says that it is")


class _Draft:
    """A file on its way: preallocated, with a note beside it of the pieces that are there."""

    def __init__(self, target: Path, size: int, sha256: str) -> None:
        own = zlib.crc32(target.name.encode())
        self.path = target.with_name(f".{target.name[:40]}.{own:08x}.{sha256[:16]}.part")
        self._note = self.path.with_name(f"{self.path.name}s")
        self._size = size
        self._etag = f'"{sha256}"'
        self._there: set[int] = set()
        self._lock = threading.Lock()
        self._handle: int | None = None

    def open(self) -> list[tuple[int, int]]:
        """Make or find it; the pieces that are missing: from where to where."""
        starts = range(0, self._size, PIECE_BYTES)
        # Never through a link that somebody put there.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._handle = os.open(self.path, flags, 0o666)
        try:
            known = json.loads(self._note.read_bytes())
            if os.fstat(self._handle).st_size == self._size:
                self._there = {start for start in known if start in starts}
        except (OSError, ValueError, TypeError):
            pass
        os.truncate(self._handle, self._size)
        return [
            (start, min(self._size, start + PIECE_BYTES))
            for start in starts
            if start not in self._there
        ]

    def take(
        self,
        api: Api,
        where: str,
        piece: tuple[int, int],
        on_bytes: Callable[[int], None],
    ) -> None:
        """Fetch one piece into its place."""
        start, end = piece
        at = start
        try:
            for data in api.part(where, start, end, etag=self._etag):
                self._write(data, at)
                at += len(data)
                on_bytes(len(data))
        except BaseException:
            on_bytes(start - at)
            raise
        if end - start < self._size:
            with self._lock:
                self._there.add(start)
                self._note.write_text(json.dumps(sorted(self._there)))

    def _write(self, data: bytes | memoryview, at: int) -> None:
        handle = self._handle
        if handle is None:
            raise OSError("the download was ended")
        if hasattr(os, "pwrite"):
            left = memoryview(data)
            while left:
                count = os.pwrite(handle, left, at)
                left, at = left[count:], at + count
            return
        with self._lock:
            os.lseek(handle, at, os.SEEK_SET)
            os.write(handle, data)

    def close(self) -> None:
        """Let go of the file."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def remove(self) -> None:
        """Leave nothing of it."""
        for file in (self._note, self.path):
            file.unlink(missing_ok=True)


def _patiently(step: Callable[[], None]) -> None:
    pause = Backoff()
    for tries in range(1, TRIES + 1):
        try:
            step()
        except (Unreachable, ApiError) as error:
            if tries == TRIES or (isinstance(error, ApiError) and not error.passing):
                raise
            time.sleep(pause.next(error.retry_after if isinstance(error, ApiError) else None))
        else:
            return
