"""Charts of a report, as SVG."""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from comparison_service.models.selection import ComparedRun
from comparison_service.models.series import CurveColumn, GroupCurve, MetricCurves

# Okabe and Ito's colours, which the colour-blind tell apart, and some darker ones.
COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f6000",
    "#4b0082", "#8b0000",
)  # fmt: skip
WIDTH, HEIGHT = 520, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 10, 10, 34

type Scale = Callable[[float], float]


def draw(metric: MetricCurves, runs: Sequence[ComparedRun], x: str) -> str:
    """A figure: groups with their bands where there are some, else every run."""
    lines = [one.center for one in metric.groups] or [run.last for run in metric.runs]
    bands = [column for one in metric.groups for column in (one.low, one.high)]
    known = [
        value
        for line in (*lines, *bands)
        for value in line
        if value is not None and math.isfinite(value)
    ]
    caption = f"<figcaption>{escape(metric.key)}</figcaption>"
    if not known:
        return f'<figure>{caption}<p class="faint">No run has a finite value.</p></figure>'
    low, high = min(known), max(known)
    if low == high:
        low, high = low - 1, high + 1
    first, last = metric.x[0], max(metric.x[-1], metric.x[0] + 1)
    to_x = _scale(first, last, LEFT, WIDTH - RIGHT)
    to_y = _scale(low, high, HEIGHT - BOTTOM, TOP)
    places = {run.id: place for place, run in enumerate(runs)}
    parts = [_axes(low, high, first, last, to_x, to_y, x)]
    for place, group in enumerate(metric.groups):
        colour = COLOURS[place % len(COLOURS)]
        parts.append(_band(metric.x, group, to_x, to_y, colour))
        parts.append(_line(metric.x, group.center, to_x, to_y, colour))
    if not metric.groups:
        for run in metric.runs:
            colour = COLOURS[places[run.run_id] % len(COLOURS)]
            parts.append(_line(metric.x, run.last, to_x, to_y, colour))
    legend = "".join(
        f'<span><span class="key" style="background:{COLOURS[place % len(COLOURS)]}"></span>'
        f"{escape(_label(group))} ({len(group.run_ids)}) </span>"
        for place, group in enumerate(metric.groups)
    )
    return (
        f'<figure>{caption}<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(metric.key)}">{"".join(parts)}</svg>{legend}</figure>'
    )


def _label(group: GroupCurve) -> str:
    return ", ".join(f"{key} = {value}" for key, value in group.label.items()) or "all runs"


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    # Halved before they are subtracted: the distance of two finite floats may not be one.
    span = high / 2 - low / 2

    def scale(value: float) -> float:
        return start + (value / 2 - low / 2) / span * (end - start)

    return scale


def _axes(
    low: float, high: float, first: float, last: float, to_x: Scale, to_y: Scale, x: str
) -> str:
    parts: list[str] = []
    for n in range(5):
        value = low + (high / 4 - low / 4) * n
        y = to_y(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dde1e6"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="11">'
            f"{value:.4g}</text>"
        )
    for value, anchor in ((first, "start"), (last, "end")):
        parts.append(
            f'<text x="{to_x(value):.1f}" y="{HEIGHT - 16}" text-anchor="{anchor}" '
            f'font-size="11">{_tick(value, x)}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    name = {"step": "step", "time": "time (s since 1970)", "relative": "seconds"}[x]
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle" font-size="11">{name}</text>'
    )
    return "".join(parts)


def _tick(value: float, x: str) -> str:
    return f"{value:,.0f}" if x == "step" else f"{value / 1e6:,.3f}"


def _points(x: Sequence[int], column: CurveColumn, to_x: Scale, to_y: Scale) -> Iterator[list[str]]:
    """The stretches without a gap, as coordinates."""
    stretch: list[str] = []
    for at, value in zip(x, column, strict=True):
        if value is not None and math.isfinite(value):
            stretch.append(f"{to_x(at):.1f},{to_y(value):.1f}")
        elif value is not None and stretch:  # not a number ends the line; nothing logged does not
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _line(x: Sequence[int], column: CurveColumn, to_x: Scale, to_y: Scale, colour: str) -> str:
    return "".join(
        f'<polyline points="{" ".join(stretch)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        if len(stretch) > 1
        else '<circle cx="{}" cy="{}" r="2.5" fill="{}"/>'.format(*stretch[0].split(","), colour)
        for stretch in _points(x, column, to_x, to_y)
    )


def _band(x: Sequence[int], group: GroupCurve, to_x: Scale, to_y: Scale, colour: str) -> str:
    upper = [one for some in _points(x, group.high, to_x, to_y) for one in some]
    lower = [one for some in _points(x, group.low, to_x, to_y) for one in some]
    outline = " ".join([*upper, *reversed(lower)])
    return f'<polygon points="{outline}" fill="{colour}" opacity="0.15"/>' if outline else ""
