"""`runbench compare`: runs side by side."""

from typing import Annotated, Any, cast

import typer

from runbench.cli.output import AsJson, Project, as_json, note, plain, table
from runbench.cli.session import connect
from runbench.comparing import Comparison, compare_at
from runbench.values import json_object

References = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN…", help="Id (or one end of it), name, @latest, @best:METRIC or @best:-METRIC."
    ),
]
Baseline = Annotated[
    str | None, typer.Option("--baseline", "-b", metavar="RUN", help="Compare with this run.")
]


def compare(
    runs: References,
    *,
    only_diff: Annotated[bool, typer.Option("--only-diff", help="Only what differs.")] = False,
    baseline: Baseline = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Put runs side by side: params, tags, environment, metrics, files.

    What differs comes first. The best run of a metric has a *, and next to a value stands how far
    it is from the baseline's.
    """
    session = connect(project)
    found = compare_at(session.api, session.project, list(runs), baseline=baseline)
    if json:
        as_json(found.data)
        return
    names = found.names
    rows = found.table(only_different=only_diff)
    marks = _marks(found)
    table(
        ("", "key", *names),
        [(row["part"], row["key"], *(_told(row, name, marks) for name in names)) for row in rows],
    )
    if not rows:
        note("nothing differs" if only_diff else "there is nothing to compare")
    for gap in found.missing:
        note(f"not read: {gap.get('part')}: {gap.get('reason')}")
    for part, count in found.data.get("omitted", {}).items():
        if count:
            note(f"{count} more rows of {part} are not shown")


def _marks(found: Comparison) -> dict[tuple[str, str], str]:
    """What stands behind the values of metrics, by key and run's name."""
    marks: dict[tuple[str, str], str] = {}
    for entry in cast("list[dict[str, Any]]", found.data.get("metrics") or []):
        for run_id, name, delta in zip(found.ids, found.names, entry["deltas"], strict=True):
            relative = json_object(delta).get("relative")
            far = f" ({relative:+.2%})" if relative is not None and run_id != found.baseline else ""
            star = " *" if run_id == entry.get("best_run_id") else ""
            marks[entry["key"], name] = star + far
    return marks


def _told(row: dict[str, Any], name: str, marks: dict[tuple[str, str], str]) -> str:
    if row[name] is None:
        return "–"
    mark = marks.get((row["key"], name), "") if row["part"] == "metrics" else ""
    return plain(row[name]) + mark
