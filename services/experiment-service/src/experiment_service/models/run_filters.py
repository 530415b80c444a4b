"""The language in which runs are searched: what can be said, and how it is read.

`metrics.loss < 0.2 and params.optimizer = "adam" and tags.rig like "A%"`: the language of
MLflow's `search_runs`, with `or`, `not` and parentheses beside its `and`, and with times.
A text is read into a tree; a mistake says where it is and what was expected there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

MAX_FILTER = 8000
MAX_COMPARISONS = 50
MAX_DEPTH = 20
MAX_LISTED = 1000
MAX_ORDERS = 4

type FieldKind = Literal["attribute", "param", "metric", "tag", "dataset"]
type FieldType = Literal["text", "number", "time", "id", "status", "boolean"]
type Scalar = str | Decimal | bool | datetime | UUID
type Value = Scalar | tuple[Scalar, ...] | None

ATTRIBUTES: Mapping[str, FieldType] = {
    "id": "id",
    "name": "text",
    "status": "status",
    "experiment": "text",
    "experiment_id": "id",
    "created_at": "time",
    "started_at": "time",
    "finished_at": "time",
    "updated_at": "time",
    "duration_seconds": "number",
    "created_by": "id",
    "host": "text",
    "source": "text",
    "git_commit": "text",
    "git_branch": "text",
    "git_dirty": "boolean",
    "parent_run_id": "id",
    "notes": "text",
    "archived": "boolean",
}
"""What every run has, and of what type it is."""

_OTHER_NAMES: Mapping[str, str] = {
    "run_id": "id",
    "run_name": "name",
    "start_time": "started_at",
    "end_time": "finished_at",
    "duration": "duration_seconds",
    "parent": "parent_run_id",
    "user_id": "created_by",
    "commit": "git_commit",
    "branch": "git_branch",
}
_KINDS: Mapping[str, FieldKind] = {
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
}
DATASET_KEYS = ("name", "digest", "context")
STATUSES: Mapping[str, str] = {
    **{name: name for name in ("draft", "running", "succeeded", "failed", "interrupted")},
    "archived": "archived",
    # MLflow's words.
    "scheduled": "draft",
    "finished": "succeeded",
    "killed": "interrupted",
}

_EQUAL = frozenset({"=", "!="})
_LISTED = frozenset({"IN", "NOT IN"})
_PRESENCE = frozenset({"IS NULL", "IS NOT NULL"})
_SIZE = frozenset({"<", "<=", ">", ">="})
_LIKE = frozenset({"LIKE", "ILIKE"})
_OPERATORS: Mapping[FieldType, frozenset[str]] = {
    "text": _EQUAL | _LIKE | _LISTED | _PRESENCE,
    "number": _EQUAL | _SIZE | _LISTED | _PRESENCE,
    "time": _EQUAL | _SIZE | _PRESENCE,
    "id": _EQUAL | _LISTED | _PRESENCE,
    "status": _EQUAL | _LISTED,
    "boolean": _EQUAL | _PRESENCE,
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TOKEN = re.compile(
    r"""
    (?P<relative>[+-]\d{1,9}[smhdw]\b)
    |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?(?![\w.]))
    |(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<quoted>`[^`]+`)
    |(?P<operator>!=|<>|<=|>=|==|=|<|>)
    |(?P<mark>[(),.])
    |(?P<word>[^\s'"`!=<>(),.]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_READS_AS_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")


