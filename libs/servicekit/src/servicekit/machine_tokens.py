"""Tokens of programs: `rb_<kind>_<key id>_<secret>_<checksum>`.

The prefix lets scanners and log redaction find them, the checksum (CRC-32 in
base 62) tells a typo from a wrong secret without asking anybody, the key id
finds the row, and only the SHA-256 of the secret is stored.
"""

import hashlib
import re
import secrets
import string
from binascii import crc32
from dataclasses import dataclass
from typing import Literal

type Kind = Literal["pat", "sensor"]

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY_ID_LENGTH = 12
_SECRET_LENGTH = 43  # 43 base 62 digits hold 256 bits
_PATTERN = re.compile(r"rb_(pat|sensor)_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class MachineToken:
    """A token in its parts; `text` is shown to its owner once."""

    kind: Kind
    key_id: str
    secret: str

    @property
    def text(self) -> str:
        body = f"rb_{self.kind}_{self.key_id}_{self.secret}"
        return f"{body}_{_checksum(body)}"

    @property
    def secret_hash(self) -> bytes:
        """SHA-256 of the secret: 256 random bits need no slower hash."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_machine_token(kind: Kind) -> MachineToken:
    """A token of 256 random bits."""
    return MachineToken(kind, _random(_KEY_ID_LENGTH), _random(_SECRET_LENGTH))


def parse_machine_token(text: str) -> MachineToken | None:
    """The parts of a well-formed token whose checksum fits; None otherwise."""
    match = _PATTERN.fullmatch(text)
    if not match:
        return None
    body, _, checksum = text.rpartition("_")
    if checksum != _checksum(body):
        return None
    kind: Kind = "pat" if match[1] == "pat" else "sensor"
    return MachineToken(kind, match[2], match[3])


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    value, digits = crc32(body.encode()), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = _ALPHABET[digit] + digits
    return digits
