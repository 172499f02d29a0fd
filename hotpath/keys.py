"""The deployment's Ed25519 keys, in files: the trainer signs, the scorer only verifies.

The verify file holds public keys in PEM, the newest last; what one of them signed counts. A process that
lives long looks at its file whenever it uses it, so a rotated key needs no restart; a file that is spoilt
meanwhile is said, and what it held goes on.

    signing.pem        mode 600, one private key
    signing.next.pem   the one that is to follow, while a rotation is under way
    verify.pem         public keys
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Generic, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hotpath.errors import BadConfig
from hotpath.files import create, hold, replace, sync
from hotpath.signatures import AnyOf, key_id

_OTHERS = 0o077
_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n?", re.DOTALL)
PUBLIC = "one or more Ed25519 public keys in PEM, and nothing else"

Read = TypeVar("Read")
Stamp = tuple[int, int, int]
"""What tells that a file is another one: time of writing (ns), inode, size."""

log = logging.getLogger(__name__)


def make(signing: Path, verifying: Path) -> None:
    """Write a fresh pair; a pair that exists is kept. Only the owner can read the signing key."""
    create(signing, _private_pem(Ed25519PrivateKey.generate()), mode=0o600)
    create(verifying, public_pem(signing_key(signing).public_key()))


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Raises BadConfig where the file is unreadable, readable by others, or no Ed25519 key."""
    data = _read(path)
    if path.stat().st_mode & _OTHERS:
        raise BadConfig(str(path), oct(path.stat().st_mode & 0o777), "mode 600", f"chmod 600 {path}")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadConfig(str(path), "no key", "an Ed25519 private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadConfig(str(path), type(key).__name__, "an Ed25519 private key in PEM")
    return key


def public_keys(path: Path) -> tuple[Ed25519PublicKey, ...]:
    """The keys of a verify file, the newest last. Raises BadConfig where it holds anything else, or none."""
    data = _read(path)
    blocks = _BLOCK.findall(data)
    if not blocks or _BLOCK.sub(b"", data).strip():
        raise BadConfig(str(path), "no key" if not blocks else "more than keys", PUBLIC)
    return tuple(_public(path, block) for block in blocks)


def verify_key(path: Path) -> VerifyKeys:
    """What verifies by the keys in this file, whichever they are then. Raises BadConfig."""
    return VerifyKeys(path)


class _Fresh(Generic[Read]):
    """What a file holds, read again only where it has changed; a spoilt one leaves what was read before."""

    def __init__(self, path: Path, read: Callable[[Path], Read]) -> None:
        self._path, self._parse = path, read
        self._seen, self._value = _stamp(path), read(path)

    @property
    def value(self) -> Read:
        """As the file is now, or as it was when it last made sense."""
        if (stamp := _stamp(self._path)) != self._seen:
            self._seen = stamp
            try:
                self._value = self._parse(self._path)
            except BadConfig as error:
                log.error("the keys of before go on: %s", error)
        return self._value


class VerifyKeys:
    """Verifies by a file's keys of now (`hotpath.signatures.Verifies`)."""

    def __init__(self, path: Path) -> None:
        self._keys = _Fresh(path, public_keys)

    def verify(self, signature: bytes, data: bytes, /) -> None:
        """Raises InvalidSignature unless one of the keys signed."""
        AnyOf(self._keys.value).verify(signature, data)

    def signer(self, signature: bytes, data: bytes) -> Ed25519PublicKey | None:
        """Which of the keys signed; None where none did."""
        return AnyOf(self._keys.value).signer(signature, data)


class SigningKey:
    """Signs with a file's key of now (`hotpath.signatures.Signs`)."""

    def __init__(self, path: Path) -> None:
        self._key = _Fresh(path, signing_key)

    def sign(self, data: bytes, /) -> bytes:
        """The signature of `data`."""
        return self._key.value.sign(data)


def prepare(signing: Path, verifying: Path) -> Ed25519PublicKey:
    """The key that is to follow: made, and known here; what signs is still the old one. Its public half.

    Run again it finds what it had made. Raises BadConfig where a file is not what it should be.
    """
    with _turn(verifying):
        return _prepared(signing, verifying)


def add(verifying: Path, key: Ed25519PublicKey) -> None:
    """Let a further key's signatures count; one that does already is left as it is. Raises BadConfig."""
    with _turn(verifying):
        _add(verifying, key)


def rotate(signing: Path, verifying: Path) -> Ed25519PublicKey:
    """Sign with the key that follows from now on; it is prepared where it was not yet. Its public half.

    All in one turn: another rotation between the two steps would have used up the key that follows.
    """
    with _turn(verifying):
        key = _prepared(signing, verifying)
        os.replace(_following(signing), signing)
        sync(signing.parent)
    return key


def retire(verifying: Path, named: str) -> None:
    """Take a public key out of the verify file: what it signed counts no longer.

    `named` is the beginning of its id. Raises BadConfig where no key or several are called so, or where it is
    the only one.
    """
    with _turn(verifying):
        known = public_keys(verifying)
        gone = one_of(known, named)
        if len(known) == 1:
            raise BadConfig("key", named, "one beside another", "rotate first")
        replace(verifying, b"".join(public_pem(key) for key in known if key != gone))


def one_of(known: Sequence[Ed25519PublicKey], named: str) -> Ed25519PublicKey:
    """The key whose id begins so. Raises BadConfig where that is not exactly one."""
    found = [key for key in known if named and key_id(key).startswith(named)]
    if len(found) != 1:
        raise BadConfig("key", named, f"one of {', '.join(map(key_id, known))}")
    return found[0]


def _prepared(signing: Path, verifying: Path) -> Ed25519PublicKey:
    path = _following(signing)
    create(path, _private_pem(Ed25519PrivateKey.generate()), mode=0o600)
    key = signing_key(path).public_key()
    _add(verifying, key)
    return key


def _add(verifying: Path, key: Ed25519PublicKey) -> None:
    known = public_keys(verifying)
    if key_id(key) not in map(key_id, known):
        replace(verifying, b"".join(map(public_pem, (*known, key))))


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The block that stands in a verify file."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(path: Path, block: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadConfig(str(path), "no key", PUBLIC) from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadConfig(str(path), type(key).__name__, PUBLIC)
    return key


def _following(signing: Path) -> Path:
    return signing.with_suffix(".next.pem")


def _turn(verifying: Path) -> IO[bytes]:
    return hold(verifying.with_name(".keys.lock"), "change of the keys")


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConfig(str(path), error.strerror, "a readable key file") from error
