"""Metrics of a run."""

from typing import Annotated

import typer

from runbench.cli.output import AsJson, Project, as_json, table
from runbench.cli.runs import Reference
from runbench.cli.session import connect

app = typer.Typer(help="Metrics of a run.", no_args_is_help=True)


@app.command("ls")
def ls(
    run: Reference,
    q: Annotated[str | None, typer.Option("-q", help="Part of the name.")] = None,
    *,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """List a run's metrics with their latest value and range."""
    found = connect(project).run(run).metrics(q=q)
    if json:
        as_json(list(found.values()))
        return
    table(
        ("metric", "points", "last step", "last", "min", "max"),
        [(m.key, m.count, m.last_step, m.last_value, m.min, m.max) for m in found.values()],
    )


@app.command("get")
def get(
    run: Reference,
    keys: Annotated[list[str], typer.Argument(metavar="METRIC…")],
    *,
    points: Annotated[
        int, typer.Option(min=4, max=10_000, help="At most so many; extremes are kept.")
    ] = 2000,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Print the points of metrics: metric, step, value, time (µs since 1970)."""
    stored = connect(project).run(run)
    found = stored.series(*keys, points=points)
    missing = [key for key in keys if key not in found or not found[key].count]
    if missing:
        raise LookupError(f"{stored.name} has no metric {missing[0]!r}; see `runbench metrics ls`")
    if json:
        as_json(list(found.values()))
        return
    table(
        ("metric", "step", "value", "time"),
        [
            (key, step, repr(value), when)
            for key, series in found.items()
            for step, value, when in zip(series.step, series.value, series.time, strict=True)
        ],
    )
