"""Law 4, first half: a bundle is what its trainer sealed, or it is refused."""

from __future__ import annotations

import io
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.bundle import CONTENT, chunked, opened, seal, sha256
from hotpath.errors import BadArtifact

KEY = Ed25519PrivateKey.generate()
FILES = {name: f"content of {name}".encode() * 3 for name in CONTENT}
SEALED = seal(FILES, {"pipeline": "flights"}, KEY)


def test_a_sealed_bundle_opens_with_its_files_facts_and_id() -> None:
    found = opened(SEALED.packed, KEY.public_key())
    assert (found.id, dict(found.files), found.facts) == (SEALED.id, FILES, {"pipeline": "flights"})


def test_the_same_content_gives_the_same_bytes() -> None:
    assert seal(dict(reversed(FILES.items())), {"pipeline": "flights"}, KEY) == SEALED


@settings(max_examples=300)
@given(st.integers(0, len(SEALED.packed) * 8 - 1))
def test_a_bundle_with_one_bit_changed_never_opens_as_another(bit: int) -> None:
    changed = bytearray(SEALED.packed)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        found = opened(bytes(changed), KEY.public_key())
    except BadArtifact:
        return
    # A bit of the zip's own dates or attributes: what was sealed is what was opened.
    assert (found.id, dict(found.files)) == (SEALED.id, FILES)


@given(st.integers(0, len(SEALED.packed) - 1))
def test_a_truncated_bundle_is_refused(length: int) -> None:
    with pytest.raises(BadArtifact):
        opened(SEALED.packed[:length], KEY.public_key())


def test_a_bundle_of_another_key_is_refused() -> None:
    with pytest.raises(BadArtifact, match="signature"):
        opened(SEALED.packed, Ed25519PrivateKey.generate().public_key())


def packed(names: list[str], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"0" * 1000)
    return out.getvalue()


@pytest.mark.parametrize(
    "names", [[], ["../evil"], [*CONTENT], [*CONTENT, "manifest.json", "manifest.sig", "more"]]
)
def test_a_bundle_with_other_entries_is_refused(names: list[str]) -> None:
    with pytest.raises(BadArtifact, match="entries"):
        opened(packed(names), KEY.public_key())


def test_a_compressed_entry_is_refused_before_it_can_grow() -> None:
    with pytest.raises(BadArtifact, match="stored"):
        opened(packed([*CONTENT, "manifest.json", "manifest.sig"], zipfile.ZIP_DEFLATED), KEY.public_key())


def test_a_missing_file_is_not_sealed() -> None:
    with pytest.raises(BadArtifact, match="entries"):
        seal({"model.zip": b""}, {}, KEY)


@given(st.binary(max_size=50), st.integers(1, 20))
def test_chunks_put_together_are_the_bundle(data: bytes, size: int) -> None:
    pieces = chunked(data, size)
    assert b"".join(pieces) == data
    assert all(len(p) <= size for p in pieces)
    assert sha256(b"".join(pieces)) == sha256(data)
