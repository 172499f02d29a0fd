"""`hotpath keys`: rotate and retire, with a live model signed by the old key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hotpath import keys
from hotpath.bundle import CONTENT, Sealed, seal
from hotpath.cli.keys import app, listed
from hotpath.errors import BadArtifact, BadConfig
from hotpath.handoffs import Announcement
from hotpath.settings import Settings, load
from hotpath.signatures import key_id
from serve.folder import BundleFolder
from serve.moves import Memory

RUN = CliRunner()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    found = load()
    keys.make(found.signing_key(), found.verify_key())
    return found


def said(*arguments: str) -> str:
    done = RUN.invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def sealed(found: Settings, name: str) -> Sealed:
    return seal(dict.fromkeys(CONTENT, b"{}"), {"name": name}, keys.signing_key(found.signing_key()))


def admit(found: Settings, *bundles: Sealed) -> None:
    """These, in order, as the follower remembers them: the last is live, the one before is its rollback."""
    folder, admitted = BundleFolder(found.bundle_folder() / "p"), {}
    for sequence, bundle in enumerate(bundles, 1):
        folder.place(bundle.id, bundle.packed)
        word = Announcement("p", bundle.id, bundle.sha256, 1, 1, sequence, "promote", "", 0)
        admitted[sequence] = word
    folder.remember(Memory(live=len(bundles), newest=len(bundles), admitted=admitted))


def test_a_key_is_retired_only_once_nothing_in_use_is_signed_by_it(settings: Settings) -> None:
    (first,) = listed(settings)
    one, two = sealed(settings, "one"), sealed(settings, "two")
    admit(settings, one, two)
    with pytest.raises(BadConfig, match="signs no longer"):
        said("retire", first.key)
    said("rotate")
    three, four = sealed(settings, "three"), sealed(settings, "four")
    for kept in ((one, two), (two, three)):
        admit(settings, *kept)
        with pytest.raises(BadConfig, match=two.id):
            said("retire", first.key[:6])
    admit(settings, three, four)
    assert first.key in said("retire", first.key[:6])
    (left,) = listed(settings)
    assert (left.signs, left.in_use) == (True, tuple(sorted((three.id, four.id))))


@pytest.mark.usefixtures("settings")
def test_what_is_known_is_listed_the_newest_last() -> None:
    said("rotate")
    rows = json.loads(said("ls", "--json"))
    assert [row["signs"] for row in rows] == [False, True]
    assert rows[1]["key"] in said("ls")


# cloud     rotate --prepare ─ prints key 2 ──────────────┬─ rotate: key 2 signs
# on-prem                          └─ add: key 2 counts ──┘
def test_with_two_sites_the_new_key_counts_on_prem_before_it_signs(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "onprem-site"
    verify = theirs / "onprem" / "keys" / "verify.pem"
    verify.parent.mkdir(parents=True)
    verify.write_bytes(settings.verify_key().read_bytes())
    printed = tmp_path / "next.pem"
    printed.write_text(said("rotate", "--prepare"))
    monkeypatch.setenv("HOTPATH__DATA", str(theirs))
    for _ in range(2):
        said("add", str(printed))
    monkeypatch.setenv("HOTPATH__DATA", str(settings.data))
    said("rotate")
    signs = keys.signing_key(settings.signing_key())
    keys.verify_key(verify).verify(signs.sign(b"x"), b"x")
    assert [key_id(key) for key in keys.public_keys(verify)][-1] == key_id(signs.public_key())
    monkeypatch.setenv("HOTPATH__DATA", str(theirs))
    assert [row.signs for row in listed(load())] == [False, False]  # this site has no signing key


def test_a_bundle_in_use_that_cannot_be_read_keeps_every_key(settings: Settings) -> None:
    (first,) = listed(settings)
    one = sealed(settings, "one")
    admit(settings, one)
    said("rotate")
    (settings.bundle_folder() / "p" / one.id / "bundle.zip").write_bytes(b"torn")
    with pytest.raises(BadArtifact, match="whole bundle"):
        said("retire", first.key)
    assert len(keys.public_keys(settings.verify_key())) == 2
