"""Bring to the server what earlier processes left in the spool."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from runbench import settings
from runbench.api import Api, ApiError, Unreachable
from runbench.file_sender import for_good, park
from runbench.file_upload import Hooks, send_file
from runbench.messages import Voice
from runbench.outbox import Changed, Outgoing, outbox_of
from runbench.parallel import each
from runbench.recorder import Backoff
from runbench.sensor import PREFIX, key_id
from runbench.sensor_upload import SensorUploader
from runbench.spool import Busy, Spool, files_wait, leftovers, sensor_of
from runbench.upload import Blocked, Uploader, explained
from runbench.values import json_object

TRIES = 5
FILE_THREADS = 4

Result: TypeAlias = Literal["sent", "recording", "refused", "unreachable", "unreadable"]


class Outcome(NamedTuple):
    """What became of one spool. refused counts the records that the server will never take and
    that are kept aside; damaged_bytes could not be read.
    """

    folder: Path
    name: str
    result: Result
    reason: str = ""
    run_id: str | None = None
    records: int = 0
    refused: int = 0
    damaged_bytes: int = 0
    files: int = 0


def sync(
    root: Path,
    *,
    url: str | None = None,
    sensor_token: str | None = None,
    discard_refused: bool = False,
    on_record: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Send every spool below root that no process holds; those that arrived whole are removed.

    Runs go to the server that they were recorded for, or to url where that is not yet decided, with
    the token that belongs to that server. Readings go with RUNBENCH_SENSOR_TOKEN where that is the
    one they were sent with, or with sensor_token: a newer one of the only sensor that has some
    left. Doing it twice adds nothing.
    """
    of_sensors = {sensor for folder in leftovers(root) if (sensor := sensor_of(folder))}
    tokens = {key_id(token): token for token in (settings.sensor_token(), sensor_token) if token}
    if sensor_token and len(of_sensors - tokens.keys()) == 1:
        tokens[(of_sensors - tokens.keys()).pop()] = sensor_token
    away: set[str] = set()
    outcomes: list[Outcome] = []
    for folder in leftovers(root):
        try:
            spool = Spool.open(folder)
        except Busy:
            outcomes.append(Outcome(folder, folder.name, "recording"))
            continue
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            outcomes.append(Outcome(folder, folder.name, "unreadable", str(error)))
            continue
        if spool.manifest.get("sensor"):
            outcome = _send_readings(spool, folder, url, tokens, away, on_record)
            outcomes.append(_settle(spool, outcome, discard_refused=discard_refused))
            continue
        outcomes.append(_send(spool, folder, url, away, discard_refused, on_record))
    return outcomes


def send_before_resuming(folder: Path) -> None:
    """Send what an earlier process left of a run that goes on; it is not ended by that."""
    try:
        spool = Spool.open(folder)
    except (Busy, OSError, ValueError):
        return
    spool.manifest["finished"] = True
    spool.save_manifest()
    _send(spool, folder, None, set(), False, lambda _: None)  # noqa: FBT003 - passed on


def _send(
    spool: Spool,
    folder: Path,
    url: str | None,
    away: set[str],
    discard_refused: bool,  # noqa: FBT001 - passed on
    on_record: Callable[[Outcome], None],
) -> Outcome:
    manifest = spool.manifest
    target = manifest.get("url") or url or settings.server_url()
    if url is not None and not manifest.get("run_id"):
        target = manifest["url"] = url
    outcome = Outcome(folder, _name(spool), "sent", run_id=manifest.get("run_id"))
    if target in away:
        gone = outcome._replace(result="unreachable", reason=f"{target} does not answer")
        return _settle(spool, gone, discard_refused=False)
    try:
        with Api(target, settings.token_for(target)) as api:
            uploader = Uploader(api, spool, Voice(quiet=True))
            patiently(uploader.create)
            records = 0
            while (record := spool.peek()) is not None:
                patiently(lambda record=record: uploader.send(record))
                records += 1
                outcome = outcome._replace(
                    name=_name(spool), run_id=uploader.run_id, records=records
                )
                on_record(outcome)
            outcome = _send_files(uploader, folder, outcome, on_record)
            if not manifest.get("finished"):
                patiently(lambda: _end(uploader))
                manifest["finished"] = True
                spool.save_manifest()
            outcome = outcome._replace(name=_name(spool), run_id=uploader.run_id)
    except (Blocked, Unreachable, ApiError, OSError, ValueError, KeyError) as error:
        outcome = _failed(outcome, error, target, away)
    return _settle(spool, outcome, discard_refused=discard_refused)


