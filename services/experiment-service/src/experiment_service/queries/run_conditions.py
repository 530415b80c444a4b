"""Comparisons of run search as SQL, put together from literals alone.

A comparison can be asked in two ways. Of one run: whether it holds, which costs a look into an
index. Of all: the set of runs for which it holds, which costs reading a part of an index, and
then nothing for each run. `run_search` decides which of the two is cheaper.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import LiteralString, assert_never
from uuid import UUID

from experiment_service.models.run_filters import (
    Comparison,
    Every,
    Expression,
    Field,
    Not,
    Scalar,
    Some,
    reads_as_number,
)
from experiment_service.models.values import name_key
from experiment_service.queries.keyset import Statement

# As many characters of a param's text stand in run_params, and of a tag's value in its index.
CUT = 200

_SYMBOLS: Mapping[str, LiteralString] = {
    "=": "=",
    "!=": "<>",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "LIKE": "LIKE",
    "ILIKE": "ILIKE",
}
_COLUMNS: Mapping[str, LiteralString] = {
    "id": "r.id",
    "name": "r.name",
    "status": "r.status",
    "experiment_id": "r.experiment_id",
    "created_at": "r.created_at",
    "started_at": "r.started_at",
    "finished_at": "r.finished_at",
    "updated_at": "r.updated_at",
    "duration_seconds": "r.duration_seconds",
    "created_by": "r.created_by",
    "host": "r.host",
    "source": "r.source",
    "git_commit": "r.git_commit",
    "git_branch": "r.git_branch",
    "git_dirty": "r.git_dirty",
    "parent_run_id": "r.parent_run_id",
    "archived": "(r.archived_at IS NOT NULL)",
}
_PARAM_AS_TEXT: LiteralString = """CASE p.kind
    WHEN 'text' THEN p.text WHEN 'number' THEN trim_scale(p.number)::text
    WHEN 'boolean' THEN CASE WHEN p.number = 1 THEN 'true' ELSE 'false' END END"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the runs for which something holds are read."""

    table: LiteralString
    run_id: LiteralString
    condition: LiteralString


@dataclass(frozen=True, slots=True)
class Scope:
    """The runs that are searched."""

    project_id: UUID
    metrics_published: bool


def test_of_run(
    part: Expression, run_id: LiteralString, scope: Scope, statement: Statement
) -> LiteralString:
    """Whether it holds for the run of that id: a look into an index for each comparison."""
    match part:
        case Comparison():
            source, absent = _source(part, scope, statement)
            # A scalar subquery: the planner leaves it where it is, a look for each run.
            holds: LiteralString = f"""coalesce((
                SELECT true FROM {source.table}
                WHERE {source.run_id} = {run_id} AND {source.condition} LIMIT 1
            ), false)"""  # noqa: S608 - put together from literals, as the types say
            return f"(NOT {holds})" if absent else holds
        case Not():
            return f"(NOT {test_of_run(part.part, run_id, scope, statement)})"
        case Every() | Some():
            tests: list[LiteralString] = [
                test_of_run(one, run_id, scope, statement) for one in part.parts
            ]
            return _joined(part, tests)
        case _:
            assert_never(part)


def test_in_sets(
    part: Expression, run_id: LiteralString, scope: Scope, statement: Statement
) -> LiteralString:
    """Whether it holds for the run of that id, by sets that are read once for all runs."""
    match part:
        case Comparison():
            source, absent = _source(part, scope, statement)
            # Inside coalesce the planner cannot make a join of it: the set is hashed once.
            holds: LiteralString = f"""coalesce({run_id} IN (
                SELECT {source.run_id} FROM {source.table} WHERE {source.condition}
            ), false)"""  # noqa: S608 - as above
            return f"(NOT {holds})" if absent else holds
        case Not():
            return f"(NOT {test_in_sets(part.part, run_id, scope, statement)})"
        case Every() | Some():
            tests: list[LiteralString] = [
                test_in_sets(one, run_id, scope, statement) for one in part.parts
            ]
            return _joined(part, tests)
        case _:
            assert_never(part)


def set_of(comparison: Comparison, scope: Scope, statement: Statement) -> Source | None:
    """The runs for which it holds; None where those are known only for which it does not."""
    source, absent = _source(comparison, scope, statement)
    return None if absent else source


def _joined(part: Every | Some, tests: list[LiteralString]) -> LiteralString:
    word: LiteralString = " AND " if isinstance(part, Every) else " OR "
    return f"({word.join(tests)})"


