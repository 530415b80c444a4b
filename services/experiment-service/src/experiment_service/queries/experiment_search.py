"""Finding experiments: the filters and sorts of experiment lists as SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from servicekit.database import Connection

from experiment_service.models.values import name_key
from experiment_service.queries.keyset import (
    Column,
    Position,
    Segment,
    Statement,
    page_sql,
    read_page,
)
from experiment_service.queries.run_search import like_part

EXPERIMENT_SORTS: Mapping[str, tuple[Segment, ...]] = {
    "created_at": (Segment(columns=(Column("e.created_at", "timestamptz"),)),),
    "name": (Segment(columns=(Column("e.name_key", "text"),)),),
    "last_run_at": (
        Segment(
            condition="e.last_run_at IS NOT NULL",
            columns=(Column("e.last_run_at", "timestamptz"),),
        ),
        Segment(condition="e.last_run_at IS NULL", leading="e.last_run_at"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentFilter:
    """Which experiments; what is None or empty does not matter."""

    project_id: UUID
    name: str | None = None
    name_part: str | None = None
    statuses: tuple[str, ...] = ()
    tags: tuple[tuple[str, str | None], ...] = ()
    archived: bool | None = False


async def select_experiment_page(
    connection: Connection,
    experiments: ExperimentFilter,
    segments: tuple[Segment, ...],
    *,
    descending: bool,
    after: Position,
    limit: int,
) -> tuple[list[Position], Position | None]:
    """Where the next experiments stand after a position; see `read_page`."""

    def compose(
        segment: Segment, begin: Position | None, count: int
    ) -> tuple[LiteralString, Statement]:
        statement = Statement()
        sql = page_sql(
            statement,
            segment,
            table="experiment.experiments e",
            row="e",
            conditions=_conditions(experiments, statement),
            after=begin,
            descending=descending,
            limit=count,
        )
        return sql, statement

    return await read_page(connection, segments, compose, after=after, limit=limit)


def _conditions(experiments: ExperimentFilter, statement: Statement) -> list[LiteralString]:
    conditions: list[LiteralString] = [f"e.project_id = {statement.place(experiments.project_id)}"]
    if experiments.name is not None:
        conditions.append(f"e.name_key = {statement.place(name_key(experiments.name))}")
    if experiments.name_part:
        conditions.append(f"e.name_key LIKE {statement.place(like_part(experiments.name_part))}")
    if experiments.statuses:
        conditions.append(f"e.status = ANY({statement.place(experiments.statuses)}::text[])")
    if experiments.archived is not None:
        conditions.append(
            "e.archived_at IS NOT NULL" if experiments.archived else "e.archived_at IS NULL"
        )
    for key, value in experiments.tags:
        if value is None:
            conditions.append(f"e.tags ? {statement.place(key)}")
        else:
            conditions.append(f"e.tags ->> {statement.place(key)}::text = {statement.place(value)}")
    return conditions
