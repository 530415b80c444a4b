"""A filter as a tree: comparisons, `not`, `and`, `or`, and where in the text each one stands.

A field is still only a name here; what it means and what it can be compared with is decided
by whoever reads the tree. Keywords are read in any case, texts and keys as they are written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from experiment_service.search.tokens import Mistake, Span, Token, read_tokens

MAX_LENGTH = 8000
MAX_COMPARISONS = 25
MAX_DEPTH = 20
MAX_LISTED = 1000

type Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"
]
type Node = Comparison | Not | All | Any_

_SYMBOLS: dict[str, Operator] = {
    "=": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_COMPARATOR = "a comparator, such as =, <, LIKE, IN or IS NULL"
_EXACT_DIGITS = 18
_VALUE = "a number, a quoted text, true, false or a time such as -7d"


@dataclass(frozen=True, slots=True)
class Field:
    """A name as it was written: `metrics.loss` is the group metrics and the key loss."""

    group: str | None
    key: str
    span: Span


@dataclass(frozen=True, slots=True)
class Ago:
    """A time so many seconds from now; negative is in the past."""

    seconds: int


type Value = str | int | float | bool | Ago


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against no value (presence), one, or those of a list."""

    field: Field
    operator: Operator
    values: tuple[Value, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class All:
    """Parts that must all hold; none at all holds for every run."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - `any` and `Any` are taken
    """Parts of which one must hold."""

    parts: tuple[Node, ...]


def parse_filter(text: str) -> Node:
    """The tree of a filter; an empty one holds for every run.

    Raises:
        Mistake: it cannot be read; it says where and what was expected.
    """
    if len(text) > MAX_LENGTH:
        raise Mistake(f"at most {MAX_LENGTH} characters", Span(MAX_LENGTH, len(text) - MAX_LENGTH))
    return _Parser(read_tokens(text)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._comparisons = 0

    def whole(self) -> Node:
        if self._now.kind == "end":
            return All(())
        node = self._either(0)
        if self._now.kind != "end":
            raise self._expected("and, or, or the end")
        return node

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._now
        self._at += 1
        return token

    def _took(self, *words: str) -> bool:
        ahead = self._tokens[self._at : self._at + len(words)]
        if len(ahead) < len(words) or not all(map(Token.says, ahead, words)):
            return False
        self._at += len(words)
        return True

    def _expected(self, what: str) -> Mistake:
        return Mistake(what, self._now.span)

    def _either(self, depth: int) -> Node:
        parts = self._joined("OR", self._both, depth)
        return parts[0] if len(parts) == 1 else Any_(parts)

    def _both(self, depth: int) -> Node:
        parts = self._joined("AND", self._one, depth)
        return parts[0] if len(parts) == 1 else All(parts)

    def _joined(self, word: str, part: Callable[[int], Node], depth: int) -> tuple[Node, ...]:
        parts = [part(depth)]
        while self._took(word):
            parts.append(part(depth))
        return tuple(parts)

    def _one(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._expected(f"at most {MAX_DEPTH} levels of parentheses and not")
        if self._took("NOT"):
            return Not(self._one(depth + 1))
        if self._took("("):
            node = self._either(depth + 1)
            if not self._took(")"):
                raise self._expected("and, or, or a closing parenthesis")
            return node
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self._field()
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise Mistake(f"at most {MAX_COMPARISONS} comparisons", field.span)
        operator = self._operator()
        if operator in {"IS NULL", "IS NOT NULL"}:
            return Comparison(field, operator, (), ())
        found = self._list() if operator in {"IN", "NOT IN"} else [self._value()]
        values, spans = zip(*found, strict=True)
        return Comparison(field, operator, values, spans)

    def _field(self) -> Field:
        first = self._now
        if first.kind not in {"word", "key", "quoted"}:
            raise self._expected("a field, such as metrics.loss or status")
        self._at += 1
        if not self._took("."):
            return Field(None, first.text, first.span)
        key = self._now
        if key.kind not in {"word", "key", "quoted", "text"}:
            raise self._expected("a key, in backticks or quotes if it is no plain word")
        self._at += 1
        text, end = key.text, key.span.end
        # Keys such as loss.train need no quotes, as they do not for MLflow.
        while key.kind == "word" and self._now.says(".") and self._now.span.start == end:
            self._at += 1
            if self._now.kind not in {"word", "number"}:
                raise self._expected("the rest of the key")
            more = self._next()
            text, end = f"{text}.{more.text}", more.span.end
        return Field(first.text, text, Span(first.span.start, end - first.span.start))

    def _operator(self) -> Operator:
        if self._now.kind == "mark" and self._now.text in _SYMBOLS:
            return _SYMBOLS[self._next().text]
        operators: tuple[tuple[Operator, tuple[str, ...]], ...] = (
            ("LIKE", ("LIKE",)),
            ("ILIKE", ("ILIKE",)),
            ("IN", ("IN",)),
            ("NOT IN", ("NOT", "IN")),
            ("IS NULL", ("IS", "NULL")),
            ("IS NOT NULL", ("IS", "NOT", "NULL")),
        )
        for operator, words in operators:
            if self._took(*words):
                return operator
        raise self._expected(_COMPARATOR)

    def _list(self) -> list[tuple[Value, Span]]:
        if not self._took("("):
            raise self._expected("a list in parentheses")
        found = [self._value()]
        while self._took(","):
            if len(found) == MAX_LISTED:
                raise self._expected(f"at most {MAX_LISTED} values")
            found.append(self._value())
        if not self._took(")"):
            raise self._expected("a comma or a closing parenthesis")
        return found

    def _value(self) -> tuple[Value, Span]:
        token = self._now
        value = _value_of(token)
        if value is None:
            raise self._expected(_VALUE)
        self._at += 1
        return value, token.span


def _value_of(token: Token) -> Value | None:
    if token.kind in {"text", "quoted"}:
        return token.text
    if token.kind == "number":
        digits = token.text.lstrip("+-")
        return (
            int(token.text)
            if digits.isdecimal() and len(digits) <= _EXACT_DIGITS
            else float(token.text)
        )
    if token.kind == "ago":
        units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
        return Ago(int(token.text[:-1]) * units[token.text[-1]])
    if token.says("TRUE") or token.says("FALSE"):
        return token.says("TRUE")
    return None
