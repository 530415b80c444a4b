"""MLflow's searches that the planned search of our own API answers, page by page.

Those are the ones that mean the same in both languages, the common ones among them: metrics,
params that are plain words, tags, states of runs that are not deleted; ordered by metrics and by
start. `run_search` answers all others by statements of its own.
"""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import orjson
from servicekit.database import Connection
from servicekit.mlflow import InvalidParameter
from servicekit.problems import InvalidCursor

from experiment_service.mlflow.filters import Comparison, Ordered
from experiment_service.mlflow.labels import COLUMN_OF_TAG
from experiment_service.mlflow.messages import View
from experiment_service.models import run_filters as native
from experiment_service.queries.experiments import select_experiments_of_project
from experiment_service.queries.keyset import position
from experiment_service.queries.run_conditions import CUT
from experiment_service.queries.run_search import (
    RunFilter,
    positions_of,
    run_order,
    select_run_page,
)

_ARCHIVED: Mapping[View, bool | None] = {"ACTIVE_ONLY": False, "DELETED_ONLY": True, "ALL": None}
_STATUSES: Mapping[object, str] = {
    "SCHEDULED": "draft",
    "RUNNING": "running",
    "FINISHED": "succeeded",
    "FAILED": "failed",
    "KILLED": "interrupted",
}
_SIZES = frozenset({"=", "!=", "<", "<=", ">", ">="})
_TEXTS = frozenset({"=", "!=", "LIKE", "ILIKE"})
_PRESENCE = frozenset({"IS NULL", "IS NOT NULL"})
_BEGUN = native.Field("attribute", "begun_at")
_LAST = native.OrderTerm(native.Field("attribute", "id"))
_STARTS = frozenset({"start_time", "created", "Created"})


def planned(
    comparisons: Sequence[Comparison], orders: Sequence[Ordered], view: View
) -> tuple[native.Expression | None, tuple[native.OrderTerm, ...]] | None:
    """The filter and the order in our own language; None where they mean something else there."""
    parts: list[native.Expression] = []
    for comparison in comparisons:
        part = _comparison(comparison, view)
        if part is None:
            return None
        parts.append(part)
    terms: list[native.OrderTerm] = []
    for order in orders:
        if order.by.entity == "metric":
            field = native.Field("metric", order.by.key)
        elif order.by.entity == "attribute" and order.by.key in _STARTS:
            field = _BEGUN
        else:
            return None
        terms.append(native.OrderTerm(field, order.descending))
    if len({term.field for term in terms}) < len(terms):
        return None
    if all(term.field != _BEGUN for term in terms):
        terms.append(native.OrderTerm(_BEGUN, descending=True))
    if len(terms) >= native.MAX_ORDERS:
        return None
    if not parts:
        return None, (*terms, _LAST)
    return (parts[0] if len(parts) == 1 else native.Every(tuple(parts))), (*terms, _LAST)


def _comparison(given: Comparison, view: View) -> native.Comparison | None:
    key, operator, value = given.of.key, given.operator, given.value
    match given.of.entity:
        case "metric" if operator in _SIZES and isinstance(value, int | float):
            return native.Comparison(native.Field("metric", key), operator, Decimal(value))
        case "param" if operator == "=" and isinstance(value, str) and _is_word(value):
            return native.Comparison(native.Field("param", key), operator, value)
        case "tag" if key not in COLUMN_OF_TAG and operator in _PRESENCE:
            return native.Comparison(native.Field("tag", key), operator)
        case "tag" if key not in COLUMN_OF_TAG and operator in _TEXTS and isinstance(value, str):
            return native.Comparison(native.Field("tag", key), operator, value)
        case "attribute" if key == "status" and view == "ACTIVE_ONLY" and operator in {"=", "!="}:
            if status := _STATUSES.get(value):
                return native.Comparison(native.Field("attribute", key), operator, status)
        case _:
            pass
    return None


def _is_word(text: str) -> bool:
    """Whether only a text can be it: `0.10` is a number to us, and to MLflow another than 0.1."""
    number = native.reads_as_number(text)
    return number is None and text not in {"true", "false"} and len(text) < CUT


async def select_planned_page(
    connection: Connection,
    *,
    project_id: UUID,
    experiment_ids: Sequence[UUID],
    view: View,
    wanted: tuple[native.Expression | None, tuple[native.OrderTerm, ...]],
    page_token: str,
    limit: int,
    published: bool,
) -> tuple[list[UUID], str | None]:
    """The ids of a page, and the token of the next one.

    Raises:
        InvalidParameter: the token is none of this search.
    """
    # One experiment alone stands for its project in the plan, so it must be of this one.
    ours = await select_experiments_of_project(
        connection, project_id=project_id, experiment_ids=list(dict.fromkeys(experiment_ids))
    )
    if not ours:
        return [], None
    expression, terms = wanted
    named = _digest(expression, terms, experiment_ids, view)
    order = run_order(terms, named, metrics_published=published)
    try:
        after = position(page_token or None, named, positions_of(order))
    except InvalidCursor as exc:
        msg = "Invalid page token, could not be read."
        raise InvalidParameter(msg) from exc
    runs = RunFilter(
        project_id=project_id,
        experiment_ids=tuple(ours),
        archived=_ARCHIVED[view],
        expression=expression,
        metrics_published=published,
    )
    page, end = await select_run_page(connection, runs, order, after=after, limit=limit)
    token = end.cursor(named).encode() if end else None
    return [row.id for row in page if row.id], token


def _digest(*asked: object) -> str:
    return f"mlflow{hashlib.sha256(orjson.dumps(repr(asked))).hexdigest()[:16]}"
