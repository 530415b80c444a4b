"""A filter's tree as a condition on `experiment.runs r`, composed of literals and places.

Every comparison is true or false, never unknown: one with a value that a run does not have is
false, and `not` turns that round. NaN compares with nothing, not even as unequal.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import LiteralString

from experiment_service.queries.keyset import Statement
from experiment_service.search.syntax import (
    Ago,
    All,
    Any_,
    Comparison,
    Node,
    Not,
    Operator,
    Value,
)
from experiment_service.search.tokens import Mistake, Span

_SQL: Mapping[Operator, LiteralString] = {
    "=": "= ANY",
    "!=": "<> ALL",
    "IN": "= ANY",
    "NOT IN": "<> ALL",
    "<": "< ALL",
    "<=": "<= ALL",
    ">": "> ALL",
    ">=": ">= ALL",
    # A backslash means itself in a pattern, so that none is a broken one: see _texts.
    "LIKE": "LIKE ALL",
    "ILIKE": "ILIKE ALL",
}
_EQUAL: frozenset[Operator] = frozenset({"=", "!=", "IN", "NOT IN"})
_ORDERED: frozenset[Operator] = _EQUAL | frozenset[Operator]({"<", "<=", ">", ">="})
_MATCHED: frozenset[Operator] = _EQUAL | frozenset[Operator]({"LIKE", "ILIKE"})

_TEXTS: Mapping[str, LiteralString] = {
    **dict.fromkeys(("name", "run_name"), "r.name"),
    "status": "r.status",
    "notes": "nullif(r.notes, '')",
    "source": "r.source",
    "host": "r.host",
    "git_commit": "r.git_commit",
    "git_branch": "r.git_branch",
}
_IDS: Mapping[str, LiteralString] = {
    **dict.fromkeys(("id", "run_id"), "r.id"),
    "experiment_id": "r.experiment_id",
    "parent_run_id": "r.parent_run_id",
    **dict.fromkeys(("created_by", "user_id"), "r.created_by"),
}
_TIMES: Mapping[str, LiteralString] = {
    "created_at": "r.created_at",
    **dict.fromkeys(("started_at", "start_time"), "r.started_at"),
    **dict.fromkeys(("finished_at", "end_time"), "r.finished_at"),
}
_FLAGS: Mapping[str, LiteralString] = {
    "archived": "(r.archived_at IS NOT NULL)",
    "git_dirty": "r.git_dirty",
}
_DATASETS: Mapping[str, LiteralString] = {
    "name": "d.name",
    "digest": "d.digest",
    "context": "d.context",
}
ATTRIBUTES = sorted([*_TEXTS, *_IDS, *_TIMES, *_FLAGS, "duration_seconds"])

_PARAM_NUMBER: LiteralString = r"""(CASE
    WHEN p.kind = 'number' THEN p.number
    WHEN p.text ~ '^[+-]?([0-9]{1,99}(\.[0-9]{0,99})?|\.[0-9]{1,99})([eE][+-]?[0-9]{1,3})?$'
    THEN p.text::numeric END)"""


def condition_of(
    node: Node, statement: Statement, *, metrics_published: bool, now: datetime
) -> LiteralString:
    """The condition that a filter is.

    Raises:
        Mistake: a field does not exist, or cannot be compared so.
    """
    return _Composer(statement, metrics_published, now).of(node)


class _Composer:
    def __init__(self, statement: Statement, metrics_published: bool, now: datetime) -> None:  # noqa: FBT001
        self._statement = statement
        self._published = metrics_published
        self._now = now

    def of(self, node: Node) -> LiteralString:
        match node:
            case Comparison():
                return self._comparison(node)
            case Not(part):
                return f"NOT {self.of(part)}"
            case All(parts):
                return f"({' AND '.join([self.of(part) for part in parts] or ['true'])})"
            case Any_(parts):
                return f"({' OR '.join([self.of(part) for part in parts])})"

    def _comparison(self, what: Comparison) -> LiteralString:
        key = what.field.key
        _storable(key, what.field.span)
        match what.field.group and what.field.group.lower():
            case "metric" | "metrics":
                return self._metric(what)
            case "param" | "params" | "parameter" | "parameters":
                return self._param(what)
            case "tag" | "tags":
                return self._text(f"(r.tags ->> {self._statement.place(key)}::text)", what)
            case "dataset" | "datasets" if key in _DATASETS:
                return self._dataset(what)
            case None | "attribute" | "attributes" | "attr" | "run":
                return self._attribute(what)
            case "dataset" | "datasets":
                raise Mistake("datasets.name, datasets.digest or datasets.context", what.field.span)
            case _:
                raise Mistake("metrics, params, tags, datasets or attributes", what.field.span)

    def _attribute(self, what: Comparison) -> LiteralString:
        key = what.field.key
        if key in _TEXTS:
            return self._text(_TEXTS[key], what)
        if key in _IDS:
            # Ids are written with or without hyphens, as MLflow's clients do.
            return self._text(f"replace({_IDS[key]}::text, '-', '')", what, hyphens=False)
        if key in _TIMES:
            return self._compared(_TIMES[key], "timestamptz[]", what, self._times(what))
        if key in {"duration", "duration_seconds"}:
            return self._compared("r.duration_seconds", "float8[]", what, _numbers(what))
        if key in _FLAGS:
            return self._compared(_FLAGS[key], "boolean[]", what, _flags(what))
        raise Mistake(f"an attribute ({', '.join(ATTRIBUTES)})", what.field.span)

    def _metric(self, what: Comparison) -> LiteralString:
        if not self._published:
            # Every run is without the metric then, but a mistake stays one.
            self._comparable(what, _ORDERED)
            _numbers(what)
            return "true" if what.operator == "IS NULL" else "false"
        if what.operator in {"IS NULL", "IS NOT NULL"}:
            wanted: LiteralString = "true"
        else:
            # PostgreSQL counts NaN as equal to itself and greatest.
            compared = self._compared("l.value", "float8[]", what, _numbers(what))
            wanted = f"{compared} AND l.value <> 'NaN'"
        there: LiteralString = f"""EXISTS (
            SELECT FROM metrics.latest l
            WHERE l.run_id = r.id AND l.key = {self._statement.place(what.field.key)} AND {wanted}
        )"""
        return f"NOT {there}" if what.operator == "IS NULL" else there

    def _param(self, what: Comparison) -> LiteralString:
        key = self._statement.place(what.field.key)
        text: LiteralString = f"(r.params ->> {key}::text)"
        if not what.values or all(isinstance(value, str) for value in what.values):
            return self._text(text, what)
        if all(isinstance(value, bool) for value in what.values):
            flags = ["true" if value else "false" for value in _flags(what)]
            return self._compared(f"lower({text})", "text[]", what, flags)
        numbers = [Decimal(repr(number)) for number in _numbers(what)]
        compared = self._compared(_PARAM_NUMBER, "numeric[]", what, numbers)
        return f"""EXISTS (
            SELECT FROM experiment.run_params p
            WHERE p.run_id = r.id AND p.key = {key} AND {compared}
        )"""

    def _dataset(self, what: Comparison) -> LiteralString:
        column = _DATASETS[what.field.key]
        absent = what.operator == "IS NULL"
        wanted: LiteralString = f"{column} IS NOT NULL" if absent else self._text(column, what)
        there: LiteralString = f"""EXISTS (
            SELECT FROM experiment.run_datasets d WHERE d.run_id = r.id AND {wanted}
        )"""
        return f"NOT {there}" if absent else there

    def _text(
        self, column: LiteralString, what: Comparison, *, hyphens: bool = True
    ) -> LiteralString:
        texts = _texts(what)
        if not hyphens:
            texts = [text.replace("-", "").lower() for text in texts]
        return self._compared(column, "text[]", what, texts, allowed=_MATCHED)

    def _compared(
        self,
        column: LiteralString,
        type_: LiteralString,
        what: Comparison,
        values: object,
        *,
        allowed: frozenset[Operator] = _ORDERED,
    ) -> LiteralString:
        if what.operator == "IS NULL":
            return f"({column} IS NULL)"
        if what.operator == "IS NOT NULL":
            return f"({column} IS NOT NULL)"
        self._comparable(what, allowed)
        place = self._statement.place(values)
        return f"coalesce({column} {_SQL[what.operator]} ({place}::{type_}), false)"

    def _comparable(self, what: Comparison, allowed: frozenset[Operator]) -> None:
        if what.values and what.operator not in allowed:
            raise Mistake(f"{', '.join(sorted(allowed))} for this field", what.field.span)

    def _times(self, what: Comparison) -> list[datetime]:
        return [
            self._time(value, span) for value, span in zip(what.values, what.spans, strict=True)
        ]

    def _time(self, value: Value, span: Span) -> datetime:
        try:
            match value:
                case Ago(seconds):
                    return self._now + timedelta(seconds=seconds)
                case str():
                    time = datetime.fromisoformat(value)
                    return time if time.tzinfo else time.replace(tzinfo=UTC)
                case int() | float() if not isinstance(value, bool):
                    return datetime.fromtimestamp(value / 1000, UTC)
                case _:
                    pass
        except (ValueError, OverflowError, OSError):
            pass
        raise Mistake("a time: '2026-01-31T12:00:00Z', milliseconds since 1970, or -7d", span)


def _numbers(what: Comparison) -> list[float]:
    for value, span in zip(what.values, what.spans, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Mistake("a number", span)
    return [float(value) for value in what.values if isinstance(value, int | float)]


def _flags(what: Comparison) -> list[bool]:
    if what.operator in {"<", "<=", ">", ">="}:
        raise Mistake("= or != for true and false", what.field.span)
    for value, span in zip(what.values, what.spans, strict=True):
        if not isinstance(value, bool):
            raise Mistake("true or false", span)
    return [value is True for value in what.values]


def _texts(what: Comparison) -> list[str]:
    texts: list[str] = []
    for value, span in zip(what.values, what.spans, strict=True):
        if not isinstance(value, str):
            raise Mistake("a quoted text", span)
        _storable(value, span)
        texts.append(value.replace("\\", "\\\\") if "LIKE" in what.operator else value)
    return texts


def _storable(text: str, span: Span) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Mistake("characters that can be stored", span)
