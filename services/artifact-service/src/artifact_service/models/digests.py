"""What a request says of its content's digest (RFC 9530, `Repr-Digest` and `Content-Digest`)."""

import re
from base64 import b64decode, b64encode

from servicekit.problems import Malformed

_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([^:]*):")
_LENGTH = 32


def declared_sha256(header: str | None) -> bytes | None:
    """The SHA-256 in the header; None where it names none.

    Raises:
        Malformed: it names one that is none.
    """
    found = _SHA256.search(header or "")
    if found is None:
        return None
    try:
        digest = b64decode(found[1], validate=True)
    except ValueError:
        digest = b""
    if len(digest) != _LENGTH:
        msg = "A digest is written sha-256=:BASE64:, as RFC 9530 says."
        raise Malformed(msg)
    return digest


def sha256_header(digest: bytes) -> str:
    """The digest as it stands in an answer's header."""
    return f"sha-256=:{b64encode(digest).decode()}:"
