"""Parity all the time: what the watch says of the answers that land, and for how long it remembers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from hotpath.bundle import CONTENT, seal
from hotpath.bundle_store import BundleStore
from hotpath.clock import HOUR, MINUTE, Clock, Micros
from hotpath.contract.fitted import NOTHING
from hotpath.forgetting import forget
from hotpath.handoffs import PARITY, Parity, Score
from hotpath.kafka import MemoryLog
from hotpath.lake import Lake
from hotpath.points import Points
from monitoring.parity_watch import BEHIND, SPAN, ParityWatch
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, STAMP, land
from tests.unit.monitoring.answered import KEY

AGGREGATES = "aggregates:\n  seen: {over: events, by: who, tile: 5m, horizon: 1h, delay: 10m}\nfeatures:"
SMALL = small("features:", f"{AGGREGATES}\n  often: count(seen)")
"""Of who asks: how often the last hour saw them. Features: big, level, often."""


class Standing(Clock):
    """Stands at one instant, and at one second since the start."""

    def __init__(self, now: Micros) -> None:
        super().__init__()
        self.at, self.second = now, 0.0

    def now(self) -> Micros:
        return self.at

    def elapsed(self) -> float:
        return self.second


@dataclass
class Site:
    """A lake with three events of w an hour ago in batch 0; answers of a bundle that the store keeps."""

    folder: Path

    def __post_init__(self) -> None:
        self.lake, self.log = Lake(self.folder / "lake", "small"), MemoryLog()
        self.store, self.clock = BundleStore(self.folder / "store"), Standing(STAMP + HOUR)
        files = dict.fromkeys(CONTENT, b"{}")
        files |= {"contract.json": SMALL.canonical(), "fitted.json": NOTHING.to_bytes()}
        sealed = seal(files, {}, KEY)
        self.store.keep(sealed)
        self.bundle = sealed.id
        land(self.lake, SMALL, 0, [{**EVENT, "id": name} for name in "abc"], [], [])

    def watch(self) -> ParityWatch:
        """The watch as a process that has just started would have it."""
        points = Points(self.log, self.clock, {"pipeline": "small"})
        made = self.lake, SMALL, self.store, self.log, points, self.clock, self.folder
        return ParityWatch(*made)

    def answer(self, often: int, *flags: str, at: Micros = STAMP + 30 * MINUTE) -> bytes:
        """A score record of w, whose features are right but for what it says of the last hour."""
        request = {"who": "w", "level": "low", "flag": True, "count": 1, "size": 2.0}
        said = Score(
            f"p{often}{flags}", "small", "w", request, [True, "low", often], 0.5, "accept", 0.4, self.bundle,
            3, SMALL.fingerprint, at, at, list(flags), tiles={"seen": [STAMP, 0]},
        )  # fmt: skip
        return said.to_bytes()

    def looked(self, watch: ParityWatch, batch: int, *scores: bytes) -> Parity:
        """What stands on the topic once these answers have landed and the watch has looked."""
        watch.take(land(self.lake, SMALL, batch, [], [], scores))
        self.clock.second += 1000.0
        watch.tick()
        return Parity.readable(e.value for e in self.log.entries if e.topic == PARITY)[-1]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_answers_that_the_lake_gives_are_equal(site: Site) -> None:
    said = site.looked(site.watch(), 1, site.answer(3))
    assert (said.checked, said.equal, said.differing) == (1, 1, 0)


def test_an_answer_that_the_lake_does_not_give_is_named_and_stands_for_an_hour(site: Site) -> None:
    watch = site.watch()
    said = site.looked(watch, 1, site.answer(3), site.answer(4), site.answer(9, "late:seen"))
    assert (said.checked, said.equal, said.late, said.differing) == (3, 1, 1, 1)
    assert said.examples == [{"prediction_id": "p4()", "feature": "often", "answered": 4, "recomputed": 3}]
    assert site.looked(site.watch(), 2).differing == 1, "a restart forgets nothing"
    site.clock.at += SPAN
    assert site.looked(watch, 3).differing == 0


def test_a_watch_that_is_far_behind_looks_at_the_newest_answers_only(site: Site) -> None:
    watch = site.watch()
    old = land(site.lake, SMALL, 1, [], [], [site.answer(4)])
    for batch in range(2, BEHIND + 3):
        land(site.lake, SMALL, batch, [], [], [])
    watch.take(old)
    said = site.looked(watch, BEHIND + 3, site.answer(3))
    assert (said.checked, said.differing) == (1, 0)


def test_an_answer_of_the_far_future_blocks_nothing_for_ever(site: Site) -> None:
    watch, at = site.watch(), site.clock.at
    assert site.looked(watch, 1, site.answer(4, at=at + 10 * SPAN)).checked == 0
    assert site.looked(watch, 2, site.answer(4, at=at + SPAN // 2)).differing == 1
    site.clock.at += SPAN
    assert site.looked(watch, 3).differing == 0


def test_answers_that_had_read_what_was_forgotten_since_block_nothing(site: Site) -> None:
    watch = site.watch()
    land(site.lake, SMALL, 1, [{**EVENT, "id": "d", "who": "v"}], [], [])
    forget(site.lake, SMALL, "w")
    said = site.looked(watch, 2, site.answer(3))
    assert (said.late, said.differing) == (1, 0)
    assert site.looked(watch, 3, site.answer(0)).equal == 1
