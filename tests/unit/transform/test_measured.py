"""A batch's figures, from Spark's progress as Spark says it."""

from __future__ import annotations

import json
from typing import Any

from hotpath.points import BY_NAME
from transform.measured import Batches, behind


def progress(batch: int, rows: int, at: str = "t0", **source: object) -> dict[str, Any]:
    offsets = {"endOffset": {"flights.status": {"0": 40, "1": 10}}, "latestOffset": None, **source}
    return {
        "batchId": batch,
        "timestamp": at,
        "numInputRows": rows,
        "durationMs": {"triggerExecution": 1500},
        "sources": [offsets],
    }


LATEST = {"flights.status": {"0": 45, "1": 10}, "flights.landed": {"0": 3}}


def test_a_batch_is_told_with_what_was_rejected_in_it() -> None:
    batches = Batches()
    batches.landed(7, {"events": 90, "rejected": 10, "rejected.events": 10})
    (found,) = batches.fresh([progress(7, 100, latestOffset=LATEST)])
    assert found == {"rows": 100, "rejected": 10, "batch_s": 1.5, "behind": 8}
    assert set(found) == set(BY_NAME["stream"].fields)
    assert batches.rejected == {}


def test_the_same_progress_is_told_once() -> None:
    batches = Batches()
    assert len(batches.fresh([progress(7, 1)])) == 1
    assert batches.fresh([progress(7, 1)]) == []
    assert batches.fresh([]) == []


def test_every_batch_that_ended_since_the_last_look_is_told() -> None:
    batches = Batches()
    first, *later = [progress(n, 10 * n, f"t{n}") for n in range(1, 6)]
    batches.fresh([first])
    assert [fields["rows"] for fields in batches.fresh([first, *later[:2]])] == [20, 30]
    assert [fields["rows"] for fields in batches.fresh(later[2:])] == [40, 50], "the one told is kept no more"


def test_an_idle_trigger_takes_nothing_from_the_batch_whose_number_it_has() -> None:
    batches = Batches()
    batches.landed(8, {"rejected": 2})
    idle, later = batches.fresh([progress(8, 0, "t1"), progress(8, 5, "t2")])
    assert idle["rejected"] == 0
    assert later["rejected"] == 2


def test_offsets_are_read_as_text_and_as_objects_and_never_below_nothing() -> None:
    assert behind(progress(1, 1, latestOffset=json.dumps(LATEST))) == 8
    assert behind(progress(1, 1, latestOffset={"flights.status": {"0": 1}})) == 0
    assert behind(progress(1, 1, endOffset=None, latestOffset=LATEST)) == 58
    assert behind(progress(1, 1)) is None
