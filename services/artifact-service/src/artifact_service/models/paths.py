"""Where a file stands in its run: one decision about paths, for every door.

A path is a name that people gave and nothing else: it never becomes part of an address in the
object store. It still has to mean the same everywhere, and to be safe for whoever downloads it
into a folder of theirs.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, WithJsonSchema

MAX_PATH = 1000
MAX_SEGMENT_BYTES = 255

_DRIVE = re.compile(r"[A-Za-z]:")
_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DECODED_AT_MOST = 8


def clean_path(given: str) -> str:
    """The path as it is stored: segments with one slash between them, in Unicode's form C.

    Raises:
        ValueError: it is empty, too long, absolute, leads out of its folder, or holds what some
            reader on the way could take for a separator, a parent or the end of the text; also
            where that shows only after decoding it once more.
    """
    path = unicodedata.normalize("NFC", given)
    if len(path) > MAX_PATH:
        msg = f"a path may have at most {MAX_PATH} characters"
        raise ValueError(msg)
    for form in _forms(path):
        _check(form)
    return path


def clean_prefix(given: str) -> str:
    """The path of a folder; empty for the topmost. A slash at its end is left out.

    Raises:
        ValueError: see `clean_path`.
    """
    return clean_path(given.removesuffix("/")) if given else ""


def ancestors(path: str) -> list[str]:
    """The folders that a path stands in, the topmost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _forms(path: str) -> Iterator[str]:
    """The path, what it becomes when it is decoded again, and how others may normalise it."""
    for _ in range(_DECODED_AT_MOST):
        yield path
        yield unicodedata.normalize("NFKC", path)
        decoded = unquote(path, errors="strict") if "%" in path else path
        if decoded == path:
            return
        path = decoded
    msg = "a path must not be encoded several times over"
    raise ValueError(msg)


def _check(path: str) -> None:
    if any(unicodedata.category(character) in _FORBIDDEN for character in path):
        msg = "a path must not contain control characters"
        raise ValueError(msg)
    if any(ord(character) & 0xFFFE == 0xFFFE for character in path):  # noqa: PLR2004 - U+xFFFE, U+xFFFF
        msg = "a path must not contain what Unicode says is no character"
        raise ValueError(msg)
    if not _BIDI.isdisjoint(path):
        msg = "a path must not contain characters that turn the direction of the text"
        raise ValueError(msg)
    if "\\" in path:
        msg = "a path must not contain a backslash; folders are parted by /"
        raise ValueError(msg)
    if path.startswith("/") or _DRIVE.match(path):
        msg = "a path must be relative"
        raise ValueError(msg)
    for segment in path.split("/"):
        _check_segment(segment)


def _check_segment(segment: str) -> None:
    if not segment.strip():
        msg = "a path must not have empty parts"
        raise ValueError(msg)
    if segment.strip() in {".", ".."}:
        msg = "a path must not contain . or .. as a part"
        raise ValueError(msg)
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        msg = f"each part of a path may have at most {MAX_SEGMENT_BYTES} bytes in UTF-8"
        raise ValueError(msg)


type ArtifactPath = Annotated[
    str,
    AfterValidator(clean_path),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_PATH,
            "description": "Folders and a name with `/` between them; nothing is escaped twice.",
        }
    ),
]
"""The path of a file in its run."""

type Prefix = Annotated[str, AfterValidator(clean_prefix)]
"""The path of a folder in its run; empty for the topmost."""
