"""What the report says of models and of the first answer."""

from __future__ import annotations

from hotpath.clock import SECOND
from hotpath.handoffs import RECEIPTS, Receipt
from hotpath.kafka import MemoryLog
from hotpath.local.answers import Answered, Transaction
from hotpath.local.closing import first_answer, models
from hotpath.local.evidence import receipts


def asked(at: int, age_s: float | None = 10.0) -> Transaction:
    """A transaction due at `at` s that took half a second; without an age it failed."""
    answered = None if age_s is None else Answered(0.5, "accept", 0.4, "b1", 1, 0, age_s, "p1")
    return Transaction(at * SECOND, SECOND // 2, {}, answered, None if answered else "Timeout", ())


def receipt(sequence: int, kind: str, why: str = "") -> Receipt:
    return Receipt.from_fields(
        {
            "pipeline": "flights",
            "scorer": "s",
            "sequence": sequence,
            "bundle": f"b{sequence}",
            "kind": kind,
            "why": why,
            "at": 0,
        }
    )


def test_the_first_answer_counts_from_the_start_of_this_run() -> None:
    earlier, failed, first = asked(5), asked(101, None), asked(103)
    assert first_answer([earlier, failed, first], 100 * SECOND) == 3.5
    assert first_answer([earlier, failed], 100 * SECOND) is None


def test_a_model_went_live_once_however_many_scorers_say_so() -> None:
    receipts = [receipt(1, "admitted"), receipt(1, "live"), receipt(1, "live"), receipt(2, "live")]
    found = models("flights", [], receipts, [asked(1, 5.0), asked(2, 70.0), asked(3, None)])
    assert (found.went_live, found.live, found.oldest_live_age_virtual_s) == (2, "b2", 70.0)


def test_refusals_of_the_gate_and_of_a_scorer_are_told() -> None:
    runs: list[dict[str, object]] = [
        {"state": "trained", "metrics": {"auc": 0.7}, "sequence": 1, "why": "good"},
        {"state": "refused", "metrics": {"auc": 0.5}, "sequence": None, "why": "auc 0.5"},
        {"state": "failed", "metrics": {}, "sequence": None, "why": "H2O away"},
    ]
    found = models("flights", runs, [receipt(1, "refused", "another key")], [])
    assert (found.trained, found.announced) == (2, 1)
    assert found.refused == ["run: auc 0.5", "run: H2O away", "b1: another key"]


def test_what_anyone_wrote_into_the_receipts_topic_costs_no_report() -> None:
    log = MemoryLog()
    for value in (b"", None, b"x", b"{}", b"[" * 100_000, receipt(1, "live").to_bytes()):
        log.send(RECEIPTS, value)
    assert receipts(log) == [receipt(1, "live")]
