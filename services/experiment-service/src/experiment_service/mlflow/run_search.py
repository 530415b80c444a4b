"""Search of runs by MLflow's filters and orders."""

from collections.abc import Mapping, Sequence
from typing import LiteralString
from uuid import UUID

from servicekit.database import Database
from servicekit.mlflow import InvalidParameter

from experiment_service.mlflow.filters import (
    MEMBERSHIP,
    NUMERIC,
    PRESENCE,
    TEXTUAL,
    Comparison,
    Ordered,
    check_operator,
    parse_filter,
    parse_order,
)
from experiment_service.mlflow.labels import COLUMN_OF_TAG, USER
from experiment_service.mlflow.messages import SEARCH_MOST, SearchRuns, View
from experiment_service.mlflow.planned_search import planned, select_planned_page
from experiment_service.mlflow.sql import (
    id_compared,
    number_compared,
    text_compared,
    time_compared,
)
from experiment_service.mlflow.tokens import check_max_results, offset_of, token_at
from experiment_service.queries.keyset import Statement
from experiment_service.queries.metrics import select_metrics_published

AT_ONCE = 10_000
"""Runs of a page, however many are asked for: the token leads to the rest."""

_STATUS: LiteralString = """(CASE coalesce(r.status_before_archive, r.status)
    WHEN 'draft' THEN 'SCHEDULED' WHEN 'running' THEN 'RUNNING' WHEN 'succeeded' THEN 'FINISHED'
    WHEN 'failed' THEN 'FAILED' ELSE 'KILLED' END)"""
_USER: LiteralString = f"coalesce(r.environment #>> '{{mlflow,user_id}}', r.tags ->> '{USER}', '')"
_ARTIFACTS: LiteralString = """(
    'mlflow-artifacts:/' || replace(r.experiment_id::text, '-', '') || '/'
    || replace(r.id::text, '-', '') || '/artifacts'
)"""
_NAME: LiteralString = "coalesce(r.tags ->> 'mlflow.runName', r.name)"

_TEXTS: Mapping[str, LiteralString] = {
    **dict.fromkeys(("run_name", "run name", "Run name", "Run Name"), _NAME),
    "user_id": _USER,
    "status": _STATUS,
    "artifact_uri": _ARTIFACTS,
}
_TIMES: Mapping[str, LiteralString] = {
    **dict.fromkeys(("start_time", "created", "Created"), "coalesce(r.started_at, r.created_at)"),
    "end_time": "r.finished_at",
}
_DATASETS: Mapping[str, LiteralString] = {
    "name": "d.name",
    "digest": "d.digest",
    "context": "d.context",
}
_COLUMNS: Mapping[str, LiteralString] = {
    "name": "r.name",
    "notes": "nullif(r.notes, '')",
    "parent_run_id": "replace(r.parent_run_id::text, '-', '')",
    "source": "r.source",
    "git_commit": "r.git_commit",
    "git_branch": "r.git_branch",
}


async def search_runs(
    database: Database, project_id: UUID, experiment_ids: Sequence[UUID], asked: SearchRuns
) -> tuple[list[UUID], str | None]:
    """The ids of a page of runs, and the token of the next one.

    Raises:
        InvalidParameter: the filter, the order or the token cannot be read.
    """
    limit = min(check_max_results(asked.max_results, SEARCH_MOST), AT_ONCE)
    comparisons = parse_filter(asked.filter)
    wanted = planned(
        comparisons, [parse_order(text) for text in asked.order_by], asked.run_view_type
    )
    if wanted and experiment_ids:
        async with database.acquire() as connection:
            return await select_planned_page(
                connection,
                project_id=project_id,
                experiment_ids=experiment_ids,
                view=asked.run_view_type,
                wanted=wanted,
                page_token=asked.page_token,
                limit=limit,
                published=await select_metrics_published(connection),
            )
    offset = offset_of(asked.page_token)
    statement = Statement()
    async with database.acquire() as connection:
        published = await select_metrics_published(connection)
        conditions: list[LiteralString] = []
        conditions.append(f"r.project_id = {statement.place(project_id)}")
        conditions.append(_of_experiments(experiment_ids, statement))
        conditions.extend(_of_view(asked.run_view_type))
        conditions.extend(
            _condition(comparison, statement, published=published) for comparison in comparisons
        )
        joins, orders = _orders(asked.order_by, statement, published=published)
        sql: LiteralString = f"""
            SELECT r.id
            FROM experiment.runs r
            {joins}
            WHERE {" AND ".join(conditions)}
            ORDER BY {orders}
            LIMIT {statement.place(limit + 1)} OFFSET {statement.place(offset)}
        """  # noqa: S608 - composed of literals alone, which the type checker sees to
        rows = await connection.fetch(sql, *statement.arguments)
    token = token_at(offset + limit) if len(rows) > limit else None
    return [row["id"] for row in rows[:limit]], token


def _of_experiments(experiment_ids: Sequence[UUID], statement: Statement) -> LiteralString:
    if len(experiment_ids) == 1:  # so that the index of their order is followed
        return f"r.experiment_id = {statement.place(experiment_ids[0])}"
    return f"r.experiment_id = ANY({statement.place(experiment_ids)}::uuid[])"


def _of_view(view: View) -> list[LiteralString]:
    if view == "ALL":
        return []
    return ["r.archived_at IS NULL" if view == "ACTIVE_ONLY" else "r.archived_at IS NOT NULL"]


