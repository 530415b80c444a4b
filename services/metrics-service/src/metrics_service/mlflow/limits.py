"""What MLflow allows of a metric (its `utils/validation.py`), said in its terms."""

import posixpath
import re

from servicekit.mlflow import InvalidParameter

KEY_LENGTH = 250
METRICS_OF_BATCH = 1000
PAIRS_OF_BATCH = 100
ENTITIES_OF_BATCH = 1000
# A day behind the last one that a date can say; MLflow itself stops at what a column can hold.
LATEST_MS = 253_402_214_400_000

_KEY = re.compile(r"[/\w.\- :]*")


def check_key(key: object, where: str) -> str:
    """The key of a metric, where MLflow takes it: no other characters, no path that leads away.

    Raises:
        InvalidParameter: it is none.
    """
    if key is None or key == "":
        msg = f"Missing value for required parameter '{where}'."
        raise InvalidParameter(msg)
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        msg = (
            f"Invalid value {_short(key)} for parameter '{where}' supplied: a name has letters,"
            " digits, spaces and / _ . - : only."
        )
        raise InvalidParameter(msg)
    path = posixpath.normpath(key)
    if path != key or path == "." or path.startswith(("..", "/")):
        msg = (
            f"Invalid value {_short(key)} for parameter '{where}' supplied: as a path it means"
            f" {path[:KEY_LENGTH]!r}."
        )
        raise InvalidParameter(msg)
    if len(key) > KEY_LENGTH:
        msg = f"'{where}' exceeds the maximum length of {KEY_LENGTH} characters"
        raise InvalidParameter(msg)
    return key


def check_sizes(metrics: int, params: int, tags: int) -> None:
    """Refuse more at once than MLflow takes.

    Raises:
        InvalidParameter: it is more.
    """
    for what, count, most in (
        ("metrics", metrics, METRICS_OF_BATCH),
        ("params", params, PAIRS_OF_BATCH),
        ("tags", tags, PAIRS_OF_BATCH),
        ("metrics, params, and tags", metrics + params + tags, ENTITIES_OF_BATCH),
    ):
        if count > most:
            msg = (
                f"A batch logging request can contain at most {most} {what}. Got {count} {what}."
                f" Please split up {what} across multiple requests and try again."
            )
            raise InvalidParameter(msg)


def _short(value: object) -> str:
    return repr(value)[:300]
