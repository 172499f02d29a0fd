"""The demonstration's report: its keys, and the conditions that make a run a success. Pure.

Every key is documented in docs/report.md. Seconds are real unless a key ends in `_virtual_s`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from ingest.flights import WRONG_CLOCKS

WRONG = {stranger.host for stranger in WRONG_CLOCKS}
"""The hosts that the demonstration's replay shifts."""
AUC_TOLERANCE = 1e-9
MOST_OVER_1S = 0.001
"""Share of transactions that may take longer than a second."""


@dataclass(frozen=True)
class Records:
    """One topic's ledger against the lake: what producers were told is in, and what a reader sees."""

    produced: int = 0
    landed: int = 0
    rejected: int = 0
    duplicated: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Models:
    """What became of each training run."""

    trained: int = 0
    announced: int = 0
    refused: list[str] = field(default_factory=list)
    went_live: int = 0
    live: str = ""
    oldest_live_age_virtual_s: float = 0


@dataclass(frozen=True)
class Latency:
    """Microseconds from the scheduled start of a transaction to its end."""

    p50: float = 0
    p99: float = 0
    p999: float = 0


@dataclass(frozen=True)
class Answers:
    """The transactions client's view, each answer recomputed for the bundle it names."""

    total: int = 0
    failed: int = 0
    mixed: int = 0
    over_1s: int = 0
    latency_us: Latency = Latency()
    latency_us_in_swaps: Latency = Latency()
    over_1s_while: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class HostFlagged:
    """A host that the ledger named. `offset_s` (domain): negative is ahead; `detected_after_s` is real."""

    host: str
    offset_s: float
    detected_after_s: float


@dataclass(frozen=True)
class Written:
    """Points that InfluxDB acknowledged and holds, and those of the topic that it does not hold."""

    written: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Books:
    """What became of a further pipeline's records and models."""

    events: Records
    labels: Records
    models: Models


