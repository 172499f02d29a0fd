"""Keys: made once, the signing one readable by its owner alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath.errors import BadConfig
from hotpath.keys import make, signing_key, verify_key


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    signing, verifying = tmp_path / "cloud" / "signing.pem", tmp_path / "onprem" / "verify.pem"
    make(signing, verifying)
    return signing, verifying


def test_what_the_signing_key_signs_the_verify_key_verifies(pair: tuple[Path, Path]) -> None:
    verify_key(pair[1]).verify(signing_key(pair[0]).sign(b"bundle"), b"bundle")


def test_making_keys_again_changes_nothing(pair: tuple[Path, Path]) -> None:
    before = [path.read_bytes() for path in pair]
    make(*pair)
    assert [path.read_bytes() for path in pair] == before


def test_a_lost_verify_key_is_made_again_from_the_signing_key(pair: tuple[Path, Path]) -> None:
    before = pair[1].read_bytes()
    pair[1].unlink()
    make(*pair)
    assert pair[1].read_bytes() == before


def test_a_signing_key_that_others_can_read_is_refused(pair: tuple[Path, Path]) -> None:
    pair[0].chmod(0o644)
    with pytest.raises(BadConfig, match=r"'0o644'.*chmod 600"):
        signing_key(pair[0])


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_refused_without_showing_it(pair: tuple[Path, Path], content: bytes) -> None:
    for path, read in ((pair[0], signing_key), (pair[1], verify_key)):
        path.write_bytes(content)
        with pytest.raises(BadConfig, match="Ed25519") as refused:
            read(path)
        assert "AAAA" not in str(refused.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"none\.pem.*readable"):
        verify_key(tmp_path / "none.pem")
