"""A trainer killed while publishing, on a real broker: nobody sees half a bundle, the next one goes live."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotpath import keys
from hotpath.bundle import CONTENT, Bundle, Sealed, opened, seal
from hotpath.bundle_store import BundleStore
from hotpath.clock import Clock
from hotpath.handoffs import HANDOFFS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.publish import POINTS
from hotpath.settings import PROJECT
from serve.follower import TOPICS, Follower
from tests.conftest import until

CHILD = Path(__file__).with_name("killed_publisher.py")
MEGABYTE = 2**20
"""Of the model here: three chunks."""


@dataclass
class Site:
    """A trainer's folder, and a follower on the same broker that proves no more than that a bundle opens."""

    folder: Path
    address: str

    def __post_init__(self) -> None:
        self.signing, self.verifying = self.folder / "signing.pem", self.folder / "verify.pem"
        keys.make(self.signing, self.verifying)
        self.log, self.seen = KafkaLog(self.address), list[Bundle]()
        root, known = self.folder / "bundles", keys.verify_key(self.verifying)
        self.follower = Follower(root, known, self.log, Clock(), self.folder.name, self.prove)
        self.tail = self.log.tail(TOPICS)

    def prove(self, said: Announcement, packed: bytes) -> None:
        found = opened(packed, keys.verify_key(self.verifying))
        assert found.id == said.bundle
        self.seen.append(found)

    def sealed(self, name: str) -> Sealed:
        files = dict.fromkeys(CONTENT, b"{}") | {"model.zip": bytes(MEGABYTE)}
        made = seal(files, {"name": name}, keys.signing_key(self.signing))
        (self.folder / "bundle.zip").write_bytes(made.packed)
        return made

    def publisher(self, point: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(CHILD), self.address, str(self.folder), point]
        return subprocess.Popen(command, cwd=PROJECT, env={"PYTHONPATH": str(PROJECT)})

    def killed(self, point: str) -> None:
        """SIGKILL at that point of a publication."""
        child = self.publisher(point)
        until((self.folder / "reached").exists, point)
        child.kill()
        assert child.wait(10) == -9
        (self.folder / "reached").unlink()

    def follow(self) -> int | None:
        """All there is; the live sequence."""
        while (entry := self.tail.poll(1.0)) is not None:
            self.follower.hear(entry)
        while (candidate := self.follower.ready()) is not None:
            self.follower.prove(candidate)
        return self.follower.live().get("things")


@pytest.mark.parametrize("point", POINTS)
def test_half_a_bundle_is_seen_by_nobody_and_the_next_goes_live(
    tmp_path: Path, kafka: str, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(Follower, "_keeps_callers", lambda *_: None)
    Admin(kafka).ensure(HANDOFFS, "cloud", 1)
    site = Site(tmp_path, kafka)
    cut = site.sealed(f"cut {point}")
    site.killed(point)
    announced = point == "after the announcement"
    assert site.follow() == (1 if announced else None)
    assert [b.id for b in site.seen] == ([cut.id] if announced else [])

    whole = site.sealed(f"whole {point}")
    assert site.publisher("").wait(30) == 0
    assert site.follow() == 2
    assert site.seen[-1].id == whole.id
    assert sorted(BundleStore(tmp_path / "store").taken()) == [1, 2]
    said = Receipt.readable(e.value for e in standing(site.log, RECEIPTS))
    assert {r.kind for r in said if r.scorer == tmp_path.name} <= {"admitted", "refused"}
    assert not [r for r in said if r.scorer == tmp_path.name and r.kind == "refused" and r.sequence]
    site.tail.close()


def test_the_bundle_that_was_cut_can_be_published_again(
    tmp_path: Path, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Follower, "_keeps_callers", lambda *_: None)
    Admin(kafka).ensure(HANDOFFS, "cloud", 1)
    site = Site(tmp_path, kafka)
    bundle = site.sealed("again")
    site.killed("between chunks")
    assert site.follow() is None
    assert site.publisher("").wait(30) == 0
    assert site.follow() == 2
    assert [b.id for b in site.seen] == [bundle.id]
    site.tail.close()
