"""Live AUC by another way than the monitoring job's: the on-prem topics themselves, and plain counting.

Shares nothing with `monitoring/`: no mirror, no lake, no numpy, no scikit-learn. The report holds both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from hotpath.clock import Micros, Timeline
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.model import Contract
from hotpath.errors import BadInput
from hotpath.handoffs import ARRIVED_HEADER, IMPORT_HEADER, Score, scores_topic
from hotpath.kafka import Entry, Log, standing

Answer = tuple[str | None, float | None, Micros]
"""Entity, score, asked_at."""
Label = tuple[str, bool, Micros, int, int]
"""Entity, target, arrived_at, partition, offset."""


@dataclass(frozen=True)
class LiveQuality:
    """AUC of the labelled answers that have a score, and labelled by answers; None where not defined."""

    auc: float | None
    coverage: float | None


def live_quality(answers: Sequence[Answer], labels: Iterable[Label], horizon: Micros) -> LiveQuality:
    """Look at every label of every answer's entity.

    >>> hour = 3_600_000_000
    >>> labels = [("a", True, 5, 0, 0), ("b", False, 6, 0, 1)]
    >>> live_quality([("a", 0.9, 1), ("b", 0.2, 2), ("c", 0.5, 3)], labels, hour)
    LiveQuality(auc=1.0, coverage=0.6666666666666666)
    """
    of: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        of[label[0]].append(label)
    truths = [_truth(answer, of, horizon) for answer in answers]
    labelled = sum(truth is not None for truth in truths)
    scored = [(a[1], t) for a, t in zip(answers, truths, strict=True) if t is not None and a[1] is not None]
    positives = [score for score, truth in scored if truth and score is not None]
    negatives = [score for score, truth in scored if not truth and score is not None]
    return LiveQuality(_auc(positives, negatives), labelled / len(answers) if answers else None)


def read(
    log: Log, contract: Contract, timeline: Timeline, since: Micros | None = None
) -> tuple[list[Answer], list[Label]]:
    """All answers (asked at `since` or later) and labels that stand in the on-prem topics.

    Raises Unavailable where a topic's end is not reached.
    """
    answers = list(_answers(standing(log, scores_topic(contract.name)), timeline))
    labels = list(_labels(standing(log, contract.labels.topic), contract, timeline))
    return [a for a in answers if since is None or a[2] >= since], labels


def _truth(answer: Answer, labels: Mapping[str, Sequence[Label]], horizon: Micros) -> bool | None:
    entity, _, asked_at = answer
    if entity is None:
        return None
    known = [label for label in labels.get(entity, ()) if 0 <= label[2] - asked_at <= horizon]
    return max(known, key=lambda label: label[2:])[1] if known else None


def _auc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Share of pairs in which the positive scores higher, a tie counting half; exact, in whole numbers."""
    if not positives or not negatives:
        return None
    halves, below = 0, 0
    counted: dict[float, list[int]] = defaultdict(lambda: [0, 0])
    for scores, place in ((negatives, 0), (positives, 1)):
        for score in scores:
            counted[score][place] += 1
    for score in sorted(counted):
        negative, positive = counted[score]
        halves += positive * (2 * below + negative)
        below += negative
    return halves / (2 * len(positives) * len(negatives))


def _answers(entries: Iterable[Entry], timeline: Timeline) -> Iterator[Answer]:
    """A record seen twice by its prediction id counts once: the first to arrive."""
    seen: set[str] = set()
    for entry in sorted(entries, key=lambda e: (timeline.virtual(e.at), e.partition, e.offset)):
        try:
            score = Score.from_bytes(entry.value)
        except BadInput:
            continue
        if score.prediction_id not in seen:
            seen.add(score.prediction_id)
            finite = score.score is not None and isfinite(score.score)
            yield score.entity, score.score if finite else None, score.asked_at


def _labels(entries: Iterable[Entry], contract: Contract, timeline: Timeline) -> Iterator[Label]:
    decode, labels = decoder(contract.labels), contract.labels
    for entry in entries:
        found = decode(entry.value)
        if isinstance(found, Decoded) and isinstance(truth := found.values[labels.target], bool):
            place = _arrived(entry, timeline), entry.partition, entry.offset
            yield str(found.values[labels.entity]), truth, *place


def _arrived(entry: Entry, timeline: Timeline) -> Micros:
    """Imported history carries its arrival; everything else came when the broker says it did."""
    arrived, claimed = timeline.virtual(entry.at), entry.headers.get(ARRIVED_HEADER, b"")
    if IMPORT_HEADER not in entry.headers or not claimed.isdigit():
        return arrived
    return min(int(claimed), arrived)
