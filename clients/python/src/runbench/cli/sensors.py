"""Sensors of a project: list, register, give a new token."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from runbench.cli.output import USAGE, AsJson, Project, ago, as_json, fail, note, out, table
from runbench.cli.session import connect
from runbench.registry import (
    MAX_GRACE_SECONDS,
    find_sensor,
    import_readings,
    register,
    rotate_token,
)

app = typer.Typer(help="Sensors of a project.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="SENSOR", help="Name or id.")]


@app.command("ls")
def ls(
    project: Project = None,
    *,
    q: Annotated[str | None, typer.Option("-q", help="Words in the name.")] = None,
    health: Annotated[str | None, typer.Option(help="online, delayed, offline or never.")] = None,
    json: AsJson = False,
) -> None:
    """List sensors with their health and when something last came from them."""
    session = connect(project)
    found = session.resolve()
    path = f"/api/v1/projects/{found['id']}/sensors"
    listed = list(session.api.items(path, q=q, health=health))
    if json:
        as_json(listed)
        return
    if not listed:
        note(f"no sensors in {found['slug']}" + (" like that" if q or health else " yet"))
        return
    table(
        ("name", "type", "signals", "health", "last", "readings", "id"),
        [
            (
                sensor["name"],
                sensor.get("type"),
                _names(sensor.get("signals")),
                sensor.get("health"),
                ago(sensor.get("last_received_at")),
                sensor.get("readings"),
                sensor["id"],
            )
            for sensor in listed
        ],
    )


@app.command("register")
def register_(
    name: Annotated[str, typer.Argument(help="Unique in the project.")],
    signals: Annotated[
        list[str],
        typer.Argument(metavar="SIGNAL[:UNIT[:SHOWN]]…", help="Such as load:V:kN or temperature."),
    ],
    *,
    kind: Annotated[str | None, typer.Option("--type", help="Such as thermocouple.")] = None,
    description: Annotated[
        str | None, typer.Option(help="Where it is and what it measures.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Readings a second that each signal should have.")
    ] = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Register a sensor and print its token, which is shown this once."""
    described = [_signal(given, rate) for given in signals]
    session = connect(project)
    body = {"name": name, "signals": described, "type": kind, "description": description}
    given = {field: value for field, value in body.items() if value is not None}
    made = register(session.api, session.resolve(), given)
    if json:
        as_json(made)
        return
    out.print(made["token"], markup=False)
    note(f"{made['name']} is registered. Keep the token, it is not shown again.")


@app.command("import")
def import_(
    sensor: Name,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or Parquet.")
    ],
    *,
    time_unit: Annotated[
        str, typer.Option(help="Of times that are numbers: auto, s, ms, us or ns.")
    ] = "auto",
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out columns that are no signals.")
    ] = False,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Store readings that were recorded offline; the same file again changes nothing."""
    session = connect(project)
    found = find_sensor(session.api, session.resolve(), sensor)
    answer = import_readings(
        session.api, found["id"], file, time_unit=time_unit, ignore_unknown=ignore_unknown
    )
    if json:
        as_json(answer)
    else:
        _tell(answer)
    if answer["rejected_count"] or answer.get("set_aside"):
        raise typer.Exit(1)


def _tell(answer: dict[str, Any]) -> None:
    duplicates = answer["duplicates"]
    already = f", {duplicates} of them were there already" if duplicates else ""
    note(f"{answer['accepted']} readings are stored{already}")
    if answer["rejected_count"]:
        note(f"{answer['rejected_count']} were refused:")
        rows = [(each["index"], each["signal"], each["reason"]) for each in answer["rejected"]]
        table(("row", "signal", "reason"), rows)
    if aside := answer.get("set_aside"):
        note(f"{aside} could not be stored; the server keeps them with the reason")


@app.command("rotate-token")
def rotate(
    sensor: Name,
    *,
    grace: Annotated[
        int,
        typer.Option(min=0, max=MAX_GRACE_SECONDS, help="Seconds that earlier tokens stay good."),
    ] = 86_400,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Give a sensor a new token and print it; the earlier ones end after the grace."""
    session = connect(project)
    found = find_sensor(session.api, session.resolve(), sensor)
    made = rotate_token(session.api, found["id"], grace)
    if json:
        as_json(made)
        return
    out.print(made["token"], markup=False)
    note(f"{found['name']} has a new token, not shown again; earlier ones end in {grace} s.")


def _signal(given: str, rate: float | None) -> dict[str, object]:
    name, _, units = given.partition(":")
    unit, _, shown = units.partition(":")
    if not name.strip():
        fail(f"{given!r} names no signal", USAGE)
    made: dict[str, object] = {"name": name.strip()}
    if unit:
        made["input_unit"] = unit
    if shown or unit:
        made["display_unit"] = shown or unit
    if rate is not None:
        made["expected_rate_hz"] = rate
    return made


def _names(signals: object) -> str:
    listed = cast("list[dict[str, Any]]", signals or [])
    return ", ".join(str(signal["name"]) for signal in listed)
