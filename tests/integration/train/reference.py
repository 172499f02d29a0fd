"""The training window by brute force: what train/window.py must give, read off the design's sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from hotpath.clock import Micros
from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.row import row_function
from tests.integration.train.lakes import Row
from train.clocks import Clocks


@dataclass
class Expected:
    """Rows as the files hold them: features, then the label as "0" or "1".

    `weights` and `slices` of the training rows, `begins` of each slice; `arrivals` and `entities` of the
    holdout's rows; `budget` as an account tells it.
    """

    train: list[tuple[object, ...]] = field(default_factory=list)
    holdout: list[tuple[object, ...]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    slices: list[float] = field(default_factory=list)
    begins: tuple[Micros, ...] = ()
    arrivals: list[Micros] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    budget: dict[str, int] = field(default_factory=dict)
    believed: float = 1.0
    left_out: Counter[str] = field(default_factory=Counter)
    fitted: Fitted = NOTHING
    disagreeing: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)


def window(
    contract: Contract, events: Sequence[Row], labels: Sequence[Row], now: Micros, clocks: Clocks
) -> Expected:
    """Every event looked at by itself, against all events and all labels."""
    expected = Expected()
    inside = [e for e in events if now - contract.train.window < arrived(e) <= now]
    rows: list[tuple[Row, Row]] = []
    for event in sorted(inside, key=place):
        answers = [x for x in labels if same_entity(contract, x, event) and arrived(x) <= now]
        told = [x[contract.labels.target] for x in answers]
        if len(told) > 1:
            of = expected.disagreeing if len(set(told)) > 1 else expected.again
            of.add(str(event[contract.events.entity]))
        newest = max(answers, key=lambda x: (arrived(x), place(x)), default=None)
        reason = left_out(contract, event, inside, newest, clocks)
        if reason or newest is None:
            expected.left_out[reason] += 1
        else:
            rows.append((event, newest))
    wrong = sum(bool(doubt(contract, event, clocks)) for event in inside)
    expected.believed = 1 - wrong / len(inside) if inside else 1.0
    split(expected, within_budget(expected, rows, contract), contract)
    return expected


def within_budget(
    expected: Expected, rows: list[tuple[Row, Row]], contract: Contract
) -> list[tuple[Row, Row, float]]:
    """Each with its weight: the newest of each class, as many as its share of the budget (two classes)."""
    most = contract.train.max_rows
    if len(rows) <= most:
        return [(*row, 1.0) for row in rows]
    counts = Counter(label(contract, answer) for _, answer in rows)
    share = {name: Fraction(most * count, len(rows)) for name, count in counts.items()}
    kept = {name: max(1, floor(n)) for name, n in share.items()}
    while sum(kept.values()) < most:
        kept[max(sorted(kept), key=lambda name: share[name] - kept[name])] += 1
    while sum(kept.values()) > most:
        kept[max(sorted(kept), key=lambda name: kept[name])] -= 1
    newest: list[tuple[Row, Row, float]] = []
    for name, count in counts.items():
        ours = [row for row in rows if label(contract, row[1]) == name]
        ours.sort(key=lambda row: (arrived(row[0]), place(row[0])))
        newest += [(*row, count / kept[name] * most / len(rows)) for row in ours[-kept[name] :]]
    expected.left_out["beyond the row budget"] += len(rows) - most
    since = min(arrived(event) for event, _, _ in newest)
    expected.budget = {"rows": len(rows), "kept": most, "since": since}
    return sorted(newest, key=lambda row: place(row[0]))


def left_out(
    contract: Contract, event: Row, inside: Sequence[Row], newest: Row | None, clocks: Clocks
) -> str:
    """Why an event is no row; empty where it is one."""
    if found := doubt(contract, event, clocks):
        return found
    same = [e for e in inside if e[contract.events.id] == event[contract.events.id]]
    believed = [e for e in same if not doubt(contract, e, clocks)]
    first = min(believed, key=lambda e: (arrived(e), place(e)))
    if first is not event:
        return (
            "same id, same body" if body(contract, first) == body(contract, event) else "same id, other body"
        )
    if newest is None:
        return "unlabelled"
    if arrived(newest) < arrived(event):
        return "label arrived before its event"
    if arrived(newest) > arrived(event) + contract.labels.horizon:
        return "label arrived after the horizon"
    return ""


def doubt(contract: Contract, event: Row, clocks: Clocks) -> str:
    """Why an event's clock is not believed; empty where it is."""
    at = arrived(event)
    for bad in clocks.intervals:
        if bad.host == event[contract.events.host] and bad.since <= at < (bad.until or at + 1):
            return "host's clock was wrong"
    late = int(str(event[contract.events.time])) - at > clocks.tolerance
    return "event later than its own arrival" if late else ""


