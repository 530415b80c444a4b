"""Sensors as the server knows them: found, registered, given new tokens."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runbench.api import Api
from runbench.progress import Bar
from runbench.simulation import Device

MAX_GRACE_SECONDS = 604_800
BLOCK_BYTES = 1 << 20


def find_sensor(api: Api, project: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    """The sensor of a project that is meant, by id or name. Raises LookupError, ApiError,
    Unreachable.
    """
    found = _named(api, project, wanted)
    if found is None and _is_id(wanted):
        found = api.get(f"/api/v1/sensors/{wanted}")
    if found is None:
        raise LookupError(f"there is no sensor {wanted!r} in {project['slug']}")
    return found


def sensor_ids(api: Api, project: Mapping[str, Any], wanted: Iterable[str]) -> list[str]:
    """The ids of sensors given by id or name. Raises LookupError, ApiError, Unreachable."""
    return [each if _is_id(each) else str(find_sensor(api, project, each)["id"]) for each in wanted]


def register(api: Api, project: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """A new sensor; its token stands in `token`, once. Raises ApiError, Unreachable."""
    key = str(uuid.uuid4())
    made = api.post(f"/api/v1/projects/{project['id']}/sensors", dict(body), key=key)
    if made["token"] is None:
        # The answer that showed it was lost on the way, and the repeat shows it no more.
        made |= {"token": rotate_token(api, made["id"], 0)["token"]}
    return made


def rotate_token(api: Api, sensor_id: str, grace_seconds: int) -> dict[str, Any]:
    """A new token, in `token`; those before it end after the grace. Raises ApiError,
    Unreachable.
    """
    path = f"/api/v1/sensors/{sensor_id}/tokens"
    while True:
        made = api.post(path, {"grace_seconds": grace_seconds}, key=str(uuid.uuid4()))
        # Null where the answer that showed it was lost on the way, and a repeat came back.
        if made["token"] is not None:
            return made


def import_readings(
    api: Api,
    sensor_id: str,
    file: Path,
    *,
    time_unit: str = "auto",
    ignore_unknown: bool = False,
) -> dict[str, Any]:
    """Store a CSV or Parquet file of readings; what became of it, row by row where something was
    refused. Raises ApiError, Unreachable, OSError.
    """
    size = file.stat().st_size
    with Bar(file.name, size, of_bytes=True) as bar:

        def pieces() -> Iterator[bytes]:
            with file.open("rb") as opened:
                while piece := opened.read(BLOCK_BYTES):
                    yield piece
                    bar.advance(len(piece))

        return api.post_content(
            f"/api/v1/sensors/{sensor_id}/imports",
            pieces(),
            size,
            time_unit=time_unit,
            ignore_unknown="true" if ignore_unknown else None,
        )


def token_for_device(api: Api, project: Mapping[str, Any], device: Device, start: int) -> str:
    """A token for a simulated sensor. One that is new is registered, with the profiles of its
    signals, valid from the start (µs since 1970); of one that is there the token is rotated.
    """
    known = _named(api, project, device.name)
    if known is not None:
        return str(rotate_token(api, known["id"], 60)["token"])
    made = register(api, project, description(device))
    for signal in device.signals:
        if signal.profile is None:
            continue
        profile = {"signal": signal.name, "unit": signal.display_unit, **signal.profile}
        draft = api.post(f"/api/v1/sensors/{made['id']}/profiles", profile)
        body = {"valid_from": rfc3339(start)}
        api.post(f"/api/v1/profiles/{draft['id']}/publish", body)
    return str(made["token"])


def description(device: Device) -> dict[str, Any]:
    """What a simulated sensor is registered with."""
    return {
        "name": device.name,
        "type": device.type,
        "description": f"{device.description} Simulated by `runbench simulate`.",
        "tags": {"simulated": "yes", **device.tags},
        "signals": [
            {
                "name": signal.name,
                "title": signal.title,
                "input_unit": signal.input_unit,
                "display_unit": signal.display_unit,
                "expected_rate_hz": signal.rate,
            }
            for signal in device.signals
        ],
    }


def rfc3339(moment: int) -> str:
    """µs since 1970 as the server writes times."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - this alone needs it

    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _named(api: Api, project: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    listed = api.items(f"/api/v1/projects/{project['id']}/sensors", q=name, limit=200)
    return next((each for each in listed if each["name"].casefold() == name.casefold()), None)


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
