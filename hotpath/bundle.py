"""The bundle: all that a scorer needs, immutable, signed, named by the hash of its manifest.

A bundle is packed as a zip (stored, not compressed: the MOJO is compressed already) of a fixed list of
entries. `opened` is the only way in, and believes nothing before it has been proved.

Ed25519 as in RFC 8032; the scorer holds only the public key.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature

from hotpath.errors import BadArtifact
from hotpath.handoffs import SIGNED_BY
from hotpath.signatures import Signs, Verifies

CONTENT = ("contract.json", "fitted.json", "model.zip", "scorecard.json", "golden.parquet", "card.html")
ENTRIES = (*CONTENT, "manifest.json", "manifest.sig")
CHUNK_BYTES = 512 * 1024
"""Below Kafka's default limit of a record, 1 MiB."""
MOST_BYTES = 64 * 1024 * 1024
"""A larger bundle is refused before it is read: what proves it must do so in half a gigabyte."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_END = struct.Struct("<4s4H2LH")
_END64 = b"PK\x06\x07"
_MOST_LISTED = 4096
_LOCATOR = 20
"""Bytes of a zip64 locator, which stands before the end record of a zip that has one."""


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


def seal(files: Mapping[str, bytes], facts: Mapping[str, object], key: Signs) -> Sealed:
    """Pack and sign. The same content and facts give the same bytes. Raises BadArtifact on a wrong entry."""
    if set(files) != set(CONTENT):
        raise BadArtifact("bundle's entries", sorted(files), f"exactly {sorted(CONTENT)}")
    hashes = {name: sha256(files[name]) for name in CONTENT}
    manifest = json.dumps({"files": hashes, "facts": facts}, sort_keys=True, separators=(",", ":")).encode()
    packed = _packed({**files, "manifest.json": manifest, "manifest.sig": key.sign(manifest)})
    return Sealed(sha256(manifest)[:32], packed, sha256(packed))


def opened(packed: bytes, key: Verifies) -> Bundle:
    """The bundle in `packed`, if size, entries, signature and hashes hold. Raises BadArtifact otherwise."""
    if len(packed) > MOST_BYTES:
        raise BadArtifact("bundle's size", len(packed), f"at most {MOST_BYTES} bytes")
    entries = _entries(packed)
    manifest = entries.pop("manifest.json")
    try:
        key.verify(entries.pop("manifest.sig"), manifest)
    except InvalidSignature as error:
        raise BadArtifact("bundle's signature", "another key's", SIGNED_BY) from error
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


def signed(packed: bytes) -> tuple[bytes, bytes]:
    """A packed bundle's signature and what it is of, neither proved. Raises BadArtifact."""
    entries = _entries(packed)
    return entries["manifest.sig"], entries["manifest.json"]


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
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadArtifact("bundle's manifest", str(error), "hashes of files, and facts") from error


def _packed(entries: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in ENTRIES:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), entries[name])
    return out.getvalue()


def _entries(packed: bytes) -> dict[str, bytes]:
    """Entries by name. Stored only, so that no entry can be larger than the bytes that came."""
    _few(packed)
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


def _few(packed: bytes) -> None:
    """Raises BadArtifact where the zip's end record (APPNOTE.TXT, 4.3.16) says of more than a bundle has.

    A bundle has no comment and no zip64, so the record is its last bytes. A list of a million entries would
    take half a gigabyte before anybody could count it.
    """
    end = packed[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise BadArtifact("bundle", f"{len(packed)} bytes without a zip's end", "a whole bundle")
    _, _, _, _, entries, listed, _, comment = _END.unpack(end)
    if packed[-_END.size - _LOCATOR :].startswith(_END64) or comment:
        raise BadArtifact("bundle", "zip64, or a comment", "a whole bundle")
    if entries > len(ENTRIES) or listed > _MOST_LISTED:
        raise BadArtifact("bundle's entries", f"{entries} in {listed} bytes", f"exactly {ENTRIES}")
