"""`runbench compare` and `runbench check`: runs side by side, and whether they keep to rules."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from runbench.api import ApiError, Unreachable
from runbench.checking import BadRules, RuleFile, Verdict, check_at, read_rules
from runbench.cli.output import FAILED, AsJson, Project, as_json, fail, note, out, plain, table
from runbench.cli.session import connect
from runbench.comparing import Comparison, compare_at
from runbench.settings import BadSetting
from runbench.values import json_object

BROKEN = 2

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


def check(
    runs: References,
    *,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", "-r", help="Such as 'max(loss) <= baseline + 2%' (repeatable)."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="A file of rules: TOML, JSON or YAML.")
    ] = None,
    baseline: Baseline = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Check runs against rules, for CI: exits with 0 when all are kept, with 1 when one is broken,
    with 2 when that cannot be said.

    A rule is FIGURE(NAME) OPERATOR LIMIT: last(val/acc) >= 0.9, max(loss) <= baseline + 2%,
    p95(imu.ax) < 3, param(optimizer) == "adam". Without --baseline that of the experiment is meant.
    """
    try:
        given = read_rules(rules) if rules is not None else RuleFile(None, [])
        wanted = [*given.rules, *(rule or [])]
        if not wanted:
            raise BadRules("give --rule or --rules")  # noqa: TRY301 - as from the file
        session = connect(project)
        against = baseline or given.baseline
        verdict = check_at(session.api, session.project, list(runs), wanted, baseline=against)
    except (BadRules, BadSetting, ApiError, Unreachable, LookupError, OSError) as error:
        fail(str(error.args[0] if isinstance(error, LookupError) else error), BROKEN)
    except typer.Exit:
        raise typer.Exit(BROKEN) from None
    if json:
        as_json(verdict.data)
    else:
        _tell(verdict)
    if not verdict.passed:
        raise typer.Exit(BROKEN if verdict.unknown else FAILED)


def _tell(verdict: Verdict) -> None:
    results = verdict.results
    several = len({result["run_id"] for result in results}) > 1
    for result in results:
        run = f"{result['run_id']}  " if several else ""
        unit = f" {result['unit']}" if result.get("unit") else ""
        numbers = [
            f"{name} {_number(result[name])}{unit}"
            for name in ("value", "limit", "baseline")
            if result.get(name) is not None
        ]
        said = "; ".join([*filter(None, [", ".join(numbers), result.get("reason")])])
        mark = "pass" if result["passed"] else "FAIL"
        out.print(f"{mark}  {run}{result['rule']}  [{said}]", markup=False)
    kept = sum(bool(result["passed"]) for result in results)
    out.print(f"{kept} of {len(results)} rules are kept", markup=False)
    for gap in verdict.missing:
        note(f"not read: {gap.get('part')}: {gap.get('reason')}")


def _number(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else plain(value)
