"""Finding runs: the filters and sorts of run lists as SQL, composed from literals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

from servicekit.database import Connection

from experiment_service.queries.keyset import (
    Column,
    Position,
    Segment,
    Statement,
    page_sql,
    read_page,
)
from experiment_service.search.conditions import condition_of
from experiment_service.search.syntax import Node

_CREATED = Column("r.created_at", "timestamptz")

# In these, $1 is the key and $2 the project.
_PARAM = "JOIN experiment.run_params p ON p.run_id = r.id AND p.project_id = $2 AND p.key = $1"
_METRIC = "JOIN metrics.latest m ON m.run_id = r.id AND m.key = $1"

_PLAIN: Mapping[str, tuple[Segment, ...]] = {
    "created_at": (Segment(columns=(_CREATED,)),),
    "started_at": (
        Segment(
            condition="r.started_at IS NOT NULL",
            columns=(Column("r.started_at", "timestamptz"),),
        ),
        Segment(condition="r.started_at IS NULL", leading="r.started_at"),
    ),
    "name": (Segment(columns=(Column("r.name_key", "text"),)),),
    "status": (Segment(columns=(Column("r.status", "text"), _CREATED)),),
    "duration_seconds": (
        Segment(
            condition="r.duration_seconds IS NOT NULL",
            columns=(Column("r.duration_seconds", "float8"),),
        ),
        Segment(condition="r.duration_seconds IS NULL", leading="r.duration_seconds"),
    ),
}
_PARAMS = (
    Segment(join=_PARAM, condition="p.kind = 'number'", columns=(Column("p.number", "numeric"),)),
    Segment(join=_PARAM, condition="p.kind = 'text'", columns=(Column("p.text", "text"),)),
    Segment(join=_PARAM, condition="p.kind = 'boolean'", columns=(Column("p.number", "numeric"),)),
    Segment(join=_PARAM, condition="p.kind = 'null'", columns=(Column("p.number", "numeric"),)),
    Segment(
        condition="$2::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM experiment.run_params p"
        " WHERE p.run_id = r.id AND p.key = $1)",
        columns=(_CREATED,),
    ),
)
_METRICS = (
    Segment(join=_METRIC, condition="m.value < 'NaN'", columns=(Column("m.value", "float8"),)),
    Segment(join=_METRIC, condition="m.value = 'NaN'", columns=(_CREATED,)),
    Segment(
        condition="NOT EXISTS (SELECT FROM metrics.latest m WHERE m.run_id = r.id AND m.key = $1)",
        columns=(_CREATED,),
    ),
)
# While no metrics are published, every run is without the metric.
_NO_METRICS = (
    Segment(condition="$1::text IS NULL", columns=(Column("r.duration_seconds", "float8"),)),
    Segment(condition="$1::text IS NULL", columns=(_CREATED,)),
    Segment(condition="$1::text IS NOT NULL", columns=(_CREATED,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A sort as it was asked for, and the segments that it is read in."""

    text: str
    descending: bool
    key: str | None
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs; what is None or empty does not matter.

    With `experiment_id`, the caller has made sure that it is the project's.
    """

    project_id: UUID
    experiment_id: UUID | None = None
    parent_run_id: UUID | None = None
    statuses: tuple[str, ...] = ()
    name_part: str | None = None
    tags: tuple[tuple[str, str | None], ...] = ()
    archived: bool | None = False
    matching: Node | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    metrics_published: bool = False


def run_order(sort: str, *, metrics_published: bool) -> Order:
    """The sort `[-]created_at`, …, `[-]metrics.<key>` or `[-]params.<key>`."""
    name, _, key = sort.removeprefix("-").partition(".")
    if name == "metrics":
        segments = _METRICS if metrics_published else _NO_METRICS
    else:
        segments = _PARAMS if name == "params" else _PLAIN[name]
    return Order(text=sort, descending=sort.startswith("-"), key=key or None, segments=segments)


async def select_run_page(
    connection: Connection, runs: RunFilter, order: Order, *, after: Position, limit: int
) -> tuple[list[Position], Position | None]:
    """Where the next runs stand after a position; see `read_page`."""

    def compose(
        segment: Segment, begin: Position | None, count: int
    ) -> tuple[LiteralString, Statement]:
        statement = Statement()
        if order.key is not None:
            statement.place(order.key)
        if order.segments is _PARAMS:
            statement.place(runs.project_id)
        sql = page_sql(
            statement,
            segment,
            table="experiment.runs r",
            row="r",
            conditions=_conditions(runs, statement),
            after=begin,
            descending=order.descending,
            limit=count,
        )
        return sql, statement

    return await read_page(connection, order.segments, compose, after=after, limit=limit)


def _conditions(runs: RunFilter, statement: Statement) -> list[LiteralString]:
    conditions: list[LiteralString] = []
    if runs.experiment_id:
        conditions.append(f"r.experiment_id = {statement.place(runs.experiment_id)}")
    else:
        conditions.append(f"r.project_id = {statement.place(runs.project_id)}")
    if runs.parent_run_id:
        conditions.append(f"r.parent_run_id = {statement.place(runs.parent_run_id)}")
    if runs.statuses:
        conditions.append(f"r.status = ANY({statement.place(runs.statuses)}::text[])")
    if runs.archived is not None:
        conditions.append("r.archived_at IS NOT NULL" if runs.archived else "r.archived_at IS NULL")
    if runs.name_part:
        conditions.append(f"r.name_key LIKE {statement.place(like_part(runs.name_part))}")
    for key, value in runs.tags:
        conditions.append(_has_tag(statement, key, value))
    if runs.matching:
        conditions.append(
            condition_of(
                runs.matching,
                statement,
                metrics_published=runs.metrics_published,
                now=runs.now,
            )
        )
    return conditions


def _has_tag(statement: Statement, key: str, value: str | None) -> LiteralString:
    wanted: LiteralString = f"t.key = {statement.place(key)}"
    if value is not None:
        place = statement.place(value)
        wanted = f"{wanted} AND left(t.value, 200) = left({place}, 200) AND t.value = {place}"
    return f"""EXISTS (
        SELECT FROM experiment.run_tags t
        WHERE t.run_id = r.id AND t.project_id = r.project_id AND {wanted}
    )"""


def like_part(text: str) -> str:
    """A LIKE pattern for names that hold the text, in any case."""
    folded = text.casefold()
    for special in ("\\", "%", "_"):
        folded = folded.replace(special, f"\\{special}")
    return f"%{folded}%"
