"""The part of a file that a request asks for (RFC 9110, section 14)."""

import re

from artifact_service.errors import RangeNotSatisfiable

_ONE = re.compile(r"bytes=\s*(\d{0,19})-(\d{0,19})\s*")
_SEVERAL = re.compile(r"bytes=.*,.*")


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Where the part begins and ends (exclusive); None where all of it is meant.

    A header that is no range of bytes is passed over, as the RFC wants it.

    Raises:
        RangeNotSatisfiable: nothing of the file lies in the range, or it names several.
    """
    if header is None:
        return None
    if _SEVERAL.fullmatch(header):
        raise _unsatisfiable(size, "One range at a time.")
    found = _ONE.fullmatch(header)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2] or size) + 1)
        if found[2] and int(found[2]) < start:
            return None
    if start >= end:
        raise _unsatisfiable(size, f"The file has {size} bytes.")
    return start, end


def _unsatisfiable(size: int, detail: str) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(detail, headers={"Content-Range": f"bytes */{size}"})
