"""What this service tells the audit trail of."""

from typing import Literal

from pydantic import Field
from servicekit.events import EventKind
from servicekit.fields import Answer


class ExportData(Answer):
    """A file of a run's metrics."""

    format: Literal["parquet", "arrow", "csv"]
    keys: list[str] | None = Field(description="Null for all of them.")


METRICS_EXPORTED = EventKind(
    "metrics.exported",
    "Every point of a run's metrics, or of some, was taken as a file.",
    subject="run",
    data=ExportData,
)