def _send_files(
    uploader: Uploader,
    folder: Path,
    outcome: Outcome,
    on_record: Callable[[Outcome], None],
) -> Outcome:
    """The files of a run, several at once; those that the server refuses are kept aside."""
    if not files_wait(folder):
        return outcome
    outbox = outbox_of(folder, limit=0)
    outbox.load()
    done = outcome.files

    def send(entry: Outgoing) -> None:
        nonlocal done
        hooks = Hooks(keep=partial(outbox.remember, entry))
        try:
            patiently(lambda: _one_file(uploader, entry, hooks))
        except Changed as error:
            park(uploader.spool, outbox, entry, str(error))
        except ApiError as error:
            if error.passing:
                raise
            if not for_good(error):
                raise Blocked(explained(error, uploader.api.url)) from error
            park(uploader.spool, outbox, entry, str(error))
        else:
            outbox.sent(entry)
            done += 1
            on_record(outcome._replace(run_id=uploader.run_id, files=done))

    entries = iter(outbox.take, None)
    each(entries, send, threads=FILE_THREADS, name="runbench-files")
    return outcome._replace(files=done)


def _one_file(uploader: Uploader, entry: Outgoing, hooks: Hooks) -> None:
    send_file(uploader.api, str(uploader.run_id), entry, hooks)


def _send_readings(
    spool: Spool,
    folder: Path,
    url: str | None,
    tokens: dict[str, str],
    away: set[str],
    on_record: Callable[[Outcome], None],
) -> Outcome:
    target = spool.manifest.get("url") or url or settings.server_url()
    sensor = str(spool.manifest["sensor"])
    outcome = Outcome(folder, f"sensor {sensor}", "sent")
    token = tokens.get(sensor)
    if token is None:
        reason = (
            f"needs the token {PREFIX}{sensor}_…: set RUNBENCH_SENSOR_TOKEN, or give a newer one "
            "with --sensor-token"
        )
        return outcome._replace(result="refused", reason=reason)
    if target in away:
        return outcome._replace(result="unreachable", reason=f"{target} does not answer")
    try:
        with Api(target, token) as api:
            uploader = SensorUploader(api, spool, Voice(quiet=True))
            while (record := spool.peek()) is not None:
                patiently(lambda record=record: uploader.send(record))
                outcome = outcome._replace(records=outcome.records + 1)
                on_record(outcome)
    except (Blocked, Unreachable, ApiError, OSError, ValueError, KeyError) as error:
        return _failed(outcome, error, target, away)
    return outcome


def _failed(outcome: Outcome, error: Exception, target: str, away: set[str]) -> Outcome:
    if isinstance(error, Blocked):
        return outcome._replace(result="refused", reason=str(error))
    if isinstance(error, (Unreachable, ApiError)):
        # A 500 may be about this run alone; the others have their turn.
        if isinstance(error, Unreachable) or error.status != 500:
            away.add(target)
        return outcome._replace(result="unreachable", reason=str(error))
    return outcome._replace(result="unreadable", reason=f"{type(error).__name__}: {error}")


def _settle(spool: Spool, outcome: Outcome, *, discard_refused: bool) -> Outcome:
    """Remove a spool that arrived whole, let go of any other."""
    try:
        if outcome.result != "sent":
            return outcome
        refused = spool.refused_count()
        if not refused or discard_refused:
            spool.delete()
        return outcome._replace(refused=refused, damaged_bytes=spool.damaged_bytes)
    finally:
        spool.close()


def _end(uploader: Uploader) -> None:
    """A run whose process died without ending it was interrupted."""
    path = f"/api/v1/runs/{uploader.run_id}"
    try:
        if uploader.status() == "running":
            uploader.api.patch(path, {"status": "interrupted"})
    except ApiError as error:
        if error.passing:
            raise


def _name(spool: Spool) -> str:
    manifest = spool.manifest
    name = manifest.get("run_name") or json_object(manifest.get("body")).get("name")
    return str(name or manifest.get("key") or "?")


def patiently(step: Callable[[], None]) -> None:
    """Try until it works, at most TRIES times."""
    pause = Backoff()
    for tries in range(1, TRIES + 1):
        try:
            step()
        except (Unreachable, ApiError) as error:
            if tries == TRIES:
                raise
            time.sleep(pause.next(error.retry_after if isinstance(error, ApiError) else None))
        else:
            return
