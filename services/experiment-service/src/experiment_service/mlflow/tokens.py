"""Page tokens of lists that are short enough to be counted through."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from servicekit.mlflow import InvalidParameter

_FURTHEST = 10_000_000


def offset_of(token: str) -> int:
    """How many rows a page token has passed; an empty one none.

    Raises:
        InvalidParameter: it is none of ours.
    """
    if not token:
        return 0
    try:
        offset = int(urlsafe_b64decode(token.encode()))
    except ValueError as exc:
        msg = "Invalid page token, could not be read."
        raise InvalidParameter(msg) from exc
    if not 0 < offset <= _FURTHEST:
        msg = "Invalid page token, out of range."
        raise InvalidParameter(msg)
    return offset


def token_at(offset: int) -> str:
    """The page token behind that many rows."""
    return urlsafe_b64encode(str(offset).encode()).decode()


def check_max_results(given: int, most: int) -> int:
    """How many rows are wanted.

    Raises:
        InvalidParameter: it is not between one and the most.
    """
    if not 1 <= given <= most:
        msg = (
            f"Invalid value {given} for parameter 'max_results' supplied."
            f" It must be a positive integer of at most {most}."
        )
        raise InvalidParameter(msg)
    return given
