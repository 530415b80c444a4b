"""Keys that are derived from JWT_SECRET, and what is made with them.

HKDF-SHA-256 gives each purpose a key of its own: Ed25519 for access tokens, HMAC for the
successors of refresh tokens, Fernet for answers that hold a secret and are kept for a repeat.
"""

import hashlib
import hmac
import json
import secrets
import string
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import jwt
from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from servicekit.identity import ALGORITHM, AUDIENCE, ISSUER, TOKEN_TYPE

from auth_service.models.keys import PublicKey

REFRESH_PREFIX = "rb_rt_"
RESET_PREFIX = "rb_reset_"

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LENGTH = 43  # 43 base 62 digits hold 256 bits


@dataclass(frozen=True, slots=True)
class _SigningKey:
    kid: str
    private: Ed25519PrivateKey
    x: str


class AnswerSeal:
    """Seals answers that are kept for a repeat: they may hold a token that is stored nowhere."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])

    def close(self, body: bytes) -> bytes:
        """See `servicekit.idempotency.Seal`."""
        return self._keys.encrypt(body)

    def open(self, sealed: bytes) -> bytes | None:
        """See `servicekit.idempotency.Seal`."""
        try:
            return self._keys.decrypt(sealed)
        except InvalidToken:
            return None


class Keys:
    """Everything that is signed or derived; the first secret makes, all of them check."""

    def __init__(self, derived_from: Iterable[bytes]) -> None:
        found = list(derived_from)
        self._signing = [_signing_key(secret) for secret in found]
        self._rotation = [_derive(secret, b"refresh tokens") for secret in found]
        self.seal = AnswerSeal(_derive(secret, b"kept answers") for secret in found)
        self.public: dict[str, Ed25519PublicKey] = {
            key.kid: key.private.public_key() for key in self._signing
        }

    @property
    def published(self) -> list[PublicKey]:
        """The public keys as `/.well-known/jwks.json` lists them (RFC 7517, RFC 8037)."""
        return [PublicKey(kid=key.kid, x=key.x) for key in self._signing]

    def access_token(self, *, user_id: UUID, session_id: UUID, ttl_sec: int) -> str:
        """A JWT access token (RFC 9068) for `ttl_sec` seconds."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + ttl_sec,
        }
        key = self._signing[0]
        return jwt.encode(
            claims, key.private, algorithm=ALGORITHM, headers={"typ": TOKEN_TYPE, "kid": key.kid}
        )

    def successors(self, refresh_token: str, *, session_id: UUID, generation: int) -> list[str]:
        """The refresh token that follows this one, by each secret, the one in force first."""
        message = f"{refresh_token}\n{session_id}\n{generation}".encode()
        return [
            REFRESH_PREFIX + _base62(hmac.digest(key, message, "sha256")) for key in self._rotation
        ]


KEYS = web.AppKey("keys", Keys)


def new_secret(prefix: str) -> str:
    """A token of 256 random bits."""
    return prefix + _base62(secrets.token_bytes(32))


def is_secret(text: str, prefix: str) -> bool:
    """Whether the text has the form of such a token."""
    body = text.removeprefix(prefix)
    return (
        text.startswith(prefix)
        and len(body) == _LENGTH
        and all(character in _ALPHABET for character in body)
    )


def hash_secret(text: str) -> bytes:
    """What is stored of a token: 256 random bits need no slower hash than SHA-256."""
    return hashlib.sha256(text.encode()).digest()


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=b"runbench auth-service", info=purpose).derive(
        secret
    )


def _signing_key(secret: bytes) -> _SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(_derive(secret, b"access tokens"))
    x = _base64url(private.public_key().public_bytes_raw())
    # The thumbprint of RFC 7638: the required members in order, without white space.
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return _SigningKey(_base64url(hashlib.sha256(members.encode()).digest()), private, x)


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _base62(raw: bytes) -> str:
    value, digits = int.from_bytes(raw), ""
    for _ in range(_LENGTH):
        value, digit = divmod(value, 62)
        digits = _ALPHABET[digit] + digits
    return digits
