"""The outbox: the files that a run logged, from the call until the server has them.

It is the folder `files` of the run's spool. Of each file it holds

    000001.json      its path in the run, its size, where it came from, and how far its upload is
    000001.data      its content as it was when it was logged, where it could be held on to

A small file is copied. A larger one is cloned where the file system can do that, else it gets a
second name (a hard link), so that it may be deleted or replaced meanwhile; on another file system
it is only remembered where it stands. Whatever is no copy is looked at again: one that was written
to since is not sent in place of the one that was logged.

Of several files with one path, the last one counts: one that still waits gives way to it.
"""

import json
import os
import sys
import threading
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, cast

from runbench.messages import logger

COPIED_BYTES = 16 * 1024 * 1024
MEMORY_BYTES = 64 * 1024 * 1024
BLOCK = 1024 * 1024

_CLONE = 0x40049409  # FICLONE of Linux


class Changed(Exception):
    """The file is no longer what was logged; the message says in which way."""


@dataclass
class Outgoing:
    """One file on its way. place is where its content is read; stamp (modified at, in ns, and
    inode) how that file looked when it was logged, None for a copy, which nobody writes to.
    """

    path: str
    size: int
    place: str | None = None
    stamp: list[int] | None = None
    number: int = 0
    upload_id: str | None = None
    data: bytes | None = field(default=None, repr=False)

    def open(self) -> IO[bytes]:
        """The content. Raises Changed."""
        if self.data is not None:
            import io  # noqa: PLC0415 - only where no disk takes it

            return io.BytesIO(self.data)
        try:
            return Path(cast("str", self.place)).open("rb")
        except OSError as error:
            raise Changed(f"{self.place} cannot be read any more: {error.strerror}") from None

    def check(self) -> None:
        """Look whether the content is still what was logged. Raises Changed."""
        if self.data is not None:
            return
        try:
            found = Path(cast("str", self.place)).stat()
        except OSError as error:
            raise Changed(f"{self.place} cannot be read any more: {error.strerror}") from None
        stamp = [found.st_mtime_ns, found.st_ino]
        if found.st_size != self.size or self.stamp not in (None, stamp):
            raise Changed(f"{self.path} was written to after it was logged, so it is not sent")

    @classmethod
    def of(cls, path: str, place: Path) -> "Outgoing":
        """A file that stands somewhere, as it is now. Raises OSError."""
        found = place.stat()
        stamp = [found.st_mtime_ns, found.st_ino]
        return cls(path, found.st_size, str(place.absolute()), stamp)


