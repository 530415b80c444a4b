"""Whether background work goes on: when each job last ended well, beside how often it should."""

from prometheus_client import Gauge

LAST = Gauge(
    "job_last_success_timestamp_seconds", "When a background job last ended well.", ["job"]
)
EVERY = Gauge("job_interval_seconds", "Seconds between two turns of a background job.", ["job"])


def job(name: str, *, every_sec: float) -> Gauge:
    """What a job says with `set_to_current_time()` after each turn that ended well.

    It counts as well when it begins: a job whose first turn is far off is not late.
    """
    EVERY.labels(name).set(every_sec)
    last = LAST.labels(name)
    last.set_to_current_time()
    return last
