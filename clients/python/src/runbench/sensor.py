"""Sending a sensor's readings: `runbench.Sensor`."""

import atexit
import threading
import uuid
import weakref
from array import array
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

from runbench import forks, readings, settings, values
from runbench.messages import Voice
from runbench.recorder import Recorder
from runbench.spool import Spool

if TYPE_CHECKING:
    from runbench.api import Api
    from runbench.sensor_upload import SensorUploader

PREFIX = "rb_sensor_"
READING_BYTES = 16
# Two arrays and a tuple.
ENTRY_BYTES = 300

_open: "weakref.WeakSet[Sensor]" = weakref.WeakSet()
_hooks_set = False


class Sensor:
    """One sensor that sends its readings. As a context manager it is closed with the block.

    token: the sensor's token (default RUNBENCH_SENSOR_TOKEN); signal: the name that readings have
    when none is given; url: the server (default RUNBENCH_URL).

    Sending never waits for the network or the disk and never raises for what is read (set
    RUNBENCH_STRICT=1 for that): readings are on disk within 0.2 seconds, and reach the server when
    it is there, each once. A forked child sends on its own.

    Raises settings.BadSetting when there is no token, ValueError when it is no sensor's.
    """

    def __init__(
        self, token: str | None = None, *, signal: str = "value", url: str | None = None
    ) -> None:
        given = token or settings.sensor_token()
        if not given:
            raise settings.BadSetting(
                "no sensor token: give Sensor(token=…) or set RUNBENCH_SENSOR_TOKEN"
            )
        if not given.startswith(PREFIX):
            raise ValueError(f"this is no sensor's token; one begins with {PREFIX}")
        current = settings.load()
        self.signal = signal
        self.recorded = 0
        self.refused = 0
        self._settings = current._replace(
            token=given, url=settings.clean_url(url) if url else current.url
        )
        self._voice = Voice(quiet=current.quiet)
        self._lock = threading.RLock()
        self._dropped = 0
        self._closed = current.mode == "disabled"
        self._recorder: Recorder | None = None
        if not self._closed:
            _set_hooks()
            _open.add(self)
            self._start()

    def _start(self) -> Recorder:
        key = str(uuid.uuid4())
        sensor = key_id(self._settings.token or "")
        # Where it goes is decided by whoever sends it.
        url = None if self._settings.mode == "offline" else self._settings.url
        manifest = {"key": key, "sensor": sensor, "url": url}
        spool = Spool.create(self._settings.spool, manifest, limit=self._settings.spool_limit)
        if spool.disk_error is not None:
            self._voice.warn(
                f"cannot write to {self._settings.spool} ({spool.disk_error}); readings are kept "
                "in memory and lost if this process is killed",
                once="disk",
            )
        self._recorder = Recorder(
            self._settings,
            spool,
            self._voice,
            prepare=lambda: None,
            announce=lambda: None,
            pack=readings.Packer(key),
            uploads=self._uploads,
        )
        return self._recorder

    def _uploads(self, api: "Api", spool: Spool, voice: Voice) -> "SensorUploader":
        # Called in the background, where imports are guarded.
        from runbench.sensor_upload import SensorUploader  # noqa: PLC0415

        root = self._settings.spool
        return SensorUploader(api, spool, voice, root=root, refuse=self._count_refused)

    # Sending

    @overload
    def send(self, t: Any, v: Any, /) -> None: ...
    @overload
    def send(self, signal: str, t: Any, v: Any, /) -> None: ...
    def send(self, *reading: Any) -> None:
        """Send one reading: `send(t, v)` or `send(signal, t, v)`.

        t: None for now, a float of seconds since 1970 (`time.time()`), an int of µs, or a datetime
        with a zone. v: a number; NaN or None marks a gap.
        """
        signal, moment, value = self._named(reading)
        try:
            times = array("q", (readings.micros(moment),))
            self._take(signal, times, readings.value_column(signal, (value,)))
        except (TypeError, ValueError, OverflowError) as error:
            self._complain(error, 1)

    @overload
    def send_many(self, t: Any, v: Any, /) -> None: ...
    @overload
    def send_many(self, signal: str, t: Any, v: Any, /) -> None: ...
    def send_many(self, *columns: Any) -> None:
        """Send readings of one signal: `send_many(times, values)` or `send_many(signal, times,
        values)`, equally long; lists, numpy arrays, or columns of pandas and polars.
        """
        signal, moments, found = self._named(columns)
        try:
            times = readings.time_column(moments)
            self._take(signal, times, readings.value_column(signal, found))
        except (TypeError, ValueError, OverflowError) as error:
            self._complain(error, len(found) if hasattr(found, "__len__") else 1)

    def _named(self, given: tuple[Any, ...]) -> tuple[str, Any, Any]:
        if len(given) == 2:
            return self.signal, given[0], given[1]
        if len(given) == 3:
            return given
        raise TypeError(f"give (t, v) or (signal, t, v), not {len(given)} arguments")

    def _take(self, signal: object, times: "array[int]", found: "array[float]") -> None:
        if not isinstance(signal, str) or not 0 < len(signal) <= readings.MAX_SIGNAL_LENGTH:
            raise values.NotRecordable(f"{signal!r} is no name of a signal", "signal")
        if self._closed:
            if self._settings.mode != "disabled":
                raise values.NotRecordable("the sensor is closed; make another", "closed")
            return
        times, found = readings.checked(signal, times, found, self._refuse)
        recorder = self._recorder
        if recorder is None:
            with self._lock:
                recorder = self._recorder or self._start()
        # In pieces, so that a column larger than the queue is not lost whole.
        for at in range(0, len(times), readings.BATCH_READINGS):
            piece = slice(at, at + readings.BATCH_READINGS)
            part, part_values = (times, found) if len(times) == 1 else (times[piece], found[piece])
            size = ENTRY_BYTES + READING_BYTES * len(part)
            recorder.take((signal, part, part_values), len(part), size)
            self.recorded += len(part)

    def _refuse(self, count: int, reason: str) -> None:
        if self._settings.strict:
            raise values.NotRecordable(reason, "refused")
        self.refused += count
        self._voice.warn(
            f"not sent: {reason}; such readings are counted as refused", once=f"refused: {reason}"
        )

    def _count_refused(self, count: int) -> None:
        self.refused += count

    def _complain(self, error: Exception, count: int) -> None:
        self.refused += count
        if self._settings.strict:
            raise error
        about = error.about if isinstance(error, values.NotRecordable) else type(error).__name__
        self._voice.warn(f"not sent: {error}", once=f"not sent: {about}")

    # What became of it

    @property
    def dropped(self) -> int:
        """How many readings were dropped because memory or disk were full."""
        return self._dropped + (self._recorder.dropped if self._recorder is not None else 0)

    @property
    def unsent_bytes(self) -> int:
        """About how much is on disk and not at the server yet."""
        return self._recorder.spool.unsent_bytes if self._recorder is not None else 0

    @property
    def trouble(self) -> str | None:
        """Why nothing is sent at the moment; None while all is well."""
        recorder = self._recorder
        return None if recorder is None else recorder.blocked or recorder.away

    def flush(self, *, sent: bool = False, timeout: float = 30.0) -> bool:
        """Wait until all that was sent so far is on disk (milliseconds), or with sent=True until
        the server has stored it. False when that was not so within timeout seconds.
        """
        recorder = self._recorder
        return recorder is None or recorder.flush(sent=sent, timeout=timeout)

    def close(self, *, timeout: float | None = None) -> bool:
        """Take no more and wait until the server has everything, at most timeout seconds (default
        RUNBENCH_FINISH_TIMEOUT, 30). What is left stays on disk for the next Sensor of this token,
        or for `runbench sync`. Whether all of it arrived.
        """
        with self._lock:
            recorder, self._recorder = self._recorder, None
            self._closed = True
        _open.discard(self)
        if recorder is None:
            return True
        try:
            whole = recorder.close(self._settings.finish_timeout if timeout is None else timeout)
        finally:
            self._dropped += recorder.dropped
        if not whole and recorder.spool.folder is not None and self._settings.mode == "online":
            self._voice.say(
                f"not everything is sent; it is kept in {recorder.spool.folder}: the next Sensor "
                "with this token or `runbench sync` sends it"
            )
        return whole

    def _leave_to_parent(self) -> None:
        """After a fork, in the child: what was sent so far is the parent's."""
        self._lock = threading.RLock()
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.abandon_in_child()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<runbench sensor {key_id(self._settings.token or '')} at {self._settings.url}>"


def key_id(token: str) -> str:
    """The part of a sensor's token that is no secret."""
    return token.removeprefix(PREFIX).partition("_")[0]


def _set_hooks() -> None:
    global _hooks_set  # noqa: PLW0603 - once per process
    if not _hooks_set:
        _hooks_set = True
        atexit.register(_at_exit)
        forks.guard(_after_fork)


def _at_exit() -> None:
    for sensor in list(_open):
        sensor.close()


def _after_fork() -> None:
    for sensor in list(_open):
        sensor._leave_to_parent()  # pyright: ignore[reportPrivateUsage]