def _source(comparison: Comparison, scope: Scope, statement: Statement) -> tuple[Source, bool]:
    """Where it is looked up, and whether it holds for the runs that are not there."""
    field = comparison.field
    absent = comparison.operator == "IS NULL"
    if field.kind == "metric" and not scope.metrics_published:
        return Source("experiment.runs r", "r.id", "false"), absent
    project = statement.place(scope.project_id)
    if field.kind == "attribute":
        column = _attribute(comparison, project, statement)
        return Source("experiment.runs r", "r.id", f"r.project_id = {project} AND {column}"), False
    if field.kind == "dataset":
        column = _dataset_column(field)
        known: LiteralString = f"d.project_id = {project} AND {column} IS NOT NULL"
        if not _is_presence(comparison):
            known = f"{known} AND {_text(column, comparison, statement)}"
        return Source("experiment.run_datasets d", "d.run_id", known), absent
    key = statement.place(field.key)
    match field.kind:
        case "metric":
            found = f"l.project_id = {project} AND l.key = {key}"
            if not _is_presence(comparison):
                found = f"{found} AND {metric_compared('l.value', comparison, statement)}"
            return Source("metrics.latest l", "l.run_id", found), absent
        case "param":
            found = f"p.project_id = {project} AND p.key = {key}"
            if not _is_presence(comparison):
                found = f"{found} AND {_param(comparison, key, statement)}"
            return Source("experiment.run_params p", "p.run_id", found), absent
        case "tag":
            found = f"t.project_id = {project} AND t.key = {key}"
            if not _is_presence(comparison):
                found = f"{found} AND {_tag(comparison, statement)}"
            return Source("experiment.run_tags t", "t.run_id", found), absent


def _is_presence(comparison: Comparison) -> bool:
    return comparison.operator in {"IS NULL", "IS NOT NULL"}


def _dataset_column(field: Field) -> LiteralString:
    match field.key:
        case "name":
            return "d.name"
        case "digest":
            return "d.digest"
        case _:
            return "d.context"


def metric_compared(
    column: LiteralString, comparison: Comparison, statement: Statement
) -> LiteralString:
    """The latest value of a metric, in that column, compared."""
    # To PostgreSQL NaN equals itself and is the greatest number; here it compares with nothing.
    return f"{column} < 'NaN' AND {_number(column, comparison, statement)}"


def _param(comparison: Comparison, key: LiteralString, statement: Statement) -> LiteralString:
    value, operator = comparison.value, comparison.operator
    if isinstance(value, tuple):
        among = _param_among(value, key, statement)
        return among if operator == "IN" else f"NOT coalesce({among}, false)"
    if operator in {"=", "!="}:
        same = _param_is(value, key, statement)
        return same if operator == "=" else f"NOT coalesce({same}, false)"
    if isinstance(value, Decimal):
        return f"p.reading {_SYMBOLS[operator]} {statement.place(value)}::numeric"
    if isinstance(value, str) and not _fits_number_or_boolean(value):
        return f"p.kind = 'text' AND {_text('p.text', comparison, statement)}"
    return _text(_PARAM_AS_TEXT, comparison, statement)


def _fits_number_or_boolean(pattern: str) -> bool:
    """Whether a LIKE pattern may fit a param that is no text: else an index of texts answers."""
    fixed = set(pattern.lower()) - set("%_")
    return any(fixed <= set(letters) for letters in ("-.0123456789", "true", "false"))


def _param_among(
    values: tuple[Scalar, ...], key: LiteralString, statement: Statement
) -> LiteralString:
    """Whether a param is one of these values: all numbers, and all short texts, in one look."""
    numbers: list[Decimal] = []
    texts: list[str] = []
    others: dict[str, Scalar] = {}
    for value in values:
        if isinstance(value, Decimal):
            numbers.append(value)
        elif isinstance(value, str) and (number := reads_as_number(value)) is not None:
            numbers.append(number)
        elif isinstance(value, str) and value not in {"true", "false"} and len(value) < CUT:
            texts.append(value)
        else:
            others[str(value).lower() if isinstance(value, bool) else str(value)] = value
    tests: list[LiteralString] = [_param_is(value, key, statement) for value in others.values()]
    if numbers:
        place = statement.place(numbers)
        tests.append(f"p.reading = ANY({place}::numeric[])")
    if texts:
        place = statement.place(texts)
        tests.append(f"p.kind = 'text' AND p.text = ANY({place}::text[])")
    return f"({' OR '.join(tests)})"


def _param_is(value: object, key: LiteralString, statement: Statement) -> LiteralString:
    """Whether a param is this value: numbers also where one of the two is written as text.

    Null counts as no; so that an index can answer it, it stays null.
    """
    match value:
        case bool():
            word, number = statement.place(str(value).lower()), statement.place(Decimal(value))
            return f"""(p.kind = 'boolean' AND p.number = {number}::numeric
                OR p.kind = 'text' AND p.text = {word})"""
        case Decimal():
            return f"p.reading = {statement.place(value)}::numeric"
        case str() if (number := reads_as_number(value)) is not None:
            return f"p.reading = {statement.place(number)}::numeric"
        case str() if value in {"true", "false"}:
            return _param_is(value == "true", key, statement)
        case str() if len(value) < CUT:
            return f"(p.kind = 'text' AND p.text = {statement.place(value)})"
        case _:
            begins = statement.place(str(value)[:CUT])
            whole = statement.place(str(value))
            return f"""(p.kind = 'text' AND p.text = {begins} AND (
                SELECT r.params ->> {key} = {whole} FROM experiment.runs r WHERE r.id = p.run_id
            ))"""  # noqa: S608 - as above


