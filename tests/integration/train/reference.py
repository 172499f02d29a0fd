"""The training window by brute force: what train/window.py must give, read off the design's sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hotpath.clock import Micros
from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.row import row_function
from tests.integration.train.lakes import Row
from train.clocks import Clocks


@dataclass
class Expected:
    """Rows as the files hold them: features, then the label as "0" or "1"."""

    train: list[tuple[object, ...]] = field(default_factory=list)
    holdout: list[tuple[object, ...]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    fitted: Fitted = NOTHING
    disagreeing: set[str] = field(default_factory=set)


def window(
    contract: Contract, events: Sequence[Row], labels: Sequence[Row], now: Micros, clocks: Clocks
) -> Expected:
    """Every event looked at by itself, against all events and all labels."""
    expected = Expected()
    inside = [e for e in events if now - contract.train.window < arrived(e) <= now]
    rows: list[tuple[Row, Row]] = []
    for event in sorted(inside, key=place):
        answers = [x for x in labels if same_entity(contract, x, event) and arrived(x) <= now]
        if len({x[contract.labels.target] for x in answers}) > 1:
            expected.disagreeing.add(str(event[contract.events.entity]))
        newest = max(answers, key=lambda x: (arrived(x), place(x)), default=None)
        reason = left_out(contract, event, inside, newest, clocks)
        if reason or newest is None:
            expected.left_out[reason] += 1
        else:
            rows.append((event, newest))
    split(expected, rows, contract)
    return expected


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


def split(expected: Expected, rows: list[tuple[Row, Row]], contract: Contract) -> None:
    """The newest share of the rows, and all that came at the instant of its oldest, are holdout.

    Of the older ones those train whose label had arrived before that instant.
    """
    newest_first = sorted((arrived(event) for event, _ in rows), reverse=True)
    size = -(-len(rows) * round(contract.train.holdout * 100) // 100)
    if not size:
        return
    cut = newest_first[size - 1]
    older = [(event, answer) for event, answer in rows if arrived(event) < cut]
    taught = [(event, answer) for event, answer in older if arrived(answer) < cut]
    expected.left_out["label arrived after the cut"] += len(older) - len(taught)
    expected.fitted = fitted(contract, [event for event, _ in taught])
    for event, answer in rows:
        row = (*features(contract, event, expected.fitted), label(contract, answer))
        if arrived(event) >= cut:
            expected.holdout.append(row)
        elif arrived(answer) < cut:
            expected.train.append(row)


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
