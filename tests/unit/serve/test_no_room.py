"""A bundle folder without room: the candidate waits, proved; what is live is pointed at as before."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import sha256
from hotpath.clock import Clock
from hotpath.handoffs import BUNDLES, MODELS, Announcement
from hotpath.kafka import MemoryLog
from hotpath.progress import Progress, read
from serve import job
from serve.folder import BundleFolder
from serve.follower import TOPICS, Follower

KEY = Ed25519PrivateKey.generate()


class Full:
    """The folder's `place`, or another of its writes, that fails until there is room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
        self.times, self.does = times, getattr(BundleFolder, name)
        monkeypatch.setattr(BundleFolder, name, lambda *given: self(*given))

    def __call__(self, *given: object) -> None:
        if self.times:
            self.times -= 1
            raise OSError(28, "No space left on device")
        self.does(*given)


def send(log: MemoryLog, bundle: str, sequence: int) -> None:
    packed = bundle.encode() * 100
    log.send(BUNDLES, packed, f"{bundle}/0".encode())
    word = Announcement(
        "things", bundle, sha256(packed), len(packed), 1, sequence, "promote", "fresh", sequence
    )
    log.send(MODELS, word.signed(KEY), f"things/{bundle}".encode())


@pytest.mark.parametrize("write", ["place", "remember", "point"])
def test_a_candidate_waits_for_room_and_is_proved_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    monkeypatch.setattr(job, "ROOM_S", 0.0)
    monkeypatch.setattr(Follower, "_keeps_callers", lambda *_: None)
    log, proofs = MemoryLog(), []
    follower = Follower(
        tmp_path / "bundles",
        KEY.public_key(),
        log,
        Clock(),
        "s",
        lambda said, _: proofs.append(said.sequence),
    )
    tail, progress, stop = log.tail(TOPICS), Progress(tmp_path / "state.json"), threading.Event()
    send(log, "aaaaaaaa", 1)
    for _ in range(4):
        job.turn(follower, tail, progress, stop)
    assert follower.live() == {"things": 1}

    full = Full(monkeypatch, write, 3)
    send(log, "bbbbbbbb", 2)
    tail = log.tail(TOPICS)
    for _ in range(8):
        job.turn(follower, tail, progress, stop)
    assert full.times == 0, "it was tried, and tried again"
    assert follower.live() == {"things": 2}
    assert BundleFolder(tmp_path / "bundles" / "things").placed() == {"aaaaaaaa", "bbbbbbbb"}
    assert proofs == [1, 2]
    assert read(tmp_path / "state.json")["state"] == "follows"


def test_whoever_waits_for_room_can_be_told_to_stop(tmp_path: Path) -> None:
    stop, progress = threading.Event(), Progress(tmp_path / "state.json")

    def work() -> None:
        stop.set()
        raise OSError(28, "No space left on device")

    job.patiently(work, progress, stop)
    assert str(read(tmp_path / "state.json")["state"]).startswith("waits")
