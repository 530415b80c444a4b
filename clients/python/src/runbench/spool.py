"""The spool: what a run or a sensor recorded, on disk before it is sent, until the server has it.

A spool is one directory:

    run.json         what is needed to create the run, and its id once the server gave one; of a
                     sensor, which one it is
    000001.spool …   records in the order they were made; a segment goes when all of it was accepted
    files            the files that were logged and are not sent, see outbox.py
    cursor           how far the server has accepted
    refused.jsonl    records that the server refused for good, each with its reason
    lock             held by the process that records or sends

A segment starts with MAGIC. A record is MARK, the length of its payload, the CRC-32 of length and
payload (all little-endian), then the payload. Whoever is killed while writing leaves a torn record
at the end; reading stops before it. A damaged record in the middle is passed over to the next sound
one. The bytes of both are counted. run.json carries a CRC-32 of its own.
"""

import json
import os
import shutil
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self, cast

MAGIC = b"RBSPOOL1"
MARK = b"\xf5RB\x9a"
SEGMENT_BYTES = 8 * 1024 * 1024
MEMORY_BYTES = 64 * 1024 * 1024
LARGEST_PAYLOAD = 64 * 1024 * 1024

CHECK = "checksum"

_LAST = ("run.json", "lock")
_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<4sII")
_CURSOR = struct.Struct("<QQ")


def frame(payload: bytes) -> bytes:
    """One record as it stands in a segment."""
    length = _LENGTH.pack(len(payload))
    return _HEAD.pack(MARK, len(payload), zlib.crc32(payload, zlib.crc32(length))) + payload


def parse(data: bytes, at: int = 0) -> tuple[bytes, int] | None:
    """The payload at this place and where the next record starts; None where no sound one is."""
    if at + _HEAD.size > len(data):
        return None
    mark, length, checksum = _HEAD.unpack_from(data, at)
    end = at + _HEAD.size + length
    if mark != MARK or length > LARGEST_PAYLOAD or end > len(data):
        return None
    payload = data[at + _HEAD.size : end]
    if zlib.crc32(payload, zlib.crc32(_LENGTH.pack(length))) != checksum:
        return None
    return payload, end


class Record:
    """One record, and where reading goes on after it (nowhere for one that is only in memory)."""

    __slots__ = ("end", "payload", "segment")

    def __init__(self, payload: bytes, segment: int, end: int) -> None:
        self.payload = payload
        self.segment = segment
        self.end = end


class Busy(RuntimeError):
    """Another process records or sends this run."""


