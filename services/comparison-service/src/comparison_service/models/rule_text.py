"""The text of a rule, read into the fields of its JSON.

rule    = figure "(" [kind ":"] name ")" op limit
figure  = "last" | "first" | "min" | "max" | "best" | "mean" | "std" | "count" | "param"
        | "median" | "p" number            percentiles: p95, p99.9; median is p50
kind    = "metric" | "signal"
name    = letters, digits and _ . / - , or any text in double quotes as in JSON
op      = "<" | "<=" | ">" | ">=" | "==" | "!="
limit   = number | text in double quotes | "true" | "false"
        | "baseline" ["*" number] [("+" | "-") number "%"] [("+" | "-") number]
"""

import json
import math
import re
from typing import Any, NamedTuple

MAX_RULE = 1000

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z_][A-Za-z0-9_./-]*)
      | (?P<sign><=|>=|==|!=|[<>()*+:%-])
    )""",
    re.VERBOSE,
)
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,6})?|100)")
_FIGURES = ("last", "first", "min", "max", "best", "mean", "std", "count")
_OPERATORS = ("<", "<=", ">", ">=", "==", "!=")


class RuleSyntaxError(ValueError):
    """The text is no rule; `column` counts from 1."""

    def __init__(self, column: int, said: str) -> None:
        super().__init__(f"column {column}: {said}")
        self.column, self.said = column, said


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def parse_rule(text: str) -> dict[str, Any]:
    """The fields of the rule.

    Raises:
        RuleSyntaxError: it is none, with the column where it goes wrong.
    """
    return _Reader(text).rule()


class _Reader:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_RULE:
            raise RuleSyntaxError(MAX_RULE, f"a rule has at most {MAX_RULE:,} characters")
        self._tokens = _tokens(text)
        self._at = 0

    def rule(self) -> dict[str, Any]:
        fields = self._figure()
        self._sign("(")
        fields |= self._name(is_param=fields["figure"] == "value")
        self._sign(")")
        operator = self._next("an operator: <, <=, >, >=, == or !=")
        if operator.text not in _OPERATORS:
            raise self._wrong(operator, "an operator: <, <=, >, >=, == or !=")
        fields["op"] = operator.text
        fields |= self._limit()
        rest = self._tokens[self._at]
        if rest.kind != "end":
            raise RuleSyntaxError(rest.column, f"nothing may follow, but here is {rest.text!r}")
        return fields

    def _figure(self) -> dict[str, Any]:
        what = "a figure: last, first, min, max, best, mean, std, count, median, p95 or param"
        token = self._next(what)
        if token.text == "param":
            return {"figure": "value", "of": "param"}
        if token.text == "median":
            return {"figure": "percentile", "percentile": 50.0}
        if match := _PERCENTILE.fullmatch(token.text):
            return {"figure": "percentile", "percentile": float(match[1])}
        if token.text not in _FIGURES or token.kind != "word":
            raise self._wrong(token, what)
        return {"figure": token.text}

    def _name(self, *, is_param: bool) -> dict[str, Any]:
        token = self._next("a name, in double quotes where it has blanks or signs")
        found: dict[str, Any] = {}
        if not is_param and token.text in {"metric", "signal"} and self._is_sign(":"):
            found["of"] = token.text
            self._at += 1
            token = self._next("a name")
        match token.kind:
            case "word":
                return found | {"name": token.text}
            case "text":
                return found | {"name": _unquoted(token)}
            case _:
                raise self._wrong(token, "a name, in double quotes where it has blanks or signs")

    def _limit(self) -> dict[str, Any]:
        token = self._next("a limit: a number, or baseline")
        match token.kind, token.text:
            case "number", _:
                return {"value": _number(token)}
            case "text", _:
                return {"value": _unquoted(token)}
            case "word", ("true" | "false") as said:
                return {"value": said == "true"}
            case "word", "baseline":
                return {"baseline": self._of_baseline()}
            case _:
                raise self._wrong(token, "a limit: a number, or baseline")

    def _of_baseline(self) -> dict[str, float]:
        limit: dict[str, float] = {}
        if self._is_sign("*"):
            self._at += 1
            limit["factor"] = _number(self._number_token())
        while (amount := self._amount()) is not None:
            name = "offset"
            if self._is_sign("%"):
                self._at += 1
                name = "percent"
            if name in limit:
                at = self._tokens[self._at - 1]
                raise RuleSyntaxError(at.column, f"there is {name} of the baseline already")
            limit[name] = amount
        return limit

    def _amount(self) -> float | None:
        token = self._tokens[self._at]
        if token.text in {"+", "-"}:
            self._at += 1
            value = _number(self._number_token())
            return -value if token.text == "-" else value
        # `baseline +2%`: the sign stands at the number.
        if token.kind == "number" and token.text[0] in "+-":
            self._at += 1
            return _number(token)
        return None

    def _number_token(self) -> _Token:
        token = self._next("a number")
        if token.kind != "number":
            raise self._wrong(token, "a number")
        return token

    def _sign(self, sign: str) -> None:
        token = self._next(repr(sign))
        if token.text != sign or token.kind != "sign":
            raise self._wrong(token, repr(sign))

    def _is_sign(self, sign: str) -> bool:
        token = self._tokens[self._at]
        return token.kind == "sign" and token.text == sign

    def _next(self, expected: str) -> _Token:
        token = self._tokens[self._at]
        if token.kind == "end":
            raise RuleSyntaxError(token.column, f"the rule ends where {expected} should stand")
        self._at += 1
        return token

    @staticmethod
    def _wrong(token: _Token, expected: str) -> RuleSyntaxError:
        return RuleSyntaxError(token.column, f"{expected} should stand here, not {token.text!r}")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            column = at + len(text[at:]) - len(text[at:].lstrip()) + 1
            raise RuleSyntaxError(column, f"{text[column - 1]!r} has no meaning here")
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
        at = match.end()
    return [*found, _Token("end", "", end + 1)]


def _unquoted(token: _Token) -> str:
    try:
        return json.loads(token.text)
    except json.JSONDecodeError as exc:
        raise RuleSyntaxError(token.column, "the text in quotes is not as in JSON") from exc


def _number(token: _Token) -> float:
    value = float(token.text)
    if not math.isfinite(value):
        raise RuleSyntaxError(token.column, "the number is too large")
    return value
