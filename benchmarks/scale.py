"""The arithmetic of docs/operating/scale.md: `python -m benchmarks.scale` prints its tables.

What is measured is said to be (docs/benchmarks.md says how); everything else follows from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

DAY, YEAR = 86_400, 86_400 * 365

# Measured. Bytes a reading of a long series, and a point (value and time) of ten noisy curves of
# 10,000 steps, compacted; bytes a row, with its index, of a batch's name and of a sensor's minute.
READING, POINT, BATCH_NAME, MINUTE = 3.9, 10.3, 150, 160
# Milliseconds of processor for a batch of 10 and of 1,000 readings of a signal, packed, as a frame
# of a WebSocket; on busy cores.
FRAME = {"ingest": (0.35, 1.0), "gateway": (0.03, 0.07), "postgresql": (0.02, 0.16)}
# The same for a batch of 10 that is a request: ingest service, gateway, PostgreSQL.
REQUEST = (2.8, 0.9, 0.4)
# Milliseconds for a call that logs a metric, on quiet cores: metrics service, gateway, PostgreSQL.
CALL = (0.46, 0.34, 0.06)
# Metrics a second in calls of 1,000, all of Runbench and its clients on two cores.
LOG_BATCH = 295_118

CHUNK = 4_096  # points of a merged chunk
KEPT_DAYS = 90  # BATCH_IDS_KEPT_DAYS, and minutes
COUNTS = (10, 1_000, 100_000)

# What is assumed: each sensor has a signal at 40 Hz and sends one named batch a second.
RATE, EVERY_SEC = 40, 1
# Each run has so many metrics of so many steps; a tenth of all runs is running, and each of those
# sends all its metrics in one call a second.
METRICS, STEPS, RUNNING = 50, 10_000, 0.1


@dataclass(frozen=True)
class Row:
    """One line of a table, computed for a number of sensors or runs."""

    what: str
    of: Callable[[int], float]
    shown: Callable[[float], str]


def count(value: float) -> str:
    """1,234 or 1.2 million."""
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:,.1f} {name}"
    return f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes, in the unit that suits."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:,.1f} {name}"
    return f"{value:,.0f} B"


def cores(value: float) -> str:
    """How many cores are busy all the time."""
    return f"{value:,.1f}" if value >= 0.1 else "< 0.1"


def frame_cores(part: str) -> Callable[[int], float]:
    """Cores for the batches of so many sensors, between the two sizes that were measured."""
    ten, thousand = FRAME[part]
    each = ten + (RATE * EVERY_SEC - 10) * (thousand - ten) / 990
    return lambda sensors: sensors / EVERY_SEC * each / 1000


def request_cores(sensors: int) -> float:
    """The same, all three together, if every batch were a request of its own."""
    return sensors / EVERY_SEC * sum(REQUEST) / 1000


def run_cores(runs: int) -> float:
    """Cores for the runs that are running: what a call costs, and each metric in it."""
    call = sum(CALL)
    metric = 2000 / LOG_BATCH
    return runs * RUNNING * (call + METRICS * metric) / 1000


def per_day(each: float) -> Callable[[int], float]:
    """Bytes or rows a day."""
    return lambda sensors: sensors * each * DAY


SENSORS = (
    Row("readings a second", lambda n: n * RATE, count),
    Row("batches a second", lambda n: n / EVERY_SEC, count),
    Row("readings a day", per_day(RATE), count),
    Row("readings on disk, a day", per_day(RATE * READING), size),
    Row("readings on disk, a year", lambda n: n * RATE * READING * YEAR, size),
    Row("rows of chunks, a year", lambda n: n * RATE * YEAR / CHUNK, count),
    Row(
        f"names of batches, {KEPT_DAYS} days",
        lambda n: n / EVERY_SEC * BATCH_NAME * DAY * KEPT_DAYS,
        size,
    ),
    Row(
        f"minutes of sensors, {KEPT_DAYS} days",
        lambda n: n * 1440 * MINUTE * KEPT_DAYS,
        size,
    ),
    Row("network in, packed, bits a second", lambda n: n * RATE * 16 * 8, count),
    Row("cores of the ingest service", frame_cores("ingest"), cores),
    Row("cores of the gateway", frame_cores("gateway"), cores),
    Row("cores of PostgreSQL", frame_cores("postgresql"), cores),
    Row("cores in all, if each batch were a request", request_cores, cores),
)
RUNS = (
    Row("points of metrics", lambda n: n * METRICS * STEPS, count),
    Row("points on disk", lambda n: n * METRICS * STEPS * POINT, size),
    Row("rows of chunks", lambda n: n * METRICS * -(-STEPS // CHUNK), count),
    Row("rows of series and latest values", lambda n: n * METRICS, count),
    Row("calls a second of those that run", lambda n: n * RUNNING, count),
    Row("metrics a second", lambda n: n * RUNNING * METRICS, count),
    Row("cores, all of Runbench", run_cores, cores),
)


def table(rows: Sequence[Row], what: str) -> str:
    """The rows as Markdown, a column for each count."""
    head = [f"| {what} |" + "".join(f" {number:,} |" for number in COUNTS)]
    head.append("|---|" + "---|" * len(COUNTS))
    body = [
        f"| {row.what} |" + "".join(f" {row.shown(row.of(n))} |" for n in COUNTS) for row in rows
    ]
    return "\n".join([*head, *body])


if __name__ == "__main__":
    print(table(SENSORS, "sensors"), table(RUNS, "runs"), sep="\n\n")
