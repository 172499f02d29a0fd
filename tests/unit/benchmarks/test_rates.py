"""A round is a stretch of whole batches after the first million; what was left over at the end is in none."""

from __future__ import annotations

import pytest

from benchmarks.landing import rates
from hotpath.clock import SECOND
from hotpath.lake import Manifest


def test_each_round_is_the_rate_of_its_own_batches() -> None:
    # batch   0    1    2    3    4     5
    # second  0    10   20   22   26    27
    batches = [(0, 600), (10, 600), (20, 600), (22, 600), (26, 600), (27, 5)]
    manifests = [Manifest(n, {}, {}, (), {"events": e}, at * SECOND) for n, (at, e) in enumerate(batches)]
    assert rates(manifests, 3, warm=1000) == pytest.approx([60, 300, 150])
