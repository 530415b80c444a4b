"""MLflow's comparisons as SQL."""

from collections.abc import Iterable, Mapping
from typing import LiteralString
from uuid import UUID

from servicekit.mlflow import NOBODYS, InvalidParameter, our_id

from experiment_service.mlflow.filters import Comparison
from experiment_service.queries.keyset import Statement

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


def text_compared(
    column: LiteralString, comparison: Comparison, statement: Statement
) -> LiteralString:
    """A text compared with one text or several."""
    if comparison.operator in {"IN", "NOT IN"}:
        among: LiteralString = f"{column} = ANY({statement.place(comparison.value)}::text[])"
        return among if comparison.operator == "IN" else f"NOT {among}"
    symbol = _SYMBOLS[comparison.operator]
    place = statement.place(comparison.value)
    # A backslash means itself, so that no pattern is a broken one.
    escape: LiteralString = " ESCAPE ''" if "LIKE" in symbol else ""
    return f"{column} {symbol} {place}::text{escape}"


def number_compared(
    column: LiteralString, comparison: Comparison, statement: Statement
) -> LiteralString:
    """A number compared with one; `column` is of type double precision."""
    place = statement.place(_float(comparison))
    return f"{column} {_SYMBOLS[comparison.operator]} {place}::float8"


def time_compared(
    column: LiteralString, comparison: Comparison, statement: Statement
) -> LiteralString:
    """A time compared with milliseconds since 1970."""
    return number_compared(
        f"floor(extract(epoch FROM {column}) * 1000)::float8", comparison, statement
    )


def id_compared(
    column: LiteralString, comparison: Comparison, statement: Statement, *, prefix: str = ""
) -> LiteralString:
    """An id compared with one or several of MLflow's."""
    given = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    ids = list(_ids(str(text).removeprefix(prefix) for text in given))
    among: LiteralString = f"{column} = ANY({statement.place(ids)}::uuid[])"
    return among if comparison.operator in {"=", "IN"} else f"NOT {among}"


def _ids(texts: Iterable[str]) -> Iterable[UUID]:
    for text in texts:
        try:
            found = our_id(text)
        except ValueError as exc:
            raise InvalidParameter(f"Invalid id {text[:300]!r}.") from exc
        yield found if isinstance(found, UUID) else NOBODYS


def _float(comparison: Comparison) -> float:
    try:
        return float(str(comparison.value))
    except ValueError as exc:  # pragma: no cover - check_operator has seen that it is a number
        raise InvalidParameter from exc
