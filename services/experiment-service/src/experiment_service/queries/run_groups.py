"""Runs in groups as SQL, composed of literals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

import orjson
from servicekit.database import Connection

from experiment_service.models.run_filters import Field
from experiment_service.queries.keyset import Statement

_ATTRIBUTES: Mapping[str, LiteralString] = {
    "id": "r.id",
    "name": "r.name",
    "status": "r.status",
    "experiment": "(SELECT e.name FROM experiment.experiments e WHERE e.id = r.experiment_id)",
    "experiment_id": "r.experiment_id",
    "created_by": "r.created_by",
    "host": "r.host",
    "source": "r.source",
    "git_commit": "r.git_commit",
    "git_branch": "r.git_branch",
    "git_dirty": "r.git_dirty",
    "parent_run_id": "r.parent_run_id",
    "archived": "(r.archived_at IS NOT NULL)",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Values as JSON, how many runs have them, and the newest of those."""

    values: str
    count: int
    run_ids: list[UUID]


def can_group_by(field: Field) -> bool:
    """Whether runs can be put into groups by it: not by what hardly two runs share."""
    if field.kind == "attribute":
        return field.key in _ATTRIBUTES
    return field.kind in {"param", "tag"}


async def select_groups(
    connection: Connection,
    run_ids: Sequence[UUID],
    fields: Sequence[Field],
    *,
    named: int,
    limit: int,
) -> list[Group]:
    """The largest groups of these runs."""
    statement = Statement()
    sql: LiteralString = f"""
        {_grouped(run_ids, fields, statement)}
        SELECT members.values::text, count(*) AS count,
               (array_agg(members.id ORDER BY members.created_at DESC, members.id DESC)
               )[:{statement.place(named)}::int] AS run_ids
        FROM members
        GROUP BY members.values
        ORDER BY count(*) DESC, members.values
        LIMIT {statement.place(limit)}::int
    """  # noqa: S608 - put together from literals, as the types say
    rows = await connection.fetch(sql, *statement.arguments)
    return [Group(row["values"], row["count"], row["run_ids"]) for row in rows]


async def select_metrics_of_groups(
    connection: Connection,
    run_ids: Sequence[UUID],
    fields: Sequence[Field],
    *,
    project_id: UUID,
    keys: Sequence[str],
) -> list[dict[str, Any]]:
    """For each group and metric count, mean, std, min and max of the latest finite values.

    Sums of the greatest doubles, and squares of numbers half as long, have no double: figures are
    taken of values scaled by the greatest of the group, and std is null where it has none itself.
    """
    statement = Statement()
    sql: LiteralString = f"""
        {_grouped(run_ids, fields, statement)}
        , found AS (
            SELECT members.values, l.key, l.value,
                   CASE WHEN max(abs(l.value)) OVER same <= 1e100 THEN 1::float8
                        ELSE max(abs(l.value)) OVER same END AS unit
            FROM members
            JOIN metrics.latest l ON l.run_id = members.id
            WHERE l.project_id = {statement.place(project_id)}
              AND l.key = ANY({statement.place(keys)}::text[])
              AND l.value > '-Infinity' AND l.value < 'Infinity'
            WINDOW same AS (PARTITION BY members.values, l.key)
        ), scaled AS (
            SELECT values, key, unit, count(*) AS count, avg(part) AS mean,
                   stddev_samp(part) AS std, min(value) AS min, max(value) AS max
            FROM found
            CROSS JOIN LATERAL (
                SELECT CASE WHEN unit > 1 AND abs(value) < unit * 1e-100 THEN 0
                            ELSE value / unit END AS part
            ) AS parts
            GROUP BY values, key, unit
        )
        SELECT values::text, key, count, mean * unit AS mean, min, max,
               CASE WHEN unit < 1e308 THEN std * unit
                    WHEN std <= 1.7976931348623157e308 / unit THEN std * unit END AS std
        FROM scaled
    """  # noqa: S608 - as above
    return [dict(row) for row in await connection.fetch(sql, *statement.arguments)]


def values_of(group: Group) -> list[Any]:
    """The values of a group, one a field."""
    return orjson.loads(group.values)


def _grouped(
    run_ids: Sequence[UUID], fields: Sequence[Field], statement: Statement
) -> LiteralString:
    values: list[LiteralString] = [_value(field, statement) for field in fields]
    return f"""
        WITH members AS MATERIALIZED (
            SELECT r.id, r.created_at, jsonb_build_array({", ".join(values)}) AS values
            FROM unnest({statement.place(run_ids)}::uuid[]) AS wanted (id)
            JOIN experiment.runs r ON r.id = wanted.id
        )
    """  # noqa: S608 - as above


def _value(field: Field, statement: Statement) -> LiteralString:
    match field.kind:
        case "param":
            return f"r.params -> {statement.place(field.key)}::text"
        case "tag":
            return f"r.tags -> {statement.place(field.key)}::text"
        case _:
            return _ATTRIBUTES[field.key]
