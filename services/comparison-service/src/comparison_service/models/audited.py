"""What this service tells the audit trail alone: what was taken along."""

from typing import Literal
from uuid import UUID

from servicekit.events import EventKind
from servicekit.fields import Answer


class ExportData(Answer):
    """Which runs of the project, as which file."""

    format: Literal["csv", "json", "html"]
    run_ids: list[UUID]


COMPARISON_EXPORTED = EventKind(
    "comparison.exported",
    "Runs of a project were taken as one file, alone or beside those of others.",
    subject="project",
    data=ExportData,
)
