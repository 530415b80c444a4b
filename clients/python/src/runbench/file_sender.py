"""The threads that bring a run's files to the server beside its metrics, so that a large file holds
nothing up.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from runbench import forks, recorder
from runbench.messages import Voice, hush_own_requests, logger
from runbench.outbox import Changed, Outbox, Outgoing
from runbench.settings import Settings
from runbench.spool import Spool

if TYPE_CHECKING:
    from runbench.api import Api, ApiError

THREADS = 3
# So much takes long enough that somebody who waits for it wants to see how far it is.
SHOWN_BYTES = 8 * 1024 * 1024
SHOWN_AFTER_SECONDS = 1.0


class FileSender:
    """Sends what the outbox of one run holds, for as long as there is some. Nothing here raises
    into the script.
    """

    def __init__(self, settings: Settings, spool: Spool, outbox: Outbox, voice: Voice) -> None:
        self.outbox = outbox
        self.blocked: str | None = None
        self.away_since: float | None = None
        self._settings = settings
        self._spool = spool
        self._voice = voice
        self._stop = threading.Event()
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._api: Api | None = None
        self._sent_bytes = 0

    def wake(self) -> None:
        """There is a file to send, or a run to send it to."""
        with self.outbox.changed:
            wanted = min(THREADS, self.outbox.count())
            if self._stop.is_set() or self.blocked or len(self._threads) >= wanted:
                self.outbox.changed.notify_all()
                return
            thread = threading.Thread(target=self._work, name="runbench-files", daemon=True)
            self._threads.append(thread)
        thread.start()

    def wait(self, timeout: float, over: Callable[[], bool], *, before: int | None = None) -> bool:
        """Wait until everything is sent (all up to this number), at most timeout seconds, and not
        for what cannot be sent now; whether it is.
        """
        from runbench.progress import Bar  # noqa: PLC0415 - only where files were logged

        started = time.monotonic()
        already = self._sent_bytes

        def left() -> list[Outgoing]:
            return [e for e in self.outbox.left() if before is None or e.number <= before]

        total = sum(entry.size for entry in left())
        bar: Bar | None = None
        try:
            while waiting := left():
                passed = time.monotonic() - started
                gone = self.away_since is not None and (
                    time.monotonic() - max(started, self.away_since) > recorder.AWAY_PATIENCE
                )
                if passed >= timeout or self.blocked or gone or over():
                    return False
                if bar is None and passed > SHOWN_AFTER_SECONDS and total > SHOWN_BYTES:
                    label = f"sending {len(waiting)} files"
                    bar = Bar(label, total, of_bytes=True, quiet=self._voice.quiet).__enter__()
                if bar is not None:
                    bar.reach(self._sent_bytes - already)
                with self.outbox.changed:
                    self.outbox.changed.wait(0.1)
        finally:
            if bar is not None:
                bar.__exit__(None, None, None)
        return True

    def hurry(self) -> None:
        """Somebody waits for the end: try again sooner."""
        self._closing = True

    def stop(self) -> None:
        """Send no more; what is left stays in the outbox."""
        self._stop.set()
        with self.outbox.changed:
            self.outbox.changed.notify_all()

    # The threads

    def _work(self) -> None:
        pause = recorder.Backoff()
        try:
            while not self._stop.is_set() and not self.blocked:
                run_id = self._spool.manifest.get("run_id")
                entry = self.outbox.take() if run_id else None
                with self.outbox.changed:
                    if entry is None and run_id and not self.outbox.count():
                        self._threads.remove(threading.current_thread())
                        return
                    if entry is None or run_id is None:
                        self.outbox.changed.wait(1.0)
                        continue
                self._send(str(run_id), entry, pause)
        except Exception as error:
            logger.exception("sending files stopped")
            self.blocked = repr(error)
        with self.outbox.changed:
            if threading.current_thread() in self._threads:
                self._threads.remove(threading.current_thread())
            self.outbox.changed.notify_all()

    def _connected(self) -> "Api":
        with self.outbox.changed:
            if self._api is None:
                with forks.importing:
                    "".encode("idna")  # imports what connecting needs
                    from runbench.api import Api  # noqa: PLC0415 - in the background
                hush_own_requests()
                self._api = Api(self._settings.url, self._settings.token)
            return self._api

    def _send(self, run_id: str, entry: Outgoing, pause: recorder.Backoff) -> None:
        api = self._connected()
        from runbench.api import ApiError, Unreachable  # noqa: PLC0415 - as above
        from runbench.file_upload import Hooks, Stopped, send_file  # noqa: PLC0415

        hooks = Hooks(
            sent=self._sent,
            keep=partial(self.outbox.remember, entry),
            stopped=self._stop.is_set,
        )
        try:
            send_file(api, run_id, entry, hooks)
        except Stopped:
            self.outbox.give_back(entry)
        except Changed as error:
            # Logged again since then, it is the later one that counts.
            if self.outbox.superseded(entry):
                self.outbox.sent(entry)
            else:
                park(self._spool, self.outbox, entry, str(error))
                self._voice.warn(f"{error}; log it again", once="changed")
        except (Unreachable, ApiError) as error:
            if isinstance(error, ApiError) and not error.passing:
                self._refused(entry, error)
                return
            self.outbox.give_back(entry)
            self._away(str(error))
            self._pause(pause.next(error.retry_after if isinstance(error, ApiError) else None))
        except Exception as error:
            logger.exception("%s cannot be sent", entry.path)
            park(self._spool, self.outbox, entry, repr(error))
        else:
            self.outbox.sent(entry)
            self.away_since = None
            pause.reset()

    def _refused(self, entry: Outgoing, error: "ApiError") -> None:
        from runbench.upload import explained  # noqa: PLC0415 - loaded by now

        if for_good(error):
            park(self._spool, self.outbox, entry, str(error))
            self._voice.warn(
                f"the server refused {entry.path}, which is kept aside: {error}",
                once="refused file",
            )
            return
        self.outbox.give_back(entry)
        self.blocked = explained(error, self._settings.url)
        self._voice.warn(f"{self.blocked}. Files are kept on disk.", once="blocked files")

    def _sent(self, count: int) -> None:
        with self.outbox.changed:
            self._sent_bytes += count

    def _away(self, reason: str) -> None:
        if self.away_since is None:
            self.away_since = time.monotonic()
        logger.debug("not sent: %s", reason)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stop.is_set():
            left = until - time.monotonic()
            if left <= 0:
                return
            if self._closing:
                left, until = min(left, 0.5), time.monotonic() + min(left, 0.5)
            self._stop.wait(min(left, 0.5))


def park(spool: Spool, outbox: Outbox, entry: Outgoing, reason: str) -> None:
    """Keep a file aside that will never be sent, with the reason."""
    place = outbox.refused(entry)
    spool.put_aside({"do": "file", "path": entry.path, "kept": place}, reason)


def for_good(error: "ApiError") -> bool:
    """Whether a refusal means this file and no other."""
    from runbench.upload import FINAL, WRONG_CONTENT  # noqa: PLC0415 - loads the HTTP library

    return error.status in (*WRONG_CONTENT, 409, 415) and error.code not in FINAL
