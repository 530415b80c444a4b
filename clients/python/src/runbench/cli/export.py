"""`runbench export`: every point of a run's metrics as a file."""

from pathlib import Path
from typing import Annotated

import typer

from runbench.cli.output import USAGE, AsJson, Project, as_json, fail, out, size
from runbench.cli.runs import Reference
from runbench.cli.session import connect
from runbench.reading import FORMATS, FileFormat


def export(
    run: Reference,
    path: Annotated[Path, typer.Argument(help="The file to write: .parquet, .arrow or .csv.")],
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[METRIC]…", help="Default: all of them.")
    ] = None,
    *,
    format: Annotated[
        FileFormat | None, typer.Option(help="Where the file's name does not say it.")
    ] = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Write every point of a run's metrics to a file: key, step, value, time."""
    if format is None and path.suffix.lstrip(".").lower() not in FORMATS:
        fail(f"{path.name} ends in no known format; use --format or .parquet, .arrow, .csv", USAGE)
    stored = connect(project).run(run)
    stored.export(path, *(keys or []), format=format)
    written = path.stat().st_size
    if json:
        as_json({"run": stored.id, "path": str(path), "bytes": written})
        return
    out.print(f"{stored.name}: {size(written)} in {path}", markup=False)