def split(expected: Expected, rows: list[tuple[Row, Row, float]], contract: Contract) -> None:
    """The newest share of the rows, and all that came at the instant of its oldest, are holdout.

    Of the older ones those train whose label had arrived before that instant.
    """
    newest_first = sorted((arrived(event) for event, _, _ in rows), reverse=True)
    size = -(-len(rows) * round(contract.train.holdout * 100) // 100)
    if not size:
        return
    cut = newest_first[size - 1]
    older = [row for row in rows if arrived(row[0]) < cut]
    taught = [row for row in older if arrived(row[1]) < cut]
    expected.left_out["label arrived after the cut"] += len(older) - len(taught)
    expected.fitted = fitted(contract, [event for event, _, _ in taught])
    expected.begins = begins(sorted(arrived(event) for event, _, _ in taught), contract.train.validation)
    for event, answer, weight in rows:
        row = (*features(contract, event, expected.fitted), label(contract, answer))
        if arrived(event) >= cut:
            expected.holdout.append(row)
            expected.arrivals.append(arrived(event))
            expected.entities.append(str(event[contract.events.entity]))
        elif arrived(answer) < cut:
            expected.train.append(row)
            expected.weights.append(weight)
            expected.slices.append(in_slice(event, answer, expected.begins))


def begins(arrivals: list[Micros], count: int) -> tuple[Micros, ...]:
    """Two fifths of the training rows, the newest, in `count` slices of equally many, ties never parted."""
    size = len(arrivals) * 2 // 5 // count
    newest = arrivals[len(arrivals) - size * count :]
    return tuple(sorted(set(newest[::size]))) if size else ()


def in_slice(event: Row, answer: Row, begins: tuple[Micros, ...]) -> float:
    """From 1 on; 0 before all of them, -1 there where the label was not known when the first began."""
    number = sum(since <= arrived(event) for since in begins)
    return -1.0 if begins and not number and arrived(answer) >= begins[0] else float(number)


def fitted(contract: Contract, taught: Sequence[Row]) -> Fitted:
    """The two most frequent carriers of the training rows, ties by text."""
    counts = Counter(str(e["carrier"]) for e in taught if e["carrier"] is not None)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    most = next(f.max_levels for f in contract.events.fields if f.name == "carrier")
    return Fitted({"carrier": tuple(sorted(ranked[:most]))})


def features(contract: Contract, event: Row, known: Fitted) -> tuple[object, ...]:
    """As handed to the model: category a string, everything else a double."""
    decoded = {f.name: event[f.name] for f in contract.events.fields}
    values = row_function(contract, known)(decoded)  # type: ignore[arg-type]  # rows of a test hold any object
    return tuple(float(v) if isinstance(v, int | float) else v for v in values)


def label(contract: Contract, answer: Row) -> str:
    return "1" if answer[contract.labels.target] else "0"


def same_entity(contract: Contract, answer: Row, event: Row) -> bool:
    return answer[contract.labels.entity] == event[contract.events.entity]


def body(contract: Contract, event: Row) -> list[object]:
    return [event[f.name] for f in contract.events.fields]


def arrived(row: Row) -> Micros:
    return int(str(row["arrived_at"]))


def place(row: Row) -> tuple[int, int]:
    return int(str(row["partition"])), int(str(row["offset"]))
