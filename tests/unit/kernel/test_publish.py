import threading
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import CHUNK_BYTES, CONTENT, Sealed, opened, seal
from hotpath.bundle_store import BundleStore, Forced, Run
from hotpath.clock import MINUTE, Clock
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import BUNDLES, MODELS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import Delivered, Headers, MemoryLog
from hotpath.publish import POINTS, Unanswered, announced, publish, retire, sweep
from hotpath.retention import retired
from hotpath.signatures import Pair

KEY = Ed25519PrivateKey.generate()
CHUNKS = 3
LATER = 61 * MINUTE
"""When what was announced at the start is young no longer."""


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


def test_the_points_of_a_publish_come_in_order(tmp_path: Path) -> None:
    reached: list[tuple[str, int]] = []
    log = MemoryLog()
    publish(
        sealed("a"),
        "flights",
        "",
        5,
        log,
        BundleStore(tmp_path),
        KEY,
        reached=lambda point: reached.append((point, len(log.entries))),
    )
    assert reached == list(zip(POINTS, (0, 1, CHUNKS, CHUNKS + 1), strict=True))


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


def heard(said: Announcement, kind: str, at: int = 0) -> Receipt:
    return Receipt("flights", "s", said.sequence, said.bundle, kind, "", at)  # type: ignore[arg-type]


def standing_keys(log: MemoryLog, topic: str) -> set[bytes | None]:
    """Keys whose newest record is no tombstone."""
    newest = {e.key: e.value for e in log.entries if e.topic == topic}
    return {key for key, value in newest.items() if value is not None}


def test_a_retired_bundle_leaves_no_announcement_no_chunk_and_no_bytes(tmp_path: Path) -> None:
    log, store = MemoryLog(), BundleStore(tmp_path)
    first, second = (published(sealed(name), log, store) for name in "ab")
    retire(first.bundle, "flights", log, store)
    assert set(announced("flights", log, KEY.public_key())) == {second.sequence}
    assert standing_keys(log, MODELS) == {f"flights/{second.bundle}".encode()}
    assert standing_keys(log, BUNDLES) == {f"{second.bundle}/{i}".encode() for i in range(CHUNKS)}
    assert store.kept() == [second.bundle]
    assert published(sealed("c"), log, store).sequence == 3


@pytest.mark.parametrize("lives", range(CHUNKS + 1))
def test_a_death_while_retiring_is_finished_by_the_next_look(tmp_path: Path, lives: int) -> None:
    log, store = DyingLog(lives=100), BundleStore(tmp_path)
    old, *_, newest = (published(sealed(name), log, store) for name in "abc")
    log.send(RECEIPTS, heard(newest, "live").to_bytes())
    log.lives = len(log.entries) + lives
    with pytest.raises(SystemExit):
        sweep("flights", log, store, 2, LATER)
    log.lives = 100
    assert sweep("flights", log, store, 2, LATER) == (old.bundle,)
    assert sweep("flights", log, store, 2, LATER) == ()
    assert old.bundle not in store.kept()
    assert f"{old.bundle}/0".encode() not in standing_keys(log, BUNDLES)
    assert f"flights/{old.bundle}".encode() not in standing_keys(log, MODELS)


def test_a_look_that_takes_back_spares_what_answers_and_who_waits(tmp_path: Path) -> None:
    log, store = MemoryLog(), BundleStore(tmp_path)
    said = [published(sealed(name), log, store) for name in "abcd"]
    waiting = sealed("waiting")
    store.keep(waiting)
    store.record(Run("waiting", "", 7, {}, bundle=waiting.id))
    for one in (said[0], said[3]):
        log.send(RECEIPTS, replace(heard(one, "live"), scorer=one.bundle).to_bytes())
    gone = sweep("flights", log, store, 2, LATER)
    assert gone == (said[1].bundle,)
    assert set(store.kept()) == {said[0].bundle, said[2].bundle, said[3].bundle, waiting.id}


