"""Rules: what a run must keep to, as JSON or as a line of text that says the same."""

import json
import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from servicekit.fields import Body, Key

from comparison_service.models.rule_text import MAX_RULE, RuleSyntaxError, parse_rule

type Subject = Literal["any", "metric", "signal", "param"]
type Figure = Literal[
    "last", "first", "min", "max", "best", "mean", "std", "count", "percentile", "value"
]
type Operator = Literal["<", "<=", ">", ">=", "==", "!="]

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


class BaselineLimit(Body):
    """A limit that follows the baseline: its figure times `factor`, plus `offset`."""

    factor: float = 1.0
    offset: float = Field(default=0.0, description="In the unit of the figure.")
    percent: float = Field(
        default=0.0, description="In hundredths of the figure's amount, upwards; -2 is 2 % less."
    )


class Rule(Body):
    """A figure of a run, and what it must be."""

    name: Key = Field(description="A metric, a signal as `sensor.signal`, or a param.")
    of: Subject = Field(
        default="any",
        description="What the name is one of; any: a metric, or else a signal of the run's capture"
        " sessions, whichever the run has.",
    )
    figure: Figure = Field(
        default="last",
        description="Of a metric or signal: over all its values; last and first are a metric's"
        " alone. Of a param: value.",
    )
    percentile: Annotated[float, Field(ge=0, le=100)] | None = None
    op: Operator
    value: float | str | bool | None = Field(default=None, description="A limit that is fixed.")
    baseline: BaselineLimit | None = Field(default=None, description="One that follows a run.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.value is None) == (self.baseline is None):
            raise _mistake("give one of value and baseline")
        if (self.figure == "percentile") != (self.percentile is not None):
            raise _mistake("percentile belongs to the figure percentile")
        if (self.of == "param") != (self.figure == "value"):
            raise _mistake("the figure of a param, and of nothing else, is value")
        if self.of != "param" and isinstance(self.value, str | bool):
            raise _mistake("the value must be a number; texts are for params")
        if self.op not in {"==", "!="} and isinstance(self.value, str | bool):
            raise _mistake("texts, true and false are compared by == and != alone")
        return self

    def text(self) -> str:
        """The rule as a line that `parse_rule` reads back."""
        figure = f"p{_short(self.percentile)}" if self.percentile is not None else self.figure
        function = "param" if self.of == "param" else figure
        name = (
            self.name if _BARE.fullmatch(self.name) else json.dumps(self.name, ensure_ascii=False)
        )
        prefix = f"{self.of}:" if self.of in {"metric", "signal"} else ""
        return f"{function}({prefix}{name}) {self.op} {self._limit()}"

    def _limit(self) -> str:
        if self.baseline is None:
            if isinstance(self.value, float):
                return _short(self.value)
            return json.dumps(self.value, ensure_ascii=False)
        parts = ["baseline"]
        if self.baseline.factor != 1:
            parts.append(f"* {_short(self.baseline.factor)}")
        for amount, unit in ((self.baseline.percent, "%"), (self.baseline.offset, "")):
            if amount:
                parts.append(f"{'-' if amount < 0 else '+'} {_short(abs(amount))}{unit}")
        return " ".join(parts)


def _short(value: float) -> str:
    """The fewest digits that are read back as the same number."""
    return repr(value).removesuffix(".0")


def _mistake(said: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "{said}", {"said": said})


def _from_text(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return Rule.model_validate(parse_rule(given))
    except RuleSyntaxError as exc:
        raise PydanticCustomError(
            "rule_syntax", "column {column}: {said}", {"column": exc.column, "said": exc.said}
        ) from exc


type RuleOrText = Annotated[
    Rule,
    BeforeValidator(
        _from_text, json_schema_input_type=Rule | Annotated[str, Field(max_length=MAX_RULE)]
    ),
]
"""A rule, or a line such as `max(loss) <= baseline * 1.02`."""
