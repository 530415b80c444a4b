"""Capture sessions of a run: windows of time in which its sensors are recorded."""

import time
import uuid
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from runbench.api import Api, ApiError, Unreachable
from runbench.messages import Voice
from runbench.registry import rfc3339, sensor_ids


class Capture:
    """A capture session that is being recorded; leaving its block stops it.

    `data` is the session as the server answered it last.
    """

    def __init__(self, api: Api, data: dict[str, Any], voice: Voice) -> None:
        self.data = data
        self._api = api
        self._voice = voice

    @property
    def id(self) -> str:
        return self.data["id"]

    @property
    def ordinal(self) -> int:
        return self.data["ordinal"]

    def mark(self, text: str, *, kind: str = "mark") -> None:
        """Put an event on the session's timeline, now. A server that refuses or is away is only
        warned about.
        """
        try:
            self.event(text, kind=kind)
        except (ApiError, Unreachable) as error:
            self._voice.warn(f"not marked: {error}")

    def event(self, text: str, *, kind: str = "mark") -> dict[str, Any]:
        """The same, as the server answered it. Raises ApiError, Unreachable."""
        body = {"kind": kind, "text": text, "time": rfc3339(time.time_ns() // 1000)}
        return self._api.post(f"/api/v1/capture-sessions/{self.id}/events", body, key=_key())

    def stop(self) -> dict[str, Any]:
        """End the session; one that has ended stays as it is. Raises ApiError, Unreachable."""
        self.data = self._api.post(f"/api/v1/capture-sessions/{self.id}/stop")
        return self.data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.mark(f"{type(error).__name__}: {error}"[:500], kind="note")
        try:
            self.stop()
        except (ApiError, Unreachable) as failure:
            self._voice.warn(
                f"capture session {self.ordinal} is not stopped ({failure}); the end of the run "
                "stops it"
            )


def start_capture(
    api: Api,
    run: Mapping[str, Any],
    *,
    sensors: Iterable[str] | None = None,
    name: str | None = None,
    note: str | None = None,
    pin_profiles: bool = False,
    stop_after: float | None = None,
    voice: Voice | None = None,
) -> Capture:
    """Start recording a run's sensors, or those given by name or id. Raises LookupError, ApiError
    (409 where a session of the run is recording already), Unreachable.
    """
    body: dict[str, Any] = {"name": name, "note": note, "stop_after_seconds": stop_after}
    if sensors is not None:
        project = api.get(f"/api/v1/projects/{run['project_id']}")
        body["sensor_ids"] = sensor_ids(api, project, sensors)
    if pin_profiles:
        body["pin_profiles"] = True
    given = {field: value for field, value in body.items() if value is not None}
    data = api.post(f"/api/v1/runs/{run['id']}/capture-sessions", given, key=_key())
    return Capture(api, data, voice or Voice(quiet=False))


def active_capture(api: Api, run_id: str) -> Capture | None:
    """The session of a run that is recording; None when there is none. Raises ApiError,
    Unreachable.
    """
    listed = api.items(f"/api/v1/runs/{run_id}/capture-sessions")
    found = next((each for each in listed if each["status"] == "running"), None)
    return None if found is None else Capture(api, found, Voice(quiet=False))


def _key() -> str:
    return str(uuid.uuid4())
