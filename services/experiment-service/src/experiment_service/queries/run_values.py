"""SQL on the params and tags of runs, as rows to search by: one function, one statement."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from servicekit.database import Connection

from experiment_service.models.values import ParamValue

_TEXT_SORTED = 200


async def insert_run_params(
    connection: Connection, *, run_id: UUID, project_id: UUID, params: Mapping[str, ParamValue]
) -> None:
    """Add params to a run."""
    if not params:
        return
    kinds, numbers, texts = zip(*map(_columns, params.values()), strict=True)
    await connection.execute(
        """
        INSERT INTO experiment.run_params (run_id, project_id, key, kind, number, text)
        SELECT $1, $2, given.key, given.kind, given.number, given.text
        FROM unnest($3::text[], $4::text[], $5::numeric[], $6::text[])
            AS given (key, kind, number, text)
        """,
        run_id,
        project_id,
        list(params),
        kinds,
        numbers,
        texts,
    )


async def insert_run_tags(
    connection: Connection,
    *,
    run_ids: Sequence[UUID],
    project_id: UUID,
    tags: Mapping[str, str],
) -> None:
    """Set tags on runs, in place of those with the same keys."""
    if not tags:
        return
    await connection.execute(
        """
        INSERT INTO experiment.run_tags (run_id, project_id, key, value)
        SELECT run_id, $2, given.key, given.value
        FROM unnest($1::uuid[]) AS run_id
        CROSS JOIN unnest($3::text[], $4::text[]) AS given (key, value)
        ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value
        WHERE run_tags.value <> excluded.value
        """,
        run_ids,
        project_id,
        list(tags),
        list(tags.values()),
    )


async def delete_run_tags(
    connection: Connection, *, run_ids: Sequence[UUID], keys: Iterable[str]
) -> None:
    """Take tags off runs."""
    await connection.execute(
        "DELETE FROM experiment.run_tags WHERE run_id = ANY($1) AND key = ANY($2)",
        run_ids,
        list(keys),
    )


def _columns(value: ParamValue) -> tuple[str, Decimal | None, str | None]:
    """Kind, number and text of a param as it is sorted; a float as the decimal that is shown."""
    match value:
        case None:
            return "null", Decimal(0), None
        case bool():
            return "boolean", Decimal(value), None
        case int() | float():
            return "number", Decimal(repr(value)), None
        case str():
            return "text", None, value[:_TEXT_SORTED]
