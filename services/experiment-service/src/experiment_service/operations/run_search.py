"""Searching runs: a page of those that a filter wants, in the order asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

from servicekit.database import Database
from servicekit.pagination import Page
from servicekit.problems import Invalid

from experiment_service.models.run_filters import (
    Comparison,
    Every,
    Expression,
    Field,
    FilterMistake,
    Not,
    OrderTerm,
    Some,
    parse_field,
    parse_filter,
    parse_order,
)
from experiment_service.models.runs import ExperimentRunsQuery, Run, RunSearch
from experiment_service.operations.filters import archived_filter, tag_filters
from experiment_service.operations.run_reading import runs_with_metrics
from experiment_service.queries.experiments import select_experiments_of_project
from experiment_service.queries.keyset import position
from experiment_service.queries.metrics import select_metrics_published
from experiment_service.queries.run_search import (
    RunFilter,
    positions_of,
    run_order,
    select_run_page,
)

_NEWEST_FIRST = (OrderTerm(Field("attribute", "created_at"), descending=True),)


async def list_runs(
    database: Database,
    project_id: UUID,
    query: ExperimentRunsQuery,
    *,
    experiment_id: UUID | None,
) -> Page[Run]:
    """One page of a project's runs, or of one of its experiments'.

    Raises:
        Invalid: the filter or the order cannot be read.
        InvalidCursor: the cursor belongs to another list.
    """
    expression = read_filter(query.filter, {"parameter": "filter"})
    statuses = [*query.status, *(["archived"] if speaks_of_archived(expression) else [])]
    terms = read_order(query.order_by, {"parameter": "order_by"}) or (_sorted_by(query.sort),)
    asked = _Asked(
        text=f"{query.sort}{_digest(query.filter, query.order_by)}",
        terms=tuple(terms),
        limit=query.limit,
        cursor=query.cursor,
    )
    wanted = RunFilter(
        project_id=project_id,
        experiment_ids=(experiment_id,) if experiment_id else (),
        parent_run_id=query.parent_run_id,
        statuses=tuple(query.status),
        name_part=query.q,
        tags=tag_filters(query.tag),
        archived=archived_filter(query.archived, statuses),
        expression=expression,
    )
    return await _page(database, wanted, asked)


async def search_runs(database: Database, project_id: UUID, search: RunSearch) -> Page[Run]:
    """`list_runs` for filters and experiments that are too many for an address.

    Raises:
        Invalid, InvalidCursor: see there.
    """
    expression = read_filter(search.filter, {"pointer": "#/filter"})
    terms = read_order(search.order_by, {"pointer": "#/order_by"}) or _NEWEST_FIRST
    asked = _Asked(
        text=f"search{_digest(search.filter, search.order_by)}",
        terms=tuple(terms),
        limit=search.limit,
        cursor=search.cursor,
    )
    wanted = RunFilter(
        project_id=project_id,
        experiment_ids=tuple(dict.fromkeys(search.experiment_ids)),
        archived=archived_filter(
            search.archived, ["archived"] if speaks_of_archived(expression) else []
        ),
        expression=expression,
    )
    return await _page(database, wanted, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The order of a list, its name in cursors, and which page of it."""

    text: str
    terms: tuple[OrderTerm, ...]
    limit: int
    cursor: str | None


async def _page(database: Database, wanted: RunFilter, asked: _Asked) -> Page[Run]:
    async with database.acquire() as connection:
        published = await select_metrics_published(connection)
        order = run_order(asked.terms, asked.text, metrics_published=published)
        after = position(asked.cursor, asked.text, positions_of(order))
        if wanted.experiment_ids:
            known = await select_experiments_of_project(
                connection, project_id=wanted.project_id, experiment_ids=wanted.experiment_ids
            )
            if not known:
                return Page(items=[])
            wanted = replace(wanted, experiment_ids=tuple(known))
        wanted = replace(wanted, metrics_published=published)
        page, end = await select_run_page(connection, wanted, order, after=after, limit=asked.limit)
        items = await runs_with_metrics(
            connection, [row.id for row in page if row.id], published=published
        )
    return Page(items=items, next_cursor=end.cursor(asked.text).encode() if end else None)


def read_filter(text: str | None, where: dict[str, str]) -> Expression | None:
    """The tree of a filter.

    Raises:
        Invalid: it is not of the language; the error names the place, `where` and in the text.
    """
    try:
        return parse_filter(text) if text else None
    except FilterMistake as mistake:
        raise _invalid(mistake, where) from None


def read_field(text: str, where: dict[str, str]) -> Field:
    """One field by its name.

    Raises:
        Invalid: there is none of that name.
    """
    try:
        return parse_field(text)
    except FilterMistake as mistake:
        raise _invalid(mistake, where) from None


def read_order(texts: Sequence[str], where: dict[str, str]) -> list[OrderTerm]:
    """The terms of an order.

    Raises:
        Invalid: one is not of the language, or stands there twice.
    """
    terms: list[OrderTerm] = []
    for number, text in enumerate(texts):
        try:
            term = parse_order(text)
        except FilterMistake as mistake:
            raise _invalid(mistake, _item(where, number)) from None
        if term.field in {other.field for other in terms}:
            mistake = FilterMistake("this is ordered by already", 0, len(text))
            raise _invalid(mistake, _item(where, number))
        terms.append(term)
    return terms


def _item(where: dict[str, str], number: int) -> dict[str, str]:
    """Where an item of a list stands; a parameter's items are told apart by their texts."""
    return {name: f"{at}/{number}" if name == "pointer" else at for name, at in where.items()}


def _invalid(mistake: FilterMistake, where: dict[str, str]) -> Invalid:
    error = {
        **where,
        "detail": mistake.message,
        "position": mistake.position,
        "length": mistake.length,
    }
    return Invalid(f"At character {mistake.position + 1}: {mistake.message}.", errors=[error])


def _sorted_by(sort: str) -> OrderTerm:
    name, _, key = sort.removeprefix("-").partition(".")
    match name:
        case "metrics":
            field = Field("metric", key)
        case "params":
            field = Field("param", key)
        case "tags":
            field = Field("tag", key)
        case _:
            field = Field("attribute", name)
    return OrderTerm(field, sort.startswith("-"))


def _digest(filter_text: str | None, order_by: Sequence[str]) -> str:
    """What ties a cursor to its filter and order."""
    if not filter_text and not order_by:
        return ""
    said = "\0".join([filter_text or "", *order_by])
    return f"~{sha256(said.encode()).hexdigest()[:12]}"


def speaks_of_archived(part: Expression | None) -> bool:
    """Whether a filter speaks of archived runs: then they are not left out beforehand."""
    match part:
        case None:
            return False
        case Comparison():
            if part.field == Field("attribute", "archived"):
                return True
            if part.field != Field("attribute", "status"):
                return False
            return "archived" in (part.value if isinstance(part.value, tuple) else (part.value,))
        case Not():
            return speaks_of_archived(part.part)
        case Every() | Some():
            return any(speaks_of_archived(one) for one in part.parts)
