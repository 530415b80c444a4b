"""How commands speak: tables or JSON on stdout, notes and errors on stderr, exit codes."""

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, NoReturn, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

FAILED, USAGE, NOT_ALLOWED, NOT_FOUND, UNREACHABLE = 1, 2, 3, 4, 5

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Project = Annotated[
    str | None,
    typer.Option(
        "--project", "-p", help="Slug, name or id. Default: RUNBENCH_PROJECT, else the token's."
    ),
]

# rich drops colours by itself when the output is piped, and honours NO_COLOR.
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

STATUS_STYLES = {
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "interrupted": "yellow",
    "archived": "dim",
}


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Say what is wrong and end with this exit code."""
    err.print(Text.assemble(("error: ", "bold red"), message))
    raise typer.Exit(code)


def note(message: str) -> None:
    """Something for the person, not for a program that reads stdout."""
    err.print(Text(message))


def as_json(value: object) -> None:
    """Answer in JSON; NaN and infinities as text."""
    text = json.dumps(_finite(value), ensure_ascii=False, indent=2, default=str)
    typer.echo(text)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value).items()
        return {str(key): _finite(inner) for key, inner in entries}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in cast("list[object]", value)]
    return value


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; when piped, plain columns without a frame."""
    if not out.is_terminal:
        for row in ([*columns], *rows):
            typer.echo("\t".join(" ".join(plain(cell).split()) for cell in row))
        return
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(_cell(cell) for cell in row))
    out.print(made)


def _cell(value: object) -> Text:
    text = plain(value)
    return Text(text, style=STATUS_STYLES.get(text, ""))


def plain(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    return str(value)


def ago(moment: object) -> str:
    """An RFC 3339 time as `3 min ago`."""
    seconds = seconds_since(moment)
    if seconds is None:
        return ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def seconds_since(moment: object) -> float | None:
    """Seconds from an RFC 3339 time to now; None for what is none."""
    try:
        then = datetime.fromisoformat(str(moment))
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return (datetime.now(UTC) - then).total_seconds()


def duration(seconds: object) -> str:
    """Seconds as `1 h 02 min`, `3 min 10 s` or `4.2 s`."""
    if not isinstance(seconds, (int, float)):
        return ""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{seconds:.1f} s"


def size(count: float) -> str:
    """Bytes as `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
