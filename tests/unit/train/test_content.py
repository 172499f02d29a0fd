import json
from dataclasses import replace
from pathlib import Path

from hotpath.bundle import CONTENT
from hotpath.clock import HOUR, MINUTE, SECOND
from hotpath.contract.aggregates import Aggregate
from hotpath.contract.fitted import Baseline, Fitted
from hotpath.contract.load import load
from hotpath.contract.monitors import feature_monitors
from hotpath.handoffs import BadInterval
from hotpath.settings import PROJECT
from tests.unit.train.accounts import of_classes
from train.account import Account, Span
from train.card import Plot
from train.clocks import Clocks
from train.content import Model, facts, files
from train.measured import Measured
from train.parameters import Chosen

CONTRACT = load(Path(PROJECT) / "config" / "pipelines" / "flights.yaml")
MEASURED = Measured("binary", {"auc": 0.71, "f1": 0.4, "accuracy": 0.8}, {"auc": (0.7, 0.72)}, threshold=0.3)
CHOSEN = Chosen("drf", {"max_depth": 8}, {"searched": 12}, at=7, fingerprint="f")
CLASSES = {"train": {"0": 72, "1": 8}, "holdout": {"0": 15, "1": 5}}
ACCOUNT = of_classes(
    **CLASSES,
    kind="binary",
    span=Span(10, 20),
    left_out={"unlabelled": 3},
    noticed={"files in no manifest": 1},
    batches=(1, 2, 3, 7),
    offsets={"flights.status": {0: (5, 9)}},
    files={"events/part.parquet": "ab12"},
    budget={"rows": 100, "kept": 80, "since": 3},
    believed=0.97,
    clocks=Clocks(300, (BadInterval("ewr-9", 3, None, 10_800), BadInterval("jfk-9", 1, 8, -3_600))),
)
CODE: dict[str, object] = {"versions": {"h2o": "<script>"}, "revision": "abc"}
FACTS = facts(CONTRACT, ACCOUNT, MEASURED, CHOSEN, trained_at=21, code=CODE)
SCORECARD = {
    "kind": "binary",
    "metrics": {"auc": 0.71},
    "bounds": {"auc": [0.7, 0.72]},
    "confidence": 0.95,
    "threshold": 0.3,
    "accept_below": 0.3,
    "rows": ACCOUNT.rows,
    "classes": CLASSES,
    "baselines": {},
    "champion": None,
    "promises": [],
    "pairs": [],
    "intervals": [],
    "curves": {},
}
PLOT = Plot("roc", "How well it ranks", "Of <b>", "<svg></svg>")
FITTED = Fitted(
    baselines={
        **{f.name: Baseline(80, 80) for f in CONTRACT.features},
        "carrier": Baseline(80, 2, levels=(("<UA>", 70), ("AA", 8))),
        "distance": Baseline(80, 0, deciles=tuple(float(n) for n in range(11)), mean=5.0, std=3.0),
    }
)
FILES = files(CONTRACT, Model(b"mojo", b"rows", FITTED, json.dumps(SCORECARD).encode(), (PLOT,)), FACTS)


def test_the_facts_trace_a_model_to_its_window_batches_and_offsets() -> None:
    assert FACTS["window"] == {"from": 10, "to": 20}
    assert FACTS["batches"] == [1, 2, 3, 7]
    assert FACTS["offsets"] == {"flights.status": {"0": [5, 9]}}
    assert FACTS["fingerprint"] == CONTRACT.fingerprint
    assert (FACTS["seed"], FACTS["trained_at"], FACTS["revision"]) == (CHOSEN.seed, 21, "abc")
    assert (FACTS["kind"], FACTS["metrics"]) == ("binary", MEASURED.metrics)


def test_the_facts_say_which_hosts_were_left_out_from_when_to_when() -> None:
    assert FACTS["clock_tolerance"] == 300
    assert FACTS["host_intervals"] == [
        {"host": "ewr-9", "since": 3, "until": None, "offset": 10_800},
        {"host": "jfk-9", "since": 1, "until": 8, "offset": -3_600},
    ]


def test_the_facts_say_of_which_arrivals_the_tiles_were_made() -> None:
    late = Aggregate("late_at", "labels", "origin", "origin", None, None, None, MINUTE, HOUR, MINUTE, SECOND)
    reading = replace(CONTRACT, aggregates=(late,))
    account = replace(ACCOUNT, span=Span(100 * MINUTE, 140 * MINUTE))
    said = facts(reading, account, MEASURED, CHOSEN, trained_at=21, code=CODE)
    assert said["tiles"] == {reading.layouts[0].id: {"from": 39 * MINUTE, "to": 139 * MINUTE}}


def test_the_facts_are_what_json_gives_back() -> None:
    assert json.loads(json.dumps(FACTS)) == FACTS


def test_the_facts_name_every_file_with_its_hash_and_what_the_window_left_out() -> None:
    assert FACTS["files"] == {"events/part.parquet": "ab12"}
    assert (FACTS["budget"], FACTS["believed"]) == ({"rows": 100, "kept": 80, "since": 3}, 0.97)


def test_the_facts_say_how_the_model_was_grown_and_on_what_evidence() -> None:
    assert (FACTS["algorithm"], FACTS["searched"]) == ("drf", {"searched": 12})
    assert FACTS["parameters"] == CHOSEN.named()


def test_the_scorecard_of_the_measuring_goes_into_the_bundle_as_it_is() -> None:
    assert json.loads(FILES["scorecard.json"]) == SCORECARD


def test_a_bundle_holds_what_was_fitted() -> None:
    assert Fitted.from_bytes(FILES["fitted.json"]) == FITTED
    assert set(FILES) == set(CONTENT)


def test_the_card_says_of_each_feature_how_it_was_spread_and_who_watches_it() -> None:
    page = FILES["card.html"].decode()
    watched = feature_monitors(CONTRACT, FITTED)
    for shown in ("2 of 80 null; &lt;UA&gt; 70, AA 8", "0 to 10, median 5", *(m.name for m in watched)):
        assert shown in page


def test_the_card_shows_all_of_it_and_asks_the_network_for_nothing() -> None:
    page = FILES["card.html"].decode()
    for shown in (CONTRACT.question, "0.71", "1-3, 7", "rows.holdout", "abc", "ewr-9", "&lt;script&gt;"):
        assert shown in page
    for request in ("<script", "src=", "href=", "@import", "url("):
        assert request not in page


def test_an_account_is_read_as_it_was_written() -> None:
    assert Account.from_bytes(ACCOUNT.to_bytes()) == ACCOUNT
