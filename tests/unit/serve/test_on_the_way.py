"""A bundle on its way: whatever happens to its chunks it goes live whole, is refused, or waits in words."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotpath import keys
from hotpath.bundle import CONTENT, Sealed, chunked, opened, seal
from hotpath.clock import Clock
from hotpath.handoffs import BUNDLES, MODELS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import MemoryLog, Tail
from hotpath.progress import Progress, read
from hotpath.signatures import key_id
from serve import follower as module
from serve import job
from serve.folder import BundleFolder
from serve.follower import TOPICS, Follower

KEY = Ed25519PrivateKey.generate()
SIZE = 400
"""Of a chunk here: a bundle has several."""


class Site:
    """A host and its log. The sandbox believes every bundle that opens."""

    def __init__(self, folder: Path) -> None:
        self.log = MemoryLog()
        self.follower = Follower(folder, KEY.public_key(), self.log, Clock(), "host", self.proved)
        self.tail: Tail = self.log.tail(TOPICS)
        self.proofs = 0

    def proved(self, said: Announcement, packed: bytes) -> None:
        assert opened(packed, KEY.public_key()).id == said.bundle
        self.proofs += 1

    def follow(self) -> None:
        while (entry := self.tail.poll(0)) is not None:
            self.follower.hear(entry)
        while (candidate := self.follower.ready()) is not None:
            self.follower.prove(candidate)

    def send(self, bundle: Sealed, *indexes: int) -> None:
        chunks = chunked(bundle.packed, SIZE)
        for index in indexes:
            self.log.send(BUNDLES, chunks[index], f"{bundle.id}/{index}".encode())

    def announce(self, bundle: Sealed, sequence: int) -> None:
        packed, many = bundle.packed, len(chunked(bundle.packed, SIZE))
        word = Announcement(
            "things", bundle.id, bundle.sha256, len(packed), many, sequence, "promote", "fresh", sequence
        )
        self.log.send(MODELS, word.signed(KEY), f"things/{bundle.id}".encode())

    def retire(self, bundle: Sealed) -> None:
        self.log.send(MODELS, None, f"things/{bundle.id}".encode())
        for index in range(len(chunked(bundle.packed, SIZE))):
            self.log.send(BUNDLES, None, f"{bundle.id}/{index}".encode())

    @property
    def live(self) -> int | None:
        return self.follower.live().get("things")

    def receipts(self) -> list[tuple[int, str]]:
        said = Receipt.readable(e.value for e in self.log.entries if e.topic == RECEIPTS)
        return [(r.sequence, r.kind) for r in said]


def sealed(name: str) -> Sealed:
    return seal(dict.fromkeys(CONTENT, b"{}") | {"card.html": name.encode() * 300}, {"name": name}, KEY)


ONE, TWO = sealed("one"), sealed("two")
EVERY = range(len(chunked(ONE.packed, SIZE)))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(Follower, "_keeps_callers", lambda *_: None)
    return Site(tmp_path / "bundles")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.permutations(EVERY), st.lists(st.sampled_from(EVERY)), st.integers(0, len(EVERY)))
def test_in_any_order_and_however_often_it_goes_live_once(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], doubled: list[int], when: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Follower, "_keeps_callers", lambda *_: None)
        site = Site(tmp_path_factory.mktemp("host"))
        site.send(ONE, *order[:when], *doubled)
        site.announce(ONE, 1)
        site.send(ONE, *doubled, *order[when:], *order)
        site.follow()
        assert (site.live, site.proofs) == (1, 1)
        assert site.receipts() == [(1, "admitted")]
        assert site.follower.parcels.held == {}


def test_a_lost_chunk_keeps_it_from_going_live_until_it_is_sent_again(site: Site) -> None:
    site.send(ONE, *EVERY)
    site.announce(ONE, 1)
    site.send(TWO, *EVERY[:-2])
    site.announce(TWO, 2)
    site.follow()
    assert site.live == 1
    missing = ", ".join(map(str, EVERY[-2:]))
    assert site.follower.awaited() == {"things/2": f"chunks {missing} of {len(EVERY)}, those at the least"}
    site.send(TWO, *EVERY)
    site.announce(TWO, 2)
    site.follow()
    assert site.live == 2
    assert site.follower.awaited() == {}


def test_what_has_waited_too_long_is_said_once_and_shown_until_it_comes(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "OVERDUE_S", 0.0)
    progress, shown = Progress(tmp_path / "follower.json"), tmp_path / "follower.json"

    def turns() -> None:
        for _ in range(9):
            job.turn(site.follower, site.tail, progress, threading.Event())

    site.announce(ONE, 1)
    with caplog.at_level(logging.WARNING):
        turns()
    assert sum("waits for chunks 0, 1" in r.message for r in caplog.records) == 1
    assert read(shown)["state"] == "waits for chunks"
    assert "things/1" in str(read(shown)["awaits"])
    site.send(ONE, *EVERY)
    for _ in EVERY:
        turns()
    assert (read(shown)["state"], read(shown)["awaits"]) == ("follows", {})


def test_chunks_of_another_bundle_help_nobody(site: Site) -> None:
    site.announce(ONE, 1)
    site.send(TWO, *EVERY)
    site.follow()
    assert site.live is None
    assert site.follower.awaited()


def test_more_chunks_than_were_announced_are_passed_over(site: Site) -> None:
    site.announce(ONE, 1)
    site.log.send(BUNDLES, b"more", f"{ONE.id}/{len(EVERY)}".encode())
    site.send(ONE, *EVERY)
    site.follow()
    assert site.live == 1
    assert site.follower.counts["refused"] == 1


@pytest.mark.parametrize("sent", [0, 1, len(EVERY)])
def test_one_that_is_taken_back_half_way_is_refused_and_leaves_nothing(site: Site, sent: int) -> None:
    site.send(TWO, *EVERY)
    site.announce(TWO, 1)
    site.follow()
    site.send(ONE, *EVERY[:sent])
    site.announce(ONE, 2)
    site.retire(ONE)
    site.follow()
    assert site.live == 1
    assert site.receipts()[-1] == (2, "refused")
    assert site.follower.awaited() == {}
    assert ONE.id not in {b for b, size in site.follower.parcels.held.items() if size}


def test_a_live_one_survives_its_own_tombstone_and_a_restart(site: Site) -> None:
    site.send(ONE, *EVERY)
    site.announce(ONE, 1)
    site.follow()
    site.retire(ONE)
    site.follow()
    assert site.live == 1
    folder = BundleFolder(site.follower.root / "things")
    assert folder.packed(ONE.id) == ONE.packed
    again = Site(site.follower.root)
    again.log.entries = [e for e in site.log.entries if e.value is None]  # what compaction leaves
    again.tail = again.log.tail(TOPICS)
    again.follower.restore()
    again.follow()
    assert again.live == 1
    assert folder.packed(ONE.id) == ONE.packed


def test_one_that_was_retired_may_be_announced_again(site: Site) -> None:
    for sequence, bundle in ((1, ONE), (2, TWO), (3, sealed("three"))):
        site.send(bundle, *EVERY)
        site.announce(bundle, sequence)
        site.follow()
    site.retire(ONE)
    site.send(ONE, *EVERY)
    site.announce(ONE, 4)
    site.follow()
    assert site.live == 4


# key 1 signs, live 1 ── rotate ── key 2 signs, live 2 ── retire key 1 ── key 1 signs: refused, live 2
def test_a_follower_takes_up_a_rotated_key_and_refuses_a_retired_one(site: Site, tmp_path: Path) -> None:
    files = tmp_path / "signing.pem", tmp_path / "verify.pem"
    keys.make(*files)
    old, counts = keys.signing_key(files[0]), keys.verify_key(files[1])
    site.follower.key = counts

    def opens(_: Announcement, packed: bytes) -> None:
        opened(packed, counts)

    site.follower.sandbox = opens

    def published(sequence: int, by: Ed25519PrivateKey) -> None:
        bundle = seal(dict.fromkeys(CONTENT, b"{}"), {"number": sequence}, by)
        site.log.send(BUNDLES, bundle.packed, f"{bundle.id}/0".encode())
        word = Announcement(
            "things", bundle.id, bundle.sha256, len(bundle.packed), 1, sequence, "promote", "", sequence
        )
        site.log.send(MODELS, word.signed(by), f"things/{bundle.id}".encode())
        site.follow()

    published(1, old)
    keys.rotate(*files)
    published(2, keys.signing_key(files[0]))
    assert site.live == 2
    keys.retire(files[1], key_id(old.public_key()))
    published(3, old)
    assert site.live == 2
    said = Receipt.readable(e.value for e in site.log.entries if e.topic == RECEIPTS)
    assert (said[-1].kind, "not retired" in said[-1].why) == ("refused", True)
