"""What signs and what verifies, as bundles and announcements see it: Ed25519 (RFC 8032). Pure.

Ed25519PrivateKey and Ed25519PublicKey of `cryptography` are such things; so are the key files of
`hotpath.keys`, which may change while a process lives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Signs(Protocol):
    """Makes signatures."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature of `data`."""


class Verifies(Protocol):
    """Knows whose signatures count."""

    def verify(self, signature: bytes, data: bytes, /) -> None:
        """Returns where `signature` is one that counts. Raises InvalidSignature."""


@dataclass(frozen=True)
class AnyOf:
    """Several public keys, the newest last: one of them is enough, so that a key can be rotated."""

    keys: Sequence[Ed25519PublicKey]

    def verify(self, signature: bytes, data: bytes, /) -> None:
        """See `Verifies.verify`. The newest key first: it signed most of what comes."""
        if self.signer(signature, data) is None:
            raise InvalidSignature

    def signer(self, signature: bytes, data: bytes) -> Ed25519PublicKey | None:
        """Which of the keys signed; None where none did."""
        for key in reversed(self.keys):
            with suppress(InvalidSignature):
                key.verify(signature, data)
                return key
        return None


@dataclass(frozen=True)
class Pair:
    """Who both signs and reads what was signed before: the newest key signs, every known one counts."""

    signing: Signs
    known: Verifies

    def sign(self, data: bytes, /) -> bytes:
        """See `Signs.sign`."""
        return self.signing.sign(data)

    def verify(self, signature: bytes, data: bytes, /) -> None:
        """See `Verifies.verify`."""
        self.known.verify(signature, data)


def key_id(key: Ed25519PublicKey) -> str:
    """What people call a key: the beginning of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]
