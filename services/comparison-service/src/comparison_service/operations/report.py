"""A report: one HTML file without scripts, which reads as well on paper."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from comparison_service.models.export import ComparisonExport
from comparison_service.models.runs import ArtifactRow, ComparedRuns, MetricRow, ValueRow
from comparison_service.models.selection import Scalar
from comparison_service.models.series import ComparedSeries
from comparison_service.operations.drawing import COLOURS, draw

MAX_ROWS = 300
_STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{font:14px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;margin:2rem auto;
max-width:75rem;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.note{white-space:pre-wrap;border-left:3px solid #c8ced6;padding-left:1rem;margin:1rem 0}
.faint{color:#59636e}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{border-bottom:1px solid #dde1e6;padding:.3rem .6rem;text-align:left;vertical-align:top;
overflow-wrap:anywhere}
thead th{border-bottom:2px solid #59636e}tr.same td,tr.same th{color:#59636e}
td.none{color:#8b949e}td.best{font-weight:700}
.warning{border:1px solid #b35900;padding:.5rem 1rem;border-radius:4px}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(26rem,1fr));gap:1rem}
figure{margin:0;break-inside:avoid}figcaption{font-weight:600}svg{width:100%;height:auto}
@media print{body{margin:0;max-width:none;font-size:10pt}h2{break-after:avoid}
tr{break-inside:avoid}.scroll{overflow:visible}}
"""
# Nothing is loaded and nothing runs, whatever somebody called a run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def report(
    asked: ComparisonExport, runs: ComparedRuns, series: ComparedSeries, *, at: datetime
) -> str:
    """The file's text."""
    return "".join(_parts(asked, runs, series, at))


def _parts(
    asked: ComparisonExport, runs: ComparedRuns, series: ComparedSeries, at: datetime
) -> Iterator[str]:
    title = escape(asked.title)
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="faint">{len(runs.runs)} runs · made {at:%Y-%m-%d %H:%M} UTC by Runbench</p>'
    )
    if asked.notes:
        yield f'<div class="note">{escape(asked.notes)}</div>'
    if runs.missing:
        items = "".join(
            f"<li>{escape(one.part)}: {escape(one.reason)}</li>" for one in runs.missing
        )
        yield f'<div class="warning"><strong>Not complete</strong><ul>{items}</ul></div>'
    yield _runs(runs)
    names = [run.name for run in runs.runs]
    if runs.metrics:
        yield _table(f"Metrics ({escape(asked.summary)})", names, _metrics(runs, asked))
    if series.metrics:
        charts = "".join(draw(metric, runs.runs, asked.x) for metric in series.metrics)
        yield f'<h2>Series</h2><div class="charts">{charts}</div>'
    for heading, rows in (
        ("Params", runs.params),
        ("Tags", runs.tags),
        ("Environment", runs.environment),
    ):
        if rows:
            yield _table(heading, names, _values(rows))
    if runs.artifacts:
        yield _table("Files", names, _files(runs.artifacts))
    yield "</body></html>\n"


def _runs(runs: ComparedRuns) -> str:
    rows = "".join(
        f'<tr><td><span class="key" style="background:{COLOURS[place % len(COLOURS)]}"></span>'
        f"{escape(run.name)}{' (baseline)' if run.id == runs.baseline_run_id else ''}</td>"
        f"<td>{escape(run.experiment_name)}</td><td>{escape(run.status)}</td>"
        f"<td>{_moment(run.started_at)}</td><td>{_duration(run.duration_seconds)}</td>"
        f'<td class="faint">{run.id}</td></tr>'
        for place, run in enumerate(runs.runs)
    )
    return (
        '<h2>Runs</h2><div class="scroll"><table><thead><tr><th>Run</th><th>Experiment</th>'
        "<th>Status</th><th>Started (UTC)</th><th>Duration</th><th>Id</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "–"


def _duration(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f} s"


def _table(heading: str, names: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    more = len(rows) - MAX_ROWS
    rest = f'<p class="faint">{more:,} more rows are left out.</p>' if more > 0 else ""
    return (
        f'<h2>{heading}</h2><div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows[:MAX_ROWS])}</tbody></table></div>{rest}"
    )


def _metrics(runs: ComparedRuns, asked: ComparisonExport) -> list[str]:
    return [_metric(row, runs, asked.summary) for row in runs.metrics]


def _metric(row: MetricRow, runs: ComparedRuns, summary: str) -> str:
    cells: list[str] = []
    for run, cell, delta in zip(runs.runs, row.cells, row.deltas, strict=True):
        if cell is None:
            cells.append('<td class="none">–</td>')
            continue
        name = "last" if summary == "best" and cell.best_step is None else summary
        best = run.id == row.best_run_id
        text = _number(getattr(cell, name)) + (" ★" if best else "")
        if delta and delta.relative:
            text += f' <span class="faint">{delta.relative:+.2%}</span>'
        cells.append(f'<td class="best">{text}</td>' if best else f"<td>{text}</td>")
    arrow = {"min": " ↓", "max": " ↑"}.get(row.direction or "", "")
    return _row(row.key + arrow, cells, differs=row.differs)


def _values(rows: Sequence[ValueRow]) -> list[str]:
    return [
        _row(
            row.key,
            [
                '<td class="none">–</td>' if place in row.missing else f"<td>{_value(value)}</td>"
                for place, value in enumerate(row.values)
            ],
            differs=row.differs,
        )
        for row in rows
    ]


def _files(rows: Sequence[ArtifactRow]) -> list[str]:
    return [
        _row(
            row.path,
            [
                f"<td>{cell.sha256[:12]} · {cell.size:,} B</td>"
                if cell
                else '<td class="none">–</td>'
                for cell in row.cells
            ],
            differs=row.differs,
        )
        for row in rows
    ]


def _row(key: str, cells: Sequence[str], *, differs: bool) -> str:
    return f"<tr{'' if differs else ' class="same"'}><th>{escape(key)}</th>{''.join(cells)}</tr>"


def _value(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case float():
            return _number(value)
        case _:
            return escape(str(value))


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.6g}"
