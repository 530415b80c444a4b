"""What a content is, by its first bytes, and as what it can be shown.

Neither what an upload says of its type nor the name alone is believed where a browser would act on
it: what is shown in place must look like what it says it is.
"""

import re
from dataclasses import dataclass

from artifact_service.models.artifacts import OCTETS, media_type_of
from artifact_service.models.previews import PreviewKind

HEAD_BYTES = 4096

_AT_START: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PAR1", "application/x-parquet"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (b"\x93NUMPY", "application/x-npy"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-msdownload"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_SVG = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE\s+svg[^>]*>\s*)?<svg[\s>]",
    re.DOTALL | re.IGNORECASE,
)
_HTML = re.compile(
    rb"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]", re.DOTALL | re.IGNORECASE
)
_VEGA = re.compile(rb'"\$schema"\s*:\s*"https?://vega\.github\.io/schema/vega(?:-lite)?/')
_PLOTLY = re.compile(
    rb'^\s*\{\s*"(?:data"\s*:\s*\[\s*\{|layout"\s*:\s*\{.*"data"\s*:\s*\[)', re.DOTALL
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

# What a browser shows in place without running it, by what its content is.
_SHOWN: dict[str, PreviewKind] = {
    "application/pdf": "pdf",
    "audio/flac": "audio",
    "audio/mp4": "audio",
    "audio/mpeg": "audio",
    "audio/ogg": "audio",
    "audio/wav": "audio",
    "image/avif": "image",
    "image/bmp": "image",
    "image/gif": "image",
    "image/jpeg": "image",
    "image/png": "image",
    "image/svg+xml": "svg",
    "image/webp": "image",
    "image/x-icon": "image",
    "text/html": "html",
    "video/mp4": "video",
    "video/quicktime": "video",
    "video/webm": "video",
}
_PLOTS: dict[str, PreviewKind] = {
    "application/vnd.plotly.v1+json": "plotly",
    "application/vnd.vega+json": "vega",
}
_TABLES = frozenset({"text/csv", "text/tab-separated-values"})
_PARQUET = "application/x-parquet"
_MARKDOWN = frozenset({".md", ".markdown"})
_JSON = frozenset({".json", ".ipynb", ".geojson", ".webmanifest", ".har"})


@dataclass(frozen=True, slots=True)
class Kind:
    """As what a file is shown, and under which media type where a browser shows it in place."""

    preview: PreviewKind
    inline: str | None


def detect(head: bytes) -> str:
    """The media type that the first bytes show; bytes of no kind that is known are octets."""
    text = _is_text(head)
    return _of_bytes(head, text=text) or (_of_text(head) if text else OCTETS)


def _of_bytes(head: bytes, *, text: bool) -> str | None:
    for beginning, media_type in _AT_START:
        # Two letters may as well begin a text.
        if head.startswith(beginning) and not (text and len(beginning) <= 3):  # noqa: PLR2004
            return media_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # noqa: PLR2004 - MPEG's frames
        return "audio/mpeg"
    return None


def _of_text(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _SVG.search(text):
        return "image/svg+xml"
    if _HTML.search(text):
        return "text/html"
    if text.lstrip()[:1] not in {b"{", b"["}:
        return "text/plain"
    if _VEGA.search(text):
        return "application/vnd.vega+json"
    return "application/vnd.plotly.v1+json" if _PLOTLY.search(text) else "application/json"


def kind_of(path: str, size: int, detected: str | None) -> Kind:
    """As what a file is shown, by its name and what its content was found to be."""
    name = path.rpartition("/")[2].lower()
    ending = name[name.rfind(".") :] if "." in name else ""
    if size == 0:
        return Kind("text" if media_type_of(path).startswith("text/") else "none", None)
    if detected in _SHOWN:
        return _shown(detected, media_type_of(path))
    return Kind(_kind_of_data(name, ending, detected), None)


def _kind_of_data(name: str, ending: str, detected: str | None) -> PreviewKind:
    if detected == _PARQUET:
        return "table"
    if detected in _PLOTS:
        return _PLOTS[detected] if ending in _JSON else "text"
    if detected == "application/json" and ending in _JSON | {""}:
        return "json"
    if detected not in {"text/plain", "application/json"}:
        return "none"
    if media_type_of(name) in _TABLES:
        return "table"
    return "markdown" if ending in _MARKDOWN else "text"


def _shown(detected: str, named: str) -> Kind:
    kind = _SHOWN[detected]
    if kind in {"svg", "html"} and named != detected:
        return Kind("text", None)  # what looks like a page, but is not called one
    if detected == "audio/ogg" and named == "video/ogg":
        return Kind("video", named)
    return Kind(kind, detected)


def _is_text(head: bytes) -> bool:
    if head.startswith(_BOMS):
        return True
    if head and _looks_like_utf16(head):
        return True
    return not _CONTROL.search(head)


def _looks_like_utf16(head: bytes) -> bool:
    """Whether nearly every second byte is zero, as in Latin text of two bytes a character."""
    half = len(head) // 2
    if half < 4 or len(head) % 2:  # noqa: PLR2004
        return False
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return max(even, odd) > 0.7 * half and min(even, odd) < 0.05 * half
