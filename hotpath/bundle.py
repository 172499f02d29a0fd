"""The bundle: all that a scorer needs, immutable, signed, named by the hash of its manifest.

A bundle is packed as a zip (stored, not compressed: the MOJO is compressed already) of a fixed list of
entries. `opened` is the only way in, and believes nothing before it has been proved.

Ed25519 as in RFC 8032; the scorer holds only the public key.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hotpath.errors import BadArtifact

CONTENT = ("contract.json", "fitted.json", "model.zip", "scorecard.json", "golden.parquet", "card.html")
ENTRIES = (*CONTENT, "manifest.json", "manifest.sig")
CHUNK_BYTES = 512 * 1024
"""Below Kafka's default limit of a record, 1 MiB."""
MOST_BYTES = 256 * 1024 * 1024
"""A larger bundle is refused before it is read."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Sealed:
    """A packed bundle: its id, its bytes, and their SHA-256."""

    id: str
    packed: bytes
    sha256: str


@dataclass(frozen=True)
class Bundle:
    """A bundle that was proved: `files` by entry name, `facts` as the trainer recorded them."""

    id: str
    files: Mapping[str, bytes]
    facts: Mapping[str, object]


def seal(files: Mapping[str, bytes], facts: Mapping[str, object], key: Ed25519PrivateKey) -> Sealed:
    """Pack and sign. The same content and facts give the same bytes. Raises BadArtifact on a wrong entry."""
    if set(files) != set(CONTENT):
        raise BadArtifact("bundle's entries", sorted(files), f"exactly {sorted(CONTENT)}")
    hashes = {name: sha256(files[name]) for name in CONTENT}
    manifest = json.dumps({"files": hashes, "facts": facts}, sort_keys=True, separators=(",", ":")).encode()
    packed = _packed({**files, "manifest.json": manifest, "manifest.sig": key.sign(manifest)})
    return Sealed(sha256(manifest)[:32], packed, sha256(packed))


def opened(packed: bytes, key: Ed25519PublicKey) -> Bundle:
    """The bundle in `packed`, if size, entries, signature and hashes hold. Raises BadArtifact otherwise."""
    if len(packed) > MOST_BYTES:
        raise BadArtifact("bundle's size", len(packed), f"at most {MOST_BYTES} bytes")
    entries = _entries(packed)
    manifest = entries.pop("manifest.json")
    try:
        key.verify(entries.pop("manifest.sig"), manifest)
    except InvalidSignature as error:
        raise BadArtifact("bundle's signature", "another key's", "one by this deployment's key") from error
    hashes, facts = _said(manifest)
    for name, data in entries.items():
        if sha256(data) != hashes.get(name):
            raise BadArtifact(f"bundle's {name}", sha256(data), "the hash its manifest names")
    return Bundle(sha256(manifest)[:32], entries, facts)


def unproved(packed: bytes) -> Bundle:
    """A bundle of one's own store, not proved again. Raises BadArtifact where it is no whole bundle."""
    entries = _entries(packed)
    manifest = entries["manifest.json"]
    return Bundle(sha256(manifest)[:32], entries, _said(manifest)[1])


def chunked(packed: bytes, size: int = CHUNK_BYTES) -> Sequence[bytes]:
    """Pieces of at most `size` bytes, in order."""
    return [packed[i : i + size] for i in range(0, len(packed), size)]


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def _said(manifest: bytes) -> tuple[dict[str, object], dict[str, object]]:
    """Hashes of files, and facts."""
    try:
        said = json.loads(manifest)
        return dict(said["files"]), dict(said["facts"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadArtifact("bundle's manifest", str(error), "hashes of files, and facts") from error


def _packed(entries: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in ENTRIES:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), entries[name])
    return out.getvalue()


def _entries(packed: bytes) -> dict[str, bytes]:
    """Entries by name. Stored only, so that no entry can be larger than the bytes that came."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            infos = archive.infolist()
            if sorted(i.filename for i in infos) != sorted(ENTRIES):
                raise BadArtifact("bundle's entries", [i.filename for i in infos], f"exactly {ENTRIES}")
            if any(i.compress_type != zipfile.ZIP_STORED for i in infos):
                raise BadArtifact("bundle's entries", "compressed", "stored entries")
            return {i.filename: archive.read(i) for i in infos}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise BadArtifact("bundle", str(error), "a whole bundle") from error
