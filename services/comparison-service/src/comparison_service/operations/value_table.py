"""Tables of values: params, tags and environments of runs, what differs first."""

from collections.abc import Iterator, Mapping, Sequence

import orjson

from comparison_service.models.runs import ValueRow
from comparison_service.models.selection import FoundRun, Scalar

MAX_CELLS = 100_000
MAX_CHARACTERS = 4_000_000
MAX_TEXT = 1000
MAX_DEPTH = 4


def value_rows(columns: Sequence[Mapping[str, Scalar]]) -> tuple[list[ValueRow], int]:
    """One row a key, and how many rows were left out; texts are compared whole and shown cut."""
    keys = sorted({key for column in columns for key in column})
    rows = [_row(key, columns) for key in keys]
    rows.sort(key=lambda row: not row.differs)
    kept: list[ValueRow] = []
    room = MAX_CHARACTERS
    for row in rows[: MAX_CELLS // max(1, len(columns))]:
        room -= len(row.key) + sum(len(v) for v in row.values if isinstance(v, str))
        if room < 0:
            break
        kept.append(row)
    return kept, len(rows) - len(kept)


def _row(key: str, columns: Sequence[Mapping[str, Scalar]]) -> ValueRow:
    values = [column.get(key) for column in columns]
    missing = [place for place, column in enumerate(columns) if key not in column]
    # 1 and 1.0 are one number, but true is none.
    kinds = {
        (isinstance(value, bool), value)
        for column, value in zip(columns, values, strict=True)
        if key in column
    }
    return ValueRow(
        key=key,
        values=[_cut(value) for value in values],
        missing=missing,
        differs=len(kinds) > 1 or bool(missing),
    )


def _cut(value: Scalar) -> Scalar:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[: MAX_TEXT - 1] + "…"
    return value


def environment_of(run: FoundRun) -> dict[str, Scalar]:
    """Where a run came from, as values by key: `git.commit`, `host`, `packages.numpy`, …"""
    known: dict[str, Scalar] = {
        "git.commit": run.git_commit,
        "git.branch": run.git_branch,
        "git.dirty": run.git_dirty,
        "host": run.host,
        "source": run.source,
    }
    given = {key: value for key, value in known.items() if value is not None}
    return dict(_flat("", run.environment, MAX_DEPTH)) | given


def _flat(prefix: str, value: object, depth: int) -> Iterator[tuple[str, Scalar]]:
    match value:
        case dict() if value and depth:
            for key, part in value.items():  # pyright: ignore[reportUnknownVariableType]
                yield from _flat(f"{prefix}.{key}" if prefix else str(key), part, depth - 1)  # pyright: ignore[reportUnknownArgumentType]
        case str() | int() | float() | bool() | None:
            yield prefix, value
        case _:
            yield prefix, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
