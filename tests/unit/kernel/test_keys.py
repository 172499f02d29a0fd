"""Keys: made once, the signing one readable by its owner alone; rotated without a restart."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import IO

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath import keys
from hotpath.bundle import CONTENT, opened, seal, signed
from hotpath.errors import BadArtifact, BadConfig
from hotpath.files import hold
from hotpath.handoffs import Announcement
from hotpath.keys import SigningKey, make, public_keys, signing_key, verify_key
from hotpath.signatures import Pair, key_id

Files = tuple[Path, Path]


@pytest.fixture
def pair(tmp_path: Path) -> Files:
    signing, verifying = tmp_path / "cloud" / "signing.pem", tmp_path / "onprem" / "verify.pem"
    make(signing, verifying)
    return signing, verifying


def ids(verifying: Path) -> list[str]:
    return [key_id(key) for key in public_keys(verifying)]


def test_what_the_signing_key_signs_the_verify_key_verifies(pair: Files) -> None:
    verify_key(pair[1]).verify(signing_key(pair[0]).sign(b"bundle"), b"bundle")


def test_making_keys_again_changes_nothing(pair: Files) -> None:
    before = [path.read_bytes() for path in pair]
    make(*pair)
    assert [path.read_bytes() for path in pair] == before


def test_a_lost_verify_key_is_made_again_from_the_signing_key(pair: Files) -> None:
    before = pair[1].read_bytes()
    pair[1].unlink()
    make(*pair)
    assert pair[1].read_bytes() == before


def test_a_signing_key_that_others_can_read_is_refused(pair: Files) -> None:
    pair[0].chmod(0o644)
    with pytest.raises(BadConfig, match=r"'0o644'.*chmod 600"):
        signing_key(pair[0])


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_refused_without_showing_it(pair: Files, content: bytes) -> None:
    for path, read in ((pair[0], signing_key), (pair[1], verify_key)):
        path.write_bytes(content)
        with pytest.raises(BadConfig, match="Ed25519") as refused:
            read(path)
        assert "AAAA" not in str(refused.value)


def test_a_verify_file_with_more_than_keys_is_refused(pair: Files) -> None:
    pair[1].write_bytes(pair[1].read_bytes() + b"ssh-ed25519 AAAA\n")
    with pytest.raises(BadConfig, match="nothing else"):
        verify_key(pair[1])


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"none\.pem.*readable"):
        verify_key(tmp_path / "none.pem")


# time ─▶   key 1 signs ─────┬─ rotate ─┬─ key 2 signs ────────────────────
#           key 1 counts ────┴──────────┴──────────────── retire ─┤
#                                        key 2 counts ──────────────────
def test_who_lives_long_takes_up_a_rotated_key_and_loses_a_retired_one(pair: Files) -> None:
    signs, counts = SigningKey(pair[0]), verify_key(pair[1])
    old = signs.sign(b"x")
    first = ids(pair[1])[0]
    keys.rotate(*pair)
    new = signs.sign(b"x")
    assert new != old
    for signature in (old, new):
        counts.verify(signature, b"x")
    keys.retire(pair[1], first)
    counts.verify(new, b"x")
    with pytest.raises(InvalidSignature):
        counts.verify(old, b"x")


def test_the_new_signing_key_is_its_owners_alone_and_the_newest_stands_last(pair: Files) -> None:
    before = ids(pair[1])
    key = keys.rotate(*pair)
    assert pair[0].stat().st_mode & 0o777 == 0o600
    assert ids(pair[1]) == [*before, key_id(key)]
    assert key_id(signing_key(pair[0]).public_key()) == key_id(key)
    assert not list(pair[0].parent.glob("*next*"))


def test_a_prepared_key_counts_before_it_signs_and_is_made_once(pair: Files) -> None:
    before = pair[0].read_bytes()
    first, second = keys.prepare(*pair), keys.prepare(*pair)
    assert key_id(first) == key_id(second)
    assert pair[0].read_bytes() == before
    assert len(ids(pair[1])) == 2
    assert key_id(keys.rotate(*pair)) == key_id(first)
    assert len(ids(pair[1])) == 2


def test_a_rotation_that_died_before_the_verify_file_knew_goes_on_with_the_same_key(pair: Files) -> None:
    known = pair[1].read_bytes()
    following = keys.prepare(*pair)
    pair[1].write_bytes(known)
    assert key_id(keys.rotate(*pair)) == key_id(following)
    verify_key(pair[1]).verify(signing_key(pair[0]).sign(b"x"), b"x")


def test_two_changes_at_once_are_one_after_the_other(pair: Files) -> None:
    with hold(pair[1].with_name(".keys.lock"), "test"), pytest.raises(BadConfig, match="another process"):
        keys.rotate(*pair)


def test_no_other_rotation_comes_between_the_steps_of_one(
    pair: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, turns = keys._turn, list[Path]()

    def turn(verifying: Path) -> IO[bytes]:
        turns.append(verifying)
        if len(turns) == 2:  # where one rotation lets go half way, another has its chance
            keys.rotate(*pair)
        return take(verifying)

    monkeypatch.setattr(keys, "_turn", turn)
    assert key_id(keys.rotate(*pair)) == key_id(signing_key(pair[0]).public_key())
    assert len(ids(pair[1])) == 2


def test_the_last_key_is_not_retired_and_a_name_must_name_one(pair: Files) -> None:
    (only,) = ids(pair[1])
    with pytest.raises(BadConfig, match="rotate first"):
        keys.retire(pair[1], only)
    for named in ("", "zz"):
        with pytest.raises(BadConfig, match=only):
            keys.retire(pair[1], named)


@pytest.mark.parametrize("spoilt", [b"nonsense", None])
def test_a_verify_file_that_is_spoilt_meanwhile_is_said_and_the_keys_of_before_go_on(
    pair: Files, caplog: pytest.LogCaptureFixture, spoilt: bytes | None
) -> None:
    counts, signature = verify_key(pair[1]), signing_key(pair[0]).sign(b"x")
    if spoilt is None:
        pair[1].unlink()
    else:
        pair[1].write_bytes(spoilt)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            counts.verify(signature, b"x")
    assert len(caplog.records) == 1
    assert "go on" in caplog.text


def test_a_signing_key_that_others_may_read_from_now_on_does_not_replace_the_good_one(pair: Files) -> None:
    signs = SigningKey(pair[0])
    before = signs.sign(b"x")
    other = pair[0].with_name("other.pem")
    make(other, pair[1].with_name("other.pem"))
    other.chmod(0o644)
    os.replace(other, pair[0])
    assert signs.sign(b"x") == before


def test_a_bundle_and_an_announcement_of_a_retired_key_are_refused_in_words(pair: Files) -> None:
    old = signing_key(pair[0])
    bundle = seal(dict.fromkeys(CONTENT, b"{}"), {}, old).packed
    word = Announcement("p", "b", "0" * 64, 1, 1, 1, "promote", "", 0).signed(old)
    keys.rotate(*pair)
    counts = verify_key(pair[1])
    assert counts.signer(*signed(bundle)) == old.public_key()
    opened(bundle, counts)
    Announcement.verified(word, counts)
    keys.retire(pair[1], key_id(old.public_key()))
    with pytest.raises(BadArtifact, match="not retired"):
        opened(bundle, counts)
    with pytest.raises(BadArtifact, match="not retired"):
        Announcement.verified(word, counts)


def test_a_pair_signs_with_one_key_and_knows_others() -> None:
    ours, theirs = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    both = Pair(ours, theirs.public_key())
    both.verify(theirs.sign(b"x"), b"x")
    with pytest.raises(InvalidSignature):
        both.verify(both.sign(b"x"), b"x")
