from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import CHUNK_BYTES, CONTENT, Sealed, opened, seal
from hotpath.bundle_store import BundleStore, Run
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import BUNDLES, MODELS, Announcement
from hotpath.kafka import Delivered, Headers, MemoryLog
from hotpath.publish import publish

KEY = Ed25519PrivateKey.generate()
CHUNKS = 3


def sealed(name: str) -> Sealed:
    """A bundle of three chunks."""
    files = dict.fromkeys(CONTENT, b"{}")
    return seal({**files, "model.zip": bytes((CHUNKS - 1) * CHUNK_BYTES)}, {"name": name}, KEY)


def published(bundle: Sealed, log: MemoryLog, store: BundleStore) -> Announcement:
    return publish(bundle, "flights", "because", 5, log, store, KEY)


def seen(log: MemoryLog) -> list[tuple[int, str]]:
    """What a scorer sees: sequence and bundle of every announcement, proved down to the bundle's bytes."""
    found = []
    for entry in (e for e in log.entries if e.topic == MODELS):
        said = Announcement.verified(entry.value or b"", KEY.public_key())
        keys = [f"{said.bundle}/{i}".encode() for i in range(said.chunks)]
        chunks = {e.key: e.value or b"" for e in log.entries if e.topic == BUNDLES}
        assert opened(b"".join(chunks[k] for k in keys), KEY.public_key()).id == said.bundle
        found.append((said.sequence, said.bundle))
    return found


@dataclass
class DyingLog(MemoryLog):
    """The process dies when it is about to send its n-th record."""

    lives: int = 0

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        on_delivery: Delivered | None = None,
    ) -> bool:
        if len(self.entries) == self.lives:
            raise SystemExit
        return super().send(topic, value, key, headers, on_delivery)


def test_an_announced_bundle_can_be_read_back_from_the_topics(tmp_path: Path) -> None:
    log, bundle = MemoryLog(), sealed("a")
    said = published(bundle, log, BundleStore(tmp_path))
    assert seen(log) == [(1, bundle.id)]
    assert (said.sha256, said.size, said.chunks) == (bundle.sha256, len(bundle.packed), CHUNKS)
    assert [e.key for e in log.entries if e.topic == MODELS] == [f"flights/{bundle.id}".encode()]


def test_sequences_grow_though_the_topics_are_lost(tmp_path: Path) -> None:
    store = BundleStore(tmp_path)
    before, after = MemoryLog(), MemoryLog()
    published(sealed("a"), before, store)
    published(sealed("b"), before, store)
    published(sealed("c"), after, BundleStore(tmp_path))
    assert [sequence for sequence, _ in seen(after)] == [3]


@pytest.mark.parametrize("lives", range(CHUNKS + 1))
def test_a_death_between_two_steps_leaves_no_half_bundle_and_the_next_goes_on(
    tmp_path: Path, lives: int
) -> None:
    log, store, bundle = DyingLog(lives=lives), BundleStore(tmp_path), sealed("a")
    with pytest.raises(SystemExit):
        published(bundle, log, store)
    assert seen(log) == []
    log.lives = 100
    published(bundle, log, store)
    assert seen(log) == [(2, bundle.id)]


def test_a_log_that_takes_nothing_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="acknowledgement"):
        published(sealed("a"), MemoryLog(refuse=True), BundleStore(tmp_path))


def test_the_store_refuses_other_bytes_under_a_kept_id(tmp_path: Path) -> None:
    store, bundle = BundleStore(tmp_path), sealed("a")
    store.keep(bundle)
    store.keep(bundle)
    with pytest.raises(BadArtifact, match="other bytes"):
        store.keep(Sealed(bundle.id, b"other", "other"))


def test_a_kept_bundle_can_be_published_again_as_a_rollback(tmp_path: Path) -> None:
    log, store, bundle = MemoryLog(), BundleStore(tmp_path), sealed("a")
    first = published(bundle, log, store)
    second = published(sealed("b"), log, store)
    kept = store.sealed(bundle.id)
    assert kept == bundle
    back = publish(kept, "flights", "poor", 9, log, store, KEY, instead_of=second.sequence)
    assert (first.kind, back.kind, back.sequence) == ("promote", "rollback", 3)
    assert seen(log) == [(1, bundle.id), (2, second.bundle), (3, bundle.id)]
    assert store.taken()[1] == {"bundle": bundle.id, "at": 5}
    assert store.taken()[3] == {"bundle": bundle.id, "at": 9, "instead_of": 2}


def test_a_bundle_that_was_never_kept_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match=r"bundles/abc\.zip"):
        BundleStore(tmp_path).sealed("abc")


def test_a_restart_knows_every_run(tmp_path: Path) -> None:
    failed = Run("failed", "no lake", 7, {"window": 1.5})
    trained = Run("trained", "", 9, {"window": 1.0, "training": 2.0}, {"auc": 0.7}, "abc", 1)
    for run in (failed, trained):
        BundleStore(tmp_path).record(run)
    assert BundleStore(tmp_path).runs() == (failed, trained)


def test_the_facts_of_a_kept_bundle_are_read_back_and_of_no_other(tmp_path: Path) -> None:
    store, bundle = BundleStore(tmp_path), sealed("a")
    store.keep(bundle)
    assert store.facts(bundle.id) == {"name": "a"}
    for unknown in ("0" * 32, "n\0", "n" * 5_000):
        with pytest.raises(BadArtifact, match="one that the store keeps"):
            store.facts(unknown)
    (tmp_path / "bundles" / "torn.zip").write_bytes(bundle.packed[:100])
    with pytest.raises(BadArtifact, match="a whole bundle"):
        store.facts("torn")