@dataclass(frozen=True)
class Report:
    """report.json; `pipelines`: those deployed beside the demonstration's own whose history has landed."""

    seconds_to_first_answer: float | None
    events: Records
    labels: Records
    models: Models
    answers: Answers
    freshness_s: Mapping[str, float]
    quality: Mapping[str, float | None]
    hosts_flagged: Sequence[HostFlagged] = ()
    rows_left_out: int = 0
    points: Written = Written()
    parity: Mapping[str, int] = field(default_factory=dict)
    pipelines: Mapping[str, Books] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Plain data, as written to report.json."""
        return asdict(self)


def unmet(report: Report) -> list[str]:
    """The conditions of a run of 600 s that do not hold, each with what was found."""
    answers, first = report.answers, report.seconds_to_first_answer
    named = sorted(found.host for found in report.hosts_flagged)
    holdout = report.quality["holdout_auc"] or 0.0
    conditions: Sequence[tuple[str, object, bool]] = (
        ("events lost is 0", report.events.lost, report.events.lost == 0),
        ("labels lost is 0", report.labels.lost, report.labels.lost == 0),
        ("events duplicated is 0", report.events.duplicated, report.events.duplicated == 0),
        ("labels duplicated is 0", report.labels.duplicated, report.labels.duplicated == 0),
        ("events landed is over 100,000", report.events.landed, report.events.landed > 100_000),
        ("answers were given", answers.total, answers.total > 0),
        ("answers failed is 0", answers.failed, answers.failed == 0),
        ("answers mixed is 0", answers.mixed, answers.mixed == 0),
        (
            f"answers over 1 s are under {MOST_OVER_1S:.1%}",
            answers.over_1s,
            answers.over_1s < MOST_OVER_1S * max(1, answers.total),
        ),
        ("three models went live", report.models.went_live, report.models.went_live >= 3),
        (
            "holdout AUC is at least 0.65",
            holdout,
            holdout >= 0.65,
        ),
        ("first answer within 240 s", first, first is not None and first <= 240),
        (f"the hosts named are {sorted(WRONG)}", named, named == sorted(WRONG)),
        ("rows left out for wrong clocks are over 0", report.rows_left_out, report.rows_left_out > 0),
        ("live AUC is the brute-force join's", _aucs(report), _same(*_aucs(report))),
        (
            "answers that the lake does not give are 0",
            report.parity.get("differing", 0),
            not report.parity.get("differing", 0),
        ),
        ("points lost is 0", report.points.lost, report.points.lost == 0),
    )
    found = [f"{name}: found {found}" for name, found, holds in conditions if not holds]
    return [*found, *(line for name, books in report.pipelines.items() for line in _spoilt(name, books))]


def _spoilt(pipeline: str, books: Books) -> Iterator[str]:
    """Nothing may be lost or come twice in a further pipeline either."""
    for dataset, records in (("events", books.events), ("labels", books.labels)):
        for what in ("lost", "duplicated"):
            if found := getattr(records, what):
                yield f"{pipeline}'s {dataset} {what} is 0: found {found}"


def told(report: Report) -> list[str]:
    """The report in a few lines, for people."""
    e, m, a = report.events, report.models, report.answers
    plain, swaps = a.latency_us, a.latency_us_in_swaps
    return [
        f"events   {e.produced} produced, {e.landed} landed, {e.lost} lost, {e.duplicated} duplicated; "
        f"in the lake after {report.freshness_s['p50']:.1f} s (p95 {report.freshness_s['p95']:.1f} s)",
        f"models   {m.trained} trained, {m.announced} announced, {m.went_live} went live; "
        f"AUC {report.quality['holdout_auc']:.3f} on the holdout, {_shown(report.quality['live_auc'])} live "
        f"({report.quality['label_coverage']:.0%} of the answers labelled)",
        f"answers  {a.total}, {a.failed} failed, {a.mixed} mixed, {a.over_1s} over 1 s; "
        f"first after {report.seconds_to_first_answer} s",
        f"latency  p50 {plain.p50:.0f} µs, p99 {plain.p99:.0f} µs, p99.9 {plain.p999:.0f} µs",
        f"in swaps p50 {swaps.p50:.0f} µs, p99 {swaps.p99:.0f} µs, p99.9 {swaps.p999:.0f} µs",
        f"clocks   {_hosts(report)}; {report.rows_left_out} rows left out of the newest window for them",
        f"parity   {', '.join(f'{n} {kind}' for kind, n in sorted(report.parity.items())) or 'no answer'}"
        " of the answers that were computed again from the lake",
        f"points   {report.points.written} in InfluxDB, {report.points.lost} lost",
        *(
            f"{name}: {b.events.landed} events landed, {b.events.lost} lost, "
            f"{b.events.duplicated} duplicated; {b.models.went_live} models went live"
            for name, b in report.pipelines.items()
        ),
    ]


def _hosts(report: Report) -> str:
    said = (
        f"{f.host} {abs(f.offset_s):.0f} s {'ahead' if f.offset_s < 0 else 'behind'} "
        f"(named after {f.detected_after_s:.0f} s)"
        for f in report.hosts_flagged
    )
    return ", ".join(said) or "no host named"


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _aucs(report: Report) -> tuple[float | None, float | None]:
    return report.quality["live_auc"], report.quality["live_auc_brute_force"]


def _same(one: float | None, other: float | None) -> bool:
    """Both computed the same figure; that neither could is no proof."""
    return one is not None and other is not None and abs(one - other) <= AUC_TOLERANCE


def tally(
    acknowledged: Counter[str],
    landed: Counter[str],
    rejected: Counter[str],
    places: Counter[tuple[int, int]],
    nameless: int = 0,
) -> Records:
    """Compare as multisets: ids that producers were told are in, ids the reader sees, offsets it sees.

    A record seen twice at one offset was duplicated by the pipeline, and so was an id seen more often than
    its producer sent it. Ids that no ledger knows (an event put in by hand) are landed, not duplicated.
    `nameless`: records whose place is kept and whose content is not (no consent, forgotten since), so that
    they cannot be told by their id.
    """
    seen = landed + rejected
    known = Counter({i: n for i, n in seen.items() if i in acknowledged})
    twice = sum(n - 1 for n in places.values()) or (known - acknowledged).total()
    return Records(
        produced=acknowledged.total(),
        landed=landed.total(),
        rejected=rejected.total(),
        duplicated=twice,
        lost=max(0, (acknowledged - seen).total() - nameless),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the sorted values do not exceed (nearest rank)."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