class Spool:
    """One run's spool. One thread may append while another peeks and accepts.

    A disk that is full or read-only does not stop recording: records then wait in memory (at most
    MEMORY_BYTES) and are sent from there.
    """

    def __init__(self, folder: Path | None, manifest: dict[str, Any], *, limit: int) -> None:
        self.folder = folder
        self.manifest = manifest
        self.limit = limit
        self.damaged_bytes = 0
        self.disk_error: OSError | None = None
        self._state = threading.RLock()
        self._memory: deque[bytes] = deque()
        self._memory_bytes = 0
        self._lock: IO[bytes] | None = None
        self._out: IO[bytes] | None = None
        self._out_segment = 0
        self._out_end = 0
        self._in: IO[bytes] | None = None
        self._in_segment = 1
        self._in_at = len(MAGIC)
        self._unsent_bytes = 0

    @classmethod
    def create(cls, root: Path, manifest: dict[str, Any], *, limit: int) -> Self:
        """A new spool below root (made when missing, readable by its owner alone).

        Never raises for a disk that refuses: the spool then lives in memory, and disk_error says
        why.
        """
        folder = root / manifest["key"]
        spool = cls(folder, manifest, limit=limit)
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
            spool._take_lock()
            spool.save_manifest(durable=False)
            spool._start_segment(1)
        except OSError as error:
            spool.close()
            spool.folder = None
            spool.disk_error = error
        return spool

    @classmethod
    def open(cls, folder: Path) -> Self:
        """An existing spool, for sending what is left. Raises Busy, OSError, ValueError."""
        spool = cls(folder, {}, limit=0)
        try:
            spool._take_lock()
            spool.manifest = _manifest(folder / "run.json")
            spool._recover()
        except BaseException:
            spool.close()
            raise
        return spool

    # Appending

    def append(self, payload: bytes, *, droppable: bool) -> bool:
        """Keep one record; False when it was droppable and there was no room left."""
        data = frame(payload)
        with self._state:
            if droppable and self._unsent_bytes + self._memory_bytes + len(data) > self.limit:
                return False
            if self._out is not None and not self._memory:
                try:
                    if self._out_end + len(data) > SEGMENT_BYTES and self._out_end > len(MAGIC):
                        self._start_segment(self._out_segment + 1)
                    self._write(data)
                except OSError as error:
                    self.disk_error = error
                else:
                    self._unsent_bytes += len(data)
                    return True
            if droppable and self._memory_bytes + len(data) > MEMORY_BYTES:
                return False
            self._memory.append(payload)
            self._memory_bytes += len(data)
            return True

    def _write(self, data: bytes) -> None:
        assert self._out is not None  # noqa: S101 - the caller looked
        try:
            written = 0
            while written < len(data):
                written += self._out.write(data[written:])
        except OSError:
            self._out.seek(self._out_end)
            self._out.truncate()
            raise
        self._out_end += len(data)

    def _start_segment(self, number: int) -> None:
        assert self.folder is not None  # noqa: S101 - only a spool on disk has segments
        out = (self.folder / f"{number:06}.spool").open("xb", buffering=0)
        out.write(MAGIC)
        if self._out is not None:
            os.fsync(self._out.fileno())
            self._out.close()
        self._out, self._out_segment, self._out_end = out, number, len(MAGIC)

    def sync_to_disk(self) -> None:
        """Make what was appended survive a power cut."""
        out = self._out
        if out is not None:
            try:
                os.fsync(out.fileno())
            except (OSError, ValueError) as error:
                self.disk_error = error if isinstance(error, OSError) else self.disk_error

    # Sending

    def peek(self) -> Record | None:
        """The oldest record that was neither accepted nor refused; None when there is none."""
        with self._state:
            if self.folder is not None:
                record = self._read()
                if record is not None:
                    return record
            return Record(self._memory[0], 0, 0) if self._memory else None

    def _read(self) -> Record | None:
        while (self._in_segment, self._in_at) < (self._out_segment, self._out_end):
            if self._in is None:
                self._in = self._segment(self._in_segment).open("rb")
            self._in.seek(self._in_at)
            head = self._in.read(_HEAD.size)
            length = _HEAD.unpack(head)[1] if len(head) == _HEAD.size else 0
            parsed = parse(head + self._in.read(min(length, LARGEST_PAYLOAD)))
            if parsed is not None:
                return Record(parsed[0], self._in_segment, self._in_at + parsed[1])
            if not self._skip_damage():
                self._next_segment()
        return None

    def _skip_damage(self) -> bool:
        """Move on to the next sound record of this segment; False when there is none."""
        assert self._in is not None  # noqa: S101 - the caller opened it
        self._in.seek(self._in_at)
        data = self._in.read()
        at = data.find(MARK, 1)
        while at > 0:
            if parse(data, at) is not None:
                self.damaged_bytes += at
                self._in_at += at
                return True
            at = data.find(MARK, at + 1)
        return False

    def _next_segment(self) -> None:
        if self._in is not None:
            self._in.close()
            self._in = None
        size = self._out_end
        if self._in_segment < self._out_segment:
            size = self._segment(self._in_segment).stat().st_size
        self.damaged_bytes += max(0, size - self._in_at)
        if self._in_segment >= self._out_segment:
            self._in_at = self._out_end
            return
        self._segment(self._in_segment).unlink(missing_ok=True)
        self._in_segment += 1
        self._in_at = len(MAGIC)

    def accepted(self, record: Record) -> None:
        """Move on: the server has this record (the one last peeked)."""
        with self._state:
            size = _HEAD.size + len(record.payload)
            if not record.segment:
                self._memory.popleft()
                self._memory_bytes -= size
                return
            self._unsent_bytes = max(0, self._unsent_bytes - size)
            self._in_at = record.end
            if record.segment < self._out_segment and not self._more_in_segment():
                self._next_segment()
            self._save_cursor()

    def _more_in_segment(self) -> bool:
        path = self._segment(self._in_segment)
        return self._in_at < path.stat().st_size

    def put_aside(self, content: dict[str, Any], reason: str) -> None:
        """Keep what the server will never take, with the reason."""
        if self.folder is None:
            return
        line = json.dumps({"reason": reason, "record": content}, ensure_ascii=False)
        try:
            with (self.folder / "refused.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            self.disk_error = error

    def _save_cursor(self) -> None:
        assert self.folder is not None  # noqa: S101 - only records on disk move it
        place = _CURSOR.pack(self._in_segment, self._in_at)
        try:
            (self.folder / "cursor").write_bytes(place + _LENGTH.pack(zlib.crc32(place)))
        except OSError as error:
            self.disk_error = error

    def save_manifest(self, *, durable: bool = True) -> None:
        """Write run.json anew, whole or not at all; durable: also over a power cut."""
        if self.folder is None:
            return
        draft = self.folder / "run.json.new"
        with draft.open("w", encoding="utf-8") as file:
            whole = {**self.manifest, CHECK: _checksum(self.manifest)}
            json.dump(whole, file, ensure_ascii=False, indent=1)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.replace(self.folder / "run.json")

    # Life

    @property
    def unsent_bytes(self) -> int:
        """About how much still waits."""
        return self._unsent_bytes + self._memory_bytes

    def refused_count(self) -> int:
        """How many records were refused and are kept aside."""
        if self.folder is None:
            return 0
        try:
            with (self.folder / "refused.jsonl").open("rb") as file:
                return sum(1 for _ in file)
        except OSError:
            return 0

    def _segment(self, number: int) -> Path:
        assert self.folder is not None  # noqa: S101 - only a spool on disk has segments
        return self.folder / f"{number:06}.spool"

    def _recover(self) -> None:
        assert self.folder is not None  # noqa: S101 - open() set it
        numbers = sorted(int(path.stem) for path in self.folder.glob("[0-9]*.spool"))
        if not numbers:
            self._in_segment, self._out_segment, self._in_at, self._out_end = 1, 1, 0, 0
            return
        self._out_segment = numbers[-1]
        self._out_end = self._segment(self._out_segment).stat().st_size
        self._in_segment, self._in_at = numbers[0], len(MAGIC)
        cursor = self._load_cursor()
        if cursor is not None and cursor[0] in numbers:
            self._in_segment, self._in_at = cursor
        self._unsent_bytes = sum(
            self._segment(number).stat().st_size for number in numbers if number >= self._in_segment
        ) - min(self._in_at, self._out_end)

    def _load_cursor(self) -> tuple[int, int] | None:
        assert self.folder is not None  # noqa: S101 - open() set it
        try:
            data = (self.folder / "cursor").read_bytes()
        except OSError:
            return None
        if len(data) != _CURSOR.size + _LENGTH.size:
            return None
        place, checksum = data[: _CURSOR.size], _LENGTH.unpack(data[_CURSOR.size :])[0]
        return _CURSOR.unpack(place) if zlib.crc32(place) == checksum else None

    def _take_lock(self) -> None:
        assert self.folder is not None  # noqa: S101 - only a spool on disk is locked
        handle = (self.folder / "lock").open("a+b")
        try:
            _lock(handle)
        except OSError:
            handle.close()
            raise Busy(f"{self.folder.name} is being recorded or sent by a process") from None
        self._lock = handle

    def close(self) -> None:
        """Let go of the files; they stay."""
        with self._state:
            for file in (self._out, self._in, self._lock):
                if file is not None:
                    file.close()
            self._out = self._in = self._lock = None

    def delete(self) -> None:
        """Remove the files: everything was accepted. The manifest goes last but for the lock, so
        that a kill on the way leaves something that is still recognised.
        """
        with self._state:
            folder, lock = self.folder, self._lock
            self._lock = None
            self.close()
            if folder is None:
                return
            try:
                rest = [path for path in folder.iterdir() if path.name not in _LAST]
                for path in [*rest, folder / "run.json"]:
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink(missing_ok=True)
            finally:
                if lock is not None:
                    lock.close()
            (folder / "lock").unlink(missing_ok=True)
            folder.rmdir()

    def abandon_in_child(self) -> None:
        """After a fork, in the child: forget the files without touching the parent's lock."""
        self._state = threading.RLock()
        self.close()
        self.folder = None
        self._memory.clear()


def _manifest(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_bytes())
    if isinstance(content, dict) and "key" in content:
        manifest = cast("dict[str, Any]", content)
        # Spools of version 0.1 have no checksum.
        checksum = manifest.pop(CHECK, None)
        if checksum is not None and checksum != _checksum(manifest):
            raise ValueError(f"{path} is damaged: its checksum is another")
        return manifest
    raise ValueError(f"{path} is no run")


def _checksum(manifest: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(manifest, sort_keys=True).encode())


def read_records(folder: Path) -> Iterator[bytes]:
    """The sound records of a spool as they stand there, sent or not, without taking hold of it.
    Raises OSError.
    """
    for path in sorted(folder.glob("[0-9]*.spool")):
        data = path.read_bytes()
        at = len(MAGIC)
        while (parsed := parse(data, at)) is not None:
            payload, at = parsed
            yield payload


def left_of(root: Path, run_id: str) -> list[Path]:
    """The spools that earlier processes left of this run."""
    found: list[Path] = []
    for folder in leftovers(root):
        try:
            if _manifest(folder / "run.json").get("run_id") == run_id and not is_busy(folder):
                found.append(folder)
        except (OSError, ValueError):
            continue
    return found


def left_of_sensor(root: Path, url: str, sensor: str) -> list[Path]:
    """The spools that earlier processes left of this sensor, for this server."""
    found: list[Path] = []
    for folder in leftovers(root):
        try:
            manifest = _manifest(folder / "run.json")
            theirs = manifest.get("sensor") == sensor and manifest.get("url") in (None, url)
            if theirs and not is_busy(folder):
                found.append(folder)
        except (OSError, ValueError):
            continue
    return found


def sensor_of(folder: Path) -> str | None:
    """Which sensor's spool this is (its token's key id); None for a run's or an unreadable one."""
    try:
        return _manifest(folder / "run.json").get("sensor")
    except (OSError, ValueError):
        return None


def leftovers(root: Path) -> list[Path]:
    """The spools below root, oldest first, whoever owns them."""
    try:
        found = [path for path in root.iterdir() if (path / "run.json").is_file()]
    except OSError:
        return []
    return sorted(found, key=lambda path: (_modified(path), path.name))


def count_unsent(root: Path) -> int:
    """How many runs below root still wait to be sent and are held by no process."""
    waiting = 0
    for folder in leftovers(root):
        try:
            manifest = _manifest(folder / "run.json")
            of_run = "sensor" not in manifest
            left = not manifest.get("finished") or files_wait(folder)
            waiting += of_run and left and not is_busy(folder)
        except (OSError, ValueError):
            continue
    return waiting


def files_wait(folder: Path) -> bool:
    """Whether this spool holds files that are not sent."""
    return next((folder / "files").glob("[0-9]*.json"), None) is not None


def is_busy(folder: Path) -> bool:
    """Whether a process holds this spool."""
    try:
        with (folder / "lock").open("a+b") as handle:
            _lock(handle)
    except OSError:
        return True
    return False


def _modified(path: Path) -> float:
    try:
        return (path / "run.json").stat().st_mtime
    except OSError:
        return time.time()


if os.name == "nt":
    import msvcrt

    def _lock(handle: IO[bytes]) -> None:
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: IO[bytes]) -> None:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
