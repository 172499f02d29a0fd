"""`hotpath produce FILE`: good lines are sent, bad ones are named by number and reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from hotpath.clock import DAY
from hotpath.contract.model import Contract
from hotpath.errors import BadInput
from hotpath.kafka import MemoryLog
from ingest.flights import Flights
from ingest.produce import produce_file
from ingest.season import Flight


@pytest.fixture
def good(season: Callable[..., Flights], scheduled: Callable[..., Flight]) -> bytes:
    flights = season(scheduled("2013-07-09 12:15"))
    (record,) = (
        r for r in flights.due(flights.plan.starts_at, flights.plan.starts_at + DAY) if r.id.endswith("-015")
    )
    return record.value


def test_good_lines_are_sent_and_bad_ones_told(tmp_path: Path, contract: Contract, good: bytes) -> None:
    wrong = orjson.dumps({**orjson.loads(good), "distance": "far"})
    (tmp_path / "events.jsonl").write_bytes(b"\n".join([good, b"{", b"", wrong, good]) + b"\n")
    log = MemoryLog()
    done = produce_file(tmp_path / "events.jsonl", contract, log)
    assert (done.sent, list(done.refused)) == (2, [2, 4])
    assert done.refused[2].startswith("message: ")
    assert done.refused[4].startswith("distance: ")
    assert [(e.topic, e.key, e.value) for e in log.entries] == [
        ("flights.status", b"2026-11-20-UA1-EWR-1215", good)
    ] * 2


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, contract: Contract) -> None:
    with pytest.raises(BadInput, match=r"missing\.jsonl"):
        produce_file(tmp_path / "missing.jsonl", contract, MemoryLog())
