"""Secrets of webhooks: made, sealed, and signed with (Standard Webhooks, symmetric)."""

import base64
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from experiment_service.errors import WebhooksOff

PREFIX = "whsec_"
SECRET_BYTES = 32


class SecretBox:
    """Seals what the database keeps; the first key seals, all of them open."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        found = [Fernet(urlsafe_b64encode(_derive(key))) for key in keys]
        self._keys = MultiFernet(found) if found else None

    def seal(self, secret: bytes) -> bytes:
        """The secret as it is stored.

        Raises:
            WebhooksOff: there is no key.
        """
        if self._keys is None:
            raise WebhooksOff
        return self._keys.encrypt(secret)

    def open(self, sealed: bytes) -> bytes | None:
        """The secret; None where the key that sealed it is gone."""
        try:
            return self._keys.decrypt(sealed) if self._keys else None
        except InvalidToken:
            return None


def new_secret() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as people copy it."""
    return PREFIX + base64.b64encode(secret).decode()


def sign(secrets: Sequence[bytes], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,…` a secret, with blanks between."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    )


def _derive(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"webhook secrets").derive(key)
