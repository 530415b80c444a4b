"""What this service tells others of."""

from uuid import UUID

from servicekit.events import Catalogue, EventKind
from servicekit.fields import Answer


class BaselineData(Answer):
    """Which run the others of an experiment are compared with from now on."""

    run_id: UUID | None


class FieldsData(Answer):
    """What was changed."""

    fields: list[str]


class NoData(Answer):
    """Nothing beside what every event says."""


BASELINE_SET = EventKind(
    "experiment.baseline_set",
    "An experiment got another baseline, or none where `run_id` is null.",
    subject="experiment",
    data=BaselineData,
)
COMPARISON_CREATED = EventKind(
    "comparison.created", "A comparison was saved.", subject="comparison", data=NoData
)
COMPARISON_CHANGED = EventKind(
    "comparison.changed", "A saved comparison was edited.", subject="comparison", data=FieldsData
)
COMPARISON_REMOVED = EventKind(
    "comparison.removed", "A saved comparison was removed.", subject="comparison", data=NoData
)

EVENTS = Catalogue(BASELINE_SET, COMPARISON_CREATED, COMPARISON_CHANGED, COMPARISON_REMOVED)
