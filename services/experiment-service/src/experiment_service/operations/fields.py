"""What a search can name, and what it can compare with: for completion."""

from uuid import UUID

from servicekit.database import Database

from experiment_service.models.fields import (
    FieldsQuery,
    FieldValue,
    FieldValues,
    RunField,
    RunFields,
    ValuesQuery,
)
from experiment_service.models.run_filters import ATTRIBUTES, DATASET_KEYS, STATUSES, Field
from experiment_service.operations.run_search import read_field
from experiment_service.queries.fields import (
    select_attribute_values,
    select_dataset_values,
    select_names,
    select_param_values,
    select_tag_values,
)
from experiment_service.queries.metrics import select_metrics_published


async def list_fields(database: Database, project_id: UUID, query: FieldsQuery) -> RunFields:
    """The names that runs of the project can be searched by."""
    part, limit = query.q, query.limit
    wanted = {query.kind} if query.kind else {"attribute", "param", "metric", "tag", "dataset"}
    items: list[RunField] = []
    if "attribute" in wanted:
        items += [
            RunField(kind="attribute", key=key, type=type_)
            for key, type_ in ATTRIBUTES.items()
            if (part or "").lower() in key
        ]
    async with database.acquire() as connection:
        for kind in ("param", "metric", "tag"):
            if kind not in wanted:
                continue
            if kind == "metric" and not await select_metrics_published(connection):
                continue
            items += await select_names(
                connection,
                kind,
                project_id=project_id,
                experiment_id=query.experiment_id,
                part=part,
                limit=limit,
            )
    if "dataset" in wanted:
        items += [
            RunField(kind="dataset", key=key, type="text")
            for key in DATASET_KEYS
            if (part or "").lower() in key
        ]
    return RunFields(items=items)


async def list_values(database: Database, project_id: UUID, query: ValuesQuery) -> FieldValues:
    """The values of a field that runs of the project have; none for numbers and times.

    Raises:
        Invalid: there is no such field.
    """
    field = read_field(query.field, {"parameter": "field"})
    select = {
        "param": select_param_values,
        "tag": select_tag_values,
        "dataset": select_dataset_values,
        "attribute": select_attribute_values,
    }.get(field.kind)
    if select is None:
        return FieldValues(items=[])
    async with database.acquire() as connection:
        found = await select(
            connection,
            project_id=project_id,
            experiment_id=query.experiment_id,
            key=field.key,
            part=query.q,
            limit=query.limit,
        )
    if field == Field("attribute", "status"):
        found += _other_statuses(found, (query.q or "").lower())
    return FieldValues(items=found)


def _other_statuses(found: list[FieldValue], part: str) -> list[FieldValue]:
    """The states that no run is in now: they can be asked for all the same."""
    known = [one.value for one in found]
    return [
        FieldValue(value=name, count=0)
        for name in dict.fromkeys(STATUSES.values())
        if name not in known and part in name
    ]
