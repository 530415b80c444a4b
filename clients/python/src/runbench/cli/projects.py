"""Projects."""

from typing import Annotated

import typer

from runbench.cli.output import AsJson, ago, as_json, table
from runbench.cli.session import connect

app = typer.Typer(help="Projects that you may see.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Projects that you may see."""


@app.command("ls")
def ls(
    q: Annotated[str | None, typer.Option("-q", help="Words in the name.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """List your projects."""
    session = connect()
    found = list(session.api.items("/api/v1/projects", q=q))
    if json:
        as_json(found)
        return
    table(
        ("project", "name", "your role", "changed"),
        [(p["slug"], p["name"], p.get("role"), ago(p.get("updated_at"))) for p in found],
    )