# sweep      looks ─── decides ─────────────── takes back
# monitoring              rolls back to the oldest (waits) ─── announces
def test_a_rollback_that_comes_while_bundles_are_taken_back_keeps_its_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, store = MemoryLog(), BundleStore(tmp_path)
    oldest, *_, newest = (published(sealed(name), log, store) for name in "abcd")
    log.send(RECEIPTS, heard(newest, "live").to_bytes())
    back = {"now": LATER, "log": log, "store": BundleStore(tmp_path), "key": KEY, "instead_of": 4}
    rolling = threading.Thread(target=publish, args=(sealed("a"), "flights", "poor"), kwargs=back)

    def decided(*known: object) -> tuple[str, ...]:
        gone = retired(*known)  # type: ignore[arg-type]
        rolling.start()
        rolling.join(0.3)
        return gone

    monkeypatch.setattr("hotpath.publish.retired", decided)
    assert oldest.bundle in sweep("flights", log, store, 2, LATER)
    rolling.join(10)
    assert announced("flights", log, KEY.public_key())[5].bundle == oldest.bundle
    assert oldest.bundle in store.kept()
    assert f"{oldest.bundle}/0".encode() in standing_keys(log, BUNDLES)


@dataclass
class Told(Clock):
    """A clock that says what it is told."""

    real_s: float = 0.0

    def __post_init__(self) -> None:
        super().__init__()

    def elapsed(self) -> float:
        return self.real_s


def sends(watch: Unanswered, clock: Told, minutes: int) -> list[int]:
    """Minutes from now at which something was sent again; one look a minute."""
    began, found = clock.real_s, []
    for minute in range(minutes):
        clock.real_s = began + 60.0 * minute
        if watch.look() is not None:
            found.append(minute)
    return found


def test_a_host_that_stays_silent_is_sent_the_bundle_ever_more_seldom(tmp_path: Path) -> None:
    log, store, clock = MemoryLog(), BundleStore(tmp_path), Told()
    published(sealed("a"), log, store)
    watch = Unanswered("flights", log, store, Pair(KEY, KEY.public_key()), clock)
    day = 24 * 60
    assert sends(watch, clock, day) == [10, 30, 70, 150, 310, 630, 1270]
    rest = sends(watch, clock, 10 * day)
    assert {b - a for a, b in pairwise(rest[1:])} == {day}
    published(sealed("b"), log, store)  # a new one has pauses of its own
    first, second = sends(watch, clock, 60)
    assert second - first == 20


def test_what_nobody_answers_is_sent_again_until_somebody_does(tmp_path: Path) -> None:
    log, store = MemoryLog(), BundleStore(tmp_path)
    published(sealed("a"), log, store)
    said = published(sealed("b"), log, store)
    watch = Unanswered("flights", log, store, Pair(KEY, KEY.public_key()), Clock(), every_s=0)
    before = len(log.entries)
    assert watch.look() is None  # it may have been announced a moment ago
    assert watch.look() == said
    assert [e.key for e in log.entries[before:]] == [
        *(f"{said.bundle}/{i}".encode() for i in range(CHUNKS)),
        f"flights/{said.bundle}".encode(),
    ]
    assert seen(log)[-1] == (said.sequence, said.bundle)
    log.send(RECEIPTS, heard(said, "refused").to_bytes())
    assert watch.look() is None
    assert watch.look() is None
    assert len(store.taken()) == 2


def test_looking_whether_somebody_answers_costs_nothing_in_between(tmp_path: Path) -> None:
    watch = Unanswered("flights", MemoryLog(), BundleStore(tmp_path), Pair(KEY, KEY.public_key()), Clock())
    watch.look()
    watch.log = DyingLog()
    assert watch.look() is None


def test_one_publishes_at_a_time(tmp_path: Path) -> None:
    store, log = BundleStore(tmp_path), MemoryLog()
    with store.turn():
        other = threading.Thread(target=published, args=(sealed("a"), log, BundleStore(tmp_path)))
        other.start()
        other.join(0.3)
        assert other.is_alive()
        assert not log.entries
    other.join(10)
    assert [sequence for sequence, _ in seen(log)] == [1]


def test_what_a_search_found_and_what_operators_forced_is_remembered(tmp_path: Path) -> None:
    store = BundleStore(tmp_path)
    assert store.chosen() is None
    for number in range(12):
        store.keep_chosen({"number": number})
    assert BundleStore(tmp_path).chosen() == {"number": 11}
    note = Forced("b", 3, "ann", "the fair is on", 9)
    store.note_forced(note)
    assert BundleStore(tmp_path).forced() == (note,)
    (tmp_path / "parameters" / "13.json").write_text("[")
    with pytest.raises(BadArtifact, match=r"13\.json"):
        store.chosen()


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
