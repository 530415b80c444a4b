"""Search of experiments by MLflow's filters."""

from collections.abc import Mapping
from typing import LiteralString
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.mlflow import InvalidParameter

from experiment_service.mlflow.entities import StoredExperiment
from experiment_service.mlflow.filters import (
    MEMBERSHIP,
    NUMERIC,
    PRESENCE,
    TEXTUAL,
    Comparison,
    check_operator,
    parse_filter,
    parse_order,
)
from experiment_service.mlflow.labels import NOTE
from experiment_service.mlflow.messages import SEARCH_MOST, SearchExperiments, View
from experiment_service.mlflow.sql import id_compared, text_compared, time_compared
from experiment_service.mlflow.tokens import check_max_results, offset_of, token_at
from experiment_service.queries.keyset import Statement

_TIMES: Mapping[str, LiteralString] = {
    "creation_time": "e.created_at",
    "last_update_time": "e.updated_at",
}
_ORDERS: Mapping[str, LiteralString] = {**_TIMES, "name": "e.name", "experiment_id": "e.id"}
_COLUMNS: LiteralString = """
        SELECT e.id, e.project_id, e.name, e.description, e.tags,
               e.metadata #>> '{mlflow,artifact_location}' AS artifact_location,
               e.created_at, e.updated_at, e.archived_at
        FROM experiment.experiments e
"""


async def search_experiments(
    database: Database, project_id: UUID, asked: SearchExperiments
) -> tuple[list[StoredExperiment], str | None]:
    """A page of the project's experiments, and the token of the next one.

    Raises:
        InvalidParameter: the filter, the order or the token cannot be read.
    """
    limit = check_max_results(asked.max_results, SEARCH_MOST)
    offset = offset_of(asked.page_token)
    statement = Statement()
    conditions: list[LiteralString] = []
    conditions.append(f"e.project_id = {statement.place(project_id)}")
    conditions += _of_view(asked.view_type)
    conditions.extend([_condition(one, statement) for one in parse_filter(asked.filter)])
    sql: LiteralString = f"""
        {_COLUMNS}
        WHERE {" AND ".join(conditions)}
        ORDER BY {_order(asked.order_by)}
        LIMIT {statement.place(limit + 1)} OFFSET {statement.place(offset)}
    """
    async with database.acquire() as connection:
        found = await _fetch(connection, sql, statement)
    token = token_at(offset + limit) if len(found) > limit else None
    return found[:limit], token


async def _fetch(
    connection: Connection, sql: LiteralString, statement: Statement
) -> list[StoredExperiment]:
    rows = await connection.fetch(sql, *statement.arguments)
    return [StoredExperiment.model_validate(dict(row)) for row in rows]


def _of_view(view: View) -> list[LiteralString]:
    if view == "ALL":
        return []
    return ["e.archived_at IS NULL" if view == "ACTIVE_ONLY" else "e.archived_at IS NOT NULL"]


def _condition(comparison: Comparison, statement: Statement) -> LiteralString:
    match comparison.of.entity, comparison.of.key:
        case "attribute", "name":
            check_operator(comparison, TEXTUAL)
            return text_compared("e.name", comparison, statement)
        case "attribute", "experiment_id":
            check_operator(comparison, frozenset({"=", "!="}) | MEMBERSHIP)
            return id_compared("e.id", comparison, statement)
        case "attribute", key if key in _TIMES:
            check_operator(comparison, NUMERIC)
            return time_compared(_TIMES[key], comparison, statement)
        case "tag", key:
            return _with_tag(comparison, key, statement)
        case entity, key:
            msg = (
                f"Invalid attribute key '{entity}.{key[:200]}': experiments are searched by name,"
                " creation_time, last_update_time, experiment_id and tags."
            )
            raise InvalidParameter(msg)


def _with_tag(comparison: Comparison, key: str, statement: Statement) -> LiteralString:
    check_operator(comparison, TEXTUAL | PRESENCE)
    tag: LiteralString = f"e.tags ->> {statement.place(key)}::text"
    if key == NOTE:
        tag = f"coalesce({tag}, nullif(e.description, ''))"
    if comparison.operator in PRESENCE:
        return f"({tag}) IS NULL" if comparison.operator == "IS NULL" else f"({tag}) IS NOT NULL"
    return text_compared(f"({tag})", comparison, statement)


def _order(given: list[str]) -> LiteralString:
    parts: list[LiteralString] = []
    for text in given or ["creation_time DESC"]:
        order = parse_order(text)
        column = _ORDERS.get(order.by.key) if order.by.entity == "attribute" else None
        if column is None:
            msg = f"Invalid order_by {text[:300]!r}: it must be one of {', '.join(_ORDERS)}."
            raise InvalidParameter(msg)
        parts.append(f"{column} DESC" if order.descending else column)
    parts.append("e.id DESC")
    return ", ".join(parts)
