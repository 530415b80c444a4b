"""The two threads behind a run: one brings what was logged to disk, one brings it to the server.

    log()  →  queue (memory, bounded)  →  writer  →  spool (disk)  →  sender  →  server

The script only ever touches the queue. The writer never waits for the network, so what was logged
is on disk within WRITE_SECONDS whatever the server does. The sender retries for as long as the
process lives; what it could not bring is left for `runbench sync`.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from runbench import forks
from runbench.messages import Voice, hush_own_requests, logger
from runbench.records import Series, is_end, metrics_record
from runbench.settings import Settings
from runbench.spool import Record, Spool

if TYPE_CHECKING:
    from array import array

    from runbench.api import Api

WRITE_SECONDS = 0.2
WRITE_SECONDS_BEHIND = 1.0
FSYNC_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
BATCH_POINTS = 5000
BATCH_BYTES = 1024 * 1024
BACKOFF_FIRST = 0.5
BACKOFF_MOST = 30.0
RETRY_AFTER_MOST = 300.0
AWAY_PATIENCE = 5.0
HEAD_START_SECONDS = 0.01
POINT_BYTES = 120
ENTRY_BYTES = 120
# About what a point and the name of a metric take in a batch's JSON.
WIRE_BYTES = 64
KEY_BYTES = 48

Points: TypeAlias = list[tuple[str, float]]
# Points of one step, or a signal's times and values.
Content: TypeAlias = tuple[int, int, Points] | tuple[str, "array[int]", "array[float]"]
# Content, an encoded record, or the ticket of somebody who waits.
Entry: TypeAlias = Content | bytes | int
# Content as records, each with how many points it holds (0 for what must not be dropped).
Pack: TypeAlias = Callable[[Iterable[Content | bytes]], Iterator[tuple[bytes, int]]]


class Uploads(Protocol):
    """What brings a spool's records to the server. Every method raises Unreachable or a passing
    ApiError when trying again later may help, Blocked when it will not.
    """

    remote_status: str | None

    def create(self) -> None:
        """Make sure that there is something to send to; nothing when that is known."""

    def heartbeat(self) -> None:
        """Say that this process lives."""

    def send(self, record: Record) -> None:
        """Bring one record of the spool."""

    def send_left(self) -> bool:
        """Nothing waits: send a little of what earlier processes left; whether there was any."""
        ...


class Recorder:
    """Takes what a run logs or a sensor sends, and keeps and sends it in the background.

    prepare is called once in the background before anything is sent. announce is called there when
    the server has created the run. pack and uploads say what becomes of the content; without them
    it is that of a run. keeps says whether the spool holds something else that is not sent yet.
    Nothing here raises into the script.
    """

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        voice: Voice,
        *,
        prepare: Callable[[], None],
        announce: Callable[[], None],
        pack: Pack | None = None,
        uploads: Callable[["Api", Spool, Voice], Uploads] | None = None,
        keeps: Callable[[], bool] | None = None,
    ) -> None:
        self.settings = settings
        self.spool = spool
        self.voice = voice
        self.blocked: str | None = None
        self.away: str | None = None
        self.remote_status: str | None = None
        self.complete = False
        self.away_since = 0.0
        # While this is set, the run's end is not told to the server: its files come first.
        self.end_waits = False
        self._prepare = prepare
        self._announce = announce
        self._pack = pack or pack_metrics
        self._uploads = uploads
        self._keeps = keeps or (lambda: False)
        # No lock between the script and the writer: a signal handler that interrupts log() may call
        # flush(), which waits for the writer, which would wait for that lock. SimpleQueue.put() may
        # itself be interrupted by a handler that puts. The byte count may be a little off when
        # threads log at once; the writer sets it right whenever it has emptied the queue.
        self._queue: SimpleQueue[Entry] = SimpleQueue()
        self._queued_bytes = 0
        self._hurry: SimpleQueue[None] = SimpleQueue()
        self._tickets = itertools.count(1)
        self._overflowed = 0
        self._not_kept = 0
        self._closing = False
        self._delivered = False
        self._progress = threading.Condition()
        self._stored = 0
        self._writer_done = False
        self._sender_done = False
        self._created = False
        self._sent_up_to = 0
        self._settled = False
        self._settling = threading.Lock()
        self._stop = threading.Event()
        self._nudge = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, name="runbench-writer", daemon=True),
            threading.Thread(target=self._send, name="runbench-sender", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    # The script's side

    def log(self, step: int, when: int, points: Points) -> None:
        """Queue points of one step; drops and counts them when the queue is full."""
        self.take((step, when, points), len(points), ENTRY_BYTES + POINT_BYTES * len(points))

    def take(self, content: Content, points: int, size: int) -> None:
        """Queue content of so many points and bytes; drops and counts them when the queue is
        full.
        """
        if self._queued_bytes + size > self.settings.queue_limit:
            self._overflowed += points
            self._warn_of_drops()
            return
        self._queued_bytes += size
        self._queue.put(content)

    def act(self, record: bytes) -> None:
        """Queue a record that is no metric; never dropped."""
        self._queue.put(record)

    def gives_up(self, since: float) -> bool:
        """Whether who waits since then need not wait longer: all is over, or the server away."""
        quiet_since = max(since, self.away_since)
        gone = self.away is not None and time.monotonic() - quiet_since > AWAY_PATIENCE
        return self._sender_done or gone

    def tell_end(self) -> None:
        """The run's end needs to wait no longer."""
        self.end_waits = False
        self._nudge.set()

    @property
    def dropped(self) -> int:
        """How many points were dropped because memory or disk were full."""
        return self._overflowed + self._not_kept

    def flush(self, *, sent: bool, timeout: float) -> bool:
        """Wait until all that was logged so far is on disk (or accepted by the server); False when
        it was not within timeout seconds.
        """
        ticket = self._hurry_up()

        def reached() -> bool:
            if sent:
                return self._sent_up_to >= ticket or self._sender_done
            return self._stored >= ticket or self._writer_done

        self._wait(reached, timeout)
        return (self._sent_up_to if sent else self._stored) >= ticket

    def await_created(self, timeout: float) -> bool:
        """Wait until the server has created the run, but not for a server that is away."""
        self._wait(
            lambda: self._created or bool(self.blocked or self.away) or self._sender_done, timeout
        )
        return self._created

    def close(self, timeout: float) -> bool:
        """Take nothing more, wait for the rest to arrive at the server; whether it did.

        Waits at most timeout seconds, and AWAY_PATIENCE for a server that does not answer.
        """
        self._closing = True
        self._hurry_up()
        self._nudge.set()
        started = time.monotonic()

        def over() -> bool:
            return self.gives_up(started)

        try:
            self._wait(lambda: self._writer_done, timeout)
            self._wait(over, timeout - (time.monotonic() - started))
        finally:
            self._stop.set()
            self._nudge.set()
            if self._sender_done:
                self._settle()
        return self.complete

    def abandon_in_child(self) -> None:
        """After a fork, in the child: forget everything; the parent's threads go on there."""
        self.spool.abandon_in_child()

    def _settle(self) -> None:
        """Remove a spool that has arrived whole, let go of any other. Once."""
        with self._settling:
            settled, self._settled = self._settled, True
        if settled:
            return
        self.complete = self._delivered and not self._keeps()
        try:
            if self.complete and not self.spool.refused_count():
                self.spool.delete()
            else:
                self.spool.close()
        except OSError as error:
            logger.debug("could not tidy up the spool: %s", error)

    def _wait(self, reached: Callable[[], bool], timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        with self._progress:
            while not reached():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                # Bounded, because `away` and the clock change without a notification.
                self._progress.wait(min(left, 0.1))
        return True

    def _hurry_up(self) -> int:
        """Have the writer work now; a number that it will have passed when all is stored."""
        ticket = next(self._tickets)
        self._queue.put(ticket)
        self._hurry.put(None)
        return ticket

    def _warn_of_drops(self) -> None:
        self.voice.warn(
            "points are logged faster than they can be kept, or the spool is full; some are "
            "dropped (counted at the end). See RUNBENCH_QUEUE_MB and RUNBENCH_SPOOL_MB.",
            once="dropped",
        )

    def _tell(self) -> None:
        with self._progress:
            self._progress.notify_all()

    # The writer

    def _write(self) -> None:
        unsynced_since: float | None = None
        while True:
            left = None
            if unsynced_since is not None:
                left = max(0.0, unsynced_since + FSYNC_SECONDS - time.monotonic())
            entries, urgent = self._gather(left)
            closing = self._closing and self._queue.empty()
            try:
                self._store(entries)
            except Exception:
                logger.exception("could not keep what was logged")
            now = time.monotonic()
            if entries and unsynced_since is None:
                unsynced_since = now
            if unsynced_since is not None and (
                urgent or closing or now - unsynced_since >= FSYNC_SECONDS
            ):
                self.spool.sync_to_disk()
                unsynced_since = None
            tickets = [entry for entry in entries if isinstance(entry, int)]
            self._stored = max([self._stored, *tickets])
            if closing:
                self._writer_done = True
            self._tell()
            self._nudge.set()
            if closing:
                return

    def _gather(self, within: float | None) -> tuple[list[Entry], bool]:
        """Wait for an entry (so many seconds), then for more to put into the same batches, unless
        somebody waits; all of them, and whether somebody does.
        """
        try:
            entries = [self._queue.get(timeout=within)]
        except Empty:
            return [], False
        pause = WRITE_SECONDS if self.away is None else WRITE_SECONDS_BEHIND
        urgent = self._closing
        try:
            if not urgent:
                self._hurry.get(timeout=pause)
                urgent = True
        except Empty:
            pass
        # Only what is there now: what is logged meanwhile must not keep this from ending.
        entries.extend(self._queue.get_nowait() for _ in range(self._queue.qsize()))
        self._queued_bytes = 0
        return entries, urgent

    def _store(self, entries: list[Entry]) -> None:
        """Bring entries to the spool in order, as batches."""
        for record, points in self._pack(e for e in entries if not isinstance(e, int)):
            if not self.spool.append(record, droppable=points > 0):
                self._not_kept += points
                self._warn_of_drops()
        if self.spool.disk_error is not None:
            self.voice.warn(
                f"cannot write to the spool ({self.spool.disk_error}); recording goes on in memory",
                once="disk",
            )

    # The sender

    def _send(self) -> None:
        # The script goes first: what follows imports a lot.
        self._stop.wait(HEAD_START_SECONDS)
        try:
            self._prepare()
            if self.settings.mode == "online":
                self._deliver()
            else:
                while not self._writer_done and not self._stop.is_set():
                    self._nudge.wait()
                    self._nudge.clear()
        except Exception as error:
            logger.exception("sending stopped")
            self.blocked = f"sending stopped: {error!r}; what was logged is kept"
        finally:
            self._sender_done = True
            if self._stop.is_set():
                self._settle()
            self._tell()

    def _deliver(self) -> None:
        with forks.importing:
            "".encode("idna")  # imports what connecting needs
            from runbench.api import Api, ApiError, Unreachable  # noqa: PLC0415 - not in init()
            from runbench.upload import Blocked, Uploader  # noqa: PLC0415

            uploads = self._uploads or Uploader
            connection = Api(self.settings.url, self.settings.token)
        hush_own_requests()
        pause = Backoff()
        beat_due = 0.0
        with connection as api:
            uploader = uploads(api, self.spool, self.voice)
            while True:
                try:
                    uploader.create()
                    if not self._created:
                        self._created = True
                        resumed = self.spool.manifest.get("resumed")
                        beat_due = time.monotonic() + (0.0 if resumed else HEARTBEAT_SECONDS)
                        self._announce()
                        self._tell()
                    if time.monotonic() >= beat_due:
                        uploader.heartbeat()
                        beat_due = time.monotonic() + HEARTBEAT_SECONDS
                    self.remote_status = uploader.remote_status
                    finished = self._pass_on(uploader)
                    self.away = None
                    pause.reset()
                    if finished:
                        self._delivered = True
                        return
                    self._rest(beat_due - time.monotonic())
                except (Unreachable, ApiError) as error:
                    self._left(str(error), pause.failures)
                    asked = error.retry_after if isinstance(error, ApiError) else None
                    self._pause(pause.next(asked), firm=asked is not None)
                except Blocked as error:
                    self.blocked = str(error)
                    self.voice.warn(f"{error}. Recording goes on to disk.", once="blocked")
                    self._tell()
                    return
                if self._stop.is_set():
                    return

    def _pass_on(self, uploader: Uploads) -> bool:
        """Send one record, or find that there is none; whether everything is done."""
        stored, writer_done = self._stored, self._writer_done
        record = self.spool.peek()
        if record is not None and self.end_waits and is_end(record.payload):
            return False
        if record is not None:
            uploader.send(record)
            self._nudge.set()
            return False
        self._sent_up_to = stored
        self._tell()
        if not writer_done and not self._stop.is_set() and uploader.send_left():
            self._nudge.set()
        return writer_done

    def _rest(self, seconds: float) -> None:
        self._nudge.wait(max(0.0, seconds))
        self._nudge.clear()

    def _pause(self, seconds: float, *, firm: bool) -> None:
        """Wait before the next try; less while closing, unless the server asked for the time."""
        until = time.monotonic() + seconds
        while not self._stop.is_set():
            if self._closing and not firm:
                until = min(until, time.monotonic() + 1.0)
                firm = True
            left = until - time.monotonic()
            if left <= 0:
                return
            self._nudge.clear()
            self._nudge.wait(min(left, 1.0))

    def _left(self, reason: str, failures: int) -> None:
        if self.away is None:
            self.away_since = time.monotonic()
        self.away = reason
        logger.debug("not sent: %s", reason)
        if failures >= 2:
            self.voice.warn(f"{reason}; recording goes on to disk and is sent later", once="away")
        self._tell()


def pack_metrics(contents: Iterable[Content | bytes]) -> Iterator[tuple[bytes, int]]:
    """A run's points of consecutive steps as batches, between its other records."""
    series: Series = {}
    points = size = 0
    for entry in contents:
        if isinstance(entry, bytes):
            if points:
                yield metrics_record(series), points
                series, points, size = {}, 0, 0
            yield entry, 0
            continue
        step, when, pairs = cast("tuple[int, int, Points]", entry)
        for key, value in pairs:
            column = series.get(key)
            if column is None:
                column = series[key] = ([], [], [])
                size += KEY_BYTES + 4 * len(key)
            column[0].append(step)
            column[1].append(value)
            column[2].append(when)
            points += 1
            size += WIRE_BYTES
            if points >= BATCH_POINTS or size >= BATCH_BYTES:
                yield metrics_record(series), points
                series, points, size = {}, 0, 0
    if points:
        yield metrics_record(series), points


class Backoff:
    """Waiting times that double, with full jitter, so that many clients do not return at once."""

    def __init__(self) -> None:
        self.failures = 0

    def next(self, asked: float | None) -> float:
        """Seconds to wait now; at least what the server asked for (at most RETRY_AFTER_MOST)."""
        import random  # noqa: PLC0415 - slow to import, and only failures need it

        most = min(BACKOFF_MOST, BACKOFF_FIRST * 2.0**self.failures)
        self.failures = min(self.failures + 1, 16)
        jitter = random.uniform(0.1, 1.0) * most  # noqa: S311 - no secret
        return jitter if asked is None else min(asked, RETRY_AFTER_MOST) + jitter * 0.1

    def reset(self) -> None:
        """The server answered."""
        self.failures = 0
