"""A run as a static HTML card for notebooks; everything that a person wrote is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

WIDTH, HEIGHT, ROWS = 160, 28, 12

_COLOURS = {"running": "#1c7ed6", "succeeded": "#2b8a3e", "failed": "#c92a2a"}


def card(
    name: str,
    status: str,
    url: str,
    params: Mapping[str, Any],
    curves: Mapping[str, Sequence[float]],
    latest: Mapping[str, float],
) -> str:
    """The card: name with its link, status, params, and a curve with the latest value a metric."""
    shown = escape(name)
    if url.startswith(("http://", "https://")):
        shown = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    colour = _COLOURS.get(status, "#868e96")
    rows = [
        f"<tr><td>{escape(str(key))}</td><td>{escape(_short(value))}</td><td></td></tr>"
        for key, value in list(params.items())[:ROWS]
    ]
    rows += [
        f"<tr><td>{escape(str(key))}</td><td>{escape(f'{value:.5g}')}</td>"
        f"<td>{sparkline(curves.get(key, ()))}</td></tr>"
        for key, value in list(latest.items())[:ROWS]
    ]
    left = max(0, len(params) - ROWS) + max(0, len(latest) - ROWS)
    more = f"<div>and {left} more</div>" if left else ""
    return (
        f'<div><b>{shown}</b> <span style="color:{colour}">{escape(status)}</span>'
        f"<table>{''.join(rows)}</table>{more}</div>"
    )


def sparkline(values: Sequence[float]) -> str:
    """A small curve as SVG; what is not finite is a gap."""
    finite = [value for value in values if isfinite(value)]
    if len(finite) < 2:
        return ""
    least, most = min(finite), max(finite)
    # Halved, because the span of two floats may be no float.
    span = (most / 2 - least / 2) or 1.0
    parts: list[str] = []
    pen = "M"
    for place, value in enumerate(values):
        if not isfinite(value):
            pen = "M"
            continue
        x = WIDTH * place / (len(values) - 1)
        y = 2 + (HEIGHT - 4) * (1 - (value / 2 - least / 2) / span)
        parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="curve">'
        f'<path d="{"".join(parts)}" fill="none" stroke="currentColor"/></svg>'
    )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