def _condition(comparison: Comparison, statement: Statement, *, published: bool) -> LiteralString:
    match comparison.of.entity:
        case "metric":
            return _of_metric(comparison, statement, published=published)
        case "param":
            check_operator(comparison, TEXTUAL | PRESENCE)
            column: LiteralString = f"(r.params ->> {statement.place(comparison.of.key)}::text)"
            return _text_or_presence(column, comparison, statement)
        case "tag":
            check_operator(comparison, TEXTUAL | PRESENCE)
            return _text_or_presence(_tag(comparison.of.key, statement), comparison, statement)
        case "dataset":
            return _of_dataset(comparison, statement)
        case _:
            return _of_attribute(comparison, statement)


def _of_attribute(comparison: Comparison, statement: Statement) -> LiteralString:
    key = comparison.of.key
    if key == "run_id":
        check_operator(comparison, frozenset({"=", "!="}) | MEMBERSHIP)
        return id_compared("r.id", comparison, statement)
    if key in _TIMES:
        check_operator(comparison, NUMERIC)
        return time_compared(_TIMES[key], comparison, statement)
    if key not in _TEXTS:
        raise _no_such_attribute(key)
    check_operator(comparison, TEXTUAL)
    return text_compared(_TEXTS[key], comparison, statement)


def _of_metric(comparison: Comparison, statement: Statement, *, published: bool) -> LiteralString:
    check_operator(comparison, NUMERIC)
    if not published:
        return "false"
    key = statement.place(comparison.of.key)
    value = number_compared("l.value", comparison, statement)
    # NaN is no number to compare with: PostgreSQL counts it as the greatest.
    return f"""r.id IN (
        SELECT l.run_id
        FROM metrics.latest l
        WHERE l.project_id = $1 AND l.key = {key}::text AND {value} AND l.value <> 'NaN'
    )"""  # noqa: S608 - as above


def _of_dataset(comparison: Comparison, statement: Statement) -> LiteralString:
    column = _DATASETS.get(comparison.of.key)
    if column is None:
        msg = f"Invalid dataset key {comparison.of.key[:200]!r}: it is name, digest or context."
        raise InvalidParameter(msg)
    check_operator(comparison, TEXTUAL | MEMBERSHIP)
    wanted = text_compared(column, comparison, statement)
    return f"""r.id IN (
        SELECT d.run_id FROM experiment.run_datasets d WHERE d.project_id = $1 AND {wanted}
    )"""  # noqa: S608 - as above


def _text_or_presence(
    column: LiteralString, comparison: Comparison, statement: Statement
) -> LiteralString:
    if comparison.operator in PRESENCE:
        return f"{column} {'IS NULL' if comparison.operator == 'IS NULL' else 'IS NOT NULL'}"
    return text_compared(column, comparison, statement)


def _tag(key: str, statement: Statement) -> LiteralString:
    stored: LiteralString = f"r.tags ->> {statement.place(key)}::text"
    field = COLUMN_OF_TAG.get(key)
    return f"coalesce({stored}, {_COLUMNS[field]})" if field else f"({stored})"


def _orders(
    given: Sequence[str], statement: Statement, *, published: bool
) -> tuple[LiteralString, LiteralString]:
    """The joins that an order needs, and the order: NaN after all numbers, nothing at the end."""
    joins: list[LiteralString] = []
    orders: list[LiteralString] = []
    seen: set[Ordered] = set()
    for text in given:
        order = parse_order(text)
        if Ordered(order.by, descending=False) in seen:
            msg = f"order_by names {text[:200]!r} twice."
            raise InvalidParameter(msg)
        seen.add(Ordered(order.by, descending=False))
        direction: LiteralString = "DESC NULLS LAST" if order.descending else "ASC NULLS LAST"
        if order.by.entity == "metric":
            if published:
                name = _JOINED[len(joins)]
                joins.append(
                    f"""LEFT JOIN metrics.latest {name} ON {name}.run_id = r.id
                    AND {name}.key = {statement.place(order.by.key)}::text"""
                )
                orders.append(f"({name}.value = 'NaN') NULLS LAST")
                orders.append(f"{name}.value {direction}")
            continue
        orders.append(f"{_ordered_by(order, statement)} {direction}")
    if not any(order.by.key in _TIMES for order in seen):
        orders.append("coalesce(r.started_at, r.created_at) DESC")
    orders.append("r.id")
    return " ".join(joins), ", ".join(orders)


_JOINED: tuple[LiteralString, ...] = ("l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8")
MOST_ORDERS = len(_JOINED)


def _ordered_by(order: Ordered, statement: Statement) -> LiteralString:
    key = order.by.key
    match order.by.entity:
        case "param":
            return f"r.params ->> {statement.place(key)}::text"
        case "tag":
            return _tag(key, statement)
        case "attribute" if key in _TIMES:
            return _TIMES[key]
        case "attribute" if key in _TEXTS:
            return _TEXTS[key]
        case "attribute" if key == "run_id":
            return "r.id"
        case _:
            raise _no_such_attribute(key)


def _no_such_attribute(key: str) -> InvalidParameter:
    names = ", ".join(["run_id", *_TEXTS, *_TIMES])
    return InvalidParameter(f"Invalid attribute key {key[:200]!r}: it is one of {names}.")
