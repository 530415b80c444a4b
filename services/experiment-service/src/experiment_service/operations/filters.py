"""Filters of lists as they are asked for, made ready for SQL."""

from collections.abc import Iterable, Sequence

from experiment_service.models.experiments import ArchivedFilter


def tag_filters(texts: Iterable[str]) -> tuple[tuple[str, str | None], ...]:
    """`key` and `key=value` as pairs; a key that holds `=` cannot be asked for by value."""
    pairs = (text.partition("=") for text in texts)
    return tuple((key, value if equals else None) for key, equals, value in pairs)


def archived_filter(archived: ArchivedFilter, statuses: Sequence[str]) -> bool | None:
    """True, False, or None for both; who asks for the status archived means it."""
    if archived == "all" or "archived" in statuses:
        return None
    return archived == "true"
