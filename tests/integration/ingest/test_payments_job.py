"""The payments' producers against a real broker: a pipeline that joins while the clock runs.

V0 | -- 20,000 times -- | first start: begins | -- x kill, restart -- | the present | -- real time --
                 three days imported before |  replayed from there on
"""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

from hotpath.clock import DAY, HOUR, SECOND, Segment
from hotpath.handoffs import ARRIVED_HEADER
from tests.conftest import until
from tests.integration.ingest.site import ids, site

RATE = 20_000.0


def test_a_pipeline_that_joins_late_imports_what_was_before_and_replays_the_rest(
    tmp_path: Path, kafka: str
) -> None:
    with site("payments", tmp_path, kafka) as joined:
        joined.clock.append(Segment(joined.clock.real(), joined.first, RATE))
        until(lambda: joined.clock.now() > joined.first + HOUR, "the clock runs")
        killed = joined.start()
        until(lambda: joined.noted_bytes() > 100_000, "a part of the history is noted")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        begins = joined.begins
        assert joined.first + HOUR < begins < joined.clock.now()

        running, present = joined.start(), joined.clock.real()
        until(lambda: bool(joined.imports()), "the import is recorded")
        until(lambda: joined.clock.now() >= present, "virtual time meets the present")
        beyond = joined.clock.now() + 5 * SECOND
        until(lambda: int(str(joined.said().get("virtual", 0))) > beyond, "some seconds in the present")
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0

        assert joined.begins == begins, "a restart goes on where the first start began"
        payments, stood = joined.records(), joined.stood()
        assert payments.history_from == begins - 3 * DAY
        imported = Counter(joined.named(e) for e in stood if ARRIVED_HEADER in e.headers)
        replayed = Counter(joined.named(e) for e in stood if ARRIVED_HEADER not in e.headers)
        assert imported == ids(payments.due(payments.history_from, begins))
        assert max(imported.values()) == 3, "an event that was sent twice, and its label"
        assert ids(payments.due(begins, beyond)) <= replayed
        assert replayed <= ids(payments.due(begins, joined.clock.now()))
        assert joined.noted() == imported + replayed
        assert [done.id for done in joined.imports()] == [f"history-{begins}"]
