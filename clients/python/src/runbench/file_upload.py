"""Bringing one file to the server: in one request, or in parts that go side by side and go on after
a break.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any, NamedTuple, cast

from runbench.api import Api, ApiError, Unreachable, file_path
from runbench.outbox import BLOCK, Changed, Outgoing
from runbench.parallel import each
from runbench.upload import odd

# From here on a file goes in parts.
PARTS_FROM = 64 * 1024 * 1024
PART_THREADS = 4
# Putting the parts of a large file together takes the server its time.
COMPLETE_SECONDS = 900.0
ROUNDS = 5


class Stopped(Exception):
    """Whoever sends was told to stop; what is there already stays for the next try."""


class Hooks(NamedTuple):
    """What a sender wants to know and to say: bytes that went out (less than nothing where they
    have to go again), the id of an upload in parts to keep, whether to stop.
    """

    sent: Callable[[int], None] = lambda _count: None
    keep: Callable[[str | None], None] = lambda _id: None
    stopped: Callable[[], bool] = lambda: False


def send_file(api: Api, run_id: str, file: Outgoing, hooks: Hooks | None = None) -> dict[str, Any]:
    """Bring a file to a run, in place of the one of its path; the server's description of it.

    Sending it again changes nothing. Raises ApiError, Unreachable, Changed when the file is not the
    one any more that was logged, Stopped.
    """
    hooks = hooks or Hooks()
    file.check()
    try:
        if file.size >= PARTS_FROM:
            try:
                return _InParts(api, run_id, file, hooks).send()
            except ApiError as error:
                # A server that takes no parts; or no such run, which the next request tells.
                if error.status not in (404, 405):
                    raise
        return _at_once(api, run_id, file, hooks)
    except ApiError as error:
        # A content that is not what was said of it: of a file that somebody writes to.
        if error.code in ("wrong-content", "wrong-part"):
            file.check()
            raise Unreachable(f"{file.path} did not arrive as it was sent") from error
        raise


def _at_once(api: Api, run_id: str, file: Outgoing, hooks: Hooks) -> dict[str, Any]:
    digest = hashlib.sha256()
    for piece in _pieces(file, 0, file.size, hooks):
        digest.update(piece)
    out = 0

    def counted() -> Iterator[bytes]:
        nonlocal out
        for piece in _pieces(file, 0, file.size, hooks):
            yield piece
            out += len(piece)
            hooks.sent(len(piece))

    try:
        where = file_path(run_id, file.path)
        answer = api.put_content(where, counted(), file.size, sha256=digest.digest())
    except BaseException:
        hooks.sent(-out)
        raise
    file.check()
    return _checked(api, answer, file)


def _checked(api: Api, answer: dict[str, Any], file: Outgoing) -> dict[str, Any]:
    """Only an answer that says so is an acknowledgement, whoever else answers in between."""
    if "path" not in answer or answer.get("size", file.size) != file.size:
        raise odd(api)
    return answer


def _pieces(file: Outgoing, start: int, end: int, hooks: Hooks) -> Iterator[bytes]:
    with file.open() as reading:
        reading.seek(start)
        while start < end:
            if hooks.stopped():
                raise Stopped
            try:
                piece = reading.read(min(BLOCK, end - start))
            except OSError as error:
                raise Changed(f"{file.place} cannot be read: {error.strerror}") from None
            if not piece:
                raise Changed(f"{file.path} has become shorter since it was logged")
            start += len(piece)
            yield piece


class _InParts:
    """One file's upload in parts. The server says how large they are."""

    def __init__(self, api: Api, run_id: str, file: Outgoing, hooks: Hooks) -> None:
        self.api = api
        self.run_id = run_id
        self.file = file
        self.hooks = hooks
        self._digest: SimpleQueue[str | Exception] = SimpleQueue()
        self._over = threading.Event()
        self._out = 0
        self._count = threading.Lock()

    def send(self) -> dict[str, Any]:
        """All of it."""
        threading.Thread(target=self._hash, name="runbench-digest", daemon=True).start()
        try:
            return self._in_rounds()
        except BaseException:
            self._sent(-self._out)
            raise
        finally:
            self._over.set()

    def _in_rounds(self) -> dict[str, Any]:
        """Send what is missing until the server has it all."""
        sha256: str | None = None
        for _ in range(ROUNDS):
            upload = self._begin()
            try:
                self._send_missing(upload)
            except ApiError as error:
                # It was complete already, and the answer was lost.
                if error.code != "upload-closed":
                    raise
            self.file.check()
            sha256 = sha256 or self._hashed()
            answer = self._complete(str(upload["id"]), sha256)
            if answer is not None:
                self.hooks.keep(None)
                return _checked(self.api, answer, self.file)
        raise Unreachable(f"the parts of {self.file.path} do not arrive whole")

    def _begin(self) -> dict[str, Any]:
        """The upload that was begun, else a new one."""
        if self.file.upload_id is not None:
            try:
                found = self.api.get(f"/api/v1/uploads/{self.file.upload_id}")
            except ApiError as error:
                if error.status not in (404, 409, 410):
                    raise
            else:
                if found.get("size") == self.file.size and found.get("path") == self.file.path:
                    return found
            self.hooks.keep(None)
        body = {"path": self.file.path, "size": self.file.size}
        made = self.api.post(f"/api/v1/runs/{self.run_id}/uploads", body)
        if not isinstance(made.get("part_size"), int) or made["part_size"] < 1:
            raise odd(self.api)
        self.file.upload_id = str(made["id"])
        self.hooks.keep(self.file.upload_id)
        return made

    def _send_missing(self, upload: dict[str, Any]) -> None:
        size = int(upload["part_size"])
        parts = cast("list[dict[str, Any]]", upload.get("parts") or [])
        known = {int(part["number"]): int(part["size"]) for part in parts}
        missing: list[tuple[int, int, int]] = []
        there = 0
        for number, start in enumerate(range(0, self.file.size, size), 1):
            end = min(self.file.size, start + size)
            if known.get(number) == end - start:
                there += end - start
            else:
                missing.append((number, start, end))
        self._sent(there - self._out)
        upload_id = str(upload["id"])
        each(
            missing,
            lambda part: self._send_part(upload_id, *part),
            threads=min(PART_THREADS, len(missing)),
            name="runbench-part",
        )

    def _send_part(self, upload_id: str, number: int, start: int, end: int) -> None:
        digest = hashlib.sha256()
        for piece in _pieces(self.file, start, end, self.hooks):
            digest.update(piece)
        out = 0

        def counted() -> Iterator[bytes]:
            nonlocal out
            for piece in _pieces(self.file, start, end, self.hooks):
                yield piece
                out += len(piece)
                self._sent(len(piece))

        where = f"/api/v1/uploads/{upload_id}/parts/{number}"
        try:
            self.api.put_content(where, counted(), end - start, sha256=digest.digest())
        except BaseException:
            self._sent(-out)
            raise

    def _complete(self, upload_id: str, sha256: str) -> dict[str, Any] | None:
        """The file as the server has it; None where parts of it are missing there."""
        where = f"/api/v1/uploads/{upload_id}/complete"
        try:
            return self.api.post(where, {"sha256": sha256}, timeout=COMPLETE_SECONDS)
        except ApiError as error:
            if error.code == "wrong-content":
                self.hooks.keep(None)
                self.file.upload_id = None
                raise
            if error.status == 404 or (error.status == 409 and "parts" in error.code):
                return None
            raise

    def _sent(self, count: int) -> None:
        with self._count:
            self._out += count
        self.hooks.sent(count)

    def _hash(self) -> None:
        """The digest of the whole, while its parts go out."""
        digest = hashlib.sha256()
        try:
            for piece in _pieces(self.file, 0, self.file.size, self.hooks):
                if self._over.is_set():
                    return
                digest.update(piece)
            self._digest.put(digest.hexdigest())
        except Exception as error:
            self._digest.put(error)

    def _hashed(self) -> str:
        found = self._digest.get()
        if isinstance(found, Exception):
            raise found
        return found
