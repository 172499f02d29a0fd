"""A request whose features read tiles: from the body to the record."""

from __future__ import annotations

import json

from hotpath.handoffs import Score
from hotpath.kafka import MemoryLog
from serve.metrics import Metrics
from serve.redis_state import MemoryStore
from serve.scorer import Scorer
from serve.state import State
from tests.unit.serve.generations import CONTRACT, READING, START, generation
from tests.unit.serve.test_answer import request
from tests.unit.serve.test_stages import STATE, Ticking
from tests.unit.serve.test_state import THROUGH, records

FEATURES = [f.name for f in READING.features]


def asked(scorer: Scorer, contract=READING) -> dict:  # type: ignore[no-untyped-def, type-arg]
    body = json.loads(json.dumps(request(contract)))
    return scorer.infer(generation(contract=contract), body, START)


def make(store: MemoryStore, log: MemoryLog) -> Scorer:
    clock = Ticking()
    state = State(store, clock.elapsed, 1.0)
    state.tend()
    return Scorer("s", clock, log, Metrics(), state=state)


def scores(log: MemoryLog) -> list[Score]:
    return [Score.from_bytes(e.value) for e in log.entries]


def test_features_and_record_hold_what_was_read() -> None:
    log = MemoryLog()
    said = asked(make(MemoryStore.of(records()), log))
    (score,) = scores(log)
    assert score.features[FEATURES.index("late_share")] == 0.6
    assert score.features[FEATURES.index("largest")] == 9.9
    assert score.tiles == {"late_of_thing": [THROUGH, 8], "sizes": [THROUGH, 8]}
    assert said["parameters"]["degraded"] == score.degraded == []


def test_without_redis_the_answer_rests_on_defaults_and_says_so() -> None:
    log = MemoryLog()
    scorer = make(MemoryStore(away=True), log)
    said = asked(scorer)
    (score,) = scores(log)
    assert score.features[FEATURES.index("late_share")] == 0.25
    assert score.tiles == {"late_of_thing": None, "sizes": None}
    assert said["parameters"]["degraded"] == score.degraded == ["aggregates"]
    told = scorer.stages["things"].fields(generation(contract=READING), START, breaker=True)
    assert (told["defaulted"], told["trips"], told["breaker"], told["degraded"]) == (2, 0, True, 1)
    assert set(told) >= STATE
    page = scorer.metrics.rendered({}, START).decode()
    assert 'hotpath_aggregates_degraded_total{how="defaulted",pipeline="things"} 2.0' in page


def test_a_scorer_without_a_state_answers_alike() -> None:
    log = MemoryLog()
    assert asked(Scorer("s", Ticking(), log, Metrics()))["parameters"]["degraded"] == ["aggregates"]


def test_a_model_without_aggregates_never_asks() -> None:
    log, store = MemoryLog(), MemoryStore()
    asked(make(store, log), CONTRACT)
    assert store.trips == []
    assert scores(log)[0].tiles == {}
