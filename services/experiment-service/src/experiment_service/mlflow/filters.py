"""MLflow's filter strings and orders: comparisons with `and` between them.

The grammar is that of MLflow's `search_utils`: `metrics.loss < 0.2 and params."max depth" = '3'`,
keys plain, in backticks or in double quotes, texts in single or double quotes, `LIKE`, `ILIKE`,
`IN`, `IS NULL`, no parentheses around comparisons.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from servicekit.mlflow import InvalidParameter

MOST_COMPARISONS = 12

type Entity = Literal["attribute", "metric", "param", "tag", "dataset"]
type Value = str | float | tuple[str, ...] | None

NUMERIC = frozenset({"=", "!=", "<", "<=", ">", ">="})
TEXTUAL = frozenset({"=", "!=", "LIKE", "ILIKE"})
MEMBERSHIP = frozenset({"IN", "NOT IN"})
PRESENCE = frozenset({"IS NULL", "IS NOT NULL"})

_ENTITIES: Mapping[str, Entity] = {
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
}

_KEY = r"(?:`[^`]+`|\"[^\"]+\"|[^\W\d][\w]*)"
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<name>{_KEY}(?:\.(?:`[^`]+`|"[^"]+"|'[^']+'|\w+))*)
        |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
        |(?P<text>'(?:[^']|'')*')
        |(?P<operator>!=|<>|<=|>=|=|<|>)
        |(?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_ORDER = re.compile(r"\s*(.*?)(?:\s+(asc|desc))?\s*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Identifier:
    """What is compared or ordered by."""

    entity: Entity
    key: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; `value` is a text, a number, several texts, or nothing for presence."""

    of: Identifier
    operator: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """One part of an order."""

    by: Identifier
    descending: bool


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    def says(self, *words: str) -> bool:
        return self.kind == "name" and self.text.upper() in words


def parse_filter(text: str) -> list[Comparison]:
    """The comparisons of a filter, all of which must hold.

    Raises:
        InvalidParameter: it is not of that grammar.
    """
    tokens = list(_tokens(text))
    comparisons: list[Comparison] = []
    while tokens:
        if comparisons:
            if not tokens.pop(0).says("AND"):
                raise _invalid(text, "comparisons are joined by AND")
            if not tokens:
                raise _invalid(text, "something must follow AND")
        comparisons.append(_comparison(text, tokens))
    if len(comparisons) > MOST_COMPARISONS:
        raise _invalid(text, f"at most {MOST_COMPARISONS} comparisons can be joined")
    return comparisons


def parse_order(text: str) -> Ordered:
    """One part of an order: `metrics.loss DESC`, ascending where nothing is said.

    Raises:
        InvalidParameter: it is none.
    """
    match = _ORDER.fullmatch(text)
    name = match[1] if match else ""
    tokens = list(_tokens(name))
    if not match or len(tokens) != 1 or tokens[0].kind != "name":
        msg = f"Invalid order_by {text[:300]!r}: write metrics.loss DESC, for example."
        raise InvalidParameter(msg)
    return Ordered(identifier(tokens[0].text), (match[2] or "").lower() == "desc")


def identifier(text: str) -> Identifier:
    """What a name like `metrics.loss` or `start_time` means.

    Raises:
        InvalidParameter: it begins with another word than those of MLflow.
    """
    first, dot, rest = _split(text)
    if not dot:
        return Identifier("attribute", _bare(first))
    entity = _ENTITIES.get(_bare(first))
    if entity is None:
        msg = (
            f"Invalid entity type {_bare(first)[:100]!r}: it must be one of metrics, params, tags,"
            " attributes and datasets."
        )
        raise InvalidParameter(msg)
    return Identifier(entity, _bare(rest))


def check_operator(comparison: Comparison, allowed: frozenset[str]) -> None:
    """Refuse an operator that does not go with what is compared, and a value that does not.

    Raises:
        InvalidParameter: it is so.
    """
    name = f"{comparison.of.entity}.{comparison.of.key}"
    if comparison.operator not in allowed:
        msg = (
            f"Invalid comparator {comparison.operator!r} for {name[:300]!r}:"
            f" it must be one of {', '.join(sorted(allowed))}."
        )
        raise InvalidParameter(msg)
    numeric = allowed == NUMERIC
    if comparison.operator in PRESENCE:
        return
    if numeric != isinstance(comparison.value, int | float):
        what = "a number" if numeric else "a quoted text"
        msg = f"Expected {what} for {name[:300]!r}."
        raise InvalidParameter(msg)


def _comparison(whole: str, tokens: list[_Token]) -> Comparison:
    name = tokens.pop(0)
    if name.kind != "name":
        raise _invalid(whole, f"{name.text[:100]!r} is no name")
    of = identifier(name.text)
    operator = _operator(whole, tokens)
    if operator in PRESENCE:
        return Comparison(of, operator)
    if operator in MEMBERSHIP:
        return Comparison(of, operator, tuple(_list(whole, tokens)))
    return Comparison(of, operator, _value(whole, tokens))


def _operator(whole: str, tokens: list[_Token]) -> str:
    if not tokens:
        raise _invalid(whole, "a comparison is not complete")
    first = tokens.pop(0)
    if first.kind == "operator":
        return "!=" if first.text == "<>" else first.text
    words = [first.text.upper()]
    while " ".join(words) in {"IS", "NOT", "IS NOT"} and tokens:
        words.append(tokens.pop(0).text.upper())
    operator = " ".join(words)
    if operator not in TEXTUAL | MEMBERSHIP | PRESENCE:
        raise _invalid(whole, f"{operator[:100]!r} does not compare")
    return operator


def _value(whole: str, tokens: list[_Token]) -> str | float:
    if not tokens:
        raise _invalid(whole, "a value is missing")
    token = tokens.pop(0)
    if token.kind == "number":
        return int(token.text) if token.text.lstrip("+-").isdecimal() else float(token.text)
    if token.kind == "text":
        return token.text[1:-1]
    if token.kind == "name" and token.text[0] == '"' and _split(token.text)[1] == "":
        return token.text[1:-1]
    raise _invalid(whole, f"the value {token.text[:100]!r} is neither a number nor quoted")


def _list(whole: str, tokens: list[_Token]) -> Iterator[str]:
    if not tokens or tokens.pop(0).text != "(":
        raise _invalid(whole, "IN takes a list in parentheses")
    while True:
        value = _value(whole, tokens)
        if not isinstance(value, str):
            raise _invalid(whole, "a list holds quoted texts")
        yield value
        mark = tokens.pop(0).text if tokens else ""
        if mark == ")":
            return
        if mark != ",":
            raise _invalid(whole, "a list ends with a parenthesis")


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _invalid(text, f"{text[position:].strip()[:100]!r} cannot be read")
        yield _Token(match.lastgroup, match[match.lastgroup])
        position = match.end()


def _split(name: str) -> tuple[str, str, str]:
    """The first word of a name, the dot behind it, and the rest; dots in quotes divide nothing."""
    quote = name[0] if name[0] in '`"' else ""
    end = name.index(quote, 1) + 1 if quote else name.find(".") % (len(name) + 1)
    return name[:end], name[end : end + 1], name[end + 1 :]


def _bare(name: str) -> str:
    for quote in "`\"'":
        if len(name) > 1 and name[0] == name[-1] == quote:
            return name[1:-1]
    return name


def _invalid(text: str, why: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid filter {text[:500]!r}: {why}.")
