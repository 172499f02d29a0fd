"""The worker's side: one store a swap, the previous kept, a bad bundle leaves what is live."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hotpath.errors import BadArtifact
from serve.folder import BundleFolder, Pointer
from serve.generation import Generation
from serve.slots import Slots
from tests.unit.serve.generations import generation

BUNDLES = {sequence: f"{sequence:08x}" for sequence in range(10)}


@dataclass
class Worker:
    """Slots over a folder, with a loader that refuses what is in `bad`."""

    folder: BundleFolder
    bad: set[int] = field(default_factory=set)
    loaded: list[int] = field(default_factory=list)
    said: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slots = Slots(self.folder.root.parent, self.load, self.tell)

    def load(self, _: BundleFolder, pointer: Pointer) -> Generation:
        if pointer.sequence in self.bad:
            raise BadArtifact("bundle", pointer.bundle, "a good one")
        self.loaded.append(pointer.sequence)
        return generation(pointer.sequence, pointer.bundle)

    def tell(self, _: str, kind: str, pointer: Pointer, __: str) -> None:
        self.said.append((kind, pointer.sequence))

    def point(self, sequence: int) -> None:
        self.folder.point(Pointer(sequence, BUNDLES[sequence], at=len(self.said)))
        self.slots.look()

    def live(self) -> int | None:
        found = self.slots.live("things")
        return None if found is None else found.sequence


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(BundleFolder(tmp_path / "things"))


def test_a_pipeline_is_ready_with_its_first_live_generation(worker: Worker) -> None:
    worker.slots.look()
    before = worker.slots.ready
    worker.point(5)
    assert (before, worker.slots.ready) == (False, True)
    assert worker.said == [("live", 5)]


def test_a_pointer_that_has_not_moved_loads_nothing(worker: Worker) -> None:
    worker.point(5)
    worker.slots.look()
    assert worker.loaded == [5]


def test_a_rollback_to_the_previous_loads_nothing(worker: Worker) -> None:
    for sequence in (5, 6, 5):
        worker.point(sequence)
    assert (worker.live(), worker.loaded) == (5, [5, 6])
    assert worker.said[-1] == ("rolled_back", 5)


def test_a_bad_bundle_leaves_what_is_live_and_is_said_once(worker: Worker) -> None:
    worker.bad = {6}
    worker.point(5)
    worker.point(6)
    worker.slots.look()
    assert worker.live() == 5
    assert worker.said == [("live", 5), ("refused", 6)]


def test_a_bad_bundle_and_the_way_back_from_it_cost_the_previous_nothing(worker: Worker) -> None:
    worker.bad = {6}
    for sequence in (4, 5, 6, 5, 4):
        worker.point(sequence)
    assert (worker.live(), worker.loaded) == (4, [4, 5])


def test_a_pointer_that_is_no_pointer_leaves_what_is_live(worker: Worker) -> None:
    worker.point(5)
    (worker.folder.root / "live.json").write_bytes(b"{}")
    worker.slots.look()
    assert worker.live() == 5


def test_a_request_keeps_its_generation_until_it_lets_go(worker: Worker) -> None:
    worker.point(5)
    taken = worker.slots.live("things")
    assert taken is not None
    freed = weakref.ref(taken)
    for sequence in (6, 7):
        worker.point(sequence)
    assert taken.sequence == 5
    del taken
    gc.collect()
    assert freed() is None


def test_a_pipeline_that_comes_later_is_served_without_a_restart(worker: Worker) -> None:
    worker.point(5)
    other = BundleFolder(worker.folder.root.parent / "other")
    other.point(Pointer(1, BUNDLES[1], at=0))
    worker.slots.look()
    found = worker.slots.live("other")
    assert (found is not None and found.sequence, worker.live(), worker.slots.ready) == (1, 5, True)


def test_a_worker_stays_ready_while_a_pipelines_first_generation_loads(worker: Worker) -> None:
    worker.point(5)
    BundleFolder(worker.folder.root.parent / "other").point(Pointer(1, BUNDLES[1], at=0))
    load, seen = worker.load, []

    def watched(folder: BundleFolder, pointer: Pointer) -> Generation:
        seen.append(worker.slots.ready)
        return load(folder, pointer)

    worker.slots = Slots(worker.folder.root.parent, watched, worker.tell)
    worker.slots.look()
    assert seen == [False, False], "a worker that starts waits for every pipeline that it found"
    BundleFolder(worker.folder.root.parent / "third").point(Pointer(1, BUNDLES[1], at=0))
    worker.bad = {1}
    worker.slots.look()
    assert (seen[2:], worker.slots.ready) == ([True], True)


def test_unknown_pipelines_have_no_slot(worker: Worker) -> None:
    with pytest.raises(KeyError):
        worker.slots.live("other")
