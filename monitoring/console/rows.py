"""Rows of the console's tables from what the stages say: models and hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from hotpath.clock import SECOND, Micros
from hotpath.handoffs import Announcement, HostClock, Receipt
from monitoring.console.state import Host, Interval, Model

MOST_MODELS = 20
"""Of each pipeline: one that trains often must not hide another's."""
MOST_INTERVALS = 10
MOST_HOSTS = 500
"""On the page, wrong clocks first: who has ten thousand hosts asks the ledger's topic, not a table."""


@dataclass(frozen=True)
class Known:
    """What is known of one pipeline's models by the `metric` to speak of.

    `holdout`: metrics by bundle, as its run noted them; `live`: quality by sequence.
    """

    metric: str | None = None
    holdout: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    live: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


def models(
    announced: Iterable[Announcement],
    receipts: Iterable[Receipt],
    known: Mapping[str, Known],
    now: Micros,
) -> tuple[Model, ...]:
    """The newest models of each pipeline, newest sequence first; `known` by pipeline."""
    states = _states(receipts)
    newest = sorted(announced, key=lambda a: (a.pipeline, -a.sequence))
    of_each = (list(of)[:MOST_MODELS] for _, of in groupby(newest, key=lambda a: a.pipeline))
    return tuple(_model(a, states, known.get(a.pipeline, Known()), now) for of in of_each for a in of)


def hosts(ledger: Iterable[HostClock]) -> tuple[Host, ...]:
    """The ledger, wrong clocks first, `MOST_HOSTS` of them."""
    first = sorted(ledger, key=lambda e: (e.state not in ("ahead", "behind"), e.pipeline, e.host))
    return tuple(map(_host, first[:MOST_HOSTS]))


def _states(receipts: Iterable[Receipt]) -> dict[tuple[str, int], tuple[str, str]]:
    """What the scorers did with each sequence. Of those that went live only the newest still is."""
    found: dict[tuple[str, int], tuple[str, str]] = {}
    live: dict[tuple[str, str], int] = {}
    for receipt in receipts:
        key = (receipt.pipeline, receipt.sequence)
        if receipt.kind == "live":
            before = live.get((receipt.pipeline, receipt.scorer))
            if before is not None and before != receipt.sequence:
                found[receipt.pipeline, before] = ("previous", "")
            live[receipt.pipeline, receipt.scorer] = receipt.sequence
        if receipt.kind != "admitted" or found.get(key, ("", ""))[0] != "live":
            found[key] = (receipt.kind.replace("_", " "), receipt.why)
    return found


def _model(
    announcement: Announcement,
    states: Mapping[tuple[str, int], tuple[str, str]],
    known: Known,
    now: Micros,
) -> Model:
    pipeline, sequence = announcement.pipeline, announcement.sequence
    state, why = states.get((pipeline, sequence), ("announced", ""))
    live, metric = known.live.get(str(sequence), {}), known.metric or ""
    return {
        "pipeline": pipeline,
        "sequence": sequence,
        "bundle": announcement.bundle,
        "kind": announcement.kind,
        "state": state,
        "why": why or announcement.why,
        "announced_at": announcement.announced_at,
        "age_s": (now - announcement.announced_at) / SECOND,
        "metric": known.metric,
        "holdout": known.holdout.get(announcement.bundle, {}).get(metric),
        "live": live.get(metric),
        "labelled": int(live.get("labelled") or 0),
        "answers": int(live.get("answers") or 0),
    }


def _host(entry: HostClock) -> Host:
    intervals: list[Interval] = [
        {"since": bad.since, "until": bad.until, "offset_s": bad.offset / SECOND}
        for bad in entry.bad()[-MOST_INTERVALS:]
    ]
    return {
        "pipeline": entry.pipeline,
        "host": entry.host,
        "state": entry.state,
        "offset_s": None if entry.offset is None else entry.offset / SECOND,
        "count": entry.count,
        "first_seen": entry.first_seen,
        "last_seen": entry.last_seen,
        "intervals": intervals,
    }
