"""The pages of traces: the list with its filter, and the waterfall of one. Plain HTML."""

from datetime import UTC, datetime
from html import escape

from scripts.page.traces import Span, Trace

SHOWN = 100
WIDTH = 1000
DEEPEST = 8

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} – Runbench workspace</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<header><h1>{title}</h1><nav><a href="/">Processes</a> · <a href="/traces">Traces</a></nav></header>
<main>
"""
TAIL = "</main>\n</body>\n</html>\n"
OFF = (
    "<p>No process sends traces here now. Start with <code>RUNBENCH_TRACES=1 nox -s dev</code>.</p>"
)


def listed(
    traces: list[Trace], services: list[str], asked: dict[str, str], *, wanted: bool
) -> bytes:
    """The list of traces that fit, newest first."""
    service, least = asked.get("service", ""), asked.get("least", "")
    options = "".join(
        f"<option{' selected' if name == service else ''}>{escape(name)}</option>"
        for name in services
    )
    checked = " checked" if asked.get("failed") else ""
    form = f"""<form action="/traces">
<label>Service <select name="service"><option value="">all</option>{options}</select></label>
<label>At least ms <input name="least" inputmode="decimal" size="6" value="{escape(least)}"></label>
<label>Failed only <input type="checkbox" name="failed" value="1"{checked}></label>
<button>Show the newest</button>
</form>
<form action="/traces">
<label class="wide">Trace id <input name="id" required size="32" pattern="[0-9a-fA-F]{{32}}"
 autocomplete="off" spellcheck="false"></label>
<button>Open</button>
</form>
"""
    lines = "".join(
        f"""<tr><th scope="row"><a href="/traces/{escape(one.trace_id)}">{root(one)}</a></th>
<td>{clock(one.began)}</td><td class="number" data-label="Took">{ms(one.took)}</td>
<td class="number" data-label="Spans">{len(one.spans) + one.left_out}</td>
<td>{escape(", ".join(one.services))}</td><td>{verdict(failed=one.failed)}</td></tr>
"""
        for one in traces[:SHOWN]
    )
    table = f"""<table class="traces"><thead><tr><th scope="col">Request</th><th scope="col">At</th>
<th scope="col" class="number">Took</th><th scope="col" class="number">Spans</th>
<th scope="col">Services</th><th scope="col">Outcome</th></tr></thead>
<tbody>{lines}</tbody></table>"""
    nothing = "" if traces else "<p>No trace fits.</p>"
    text = form + ("" if wanted else OFF) + (table if traces else nothing)
    return (HEAD.format(title="Traces") + text + TAIL).encode()


def waterfall(trace: Trace) -> bytes:
    """One trace: each span below the one that called it, on one axis of time."""
    began, took = trace.began, trace.took or 0.001
    lines = "".join(bar(depth, span, began, took) for depth, span in trace.tree())
    left_out = f" · {trace.left_out} more are not kept" if trace.left_out else ""
    text = f"""<p>{clock(began)} · {ms(trace.took)} · {len(trace.spans)} spans{left_out} ·
{verdict(failed=trace.failed)}</p>
<p>Trace id <code>{escape(trace.trace_id)}</code>. Its log lines:
<code>nox -s logs -- --trace {escape(trace.trace_id)}</code></p>
<table class="waterfall"><thead><tr><th scope="col">Span</th>
<th scope="col" class="number">After</th><th scope="col" class="number">Took</th>
<th scope="col">Time</th></tr></thead>
<tbody>{lines}</tbody></table>"""
    return (HEAD.format(title=root(trace)) + text + TAIL).encode()


def missing(trace_id: str) -> bytes:
    """There is no such trace, or not yet."""
    text = (
        f"<p>No spans of <code>{escape(trace_id)}</code> are here. They come some seconds after "
        "the request, and the oldest traces go first.</p>"
    )
    return (HEAD.format(title="No such trace") + text + TAIL).encode()


def bar(depth: int, span: Span, began: int, took: float) -> str:
    """One line of the waterfall."""
    after = (span.began - began) / 1e6
    left = WIDTH * after / took
    width = max(WIDTH * span.took / took, 3)
    kind = ' class="error"' if span.failed else ""
    facts = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in span.attributes
    )
    details = f"<details><summary>{escape(span.name)}</summary><dl>{facts}</dl></details>"
    name = details if facts else escape(span.name)
    outcome = " " + verdict(failed=True) if span.failed else ""
    return f"""<tr><th scope="row" class="deep{min(depth, DEEPEST)}">
<span class="note">{escape(span.service)}{outcome}</span>{name}</th>
<td class="number" data-label="After">{ms(after)}</td>
<td class="number" data-label="Took">{ms(span.took)}</td>
<td class="axis"><svg viewBox="0 0 {WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">
<rect x="{min(left, WIDTH - 3):.1f}" y="1" width="{width:.1f}" height="8"{kind}/></svg></td></tr>
"""


def root(trace: Trace) -> str:
    """What the request was; of `GET /api/*`, as the outermost knows it, the name further in."""
    names = [span.name for _, span in trace.tree()]
    start = names[0].removesuffix("*")
    inside = (name for name in names if name.startswith(start) and not name.endswith("*"))
    return escape(next(inside, names[0]))


def verdict(*, failed: bool) -> str:
    """How it ended, in a word that is coloured."""
    return '<span class="error">failed</span>' if failed else "well"


def ms(value: float) -> str:
    """A span of time."""
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"  # noqa: PLR2004


def clock(began: int) -> str:
    """A time of day, UTC."""
    at = datetime.fromtimestamp(began / 1e9, UTC)
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} UTC"
