"""A rollback after the keys were rotated: what the old key signed is proved, the new one signs the word."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import CONTENT, seal
from hotpath.bundle_store import BundleStore
from hotpath.errors import BadArtifact
from hotpath.handoffs import MODELS, Announcement
from hotpath.kafka import MemoryLog
from hotpath.publish import publish
from hotpath.signatures import AnyOf, Pair
from monitoring.rollback import Rollback

OLD, NEW = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
BOTH = Pair(NEW, AnyOf((OLD.public_key(), NEW.public_key())))
RETIRED = Pair(NEW, AnyOf((NEW.public_key(),)))


def announced(log: MemoryLog, store: BundleStore) -> Announcement:
    bundle = seal(dict.fromkeys(CONTENT, b"{}"), {}, OLD)
    return publish(bundle, "p", "good", 1, log, store, OLD)


def test_one_goes_back_to_a_bundle_of_the_key_before(tmp_path: Path) -> None:
    log, store = MemoryLog(), BundleStore(tmp_path)
    to = announced(log, store)
    rollback = Rollback("p", store, log, BOTH)
    assert rollback.announced() == {1: to}
    said = rollback.announce(to, 2, "below the floor", 9)
    assert Announcement.verified(log.entries[-1].value or b"", NEW.public_key()) == said
    assert [e.topic for e in log.entries].count(MODELS) == 2


def test_one_does_not_go_back_to_a_bundle_of_a_retired_key(tmp_path: Path) -> None:
    log, store = MemoryLog(), BundleStore(tmp_path)
    to = announced(log, store)
    rollback = Rollback("p", store, log, RETIRED)
    assert rollback.announced() == {}
    with pytest.raises(BadArtifact, match="not retired"):
        rollback.announce(to, 2, "below the floor", 9)
    assert store.taken().keys() == {1}
