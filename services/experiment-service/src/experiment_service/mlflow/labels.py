"""MLflow's tags of its own, `mlflow.…`, and the columns in which we keep what they say.

The name of a run, its notes, its parent, its source and its commit stand in columns, so that the
portal shows what an MLflow client has set and MLflow's clients what was set elsewhere. A value
that its column cannot hold, such as a commit of two lines, stays a tag.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from servicekit.mlflow import NOBODYS, our_id

from experiment_service.mlflow.entities import Labels

RUN_NAME = "mlflow.runName"
NOTE = "mlflow.note.content"
USER = "mlflow.user"
PARENT = "mlflow.parentRunId"
LOGGED_MODELS = "mlflow.log-model.history"

_NAME_LENGTH = 200
_LABEL_LENGTH = 500


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a tag is kept: `read` gives the column's value, or None where the tag must stay one."""

    field: str
    read: Callable[[str], Any]
    empty: Any = None


def _line(longest: int) -> Callable[[str], str | None]:
    def fits(text: str) -> str | None:
        tidy = unicodedata.normalize("NFC", text).strip() == text
        plain = not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
        return text if tidy and plain and 0 < len(text) <= longest else None

    return fits


def _run_id(text: str) -> UUID | None:
    try:
        found = our_id(text)
    except ValueError:
        return None
    return found if isinstance(found, UUID) and found != NOBODYS else None


_COLUMNS: Mapping[str, _Column] = {
    RUN_NAME: _Column("name", _line(_NAME_LENGTH)),
    NOTE: _Column("notes", lambda text: text or None, empty=""),
    PARENT: _Column("parent_run_id", _run_id),
    "mlflow.source.name": _Column("source", _line(_LABEL_LENGTH)),
    "mlflow.source.git.commit": _Column("git_commit", _line(_LABEL_LENGTH)),
    "mlflow.source.git.branch": _Column("git_branch", _line(_LABEL_LENGTH)),
}

COLUMN_OF_TAG: Mapping[str, str] = {key: column.field for key, column in _COLUMNS.items()}
"""The column that holds a tag, by the tag's key."""


def with_tags[L: Labels](labels: L, tags: Mapping[str, str], *, parents: frozenset[UUID]) -> L:
    """The labels with these tags set; `parents` are the runs of which one may be the parent."""
    changes: dict[str, Any] = {}
    kept = dict(labels.tags)
    for key, value in tags.items():
        column = _COLUMNS.get(key)
        read = column.read(value) if column else None
        if column and column.field == "parent_run_id" and read not in parents:
            read = None
        if column is None or read is None:
            kept[key] = value
        else:
            kept.pop(key, None)
        if column and (read is not None or column.field != "name"):
            changes[column.field] = column.empty if read is None else read
    return labels.model_copy(update=changes | {"tags": kept})


def without_tag[L: Labels](labels: L, key: str) -> L:
    """The labels without that tag; a run's name stays."""
    column = _COLUMNS.get(key)
    changes = {column.field: column.empty} if column and column.field != "name" else {}
    tags = {name: value for name, value in labels.tags.items() if name != key}
    return labels.model_copy(update=changes | {"tags": tags})


def parents_among(tags: Mapping[str, str]) -> list[UUID]:
    """The runs that the tags name as the parent: one or none."""
    parent = _run_id(tags.get(PARENT, ""))
    return [parent] if parent else []


def shown_tags(labels: Labels) -> dict[str, str]:
    """All tags as MLflow shows them: those that columns keep, and the others."""
    shown: dict[str, str] = {}
    for key, column in _COLUMNS.items():
        value = getattr(labels, column.field)
        if value:
            shown[key] = value.hex if isinstance(value, UUID) else value
    return shown | labels.tags


def fitting_name(name: str) -> str | None:
    """As much of a name as the column of names holds."""
    cleaned = "".join(
        " " if unicodedata.category(character) in {"Cc", "Cs"} else character for character in name
    )
    return unicodedata.normalize("NFC", cleaned).strip()[:_NAME_LENGTH].strip() or None
