"""What other services verify access tokens with."""

from typing import Literal

from servicekit.fields import Answer, Timestamp


class PublicKey(Answer):
    """An Ed25519 public key as a JSON Web Key (RFC 8037); `kid` is its RFC 7638 thumbprint."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: str
    kid: str
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"


class KeySet(Answer):
    """The keys in use, the one that signs first."""

    keys: list[PublicKey]


class Revocations(Answer):
    """Sessions that ended while access tokens of theirs may still be good."""

    revoked: list[str]
    as_of: Timestamp
