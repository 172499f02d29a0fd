"""What the scorer measures of itself: sums that only grow, told as what came since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hotpath.clock import HOUR, Clock, Micros
from hotpath.errors import BadInput
from hotpath.kafka import MemoryLog
from hotpath.points import BY_NAME, Points
from serve.app import say
from serve.metrics import Metrics
from serve.scorer import Scorer
from serve.slots import Slots
from serve.stages import Since
from tests.unit.serve.generations import CONTRACT, IGNORING, START, generation
from tests.unit.serve.test_answer import request

STATE = {"state_us", "trips", "failed_trips", "copied", "defaulted", "late", "breaker"}
"""Said only of a model that reads tiles."""


class Ticking(Clock):
    """Each look at `elapsed` is a millisecond later; the domain stands at START."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def elapsed(self) -> float:
        self.looks += 1
        return self.looks / 1000

    def now(self) -> Micros:
        return START + HOUR


@pytest.fixture
def scorer() -> Scorer:
    return Scorer("s", Ticking(), MemoryLog(), Metrics())


def ask(scorer: Scorer, **changed: object) -> None:
    body = scorer.parsed("things", json.dumps(request(CONTRACT, **changed)).encode())
    scorer.infer(generation(), body, START)
    scorer.finished("things", 200, 0.004)


def told(scorer: Scorer) -> dict[str, object]:
    return dict(scorer.stages["things"].fields(generation(), START + HOUR))


def test_every_stage_of_a_request_is_told_as_a_mean(scorer: Scorer) -> None:
    ask(scorer)
    ask(scorer)
    found = told(scorer)
    assert (found["requests"], found["errors"], found["degraded"]) == (2, 0, 0)
    assert (found["generation"], found["model_age_s"]) == (5, 3600)
    # Each stage lies between two looks at the clock; parsing is the JSON, the tensors and the row's fields.
    assert found["request_us"] == pytest.approx(4000)
    assert found["parse_us"] == pytest.approx(3000)
    for stage in ("features_us", "model_us", "record_us"):
        assert found[stage] == pytest.approx(1000)


def test_the_fields_are_those_of_the_measurement(scorer: Scorer) -> None:
    ask(scorer)
    assert set(told(scorer)) | STATE == set(BY_NAME["scorer"].fields)
    assert not set(told(scorer)) & STATE


def test_only_what_came_since_the_last_point_is_told(scorer: Scorer) -> None:
    ask(scorer)
    told(scorer)
    quiet = told(scorer)
    assert (quiet["requests"], quiet["request_us"], quiet["model_us"]) == (0, None, None)
    ask(scorer, kind="strange")
    assert (told(scorer)["requests"], told(scorer)["degraded"]) == (1, 0)


def test_a_degraded_row_and_a_failed_request_are_counted(scorer: Scorer) -> None:
    ask(scorer, kind="strange")
    with pytest.raises(BadInput):
        scorer.infer(generation(), request(size="large"), START)
    scorer.finished("things", 422, 0.001)
    found = told(scorer)
    assert (found["requests"], found["errors"], found["degraded"]) == (2, 1, 1)


def test_a_record_that_kafka_does_not_take_is_told_as_dropped() -> None:
    scorer = Scorer("s", Ticking(), MemoryLog(refuse=True), Metrics())
    ask(scorer)
    assert told(scorer)["dropped"] == 1


def test_a_name_that_nobody_serves_makes_no_series(scorer: Scorer) -> None:
    scorer.finished("no-such-model", 404, 0.001)
    assert scorer.stages == {}


def test_without_a_model_age_and_generation_are_not_known() -> None:
    found = Since.start().fields(None, START)
    assert (found["generation"], found["model_age_s"], found["requests"]) == (None, None, 0)


def test_the_point_names_pipeline_and_scorer(scorer: Scorer, tmp_path: Path) -> None:
    log = MemoryLog()
    ask(scorer)
    slots = Slots(tmp_path, lambda *_: generation(), scorer.tell)
    say(Points(log, scorer.clock, {"scorer": "s"}), scorer, slots)
    (entry,) = log.entries
    assert (entry.value or b"").startswith(b"scorer,pipeline=things,scorer=s ")


def test_fields_that_were_passed_over_are_counted(scorer: Scorer) -> None:
    body = scorer.parsed("things", json.dumps(request(IGNORING, nobody="knows")).encode())
    scorer.infer(generation(contract=IGNORING), body, START)
    assert told(scorer)["unknown"] == 1
