"""The floor of a target of many classes and of a number: a model that turns poor is rolled back from.

hours     0 ──── sequence 1, good ──── 3 ──── sequence 2, poor ──── 6
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hotpath.bundle_store import BundleStore
from hotpath.clock import HOUR, Clock
from hotpath.contract.parts import Floor, Kind
from hotpath.handoffs import Announcement
from hotpath.kafka import MemoryLog
from hotpath.points import Points
from hotpath.publish import publish
from monitoring.floor_watch import FloorWatch
from monitoring.joined import ANSWER
from monitoring.outcomes import Outcomes
from monitoring.rollback import Rollback
from tests.unit.monitoring.answered import PAIR
from tests.unit.monitoring.story import bundled

AN_HOUR, HOURS = 12, 6
FLOORS: list[tuple[Kind, Floor]] = [
    ("classes", Floor("accuracy", 0.6, HOUR, 2, 10)),
    ("classes", Floor("macro_auc", 0.7, HOUR, 2, 10)),
    ("number", Floor("mae", 5.0, HOUR, 2, 10)),
    ("number", Floor("r2", 0.0, HOUR, 2, 10)),
]


def outcomes(kind: Kind, poor_from: int) -> Outcomes:
    """Twelve answers an hour, right until `poor_from` (hours) and wrong from then on."""
    rows = AN_HOUR * HOURS
    hour = np.arange(rows) // AN_HOUR
    wrong = hour >= poor_from
    truth = np.arange(rows) % 3
    made = np.zeros(rows, np.dtype([*ANSWER.descr, ("scores", "<f8", (3,))]))
    made["asked_at"] = made["arrived_at"] = hour * HOUR + np.arange(rows) % AN_HOUR
    made["sequence"] = 1 + (hour >= 3)
    said = np.where(wrong, (truth + 1) % 3, truth)
    made["scores"] = 0.05 + 0.85 * np.eye(3)[said]
    made["score"] = 0.9 if kind == "classes" else 10.0 * truth + np.where(wrong, 30.0, 1.0)
    target = np.asarray(truth if kind == "classes" else 10 * truth, np.float64)
    return Outcomes(made, target, HOURS * HOUR + 1, kind)


class Site:
    """Two announced models, and the floor's watch."""

    def __init__(self, folder: Path, floor: Floor) -> None:
        self.log, self.store = MemoryLog(), BundleStore(folder)
        rollback = Rollback("p", self.store, self.log, PAIR)
        self.said = [self.published("good"), self.published("poor")]
        self.watch = FloorWatch(floor, rollback, Points(MemoryLog(), Clock(), {}), Clock())
        self.watch.announced = {a.sequence: a for a in self.said}

    def published(self, name: str) -> Announcement:
        return publish(bundled(name), "p", "fresh", 0, self.log, self.store, PAIR)

    def look(self, found: Outcomes) -> list[tuple[int, str, str]]:
        """What is announced after a look, beyond the two."""
        self.watch.look(found, {a.sequence: a.bundle for a in self.said})
        newer = [a for s, a in sorted(self.watch.announced.items()) if s > 2]
        return [(a.sequence, a.kind, a.bundle) for a in newer]


@pytest.mark.parametrize(("kind", "floor"), FLOORS, ids=[f.metric for _, f in FLOORS])
def test_a_model_that_turned_poor_is_rolled_back_from_once(tmp_path: Path, kind: Kind, floor: Floor) -> None:
    site = Site(tmp_path, floor)
    expected = [(3, "rollback", site.said[0].bundle)]
    assert site.look(outcomes(kind, poor_from=3)) == expected
    assert site.look(outcomes(kind, poor_from=3)) == expected


@pytest.mark.parametrize(("kind", "floor"), FLOORS, ids=[f.metric for _, f in FLOORS])
def test_a_good_one_stays_and_so_does_a_poor_one_without_a_better(
    tmp_path: Path, kind: Kind, floor: Floor
) -> None:
    site = Site(tmp_path, floor)
    assert site.look(outcomes(kind, poor_from=5)) == []
    assert site.look(outcomes(kind, poor_from=0)) == []
