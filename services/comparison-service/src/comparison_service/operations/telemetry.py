"""Readings of several capture sessions, laid over each other."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from servicekit.problems import NotFound, Unavailable

from comparison_service.models.telemetry import (
    AlignedTrack,
    ComparedTelemetry,
    TelemetryComparison,
    Track,
)
from comparison_service.operations.reading import Reading, all_of, together

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def compare_telemetry(reading: Reading, asked: TelemetryComparison) -> ComparedTelemetry:
    """Each track along its own time.

    Raises:
        NotFound: a session, sensor, signal or event is missing, or hidden from the caller.
        Unavailable: experiment-service does not answer.
    """
    session_ids = list(dict.fromkeys(track.capture_session_id for track in asked.tracks))
    marked = {track.capture_session_id for track in asked.tracks if track.align != "start"}
    (sessions, events), pictures = await together(
        together(
            reading.captures(session_ids), all_of([reading.events(one) for one in sorted(marked)])
        ),
        all_of([_pictures(reading, one, asked) for one in session_ids]),
    )
    if sessions is None:
        raise Unavailable(f"{reading.missing[0].reason}.")
    known = {UUID(session["id"]): session for session in sessions}
    times = {UUID(event["id"]): event for some in events for event in some or []}
    found = {place: series for some in pictures for place, series in some.items()}
    tracks: list[AlignedTrack] = []
    for track in asked.tracks:
        session = known[track.capture_session_id]
        name = _sensor_name(session, track)
        series = found.get((track.capture_session_id, track.sensor_id, track.signal))
        origin = _origin(reading, session, track, times)
        if series is not None and origin is not None:
            tracks.append(
                _track(track, session, name, series, origin, physical=_is_physical(asked))
            )
    return ComparedTelemetry(tracks=tracks, missing=reading.missing)


def _is_physical(asked: TelemetryComparison) -> bool:
    return asked.values == "physical"


async def _pictures(
    reading: Reading, session_id: UUID, asked: TelemetryComparison
) -> dict[tuple[UUID, UUID, str], dict[str, Any]]:
    """The pictures of all tracks of a session, in one call."""
    of_session = [track for track in asked.tracks if track.capture_session_id == session_id]
    series = await reading.telemetry(
        session_id,
        sensor_ids=sorted({track.sensor_id for track in of_session}),
        signals=sorted({track.signal for track in of_session}),
        points=asked.points,
        values="both" if _is_physical(asked) else "raw",
    )
    return {(session_id, UUID(one["sensor_id"]), one["signal"]): one for one in series or []}


def _sensor_name(session: Mapping[str, Any], track: Track) -> str:
    for sensor in session["sensors"]:
        if sensor["sensor_id"] == str(track.sensor_id) and any(
            signal["name"] == track.signal for signal in sensor["signals"]
        ):
            return sensor["name"]
    msg = f"The capture session has no signal {track.signal!r} of sensor {track.sensor_id}."
    raise NotFound(msg)


def _origin(
    reading: Reading,
    session: Mapping[str, Any],
    track: Track,
    events: Mapping[UUID, Mapping[str, Any]],
) -> int | None:
    if track.align == "start":
        return _microseconds(session["started_at"])
    event = events.get(track.align)
    if event is None:
        # What could not be read is named already; what was read and has no such event is not there.
        if any(one.part == "capture_sessions" for one in reading.missing):
            return None
        msg = f"The capture session has no event {track.align}."
        raise NotFound(msg)
    return _microseconds(event["time"])


def _microseconds(moment: str) -> int:
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1)


def _track(
    track: Track,
    session: Mapping[str, Any],
    sensor_name: str,
    series: Mapping[str, Any],
    origin: int,
    *,
    physical: bool,
) -> AlignedTrack:
    converted = physical and bool(series["profile_ids"])
    shift = track.offset_us - origin
    return AlignedTrack(
        capture_session_id=track.capture_session_id,
        run_id=UUID(session["run_id"]),
        session_name=session["name"],
        ordinal=session["ordinal"],
        sensor_id=track.sensor_id,
        sensor_name=sensor_name,
        signal=track.signal,
        origin=origin,
        t=[t + shift for t in series["t"]],
        values=series["physical"] if converted else series["raw"],
        kind="physical" if converted else "raw",
        unit=series["unit"],
        count=series["count"],
        exact=series["exact"],
    )