def _tag(comparison: Comparison, statement: Statement) -> LiteralString:
    if comparison.operator == "=" and isinstance(comparison.value, str):
        place = statement.place(comparison.value)
        begins = statement.place(comparison.value[:CUT])
        return f"left(t.value, 200) = {begins} AND t.value = {place}"
    return _text("t.value", comparison, statement)


def _attribute(
    comparison: Comparison, project: LiteralString, statement: Statement
) -> LiteralString:
    key, operator = comparison.field.key, comparison.operator
    if key == "experiment":
        if _is_presence(comparison):
            return "true" if operator == "IS NOT NULL" else "false"
        named = _text("e.name", comparison, statement)
        return f"""r.experiment_id IN (
            SELECT e.id FROM experiment.experiments e WHERE e.project_id = {project} AND {named}
        )"""  # noqa: S608 - as above
    if key == "notes":
        return _notes(comparison, statement)
    column = _COLUMNS[key]
    if _is_presence(comparison):
        return f"{column} {'IS NULL' if operator == 'IS NULL' else 'IS NOT NULL'}"
    if key == "name":
        return f"{_by_name(comparison, statement)}{_text(column, comparison, statement)}"
    return _column(column, comparison, statement)


def _column(column: LiteralString, comparison: Comparison, statement: Statement) -> LiteralString:
    operator = comparison.operator
    match comparison.field.type:
        case "text":
            return _text(column, comparison, statement)
        case "id":
            return _among(column, "uuid", comparison, statement)
        case "status":
            return _among(column, "text", comparison, statement)
        case "time":
            place = statement.place(comparison.value)
            return f"{column} {_SYMBOLS[operator]} {place}::timestamptz"
        case "boolean":
            return f"{column} {_SYMBOLS[operator]} {statement.place(comparison.value)}::boolean"
        case _:
            return _number(column, comparison, statement)


def _by_name(comparison: Comparison, statement: Statement) -> LiteralString:
    """The part of a comparison of names that its indexes answer: without regard to case."""
    value = comparison.value
    if isinstance(value, str) and comparison.operator == "=":
        return f"r.name_key = {statement.place(name_key(value))} AND "
    if isinstance(value, str) and "LIKE" in comparison.operator and value.isascii():
        return f"r.name_key LIKE {statement.place(name_key(value))} ESCAPE '' AND "
    return ""


def _notes(comparison: Comparison, statement: Statement) -> LiteralString:
    """Runs without notes count as having none: they are null here, and left out of an index."""
    if comparison.operator == "IS NULL":
        return "r.notes = ''"
    there: LiteralString = "r.notes <> ''"
    if comparison.operator == "IS NOT NULL":
        return there
    return f"{there} AND {_text('r.notes', comparison, statement)}"


def _number(column: LiteralString, comparison: Comparison, statement: Statement) -> LiteralString:
    if isinstance(comparison.value, tuple):
        place = statement.place([float(str(value)) for value in comparison.value])
        among: LiteralString = f"{column} = ANY({place}::float8[])"
        return among if comparison.operator == "IN" else f"NOT {among}"
    place = statement.place(float(str(comparison.value)))
    return f"{column} {_SYMBOLS[comparison.operator]} {place}::float8"


def _among(
    column: LiteralString, kind: LiteralString, comparison: Comparison, statement: Statement
) -> LiteralString:
    value = comparison.value
    place = statement.place(list(value) if isinstance(value, tuple) else [value])
    among: LiteralString = f"{column} = ANY({place}::{kind}[])"
    if comparison.operator in {"=", "IN"}:
        return among
    return f"{column} IS NOT NULL AND NOT {among}"


def _text(column: LiteralString, comparison: Comparison, statement: Statement) -> LiteralString:
    value = comparison.value
    if isinstance(value, tuple):
        among: LiteralString = f"{column} = ANY({statement.place(list(value))}::text[])"
        return among if comparison.operator == "IN" else f"NOT {among}"
    symbol = _SYMBOLS[comparison.operator]
    # A backslash means itself, so that no pattern is a broken one.
    escape: LiteralString = " ESCAPE ''" if "LIKE" in symbol else ""
    return f"{column} {symbol} {statement.place(value)}::text{escape}"