class Outbox:
    """The files of one run that wait. Any thread may add, take and settle."""

    def __init__(self, folder: Path | None, *, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self.changed = threading.Condition(threading.RLock())
        # By path: of each, one may be under way and one wait for it.
        self._waiting: dict[str, Outgoing] = {}
        self._under_way: dict[str, Outgoing] = {}
        self._paths: set[str] = set()
        self._last = 0
        self._kept = 0

    # Adding

    def add_file(self, path: str, source: Path) -> None:
        """Take a file in. Raises OSError when it cannot be read or kept."""
        entry = Outgoing.of(path, source)
        with self.changed:
            folder = self._folder()
            self._last += 1
            entry.number = self._last
        if folder is not None:
            self._hold_on(entry, source, folder)
        self._add(entry)

    def add_content(self, path: str, content: bytes) -> None:
        """Take content in. Raises OSError when there is no room for it."""
        entry = Outgoing(path, len(content))
        with self.changed:
            folder = self._folder()
            self._last += 1
            entry.number = self._last
            room = (MEMORY_BYTES if folder is None else self.limit) - self._kept
        if len(content) > room:
            raise OSError(f"the spool is full (RUNBENCH_SPOOL_MB), so {path} is not kept")
        if folder is None or not self._write(entry, content, folder):
            if len(content) > MEMORY_BYTES:
                raise OSError(f"neither disk nor memory have room for {path}")
            entry.data = content
        self._add(entry)

    @staticmethod
    def _write(entry: Outgoing, content: bytes, folder: Path) -> bool:
        data = folder / f"{entry.number:06}.data"
        try:
            data.write_bytes(content)
        except OSError as error:
            data.unlink(missing_ok=True)
            logger.debug("%s is kept in memory: %s", entry.path, error)
            return False
        entry.place = str(data)
        return True

    def _folder(self) -> Path | None:
        """The outbox's folder, made when missing; None where the disk takes none."""
        if self.folder is not None:
            try:
                self.folder.mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                logger.debug("files are only remembered in memory: %s", error)
                return None
        return self.folder

    def _hold_on(self, entry: Outgoing, source: Path, folder: Path) -> None:
        """Keep the content of now, as well as that can be had at once."""
        data = folder / f"{entry.number:06}.data"
        room = self._kept + entry.size <= self.limit
        try:
            if room and entry.size <= COPIED_BYTES:
                entry.place, entry.stamp, entry.size = str(data), None, _copy(source, data)
                return
            if room and _clone(source, data):
                entry.place, entry.stamp, entry.size = str(data), None, data.stat().st_size
                return
            data.hardlink_to(source.resolve())
            entry.place = str(data)
        except OSError as error:
            data.unlink(missing_ok=True)
            logger.debug("%s is only remembered: %s", source, error)

    def _add(self, entry: Outgoing) -> None:
        try:
            self._save(entry)
        except OSError as error:
            logger.debug("%s is only remembered in memory: %s", entry.path, error)
        self._line_up(entry)

    def _line_up(self, entry: Outgoing) -> None:
        with self.changed:
            older = self._waiting.get(entry.path)
            if older is not None:
                self._remove(older)
            self._waiting[entry.path] = entry
            self._paths.add(entry.path)
            self._kept += entry.size if entry.stamp is None else 0
            self.changed.notify_all()

    def _save(self, entry: Outgoing, *, anew: bool = False) -> None:
        if self.folder is None or entry.data is not None:
            return
        known = {name: value for name, value in asdict(entry).items() if name != "data"}
        if entry.place and Path(entry.place).parent == self.folder:
            # The spool may be moved to another machine.
            known["place"] = Path(entry.place).name
        target = self.folder / f"{entry.number:06}.json"
        content = json.dumps(known, ensure_ascii=False).encode()
        if not anew:
            # Whoever is killed here has not been told that it is kept.
            target.write_bytes(content)
            return
        draft = target.with_suffix(".new")
        draft.write_bytes(content)
        draft.replace(target)

    def adopt(self, other: "Outbox") -> None:
        """Take over what an earlier process left of the same run, unless its path was logged again
        here. Whoever is killed meanwhile leaves it in both.
        """
        for entry in other.left():
            with self.changed:
                if entry.path in self._paths:
                    other.sent(entry)
                    continue
                self._last += 1
                mine = replace(entry, number=self._last)
            try:
                held, folder = Path(entry.place or ""), self._folder()
                if folder is not None and held.parent == other.folder:
                    data = folder / f"{mine.number:06}.data"
                    data.hardlink_to(held)
                    mine.place = str(data)
                self._add(mine)
            except OSError as error:
                logger.warning("%s waits for `runbench sync`: %s", entry.path, error)
            else:
                other.sent(entry)

    # Sending

    def load(self) -> None:
        """Find what an earlier process left."""
        if self.folder is None:
            return
        with self.changed:
            described: set[str] = set()
            for file in sorted(self.folder.glob("[0-9]*.json")):
                try:
                    known: dict[str, Any] = json.loads(file.read_bytes())
                    entry = Outgoing(**known)
                    if entry.place and not Path(entry.place).is_absolute():
                        entry.place = str(self.folder / entry.place)
                except (OSError, ValueError, TypeError) as error:
                    logger.warning("%s cannot be read and is left out: %s", file, error)
                    continue
                described.add(file.stem)
                self._last = max(self._last, entry.number)
                self._line_up(entry)
            for data in self.folder.glob("[0-9]*.data"):
                if data.stem not in described and not data.with_suffix(".refused").exists():
                    data.unlink(missing_ok=True)

    def take(self) -> Outgoing | None:
        """The oldest file that waits, unless one of its path is under way; None for none."""
        with self.changed:
            for path in self._waiting:
                if path not in self._under_way:
                    entry = self._under_way[path] = self._waiting.pop(path)
                    return entry
            return None

    def remember(self, entry: Outgoing, upload_id: str | None) -> None:
        """Keep the upload that a file is sent in, so that the next process goes on with it."""
        entry.upload_id = upload_id
        try:
            self._save(entry, anew=True)
        except OSError as error:
            logger.debug("the upload of %s is not kept: %s", entry.path, error)

    def give_back(self, entry: Outgoing) -> None:
        """It was not sent; it waits again, unless a later one of its path came."""
        with self.changed:
            del self._under_way[entry.path]
            if entry.path in self._waiting:
                self._remove(entry)
            else:
                # In front again: the others of its time are done.
                self._waiting = {entry.path: entry, **self._waiting}
            self.changed.notify_all()

    def sent(self, entry: Outgoing) -> None:
        """The server has it."""
        with self.changed:
            self._settle(entry)
            self._remove(entry)
            self.changed.notify_all()

    def refused(self, entry: Outgoing) -> str | None:
        """It will never be sent: it is kept aside; where, if it has a place of its own."""
        with self.changed:
            self._settle(entry)
            if self.folder is not None:
                described = self.folder / f"{entry.number:06}.json"
                try:
                    described.replace(described.with_suffix(".refused"))
                except OSError as error:
                    logger.debug("%s is not kept aside: %s", entry.path, error)
            self.changed.notify_all()
        return entry.place

    def superseded(self, entry: Outgoing) -> bool:
        """Whether a later file of the same path waits."""
        with self.changed:
            return entry.path in self._waiting

    @property
    def last(self) -> int:
        """The number of the file that came last."""
        return self._last

    def left(self) -> list[Outgoing]:
        """What is not sent yet, under way or not."""
        with self.changed:
            return [*self._under_way.values(), *self._waiting.values()]

    def count(self) -> int:
        """How many are not sent yet."""
        return len(self._under_way) + len(self._waiting)

    def _settle(self, entry: Outgoing) -> None:
        for place in (self._under_way, self._waiting):
            if place.get(entry.path) is entry:
                del place[entry.path]

    def _remove(self, entry: Outgoing) -> None:
        self._settle(entry)
        self._kept -= entry.size if entry.stamp is None else 0
        if self.folder is not None:
            # The description goes first: a kill in between leaves content that nobody names.
            (self.folder / f"{entry.number:06}.json").unlink(missing_ok=True)
            (self.folder / f"{entry.number:06}.data").unlink(missing_ok=True)


def outbox_of(spool: Path | None, *, limit: int) -> Outbox:
    """The outbox of a spool's folder."""
    return Outbox(None if spool is None else spool / "files", limit=limit)


def _copy(source: Path, target: Path) -> int:
    """Copy a file; how many bytes it has."""
    count = 0
    with source.open("rb", buffering=0) as reading, target.open("xb", buffering=0) as writing:
        while piece := reading.read(BLOCK):
            left = memoryview(piece)
            while left:
                left = left[writing.write(left) :]
            count += len(piece)
    return count


def _clone(source: Path, target: Path) -> bool:
    """Share the blocks of a file until one of both is written to; whether that went."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - not everywhere

    try:
        with source.open("rb") as reading, target.open("xb") as writing:
            fcntl.ioctl(writing.fileno(), _CLONE, reading.fileno())
    except OSError:
        target.unlink(missing_ok=True)
        return False
    return True


def same_content(one: Path, size: int, sha256: str) -> bool:
    """Whether a file has this content. Raises OSError."""
    return one.is_file() and one.stat().st_size == size and digest_of(one) == sha256


def digest_of(file: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file in hex. Raises OSError."""
    import hashlib  # noqa: PLC0415 - only files need it

    with Path(file).open("rb") as reading:
        return hashlib.file_digest(reading, "sha256").hexdigest()