class FilterMistake(Exception):
    """The text is not of the language; position and length are in characters of it."""

    def __init__(self, message: str, position: int, length: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.length = max(1, length)


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared or ordered by: an attribute of a run, or a key of one kind."""

    kind: FieldKind
    key: str

    @property
    def type(self) -> FieldType | None:
        """Of what type it is; None for a param, whose values may be of any."""
        match self.kind:
            case "attribute":
                return ATTRIBUTES[self.key]
            case "metric":
                return "number"
            case "param":
                return None
            case _:
                return "text"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison. A list goes with IN, nothing with IS NULL, one value with all else."""

    field: Field
    operator: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these holds."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    part: "Expression"


_UNORDERED = frozenset({Field("attribute", key) for key in ("notes", "experiment", "archived")})

type Expression = Comparison | Every | Some | Not


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One field that runs are ordered by."""

    field: Field
    descending: bool = False


def reads_as_number(text: str) -> Decimal | None:
    """The number that a text says, as a person would read it."""
    return Decimal(text) if len(text) <= 40 and _READS_AS_NUMBER.fullmatch(text) else None  # noqa: PLR2004


def parse_filter(text: str, *, now: datetime | None = None) -> Expression | None:
    """The tree of a filter, its `and` and `or` flattened; None where it says nothing.

    Raises:
        FilterMistake: it is not of the language.
    """
    reader = _Reader(text, now or datetime.now(UTC))
    if reader.at_end:
        return None
    found = reader.either(0)
    reader.expect_end()
    return found


def parse_field(text: str) -> Field:
    """One name: `params.optimizer`.

    Raises:
        FilterMistake: it is none.
    """
    reader = _Reader(text, datetime.now(UTC))
    field, _token = reader.field()
    reader.expect_end(" nothing more")
    return field


def parse_order(text: str) -> OrderTerm:
    """One term of an order: `metrics.loss`, `params.lr desc`, `-created_at`.

    Raises:
        FilterMistake: it is not of the language.
    """
    stripped = text.removeprefix("-")
    reader = _Reader(stripped, datetime.now(UTC), offset=len(text) - len(stripped))
    field, _token = reader.field()
    descending = stripped != text
    if reader.takes("ASC"):
        pass
    elif reader.takes("DESC"):
        descending = not descending
    reader.expect_end(" asc or desc")
    if field.kind == "dataset" or field in _UNORDERED:
        message = "runs cannot be ordered by this"
        raise FilterMistake(message, 0, len(text))
    return OrderTerm(field, descending)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""

    @property
    def content(self) -> str:
        """A text without its quotes; a doubled quote in it stands for one."""
        quote = self.text[0]
        return self.text[1:-1].replace(quote * 2, quote)


def _tokens(text: str, offset: int) -> Iterator[_Token]:
    if unstorable := _UNSTORABLE.search(text):
        message = "this character cannot be stored, so nothing holds it"
        raise FilterMistake(message, unstorable.start() + offset, 1)
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            quote = text[position] in "'\"`"
            message = "this quote is never closed" if quote else "this cannot be read"
            rest = len(text) - position if quote else 1
            raise FilterMistake(message, position + offset, rest)
        yield _Token(match.lastgroup, match[0], position + offset)
        position = match.end()


class _Reader:
    """A recursive descent over the tokens of one text."""

    def __init__(self, text: str, now: datetime, *, offset: int = 0) -> None:
        if len(text) > MAX_FILTER:
            message = f"a filter has at most {MAX_FILTER} characters"
            raise FilterMistake(message, MAX_FILTER, len(text) - MAX_FILTER)
        self._tokens = list(_tokens(text, offset))
        self._next = 0
        self._end = len(text) + offset
        self._now = now
        self._comparisons = 0

    @property
    def at_end(self) -> bool:
        return self._next == len(self._tokens)

    def expect_end(self, instead: str = " and, or, or the end") -> None:
        if not self.at_end:
            raise self._mistake(f"expected{instead}", self._tokens[self._next])

    def takes(self, *words: str) -> bool:
        """Go past these words if they come next."""
        coming = self._tokens[self._next : self._next + len(words)]
        if [token.word or token.text for token in coming] != list(words):
            return False
        self._next += len(words)
        return True

    def either(self, depth: int) -> Expression:
        parts = [self._all(depth)]
        while self.takes("OR"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Some(_flat(Some, parts))

    def _all(self, depth: int) -> Expression:
        parts = [self._one(depth)]
        while self.takes("AND"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Every(_flat(Every, parts))

    def _one(self, depth: int) -> Expression:
        start = self._peek("a comparison")
        if depth > MAX_DEPTH:
            raise self._mistake(f"at most {MAX_DEPTH} parentheses or `not` may be nested", start)
        if self.takes("NOT"):
            return Not(self._one(depth + 1))
        if self.takes("("):
            inner = self.either(depth + 1)
            if not self.takes(")"):
                raise self._mistake("expected )", self._peek(")"))
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        field, token = self.field()
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise self._mistake(f"at most {MAX_COMPARISONS} comparisons", token)
        sign = self._peek("an operator such as = or LIKE")
        operator = self._operator()
        allowed = _EQUAL | _SIZE | _LIKE | _LISTED | _PRESENCE
        if field.type:
            allowed = _OPERATORS[field.type]
        if operator not in allowed:
            names = ", ".join(sorted(allowed))
            raise self._mistake(f"{field.kind} {field.key!r} is compared by {names}", sign)
        if operator in _PRESENCE:
            return Comparison(field, operator)
        if operator in _LISTED:
            return Comparison(field, operator, self._list(field, operator))
        return Comparison(field, operator, self._value(field, operator))

    def field(self) -> tuple[Field, _Token]:
        """A name such as `metrics.loss`, with the token where it begins."""
        token = self._take("a name such as metrics.loss, params.lr or status")
        if token.kind not in {"word", "quoted", "text"} or token.word in {"AND", "OR"}:
            raise self._mistake("expected a name such as metrics.loss, params.lr or status", token)
        first = token.text if token.kind == "word" else token.content
        kind = _KINDS.get(first.lower()) if token.kind == "word" else None
        if not self.takes("."):
            return self._attribute(first, token), token
        if kind is None:
            message = "expected metrics, params, tags, datasets or attributes before the dot"
            raise self._mistake(message, token)
        key, key_token = self._key(token)
        if kind == "attribute":
            return self._attribute(key, key_token), token
        if kind == "dataset" and key not in DATASET_KEYS:
            raise self._mistake(f"a dataset has {', '.join(DATASET_KEYS)}", key_token)
        return Field(kind, key), token

    def _key(self, before: _Token) -> tuple[str, _Token]:
        """What stands behind the dot: quoted, or everything up to a blank or an operator."""
        token = self._take(f"a key after {before.text}.")
        if token.kind in {"quoted", "text"}:
            return token.content, token
        parts: list[str] = []
        end = token.position
        self._next -= 1
        while not self.at_end:
            part = self._tokens[self._next]
            if part.position != end or not (
                part.kind in {"word", "number", "relative"} or part.text == "."
            ):
                break
            parts.append(part.text)
            end += len(part.text)
            self._next += 1
        if not parts:
            raise self._mistake(f"expected a key after {before.text}.", token)
        return "".join(parts), token

    def _attribute(self, name: str, token: _Token) -> Field:
        plain = name.strip().lower().replace(" ", "_")
        known = _OTHER_NAMES.get(plain, plain)
        if known not in ATTRIBUTES:
            names = ", ".join(ATTRIBUTES)
            message = f"there is no attribute {name[:100]!r}; a run has {names}"
            raise self._mistake(message, token)
        return Field("attribute", known)

    def _operator(self) -> str:
        token = self._take("an operator")
        if token.kind == "operator":
            return {"==": "=", "<>": "!="}.get(token.text, token.text)
        match token.word:
            case "LIKE" | "ILIKE" | "IN" as word:
                return word
            case "NOT" if self.takes("IN"):
                return "NOT IN"
            case "IS" if self.takes("NOT", "NULL"):
                return "IS NOT NULL"
            case "IS" if self.takes("NULL"):
                return "IS NULL"
            case _:
                message = "expected =, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN or IS [NOT] NULL"
                raise self._mistake(message, token)

    def _list(self, field: Field, operator: str) -> tuple[Scalar, ...]:
        if not self.takes("("):
            raise self._mistake("expected ( and a list", self._peek("( and a list"))
        values = [self._value(field, operator)]
        while self.takes(","):
            values.append(self._value(field, operator))
        if not self.takes(")"):
            raise self._mistake("expected , or )", self._peek(", or )"))
        if len(values) > MAX_LISTED:
            message = f"a list has at most {MAX_LISTED} values"
            raise FilterMistake(message, 0, self._end)
        return tuple(values)

    def _value(self, field: Field, operator: str) -> Scalar:
        token = self._take("a value")
        value = self._scalar(token)
        if value is None:
            raise self._mistake("expected a number, or a text in quotes", token)
        if operator in _LIKE and not isinstance(value, str):
            raise self._mistake("LIKE takes a text in quotes", token)
        match field.type:
            case None:
                if operator in _SIZE and not isinstance(value, Decimal):
                    raise self._mistake("compare sizes with a number, without quotes", token)
                return value
            case "text":
                return self._of(str, value, "a text in quotes", token)
            case "number":
                return self._of(Decimal, value, "a number", token)
            case "boolean":
                return self._of(bool, value, "true or false", token)
            case _:
                return self._special(field, value, token)

    def _special(self, field: Field, value: Scalar, token: _Token) -> Scalar:
        if field.type == "time":
            return self._time(value, token)
        if field.type == "status":
            status = STATUSES.get(self._of(str, value, "a status in quotes", token).lower())
            if status is None:
                raise self._mistake(f"a status is one of {', '.join(STATUSES)}", token)
            return status
        try:
            return UUID(self._of(str, value, "an id in quotes", token))
        except ValueError:
            raise self._mistake("this is no id", token) from None

    def _scalar(self, token: _Token) -> Scalar | None:
        match token.kind:
            case "number":
                return Decimal(token.text)
            case "text":
                return token.content
            case "relative":
                seconds = int(token.text[:-1]) * _UNITS[token.text[-1]]
                try:
                    return self._now + timedelta(seconds=seconds)
                except OverflowError:
                    raise self._mistake("this time is out of reach", token) from None
            case _:
                return _WORDS.get(token.word)

    def _time(self, value: Scalar, token: _Token) -> datetime:
        try:
            if isinstance(value, Decimal):
                return datetime.fromtimestamp(float(value) / 1000, UTC)
            if isinstance(value, str):
                found = datetime.fromisoformat(value)
                return found if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError):
            value = ""
        if isinstance(value, datetime):
            return value
        message = (
            'expected a time: "2026-11-25", "2026-11-25T10:00:00Z", milliseconds since 1970, or'
            " -7d for seven days ago"
        )
        raise self._mistake(message, token)

    def _of[T](self, kind: type[T], value: Scalar, what: str, token: _Token) -> T:
        if not isinstance(value, kind):
            raise self._mistake(f"expected {what}", token)
        return value

    def _peek(self, what: str) -> _Token:
        if self.at_end:
            message = f"expected {what}"
            raise FilterMistake(message, self._end, 1)
        return self._tokens[self._next]

    def _take(self, what: str) -> _Token:
        token = self._peek(what)
        self._next += 1
        return token

    @staticmethod
    def _mistake(message: str, token: _Token) -> FilterMistake:
        return FilterMistake(message, token.position, len(token.text))


def tightest(expression: Expression) -> Expression:
    """The same runs, with one bound from below and one from above where several are given.

    A run has one value of a field, so the bounds of a field that all hold are as the tightest.
    """
    if not isinstance(expression, Every):
        return expression
    bounds: dict[tuple[Field, str], Comparison] = {}
    others: list[Expression] = []
    for part in expression.parts:
        if not isinstance(part, Comparison) or part.operator not in _SIZE:
            others.append(part)
            continue
        side = (part.field, part.operator[0])
        bounds[side] = _tighter(bounds[side], part) if side in bounds else part
    parts = (*bounds.values(), *dict.fromkeys(others))
    return parts[0] if len(parts) == 1 else Every(parts)


def _tighter(one: Comparison, other: Comparison) -> Comparison:
    """Of two bounds from the same side of a field the one that implies the other."""
    if one.value == other.value:
        return other if one.operator.endswith("=") else one
    match one.value, other.value:
        case Decimal() as here, Decimal() as there:
            less = here < there
        case datetime() as here, datetime() as there:
            less = here < there
        case _:  # pragma: no cover - the reader lets sizes of nothing else be compared
            raise TypeError(one, other)
    return one if less == (one.operator[0] == "<") else other


_WORDS: Mapping[str, Scalar] = {
    "TRUE": True,
    "FALSE": False,
    "INF": Decimal("Infinity"),
    "-INF": Decimal("-Infinity"),
}


def _flat(kind: type[Every | Some], parts: list[Expression]) -> tuple[Expression, ...]:
    flat: list[Expression] = []
    for part in parts:
        if isinstance(part, kind):
            flat.extend(part.parts)
        else:
            flat.append(part)
    return tuple(flat)
