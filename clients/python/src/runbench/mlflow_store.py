"""Runs of MLflow: a local file store is read as it is, databases and servers through `mlflow`."""

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runbench.history import BadSource, PastRun, Points
from runbench.values import MAX_PARAM_LENGTH, label, metric_key, params

STATUSES = {"FINISHED": "succeeded", "FAILED": "failed"}
FILE_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
MICROSECONDS = 1000
PAGE = 1000

_NOTES, _PARENT = "mlflow.note.content", "mlflow.parentRunId"
_COMMIT, _PROGRAM, _NAME = "mlflow.source.git.commit", "mlflow.source.name", "mlflow.runName"
_OWN_PLACE = (_NOTES, _PARENT, _COMMIT, _PROGRAM, _NAME)


def read_mlflow(store: str) -> list[PastRun]:
    """The runs of a store that are not deleted: a folder (`./mlruns`), `sqlite:///…`, another
    database or a server's address. Raises BadSource.
    """
    folder = _folder(store)
    return list(_folder_runs(folder) if folder is not None else _client_runs(store))


def _folder(store: str) -> Path | None:
    parts = urlsplit(store)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    # A drive letter of Windows is no scheme.
    return None if len(parts.scheme) > 1 else Path(store).expanduser()


# Folders


def _folder_runs(root: Path) -> Iterator[PastRun]:
    if not root.is_dir():
        raise BadSource(f"{root} is no folder")
    metas = sorted(root.glob("*/meta.yaml"))
    if not metas:
        raise BadSource(f"{root} is no MLflow file store: no folder in it has a meta.yaml")
    for meta in metas:
        experiment = _meta(meta)
        if experiment.get("lifecycle_stage") == "deleted":
            continue
        name = experiment.get("name") or meta.parent.name
        for run in sorted(meta.parent.glob("*/meta.yaml")):
            found = _folder_run(run, name)
            if found is not None:
                yield found


def _folder_run(meta: Path, experiment: str) -> PastRun | None:
    facts, folder = _meta(meta), meta.parent
    run_id = facts.get("run_id") or facts.get("run_uuid")
    if not run_id or facts.get("lifecycle_stage") == "deleted":
        return None
    status = facts.get("status", "")
    return _past_run(
        run_id,
        experiment,
        facts.get("run_name"),
        FILE_STATUSES.get(int(status), "") if status.isdigit() else status,
        {"start": _millis(facts.get("start_time")), "end": _millis(facts.get("end_time"))},
        _texts(folder / "params"),
        _texts(folder / "tags"),
        lambda: _folder_points(folder / "metrics"),
        folder / "artifacts",
    )


def _meta(path: Path) -> dict[str, str]:
    """The top level of a meta.yaml: plain scalars, some of them quoted, one a line."""
    found: dict[str, str] = {}
    for line in _read(path).splitlines():
        key, colon, value = line.partition(":")
        if colon and key and not key[0].isspace():
            found[key] = _scalar(value.strip())
    return found


def _scalar(text: str) -> str:
    if text[:1] == text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        import json  # noqa: PLC0415 - only names that YAML has to escape

        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return "" if text in ("null", "~") else text


def _texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _folder_points(folder: Path) -> Iterator[Points]:
    """Each metric's file: a point a line, `milliseconds value step` (old ones have no step)."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        points = Points(metric_key(path.relative_to(folder).as_posix()), [], [], [])
        for number, line in enumerate(_read(path).splitlines(), 1):
            parts = line.split()
            try:
                when, value, step = parts[0], parts[1], parts[2] if len(parts) > 2 else "0"
                points.step.append(int(step))
                points.value.append(float(value))
                points.time.append(int(when) * MICROSECONDS)
            except (IndexError, ValueError):
                raise BadSource(f"{path}, line {number}: {line[:60]!r} is no point") from None
        yield points


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path} cannot be read: {error}") from None


# Databases and servers


def _client_runs(store: str) -> Iterator[PastRun]:
    try:
        tracking: Any = importlib.import_module("mlflow.tracking")
    except ImportError:
        raise BadSource(
            f"reading {store} needs the mlflow package: pip install 'runbench[mlflow]'"
        ) from None
    try:
        client: Any = tracking.MlflowClient(tracking_uri=store)
        for experiment in _pages(client.search_experiments):
            for run in _pages(client.search_runs, [experiment.experiment_id]):
                yield _client_run(client, experiment.name, run)
    except BadSource:
        raise
    except Exception as error:
        raise BadSource(f"{store} cannot be read: {error}") from error


def _pages(search: Any, *arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(*arguments, max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _client_run(client: Any, experiment: str, run: Any) -> PastRun:
    keys = sorted(run.data.metrics)

    def points() -> Iterator[Points]:
        for key in keys:
            history = client.get_metric_history(run.info.run_id, key)
            yield Points(
                metric_key(key),
                [int(point.step) for point in history],
                [float(point.value) for point in history],
                [int(point.timestamp) * MICROSECONDS for point in history],
            )

    return _past_run(
        run.info.run_id,
        experiment,
        run.info.run_name,
        run.info.status,
        {"start": _millis(run.info.start_time), "end": _millis(run.info.end_time)},
        dict(run.data.params),
        dict(run.data.tags),
        points,
        None,
    )


# Both


def _past_run(
    run_id: str,
    experiment: str,
    name: str | None,
    status: str,
    times: dict[str, float | None],
    given: dict[str, str],
    tags: dict[str, str],
    points: Any,
    files: Path | None,
) -> PastRun:
    parent = tags.get(_PARENT)
    kept = {key: value for key, value in tags.items() if key not in _OWN_PLACE}
    long = [key for key, value in given.items() if len(value) > MAX_PARAM_LENGTH]
    if long:
        kept["import.shortened_params"] = label(", ".join(long))
    if status not in STATUSES:
        kept["import.status"] = status
    return PastRun(
        source=f"mlflow:{run_id}",
        experiment=experiment,
        name=name or tags.get(_NAME) or run_id,
        status=STATUSES.get(status, "interrupted"),
        points=points,
        params=params(given),
        tags=kept,
        notes=tags.get(_NOTES, ""),
        parent=f"mlflow:{parent}" if parent else None,
        git_commit=tags.get(_COMMIT),
        program=tags.get(_PROGRAM),
        started_at=times["start"],
        finished_at=times["end"],
        files=files,
    )


def _millis(given: object) -> float | None:
    try:
        seconds = float(str(given)) / 1000
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
