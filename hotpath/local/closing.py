"""The end of a run: wait until what is on its way has landed and been joined, then compare all the books."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hotpath.bundle_store import BundleStore
from hotpath.clock import SECOND, Clock, Micros, wait
from hotpath.contract.model import Contract
from hotpath.handoffs import POINTS, Receipt
from hotpath.kafka import KafkaLog, standing
from hotpath.lake import Dataset, Lake
from hotpath.local import evidence, replay_check
from hotpath.local.answers import Transaction
from hotpath.local.live_quality import LiveQuality, live_quality, read
from hotpath.local.report import Books, Models, Report, Written
from hotpath.parity import logged, recomputed, sampled, tally
from hotpath.settings import Settings

LOOK_S = 0.2
PARITY_SAMPLE = 2_000
DRAINED: tuple[Dataset, ...] = ("events", "labels")


def drained(settings: Settings, contract: Contract, in_time: Callable[[], bool]) -> bool:
    """Wait, while `in_time`, until every acknowledged record has landed; whether it has."""
    while in_time():
        # By their ids: an event that somebody put in by hand must not stand for one still on its way.
        if not any(evidence.records(settings, contract, d).lost for d in DRAINED):
            return True
        wait(LOOK_S)
    return False


def joined(
    settings: Settings, contract: Contract, clock: Clock, in_time: Callable[[], bool]
) -> dict[str, float | None]:
    """Live quality twice, once monitoring has read as many answers and labels as the topics hold.

    Waits for that while `in_time`; then what is there is told. Raises Unavailable.
    """
    file = settings.monitoring(contract.name) / "outcomes.json"
    onprem, found = KafkaLog(settings.kafka.onprem.address), _outcomes(file)

    def counted() -> tuple[int, LiveQuality]:
        answers, labels = read(onprem, contract, clock.timeline(), since=found.get("since"))
        return len(answers), live_quality(answers, labels, contract.labels.horizon)

    answers, brute = counted()
    while in_time() and (told := _told(found)) != (answers, brute.coverage):
        wait(LOOK_S)
        found = _outcomes(file)
        if _told(found) != told:  # an answer may still have been on its way to the topic
            answers, brute = counted()
    return {
        "live_auc": found.get("all", {}).get("auc"),
        "live_auc_brute_force": brute.auc,
        "label_coverage": brute.coverage or 0.0,
    }


def _outcomes(file: Path) -> dict[str, Any]:
    """What monitoring has joined; empty before its first look."""
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _told(found: Mapping[str, Any]) -> tuple[object, object]:
    everything = found.get("all", {})
    return everything.get("answers"), everything.get("coverage")


def crossed(settings: Settings, in_time: Callable[[], bool]) -> bool:
    """Wait, while `in_time`, until every point of the on-prem topic stands in the cloud; whether it does."""
    onprem, cloud = (KafkaLog(c.address) for c in (settings.kafka.onprem, settings.kafka.cloud))
    while in_time():
        if {e.value for e in standing(onprem, POINTS)} <= {e.value for e in standing(cloud, POINTS)}:
            return True
        wait(LOOK_S)
    return False


def close_books(
    settings: Settings,
    contract: Contract,
    others: Sequence[Contract],
    clock: Clock,
    started: Micros,
    live: Mapping[str, float | None],
    points: Written,
) -> Report:
    """The report of a run that began at `started` (real); `others`: further pipelines that ran.

    Needs both brokers. Raises Unavailable.
    """
    receipts = evidence.receipts(KafkaLog(settings.kafka.onprem.address))
    cloud = KafkaLog(settings.kafka.cloud.address)
    runs = evidence.runs(settings, contract.name)
    transactions = list(replay_check.transactions(settings.data / "onprem" / "answers"))
    aucs = [run["metrics"].get("auc") for run in runs if run["state"] == "trained"]
    return Report(
        seconds_to_first_answer=first_answer(transactions, started),
        events=evidence.records(settings, contract, "events"),
        labels=evidence.records(settings, contract, "labels"),
        models=models(contract.name, runs, receipts, transactions),
        answers=replay_check.apart(contract.name),
        freshness_s=evidence.freshness(Lake(settings.lake_root(), contract.name), clock.timeline()),
        quality={"holdout_auc": aucs[-1] if aucs else 0.0, **live},
        hosts_flagged=evidence.hosts_flagged(cloud, contract.name, clock.timeline()),
        rows_left_out=evidence.rows_left_out(runs),
        points=points,
        parity=parity(settings, contract.name),
        pipelines={other.name: _books(settings, other, receipts) for other in others},
    )


def parity(settings: Settings, pipeline: str) -> dict[str, int]:
    """Verdicts on a sample of all answers of the run. Raises BadArtifact where the lake does not read."""
    lake, store = Lake(settings.lake_root(), pipeline), BundleStore(settings.bundle_store() / pipeline)
    answers = sampled(logged(lake, lake.manifests()), PARITY_SAMPLE)
    return dict(tally(recomputed(answers, lake, store)))


def _books(settings: Settings, contract: Contract, receipts: Sequence[Receipt]) -> Books:
    return Books(
        evidence.records(settings, contract, "events"),
        evidence.records(settings, contract, "labels"),
        models(contract.name, evidence.runs(settings, contract.name), receipts, ()),
    )


def first_answer(transactions: Sequence[Transaction], started: Micros) -> float | None:
    """Real seconds from `started` until an answer was in hand; None where there was none since."""
    ends = (t.scheduled_at + t.latency_us for t in transactions if t.answered is not None)
    first = min((end for end in ends if end >= started), default=None)
    return None if first is None else round((first - started) / SECOND, 1)


def models(
    pipeline: str,
    runs: Sequence[Mapping[str, Any]],
    every: Sequence[Receipt],
    transactions: Sequence[Transaction],
) -> Models:
    """What became of the trainer's runs, by its own notes and the scorers' receipts."""
    receipts = [r for r in every if r.pipeline == pipeline]
    live = [r for r in receipts if r.kind == "live"]
    refused = [f"run: {run['why']}" for run in runs if run["state"] != "trained"]
    refused += [f"{r.bundle}: {r.why}" for r in receipts if r.kind == "refused"]
    ages = [t.answered.age_s for t in transactions if t.answered is not None]
    return Models(
        trained=sum(bool(run["metrics"]) for run in runs),
        announced=sum(run["sequence"] is not None for run in runs),
        refused=refused,
        went_live=len({r.sequence for r in live}),
        live=live[-1].bundle if live else "",
        oldest_live_age_virtual_s=round(max(ages, default=0.0), 1),
    )
