"""Search of logged models by MLflow's filters."""

from collections.abc import Mapping, Sequence
from typing import LiteralString
from uuid import UUID

from servicekit.database import Database
from servicekit.mlflow import InvalidParameter

from experiment_service.mlflow.filters import (
    MEMBERSHIP,
    NUMERIC,
    TEXTUAL,
    Comparison,
    check_operator,
    identifier,
    parse_filter,
)
from experiment_service.mlflow.messages import DatasetFilter, ModelOrder, SearchModels
from experiment_service.mlflow.sql import (
    id_compared,
    number_compared,
    text_compared,
    time_compared,
)
from experiment_service.mlflow.tokens import check_max_results, offset_of, token_at
from experiment_service.queries.keyset import Statement

_MOST, _USUALLY = 1000, 100

_TEXTS: Mapping[str, LiteralString] = {"name": "m.name", "model_type": "m.model_type"}
_IDS: Mapping[str, LiteralString] = {
    "model_id": "m.id",
    "source_run_id": "m.source_run_id",
    "experiment_id": "m.experiment_id",
}
_TIMES: Mapping[str, LiteralString] = {
    "creation_time": "m.created_at",
    "creation_timestamp": "m.created_at",
    "creation_timestamp_ms": "m.created_at",
    "last_updated_timestamp": "m.updated_at",
    "last_updated_timestamp_ms": "m.updated_at",
}
_ORDERS: Mapping[str, LiteralString] = {**_TEXTS, **_IDS, **_TIMES}


async def search_models(
    database: Database, project_id: UUID, experiment_ids: Sequence[UUID], asked: SearchModels
) -> tuple[list[UUID], str | None]:
    """The ids of a page of models that are not deleted, and the token of the next page.

    Raises:
        InvalidParameter: the filter, the order or the token cannot be read.
    """
    limit = check_max_results(asked.max_results or _USUALLY, _MOST)
    offset = offset_of(asked.page_token)
    if any(not dataset.dataset_name for dataset in asked.datasets):
        msg = "dataset_name in the datasets clause must be specified."
        raise InvalidParameter(msg)
    statement = Statement()
    conditions: list[LiteralString] = ["m.deleted_at IS NULL"]
    conditions.append(f"m.project_id = {statement.place(project_id)}")
    conditions.append(f"m.experiment_id = ANY({statement.place(experiment_ids)}::uuid[])")
    comparisons = parse_filter(asked.filter)
    conditions.extend([_condition(one, asked.datasets, statement) for one in comparisons])
    if asked.datasets and not any(one.of.entity == "metric" for one in comparisons):
        conditions.append(_has_metric([], asked.datasets, statement))
    sql: LiteralString = f"""
        SELECT m.id
        FROM experiment.logged_models m
        WHERE {" AND ".join(conditions)}
        ORDER BY {_order(asked.order_by, statement)}
        LIMIT {statement.place(limit + 1)} OFFSET {statement.place(offset)}
    """  # noqa: S608 - composed of literals alone, which the type checker sees to
    async with database.acquire() as connection:
        rows = await connection.fetch(sql, *statement.arguments)
    token = token_at(offset + limit) if len(rows) > limit else None
    return [row["id"] for row in rows[:limit]], token


def _condition(
    comparison: Comparison, datasets: Sequence[DatasetFilter], statement: Statement
) -> LiteralString:
    match comparison.of.entity, comparison.of.key:
        case "attribute", key if key in _TEXTS:
            check_operator(comparison, TEXTUAL | MEMBERSHIP)
            return text_compared(_TEXTS[key], comparison, statement)
        case "attribute", key if key in _IDS:
            check_operator(comparison, frozenset({"=", "!="}) | MEMBERSHIP)
            return id_compared(_IDS[key], comparison, statement, prefix="m-")
        case "attribute", key if key in _TIMES:
            check_operator(comparison, NUMERIC)
            return time_compared(_TIMES[key], comparison, statement)
        case "param", key:
            check_operator(comparison, TEXTUAL | MEMBERSHIP)
            column: LiteralString = f"(m.params ->> {statement.place(key)}::text)"
            return text_compared(column, comparison, statement)
        case "tag", key:
            check_operator(comparison, TEXTUAL | MEMBERSHIP)
            column = f"(m.tags ->> {statement.place(key)}::text)"
            return text_compared(column, comparison, statement)
        case "metric", key:
            check_operator(comparison, NUMERIC)
            wanted: list[LiteralString] = [
                f"mm.key = {statement.place(key)}",
                number_compared("mm.value", comparison, statement),
            ]
            return _has_metric(wanted, datasets, statement)
        case entity, key:
            msg = f"Invalid attribute key '{entity}.{key[:200]}' for logged models."
            raise InvalidParameter(msg)


def _has_metric(
    wanted: list[LiteralString], datasets: Sequence[DatasetFilter], statement: Statement
) -> LiteralString:
    conditions: list[LiteralString] = ["mm.model_id = m.id"]
    conditions += wanted
    conditions += _of_datasets(datasets, statement)
    among: LiteralString = " AND ".join(conditions)
    return f"EXISTS (SELECT FROM experiment.logged_model_metrics mm WHERE {among})"


def _of_datasets(datasets: Sequence[DatasetFilter], statement: Statement) -> list[LiteralString]:
    if not datasets:
        return []
    names = statement.place([dataset.dataset_name for dataset in datasets])
    digests = statement.place([dataset.dataset_digest for dataset in datasets])
    return [
        f"""EXISTS (
            SELECT FROM unnest({names}::text[], {digests}::text[]) AS wanted (name, digest)
            WHERE wanted.name = mm.dataset_name AND wanted.digest IN ('', mm.dataset_digest)
        )"""
    ]


def _order(given: Sequence[ModelOrder], statement: Statement) -> LiteralString:
    parts: list[LiteralString] = [_ordered(order, statement) for order in given]
    parts.extend(("m.created_at DESC", "m.id"))
    return ", ".join(parts)


def _ordered(order: ModelOrder, statement: Statement) -> LiteralString:
    by = identifier(order.field_name) if order.field_name else None
    direction: LiteralString = "ASC NULLS LAST" if order.ascending else "DESC NULLS LAST"
    if by and by.entity == "attribute" and by.key in _ORDERS:
        return f"{_ORDERS[by.key]} {direction}"
    if by is None or by.entity != "metric":
        msg = (
            f"Invalid order by field name: {order.field_name[:300]!r}. Only metrics are supported."
        )
        raise InvalidParameter(msg)
    datasets = [DatasetFilter(dataset_name=order.dataset_name, dataset_digest=order.dataset_digest)]
    conditions: list[LiteralString] = [f"mm.key = {statement.place(by.key)}"]
    if order.dataset_name:
        conditions += _of_datasets(datasets, statement)
    return f"""(
        SELECT mm.value
        FROM experiment.logged_model_metrics mm
        WHERE mm.model_id = m.id AND {" AND ".join(conditions)}
        ORDER BY mm.time_ms DESC, mm.step DESC, mm.run_id
        LIMIT 1
    ) {direction}"""  # noqa: S608 - as above
