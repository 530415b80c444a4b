"""Runs: list, show, open, tag."""

import webbrowser
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from runbench.cli.output import (
    FAILED,
    USAGE,
    AsJson,
    Project,
    ago,
    as_json,
    duration,
    fail,
    note,
    out,
    plain,
    seconds_since,
    table,
)
from runbench.cli.session import connect
from runbench.values import json_object

METRIC_COLUMNS = 4

app = typer.Typer(help="Runs of a project.", no_args_is_help=True)

Reference = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Id (or one end of it), name, @latest, @best:METRIC or @best:-METRIC (smallest).",
    ),
]


@app.command("ls")
def ls(
    project: Project = None,
    *,
    experiment: Annotated[
        str | None, typer.Option("--experiment", "-x", help="Only this experiment.")
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option("--status", help="Only this status (repeatable).")
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="KEY or KEY=VALUE.")] = None,
    q: Annotated[str | None, typer.Option("-q", help="Words in the name.")] = None,
    sort: Annotated[
        str, typer.Option("--sort", help="Such as -created_at, name, metrics.loss.")
    ] = "-created_at",
    filter: Annotated[
        str | None,
        typer.Option(
            "--filter", "-f", help="Such as 'metrics.loss < 0.2 and params.optimizer = \"adam\"'."
        ),
    ] = None,
    order_by: Annotated[
        list[str] | None,
        typer.Option("--order-by", help="Such as 'metrics.loss asc' (repeatable), not --sort."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = 20,
    columns: Annotated[
        str | None, typer.Option("--columns", "-o", help="Such as name,status,loss,lr.")
    ] = None,
    json: AsJson = False,
) -> None:
    """List runs, newest first."""
    session = connect(project)
    found = session.resolve()
    base = f"/api/v1/projects/{found['id']}"
    experiment_id = None
    if experiment is not None:
        named = next(iter(session.api.items(f"{base}/experiments", name=experiment, limit=1)), None)
        if named is None:
            raise LookupError(f"there is no experiment {experiment!r} in {found['slug']}")
        experiment_id = named["id"]
    listed = list(
        session.api.items(
            f"{base}/runs",
            limit=limit,
            experiment_id=experiment_id,
            status=status or None,
            tag=tag,
            q=q,
            sort=None if order_by else sort,
            filter=filter,
            order_by=order_by or None,
        )
    )
    if json:
        as_json(listed)
        return
    if not listed:
        note(
            f"no runs in {found['slug']}"
            + (" like that" if q or tag or status or filter else " yet")
        )
        return
    chosen = [c.strip() for c in columns.split(",") if c.strip()] if columns else _usual(listed)
    table(chosen, [[_field(run, column) for column in chosen] for run in listed])


@app.command("show")
def show(run: Reference, project: Project = None, *, json: AsJson = False) -> None:
    """Show one run: what it is, its params, latest metrics, tags and notes."""
    found = connect(project).run(run)
    if json:
        as_json({**found.data, "url": found.url})
        return
    data = found.data
    facts = {
        "status": data["status"],
        "experiment": data.get("experiment_name"),
        "created": f"{data.get('created_at', '')} ({ago(data.get('created_at'))})",
        "duration": duration(_seconds(data)),
        "commit": _commit(data),
        "source": data.get("source"),
        "host": data.get("host"),
        "id": data["id"],
        "url": found.url,
    }
    out.print(found.name, style="bold", markup=False)
    _block(None, facts)
    _block("params", found.params)
    _block("metrics", found.latest)
    _block("tags", found.tags)
    if data.get("notes"):
        out.print("\nnotes", style="bold")
        out.print(data["notes"], markup=False)


@app.command("open")
def open_(run: Reference, project: Project = None, *, json: AsJson = False) -> None:
    """Open a run in the browser."""
    found = connect(project).run(run)
    if json:
        as_json({"url": found.url})
        return
    out.print(found.url, markup=False)
    if not webbrowser.open(found.url):
        fail("there is no browser to open; the address is above", FAILED)


@app.command("tag")
def tag(
    run: Reference,
    tags: Annotated[list[str] | None, typer.Argument(metavar="KEY[=VALUE]…")] = None,
    *,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", "-r", help="A tag to remove (repeatable).")
    ] = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Set tags of a run, or remove them."""
    changes: dict[str, str | None] = dict.fromkeys(remove or [])
    for given in tags or []:
        key, _, value = given.partition("=")
        changes[key] = value
    if not changes:
        fail("say which tags: KEY, KEY=VALUE, or --remove KEY", USAGE)
    session = connect(project)
    found = session.run(run)
    data = session.api.patch(f"/api/v1/runs/{found.id}", {"tags": changes})
    if json:
        as_json(data)
        return
    _block("tags", data.get("tags") or {})


def _usual(runs: list[dict[str, Any]]) -> list[str]:
    keys = Counter(
        key
        for run in runs
        for key in json_object(run.get("metrics"))
        if not key.startswith("system/")
    )
    return ["name", "status", "experiment", "created", "duration"] + [
        key for key, _ in keys.most_common(METRIC_COLUMNS)
    ]


def _field(run: dict[str, Any], column: str) -> object:
    """What a column shows: an attribute, `params.lr`, or a bare metric, param or tag."""
    if column in _MADE:
        return _MADE[column](run)
    kind, _, key = column.partition(".")
    if kind in _KINDS and key:
        return _shown(kind, json_object(run.get(kind)).get(key))
    if column in run and not isinstance(run[column], dict):
        return run[column]
    kind = next((kind for kind in _KINDS if column in json_object(run.get(kind))), None)
    return _shown(kind, run[kind][column]) if kind else None


def _shown(kind: str, value: Any) -> object:
    return float(value) if kind == "metrics" and value is not None else value


def _commit(run: Mapping[str, Any]) -> str:
    sha = run.get("git_commit")
    if not sha:
        return ""
    branch = f" on {run['git_branch']}" if run.get("git_branch") else ""
    return f"{sha[:10]}{branch}" + (" with changes" if run.get("git_dirty") else "")


def _seconds(run: Mapping[str, Any]) -> object:
    """How long a run took, or takes so far."""
    if run.get("status") == "running" and run.get("started_at"):
        return seconds_since(run["started_at"])
    return run.get("duration_seconds")


_KINDS = ("metrics", "params", "tags")
_MADE: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    "experiment": lambda run: run.get("experiment_name"),
    "created": lambda run: ago(run.get("created_at")),
    "started": lambda run: ago(run.get("started_at")),
    "duration": lambda run: duration(_seconds(run)),
    "commit": _commit,
}


def _block(title: str | None, entries: dict[str, Any]) -> None:
    shown = {key: plain(value) for key, value in entries.items() if plain(value) or title}
    if not shown:
        return
    if title:
        out.print(f"\n{title}", style="bold")
    width = min(max(len(key) for key in shown), 40)
    for key, value in shown.items():
        out.print(f"  {key:<{width}}  {value}", markup=False)
