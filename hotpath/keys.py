"""The deployment's Ed25519 keys: the trainer signs, the scorer only verifies."""

from pathlib import Path

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
from hotpath.files import create

_OTHERS = 0o077


def make(signing: Path, verifying: Path) -> None:
    """Write a fresh pair; a pair that exists is kept. Only the owner can read the signing key."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    create(signing, private, mode=0o600)
    public = signing_key(signing).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    create(verifying, public)


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


def verify_key(path: Path) -> Ed25519PublicKey:
    """Raises BadConfig where the file is unreadable or no Ed25519 key."""
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadConfig(str(path), "no key", "an Ed25519 public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadConfig(str(path), type(key).__name__, "an Ed25519 public key in PEM")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConfig(str(path), error.strerror, "a readable key file") from error
