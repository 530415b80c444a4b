"""Capture sessions of a run: start, stop, mark."""

from typing import Annotated, Any, cast

import typer

from runbench.api import Api
from runbench.captures import Capture, active_capture, start_capture
from runbench.cli.output import AsJson, Project, ago, as_json, out, table
from runbench.cli.runs import Reference
from runbench.cli.session import connect

app = typer.Typer(help="Record the sensors of a run.", no_args_is_help=True)


@app.command("start")
def start(
    run: Reference,
    *,
    sensor: Annotated[
        list[str] | None,
        typer.Option("--sensor", "-s", help="Name or id (repeatable). Default: those of the run."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What is recorded.")] = None,
    note: Annotated[str | None, typer.Option(help="A note in Markdown.")] = None,
    pin_profiles: Annotated[
        bool, typer.Option("--pin-profiles", help="Keep the conversion profiles of now for ever.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Stops by itself after so long.")
    ] = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Start a capture session of a running run."""
    session = connect(project)
    started = start_capture(
        session.api,
        session.run(run).data,
        sensors=sensor,
        name=name,
        note=note,
        pin_profiles=pin_profiles,
        stop_after=seconds,
    )
    if json:
        as_json(started.data)
        return
    out.print(f"session {started.ordinal} records {_names(started.data)}", markup=False)


@app.command("stop")
def stop(run: Reference, project: Project = None, *, json: AsJson = False) -> None:
    """Stop the run's capture session."""
    session = connect(project)
    ended = _active(session.api, session.run(run).id).stop()
    if json:
        as_json(ended)
        return
    out.print(f"session {ended['ordinal']} is stopped", markup=False)


@app.command("mark")
def mark(
    run: Reference,
    text: Annotated[str, typer.Argument(help="What happens now.")],
    *,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Put an event on the timeline of the run's capture session, now."""
    session = connect(project)
    made = _active(session.api, session.run(run).id).event(text)
    if json:
        as_json(made)
        return
    out.print(f"marked: {text}", markup=False)


@app.command("ls")
def ls(run: Reference, project: Project = None, *, json: AsJson = False) -> None:
    """List a run's capture sessions."""
    session = connect(project)
    run_id = session.run(run).id
    listed = list(session.api.items(f"/api/v1/runs/{run_id}/capture-sessions"))
    if json:
        as_json(listed)
        return
    table(
        ("session", "name", "status", "started", "sensors", "id"),
        [
            (
                each["ordinal"],
                each.get("name"),
                each["status"],
                ago(each.get("started_at")),
                _names(each),
                each["id"],
            )
            for each in listed
        ],
    )


def _active(api: Api, run_id: str) -> Capture:
    found = active_capture(api, run_id)
    if found is None:
        raise LookupError("no capture session of this run is recording")
    return found


def _names(session: dict[str, Any]) -> str:
    sensors = cast("list[dict[str, Any]]", session.get("sensors") or [])
    return ", ".join(str(sensor["name"]) for sensor in sensors)
