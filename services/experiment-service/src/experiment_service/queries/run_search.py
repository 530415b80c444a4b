"""Finding runs: filters and orders as SQL, and the plan by which a page is read.

What PostgreSQL's planner would have to guess is asked first. A comparison that few runs meet
gives their ids, and these few are looked at. Where every comparison is common, a stretch of the
ordered list is looked through, since a page of common runs is found near its beginning. What
neither finds is read by sets, once for all runs. So no filter costs more than reading its parts
of the indexes once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import LiteralString
from uuid import UUID

from servicekit.database import Connection

from experiment_service.models.run_filters import (
    Comparison,
    Every,
    Expression,
    Field,
    OrderTerm,
    tightest,
)
from experiment_service.queries.keyset import (
    Column,
    Position,
    Segment,
    Statement,
    page_of_positions,
    page_sql,
    read_page,
    read_segment,
)
from experiment_service.queries.run_conditions import (
    Scope,
    metric_compared,
    set_of,
    test_in_sets,
    test_of_run,
)

FEW = 1000
"""So many runs are looked at one by one, whatever else is asked of them."""
STRETCH = 2000
"""So many places of the ordered list are looked through before sets are read."""
PROBES = 8
"""So many comparisons are probed for being rare."""

_CREATED = Column("r.created_at", "timestamptz")
_BEGUN: LiteralString = "coalesce(r.started_at, r.created_at)"
# Orders what the list's own order leaves equal, unless other terms do.
_THEN_CREATED = Column("r.created_at", "timestamptz")

# In these, $1 is the key and $2 the project.
_PARAM = "JOIN experiment.run_params p ON p.run_id = r.id AND p.project_id = $2 AND p.key = $1"
_METRIC = "JOIN metrics.latest m ON m.run_id = r.id AND m.project_id = $2 AND m.key = $1"
_NOT_AMONG_PARAMS = """coalesce(r.id NOT IN (
    SELECT p.run_id FROM experiment.run_params p WHERE p.project_id = $2 AND p.key = $1
), true)"""
_NOT_AMONG_METRICS = """coalesce(r.id NOT IN (
    SELECT m.run_id FROM metrics.latest m WHERE m.project_id = $2 AND m.key = $1
), true)"""

_NOT_AMONG_TAGS = """coalesce(r.id NOT IN (
    SELECT t.run_id FROM experiment.run_tags t WHERE t.project_id = $2 AND t.key = $1
), true)"""
# The same, looked up for each of few runs rather than read for all.
_WITHOUT: Mapping[LiteralString, LiteralString] = {
    _NOT_AMONG_PARAMS: """coalesce((
        SELECT false FROM experiment.run_params p
        WHERE p.run_id = r.id AND p.project_id = $2 AND p.key = $1
    ), true)""",
    _NOT_AMONG_METRICS: """coalesce((
        SELECT false FROM metrics.latest m
        WHERE m.run_id = r.id AND m.project_id = $2 AND m.key = $1
    ), true)""",
    _NOT_AMONG_TAGS: """coalesce((
        SELECT false FROM experiment.run_tags t
        WHERE t.run_id = r.id AND t.project_id = $2 AND t.key = $1
    ), true)""",
}


def _nullable(column: LiteralString, kind: LiteralString) -> tuple[Segment, ...]:
    return (
        Segment(condition=f"{column} IS NOT NULL", columns=(Column(column, kind),)),
        Segment(condition=f"{column} IS NULL", leading=column),
    )


_PLAIN: Mapping[str, tuple[Segment, ...]] = {
    "created_at": (Segment(columns=(_CREATED,)),),
    "started_at": _nullable("r.started_at", "timestamptz"),
    # The start, or the creation of what never started: the order of MLflow's lists.
    "begun_at": (Segment(columns=(Column(_BEGUN, "timestamptz"),)),),
    "finished_at": _nullable("r.finished_at", "timestamptz"),
    "updated_at": (Segment(columns=(Column("r.updated_at", "timestamptz"),)),),
    "name": (Segment(columns=(Column("r.name_key", "text"),)),),
    "status": (Segment(columns=(Column("r.status", "text"), _THEN_CREATED)),),
    "duration_seconds": _nullable("r.duration_seconds", "float8"),
    "host": _nullable("r.host", "text"),
    "source": _nullable("r.source", "text"),
    "git_commit": _nullable("r.git_commit", "text"),
    "git_branch": _nullable("r.git_branch", "text"),
    "git_dirty": _nullable("r.git_dirty::int", "int"),
    "created_by": (Segment(columns=(Column("r.created_by", "uuid"),)),),
    "parent_run_id": _nullable("r.parent_run_id", "uuid"),
    "experiment_id": (Segment(columns=(Column("r.experiment_id", "uuid"),)),),
    "id": (Segment(),),
}
_PARAMS = (
    Segment(
        join=_PARAM, condition="p.reading IS NOT NULL", columns=(Column("p.reading", "numeric"),)
    ),
    Segment(
        join=_PARAM,
        condition="p.kind = 'text' AND p.reading IS NULL",
        columns=(Column("p.text", "text"),),
    ),
    Segment(join=_PARAM, condition="p.kind = 'boolean'", columns=(Column("p.number", "numeric"),)),
    Segment(join=_PARAM, condition="p.kind = 'null'", columns=(Column("p.number", "numeric"),)),
    Segment(condition=_NOT_AMONG_PARAMS, columns=(_THEN_CREATED,)),
)
_METRICS = (
    Segment(join=_METRIC, condition="m.value < 'NaN'", columns=(Column("m.value", "float8"),)),
    Segment(join=_METRIC, condition="m.value = 'NaN'", columns=(_THEN_CREATED,)),
    Segment(condition=_NOT_AMONG_METRICS, columns=(_THEN_CREATED,)),
)
_TAGS = (
    Segment(
        join="JOIN experiment.run_tags t ON t.run_id = r.id AND t.project_id = $2 AND t.key = $1",
        columns=(Column("left(t.value, 200)", "text"),),
    ),
    Segment(condition=_NOT_AMONG_TAGS, columns=(_THEN_CREATED,)),
)
# While no metrics are published, every run is without the metric.
_NO_METRICS = (
    Segment(
        condition="$1::text IS NULL AND $2::uuid IS NULL",
        columns=(Column("r.duration_seconds", "float8"),),
    ),
    Segment(condition="$1::text IS NULL AND $2::uuid IS NULL", columns=(_THEN_CREATED,)),
    Segment(condition="$1::text IS NOT NULL AND $2::uuid IS NOT NULL", columns=(_THEN_CREATED,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it was asked for: the first term by the segments of a list, more break ties."""

    text: str
    field: Field
    descending: bool
    key: str | None
    segments: tuple[Segment, ...]
    more: tuple[OrderTerm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs; what is None or empty does not matter.

    The caller has made sure that the experiments are the project's.
    """

    project_id: UUID
    experiment_ids: tuple[UUID, ...] = ()
    parent_run_id: UUID | None = None
    statuses: tuple[str, ...] = ()
    name_part: str | None = None
    tags: tuple[tuple[str, str | None], ...] = ()
    archived: bool | None = False
    expression: Expression | None = None
    metrics_published: bool = False

    @property
    def scope(self) -> Scope:
        """What comparisons are looked up in."""
        return Scope(self.project_id, self.metrics_published)


def run_order(terms: Sequence[OrderTerm], text: str, *, metrics_published: bool) -> Order:
    """The order of these terms, at least one; `text` names it in cursors."""
    first, *more = terms
    field = first.field
    key: str | None = field.key
    match field.kind:
        case "metric":
            segments = _METRICS if metrics_published else _NO_METRICS
        case "param":
            segments = _PARAMS
        case "tag":
            segments = _TAGS
        case _:
            key, segments = None, _PLAIN[field.key]
    return Order(
        text=text,
        field=field,
        descending=first.descending,
        key=key,
        segments=segments,
        more=tuple(term for term in more if metrics_published or term.field.kind != "metric"),
    )


def positions_of(order: Order) -> list[Segment]:
    """The segments with every column that a position in them has."""
    return [_with_more(segment, order, Statement(), UUID(int=0)) for segment in order.segments]


async def select_run_page(
    connection: Connection, runs: RunFilter, order: Order, *, after: Position, limit: int
) -> tuple[list[Position], Position | None]:
    """Where the next runs stand after a position; see `read_page`."""
    if runs.expression is None:
        return await _read(connection, runs, order, after=after, limit=limit)
    runs = replace(runs, expression=tightest(runs.expression))
    assert runs.expression is not None  # noqa: S101 - it is still there
    if _bounds(order, runs.expression):
        # Only runs that have a number there can match: the others need not be looked for.
        order = replace(order, segments=order.segments[:1])
    if after.segment >= len(order.segments):
        return [], None
    few = await _few(connection, runs, runs.expression)
    if few is None:
        found = await _look_through(connection, runs, order, after=after, limit=limit)
        if found is not None:
            return found
        async with connection.transaction(readonly=True):
            # Sets of some 100,000 runs are hashed in memory, not read again for each run.
            await connection.execute("SET LOCAL work_mem = '64MB'")
            few = await _all_that_match(connection, runs, runs.expression)
            if few is None:
                return await _read(connection, runs, order, after=after, limit=limit, sets=True)
    return await _read(connection, runs, order, after=after, limit=limit, among=few)


async def select_matching(connection: Connection, runs: RunFilter, *, limit: int) -> list[UUID]:
    """Ids of the runs that match, in no order."""
    statement = Statement()
    conditions = _conditions(runs, statement)
    if runs.expression:
        conditions.append(test_in_sets(runs.expression, "r.id", runs.scope, statement))
    sql: LiteralString = f"""
        SELECT r.id FROM experiment.runs r
        WHERE {" AND ".join(conditions)} LIMIT {statement.place(limit)}::int
    """  # noqa: S608 - put together from literals, as the types say
    return [row["id"] for row in await connection.fetch(sql, *statement.arguments)]


async def _read(
    connection: Connection,
    runs: RunFilter,
    order: Order,
    *,
    after: Position,
    limit: int,
    among: Sequence[UUID] | None = None,
    sets: bool = False,
) -> tuple[list[Position], Position | None]:
    """A page, segment by segment: of few runs each is tested, of many all by sets."""

    def compose(
        segment: Segment, begin: Position | None, count: int
    ) -> tuple[LiteralString, Statement]:
        statement = _keyed(runs, order)
        table: LiteralString = "experiment.runs r"
        if among is not None:
            # Their number is what the planner would not know: it begins with them.
            place = statement.place(among)
            without = _WITHOUT.get(segment.condition, segment.condition)
            segment = replace(segment, condition=without)
            table = f"unnest({place}::uuid[]) AS few (id) JOIN experiment.runs r ON r.id = few.id"
        conditions = _conditions(runs, statement)
        if runs.expression is not None:
            for bound in _bounds(order, runs.expression):
                conditions.append(metric_compared("m.value", bound, statement))
            test = test_in_sets if sets else test_of_run
            # Tested where the few come from, not again for every row that they are joined with.
            run_id: LiteralString = "r.id" if among is None else "few.id"
            if sets and segment.join:
                run_id = _joined_id(segment.join)
            conditions.append(test(runs.expression, run_id, runs.scope, statement))
        sql = page_sql(
            statement,
            _with_more(segment, order, statement, runs.project_id),
            table=table,
            row="r",
            conditions=conditions,
            after=begin,
            descending=order.descending,
            limit=count,
        )
        return sql, statement

    return await read_page(connection, order.segments, compose, after=after, limit=limit)


def _joined_id(join: LiteralString) -> LiteralString:
    """The id in the table that gives the order: tested there, before runs are looked up."""
    if join == _METRIC:
        return "m.run_id"
    return "p.run_id" if join == _PARAM else "t.run_id"


async def _few(
    connection: Connection, runs: RunFilter, expression: Expression
) -> list[UUID] | None:
    """The runs of a comparison that few meet; None where none is known to be rare."""
    parts = expression.parts if isinstance(expression, Every) else (expression,)
    comparisons = [part for part in parts if isinstance(part, Comparison)]
    comparisons.sort(key=_likely_rare)
    for comparison in comparisons[:PROBES]:
        statement = Statement()
        source = set_of(comparison, runs.scope, statement)
        if source is None:
            continue
        sql: LiteralString = f"""
            SELECT {source.run_id} AS id FROM {source.table} WHERE {source.condition}
            LIMIT {statement.place(FEW + 1)}::int
        """  # noqa: S608 - put together from literals, as the types say
        found = await connection.fetch(sql, *statement.arguments)
        if len(found) <= FEW:
            return [row["id"] for row in found]
    return None


def _likely_rare(comparison: Comparison) -> int:
    order = ("=", "IN", "LIKE", "ILIKE", "<", "<=", ">", ">=")
    operator = comparison.operator
    return order.index(operator) if operator in order else len(order)


async def _all_that_match(
    connection: Connection, runs: RunFilter, expression: Expression
) -> list[UUID] | None:
    """The runs that match, where they are few together; None where they are many."""
    parts = expression.parts if isinstance(expression, Every) else (expression,)
    for part in parts:
        if not isinstance(part, Comparison):
            continue
        statement = Statement()
        source = set_of(part, runs.scope, statement)
        if source is None:
            continue
        tests: list[LiteralString] = [
            test_in_sets(other, source.run_id, runs.scope, statement)
            for other in parts
            if other is not part
        ]
        condition: LiteralString = " AND ".join([source.condition, *tests])
        sql: LiteralString = f"""
            SELECT {source.run_id} AS id FROM {source.table} WHERE {condition}
            LIMIT {statement.place(FEW + 1)}::int
        """  # noqa: S608 - as above
        found = await connection.fetch(sql, *statement.arguments)
        return [row["id"] for row in found] if len(found) <= FEW else None
    return None


async def _look_through(
    connection: Connection, runs: RunFilter, order: Order, *, after: Position, limit: int
) -> tuple[list[Position], Position | None] | None:
    """A page from the next stretch of the list; None where too few of it match."""
    expression = runs.expression
    assert expression is not None  # noqa: S101 - the caller has seen to it
    statement = _keyed(runs, order)
    plain = order.segments[after.segment]
    segment = _with_more(plain, order, statement, runs.project_id)
    bounds: list[LiteralString] = [
        metric_compared("m.value", bound, statement) for bound in _bounds(order, expression)
    ]
    inner = page_sql(
        statement,
        segment,
        table="experiment.runs r",
        row="r",
        conditions=[*_conditions(runs, statement), *bounds],
        after=after,
        descending=order.descending,
        limit=STRETCH,
    )
    test = test_of_run(expression, "stretch.id", runs.scope, statement)
    sql: LiteralString = f"""
        SELECT * FROM ({inner}) AS stretch WHERE {test} LIMIT {statement.place(limit + 1)}::int
    """  # noqa: S608 - as above
    rows = await connection.fetch(sql, *statement.arguments)
    found = read_segment(rows, after.segment)
    return page_of_positions(found, limit) if len(found) > limit else None


def _bounds(order: Order, expression: Expression) -> list[Comparison]:
    """Comparisons of the metric that gives the order: they say where in its index to begin."""
    if order.segments[0].join != _METRIC:
        return []
    parts = expression.parts if isinstance(expression, Every) else (expression,)
    return [
        part
        for part in parts
        if isinstance(part, Comparison)
        and part.field == order.field
        and part.operator in {"=", "<", "<=", ">", ">="}
    ]


def _keyed(runs: RunFilter, order: Order) -> Statement:
    statement = Statement()
    if order.key is not None:
        statement.place(order.key)
        statement.place(runs.project_id)
    return statement


# Names for the tables that break ties.
_TIES: tuple[LiteralString, ...] = ("tie1", "tie2", "tie3")


def _with_more(segment: Segment, order: Order, statement: Statement, project_id: UUID) -> Segment:
    """The segment with the columns of the other terms."""
    joins: list[LiteralString] = [segment.join]
    columns = [
        column for column in segment.columns if not order.more or column is not _THEN_CREATED
    ]
    for name, term in zip(_TIES, order.more, strict=False):
        join, added = _tie(name, term, statement, project_id)
        joins.append(join)
        columns += added
    return Segment(
        join=" ".join(joins),
        condition=segment.condition,
        columns=tuple(columns),
        leading=segment.leading,
    )


def _tie(
    name: LiteralString, term: OrderTerm, statement: Statement, project_id: UUID
) -> tuple[LiteralString, list[Column]]:
    """What breaks ties: never null, so that rows compare; what is missing comes last."""
    down = term.descending
    if term.field.kind == "attribute":
        column, kind, instead = _ATTRIBUTE_TIES[term.field.key]
        return "", [
            Column(f"({column} IS NULL)::int", "int", descending=False),
            Column(f"coalesce({column}, {instead})", kind, descending=down),
        ]
    key, project = statement.place(term.field.key), statement.place(project_id)
    on: LiteralString = (
        f"{name} ON {name}.run_id = r.id AND {name}.project_id = {project} AND {name}.key = {key}"
    )
    match term.field.kind:
        case "metric":
            missing: LiteralString = (
                f"CASE WHEN {name}.value < 'NaN' THEN 0 WHEN {name}.value = 'NaN' THEN 1 ELSE 2 END"
            )
            return f"LEFT JOIN metrics.latest {on}", [
                Column(missing, "int", descending=False),
                Column(f"coalesce(nullif({name}.value, 'NaN'), 0)", "float8", descending=down),
            ]
        case "param":
            rank: LiteralString = f"""CASE WHEN {name}.reading IS NOT NULL THEN 0
                WHEN {name}.kind = 'text' THEN 1 WHEN {name}.kind = 'boolean' THEN 2
                WHEN {name}.kind = 'null' THEN 3 ELSE 4 END"""
            return f"LEFT JOIN experiment.run_params {on}", [
                Column(rank, "int", descending=False),
                Column(f"coalesce({name}.reading, {name}.number, 0)", "numeric", descending=down),
                Column(f"coalesce({name}.text, '')", "text", descending=down),
            ]
        case _:
            return f"LEFT JOIN experiment.run_tags {on}", [
                Column(f"({name}.value IS NULL)::int", "int", descending=False),
                Column(f"coalesce(left({name}.value, 200), '')", "text", descending=down),
            ]


_NEVER: LiteralString = "timestamptz '1970-01-01Z'"
_NOBODY: LiteralString = "'00000000-0000-0000-0000-000000000000'::uuid"
_ATTRIBUTE_TIES: Mapping[str, tuple[LiteralString, LiteralString, LiteralString]] = {
    "id": ("r.id", "uuid", _NOBODY),
    "name": ("r.name_key", "text", "''"),
    "status": ("r.status", "text", "''"),
    "experiment_id": ("r.experiment_id", "uuid", _NOBODY),
    "created_at": ("r.created_at", "timestamptz", _NEVER),
    "started_at": ("r.started_at", "timestamptz", _NEVER),
    "begun_at": (_BEGUN, "timestamptz", _NEVER),
    "finished_at": ("r.finished_at", "timestamptz", _NEVER),
    "updated_at": ("r.updated_at", "timestamptz", _NEVER),
    "duration_seconds": ("r.duration_seconds", "float8", "0"),
    "created_by": ("r.created_by", "uuid", _NOBODY),
    "host": ("r.host", "text", "''"),
    "source": ("r.source", "text", "''"),
    "git_commit": ("r.git_commit", "text", "''"),
    "git_branch": ("r.git_branch", "text", "''"),
    "git_dirty": ("r.git_dirty::int", "int", "0"),
    "parent_run_id": ("r.parent_run_id", "uuid", _NOBODY),
}


def _conditions(runs: RunFilter, statement: Statement) -> list[LiteralString]:
    conditions: list[LiteralString] = []
    match runs.experiment_ids:
        case ():
            conditions.append(f"r.project_id = {statement.place(runs.project_id)}")
        case (experiment_id,):
            conditions.append(f"r.experiment_id = {statement.place(experiment_id)}")
        case several:
            conditions.append(f"r.project_id = {statement.place(runs.project_id)}")
            conditions.append(f"r.experiment_id = ANY({statement.place(several)}::uuid[])")
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
