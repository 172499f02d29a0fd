import json
from pathlib import Path

from hotpath.contract.load import load
from hotpath.handoffs import BadInterval
from hotpath.settings import PROJECT
from train.account import Account, Span
from train.clocks import Clocks
from train.content import facts, files
from train.parameters import FIXED
from train.scorecard import Measured

CONTRACT = load(Path(PROJECT) / "config" / "pipelines" / "flights.yaml")
MEASURED = Measured(auc=0.71, f1=0.4, accuracy=0.8, threshold=0.3)
ACCOUNT = Account(
    span=Span(10, 20),
    rows={"train": 80, "holdout": 20},
    positive={"train": 8, "holdout": 5},
    left_out={"unlabelled": 3},
    noticed={"files in no manifest": 1},
    batches=(1, 2, 3, 7),
    offsets={"flights.status": {0: (5, 9)}},
    clocks=Clocks(300, (BadInterval("ewr-9", 3, None, 10_800), BadInterval("jfk-9", 1, 8, -3_600))),
)
CODE: dict[str, object] = {"versions": {"h2o": "<script>"}, "revision": "abc"}
FACTS = facts(CONTRACT, ACCOUNT, MEASURED, FIXED, trained_at=21, code=CODE)
FILES = files(CONTRACT, ACCOUNT, MEASURED, FACTS, model=b"mojo", golden=b"rows")


def test_the_facts_trace_a_model_to_its_window_batches_and_offsets() -> None:
    assert FACTS["window"] == {"from": 10, "to": 20}
    assert FACTS["batches"] == [1, 2, 3, 7]
    assert FACTS["offsets"] == {"flights.status": {"0": [5, 9]}}
    assert FACTS["fingerprint"] == CONTRACT.fingerprint
    assert (FACTS["seed"], FACTS["auc"], FACTS["trained_at"], FACTS["revision"]) == (
        FIXED.seed,
        0.71,
        21,
        "abc",
    )


def test_the_facts_say_which_hosts_were_left_out_from_when_to_when() -> None:
    assert FACTS["clock_tolerance"] == 300
    assert FACTS["host_intervals"] == [
        {"host": "ewr-9", "since": 3, "until": None, "offset": 10_800},
        {"host": "jfk-9", "since": 1, "until": 8, "offset": -3_600},
    ]


def test_the_facts_are_what_json_gives_back() -> None:
    assert json.loads(json.dumps(FACTS)) == FACTS


def test_the_scorecard_says_quality_and_rows() -> None:
    assert json.loads(FILES["scorecard.json"]) == {
        "auc": 0.71,
        "f1": 0.4,
        "accuracy": 0.8,
        "threshold": 0.3,
        "rows": {"train": 80, "holdout": 20},
        "holdout_positive_share": 0.25,
    }


def test_the_card_shows_all_of_it_and_asks_the_network_for_nothing() -> None:
    page = FILES["card.html"].decode()
    for shown in (CONTRACT.question, "0.71", "1-3, 7", "rows.holdout", "abc", "ewr-9", "&lt;script&gt;"):
        assert shown in page
    for request in ("<script", "src=", "href=", "@import", "url("):
        assert request not in page


def test_an_account_is_read_as_it_was_written() -> None:
    assert Account.from_bytes(ACCOUNT.to_bytes()) == ACCOUNT
