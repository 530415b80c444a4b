"""What a sensor's records mean to the server: batches that may be repeated without harm."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from runbench.api import Api, ApiError
from runbench.messages import Voice, logger
from runbench.readings import MEDIA_TYPE, unpacked
from runbench.spool import Busy, Record, Spool, left_of_sensor
from runbench.upload import WRONG_CONTENT, Blocked, odd
from runbench.values import json_object, wire_float

PATH = "/api/v1/telemetry"
MOST_PUT_ASIDE = 1000


class SensorUploader:
    """Brings the spool of a sensor to the server, and what earlier processes left of it. Raises
    like `upload.Uploader`. refuse is told how many readings the server would not take.
    """

    def __init__(
        self,
        api: Api,
        spool: Spool,
        voice: Voice,
        *,
        root: Path | None = None,
        refuse: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.api = api
        self.spool = spool
        self.voice = voice
        self.remote_status: str | None = None
        self._refuse = refuse
        self._root = root
        self._left: list[Path] | None = None
        self._earlier: Spool | None = None
        self._aside = 0

    def create(self) -> None:
        """A sensor is made by a person; only its token is needed."""
        if not self.api.token:
            raise Blocked(f"no sensor token for {self.api.url}")

    def heartbeat(self) -> None:
        """The server hears of a sensor by its readings."""

    def send(self, record: Record) -> None:
        """Bring one batch, and put aside what the server will never take."""
        self._send(self.spool, record)

    def send_left(self) -> bool:
        """Send one batch of what earlier processes left; whether there was any."""
        if self._root is None:
            return False
        if self._left is None:
            sensor = self.spool.manifest["sensor"]
            self._left = left_of_sensor(self._root, self.api.url, sensor)
        while self._earlier is None:
            if not self._left:
                return False
            try:
                self._earlier = Spool.open(self._left.pop(0))
            except (Busy, OSError, ValueError):
                continue
        record = self._earlier.peek()
        if record is not None:
            self._send(self._earlier, record)
            return True
        earlier, self._earlier = self._earlier, None
        try:
            if earlier.refused_count():
                earlier.close()
            else:
                earlier.delete()
        except OSError as error:
            logger.debug("could not tidy up the spool: %s", error)
        return True

    def _send(self, spool: Spool, record: Record) -> None:
        try:
            body = record.payload[1:]
            answer = self.api.request("POST", PATH, body=body, media_type=MEDIA_TYPE).body
        except ApiError as error:
            if error.passing:
                raise
            if error.status not in WRONG_CONTENT:
                raise Blocked(_explained(error, self.api.url)) from error
            columns = _columns(record)
            count = sum(len(each["t"]) for each in columns.values())
            self._put_aside(spool, {"series": [*columns.values()]}, str(error), count)
        else:
            if not isinstance(answer.get("accepted"), int):
                raise odd(self.api)
            self._note_rejected(spool, record, answer)
            if answer.get("set_aside"):
                self.voice.warn(
                    "the server took readings that it cannot store; it keeps them with the "
                    "reason, on the sensor's page under Errors",
                    once="set aside by the server",
                )
        spool.accepted(record)

    def _note_rejected(self, spool: Spool, record: Record, answer: dict[str, Any]) -> None:
        """Readings that the server refused by their place, while it took the rest."""
        count = answer.get("rejected_count") or 0
        if not count:
            return
        rejected = [json_object(each) for each in cast("list[Any]", answer.get("rejected") or [])]
        columns = _columns(record)
        kept: list[dict[str, Any]] = []
        for each in rejected:
            column, index = columns.get(str(each.get("signal"))), each.get("index")
            if column is None:
                continue
            if not isinstance(index, int):
                kept.append({**column, "reason": each.get("reason")})
            elif 0 <= index < len(column["t"]):
                reading = {"t": column["t"][index], "v": column["v"][index]}
                kept.append({"signal": each["signal"], **reading, "reason": each.get("reason")})
        first = kept[0] if kept else {}
        reason = f"{first.get('signal', '?')!r}: {first.get('reason', 'refused')}"
        self._put_aside(spool, {"rejected": kept}, reason, count)

    def _put_aside(self, spool: Spool, content: dict[str, Any], reason: str, count: int) -> None:
        self._refuse(count)
        if self._aside < MOST_PUT_ASIDE:
            self._aside += 1
            spool.put_aside(content, reason)
        self.voice.warn(
            f"the server refused readings ({reason}); they are counted, and the first ones are "
            "kept aside in refused.jsonl",
            once="refused by the server",
        )
        logger.debug("%d readings refused: %s", count, reason)


def _columns(record: Record) -> dict[str, dict[str, Any]]:
    """A batch as it can be written down; NaN and infinities as text."""
    return {
        signal: {"signal": signal, "t": times.tolist(), "v": [wire_float(v) for v in values]}
        for signal, (times, values) in unpacked(record.payload[1:]).items()
    }


def _explained(error: ApiError, url: str) -> str:
    if error.status == 401:
        return f"{url} does not accept the sensor's token ({error}): rotate it and start again"
    return f"{url} takes nothing from this sensor ({error})"
