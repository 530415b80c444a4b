"""Figures as they are collected, as a table for people and as JSON for programs."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.load import Timing

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one system needs for one thing."""

    what: str
    system: str
    value: float  # seconds, bytes or a rate: what `unit` says; the smaller the better but for rates
    unit: str
    p95: float | None = None
    per_second: float | None = None
    samples: int = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """What has to be reached: a figure of ours against a limit, or against another's."""

    what: str
    rule: str
    measured: Callable[["Report"], float | None]
    reached: Callable[[float], bool]


@dataclass
class Report:
    """All figures of a run."""

    conditions: dict[str, str]
    figures: list[Figure] = field(default_factory=list[Figure])
    say: Callable[[str], None] = print

    def add(self, figure: Figure) -> None:
        """Keep a figure, and show it at once."""
        self.figures.append(figure)
        self.say(f"{figure.system}: {figure.what}: {shown(figure)}")

    def time(self, what: str, system: str, timing: Timing, *, of: int = 1) -> None:
        """Keep what requests took; a request holds `of` things, whose rate is shown."""
        self.add(
            Figure(
                what,
                system,
                timing.median,
                "s",
                p95=timing.p95,
                per_second=timing.per_second * of,
                samples=len(timing.latencies),
            )
        )

    def find(self, what: str, system: str) -> Figure | None:
        """A figure, where it was taken."""
        found = [one for one in self.figures if (one.what, one.system) == (what, system)]
        return found[-1] if found else None

    def value(self, what: str, system: str) -> float | None:
        """Its value (median), where it was taken."""
        found = self.find(what, system)
        return found.value if found else None

    def table(self, systems: list[str], ours: str) -> str:
        """A Markdown table: a row for each thing, a column for each system, and ratios to ours."""
        rows = list(dict.fromkeys(one.what for one in self.figures if one.system in systems))
        others = [system for system in systems if not system.startswith(ours)]
        head = ["", *systems, *(f"{ours} : {other}" for other in others)]
        lines = [head, ["---"] * len(head)]
        for what in rows:
            found = {system: self.find(what, system) for system in systems}
            cells = [shown(one) if one else MISSING for one in found.values()]
            ratios = [ratio(found[ours], found[other]) for other in others]
            lines.append([what, *cells, *ratios])
        return aligned(lines)

    def bars(self, wanted: list[Bar]) -> str:
        """A Markdown table of what had to be reached and what was."""
        lines = [["bar", "measured", "reached"], ["---"] * 3]
        for bar in wanted:
            value = bar.measured(self)
            if value is not None:
                verdict = "yes" if bar.reached(value) else "NO"
                lines.append([f"{bar.what}: {bar.rule}", f"{value:.4g}", verdict])
        return aligned(lines)

    def as_json(self) -> dict[str, Any]:
        """Everything, in SI units."""
        return {"conditions": self.conditions, "figures": [asdict(one) for one in self.figures]}


def ratio(ours: Figure | None, other: Figure | None) -> str:
    """How many times better ours is, by the rate where there is one."""
    value = times_better(ours, other)
    return MISSING if value is None else f"{value:.3g}×"


def times_better(ours: Figure | None, other: Figure | None) -> float | None:
    """By the rate where both have one, else by the value."""
    if not ours or not other:
        return None
    if ours.per_second and other.per_second:
        return ours.per_second / other.per_second
    return other.value / ours.value


def shown(figure: Figure) -> str:
    """A figure in a cell: median / p95, and the rate."""
    match figure.unit:
        case "s":
            parts = [duration(figure.value)]
            if figure.p95 is not None:
                parts[0] += f" / {duration(figure.p95)}"
            if figure.per_second is not None:
                parts.append(
                    f"{figure.per_second:,.4g}/s"
                    if figure.per_second < 1000
                    else f"{figure.per_second:,.0f}/s"
                )
            return ", ".join(parts)
        case "B":
            return f"{figure.value / 2**20:,.0f} MiB"
        case unit:
            return f"{figure.value:,.4g} {unit}"


def duration(seconds: float) -> str:
    """In the unit that leaves few digits."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def aligned(lines: list[list[str]]) -> str:
    """A Markdown table whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )
