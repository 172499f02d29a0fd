"""Logged answers computed again from the lake as of their time (law 2): what agrees, and what does not.

An answer names its bundle, its instant and, of each aggregate, the newest batch of the tiles it had read. Its
row is made anew from the request as it came and from the lake's records; the contract and the levels are its
bundle's. A feature is excused whose aggregate the answer itself said was late or could not be had, or some of
whose records were erased since. What differs is `late` (`degraded` without tiles) where only such features
do, or where the lake of the batches that it had read gives what it answered: a record landed after the tile
was published. Anything else is `differing`.

Owns how an answer is judged; who looks, how often and at how many belongs to its callers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pyarrow as pa

from hotpath.as_of import as_of
from hotpath.bundle_store import BundleStore
from hotpath.clock import Micros
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.request import request_decoder
from hotpath.contract.row import row_function
from hotpath.contract.types import Value
from hotpath.contract.used import readings_used
from hotpath.errors import BadArtifact, BadInput
from hotpath.handoffs import AGGREGATES, LATE
from hotpath.lake import Lake, Manifest
from hotpath.tiles import Reader

Verdict = Literal["equal", "late", "degraded", "differing"]
Row = dict[str, Value]
Find = Callable[[Sequence[tuple[Micros, tuple[str | None, ...]]], int | None], Sequence[Row]]
"""Instants and keys in, readings by name out; from the batches up to the one that is named, or from all."""
COLUMNS = ("prediction_id", "bundle", "asked_at", "request", "features", "degraded")
OPTIONAL = ("tiles",)
"""What a score record of before tiles lacks."""


@dataclass(frozen=True)
class Logged:
    """An answer as it was logged. `batches`: by aggregate the newest batch whose rows it had read."""

    prediction_id: str
    bundle: str
    asked_at: Micros
    request: Mapping[str, object]
    features: tuple[Value, ...]
    degraded: tuple[str, ...]
    batches: Mapping[str, int]


@dataclass(frozen=True)
class Differs:
    """One value that the lake does not give."""

    prediction_id: str
    feature: str
    answered: Value
    recomputed: Value


@dataclass(frozen=True)
class Judged:
    """What came of one answer; `differs` says why it is not equal."""

    prediction_id: str
    verdict: Verdict
    differs: tuple[Differs, ...] = ()


@dataclass(frozen=True)
class Model:
    """As much of a bundle as makes a row of its features."""

    contract: Contract
    fitted: Fitted


def logged(lake: Lake, manifests: Sequence[Manifest]) -> list[Logged]:
    """The answers that these batches landed. Raises BadArtifact on a file that does not read."""
    table = lake.read("scores", COLUMNS, manifests, OPTIONAL)
    if not len(table):
        return []
    instants = table["asked_at"].cast(pa.int64())
    rows = table.set_column(table.column_names.index("asked_at"), "asked_at", instants).to_pylist()
    return [found for row in rows if (found := _logged(row)) is not None]


def models(store: BundleStore, bundles: Iterable[str]) -> dict[str, Model]:
    """Those of the bundles that the store keeps and that read."""
    found = {}
    for bundle in set(bundles):
        try:
            files = store.bundle(bundle).files
            contract = Contract.from_json(files["contract.json"])
            found[bundle] = Model(contract, Fitted.from_bytes(files["fitted.json"]))
        except BadArtifact:
            continue  # purged, or not this deployment's: nobody can say what its answers should have been
    return found


def judged(answers: Sequence[Logged], model: Model, lake: Lake) -> list[Judged]:
    """The verdict on each answer of one bundle. Raises BadArtifact where the lake does not read."""
    contract = model.contract
    return judge(
        answers,
        model,
        lambda asked, upto: as_of(lake, contract, asked, upto),
        lambda: erased(lake, contract, min(one.asked_at for one in answers)),
    )


def erased(lake: Lake, contract: Contract, asked: Micros) -> frozenset[str]:
    """The aggregates of which a row asked then may have read records that were forgotten since."""
    manifests = lake.manifests()
    return frozenset(
        a.name
        for a in contract.aggregates
        for m in manifests
        if m.counts.get(f"forgotten.{a.over}") and m.landed_at >= asked - a.delay - a.horizon - a.tile
    )


def judge(
    answers: Sequence[Logged],
    model: Model,
    find: Find,
    erased: Callable[[], frozenset[str]] = frozenset,
) -> list[Judged]:
    """The verdicts, the lake's part handed in; `erased` names aggregates, asked where a value differs."""
    again = _Again(model, find)
    rows = [again.values(one) for one in answers]
    made = again.made(answers, rows, None)
    gone = erased() if any(made) else frozenset[str]()
    doubted = [
        (place, _Doubted(one, row, again.excused(one) | gone))
        for place, (one, row, differs) in enumerate(zip(answers, rows, made, strict=True))
        if again.beyond(differs, again.excused(one) | gone)
    ]
    agreed = again.then([of for _, of in doubted])
    wrong = {place for (place, _), well in zip(doubted, agreed, strict=True) if not well}
    return [
        _verdict(one, differs, place in wrong)
        for place, (one, differs) in enumerate(zip(answers, made, strict=True))
    ]


def sampled(answers: Iterable[Logged], most: int) -> list[Logged]:
    """At most so many of them; their ids are random, so the first by id are a sample."""
    return sorted(answers, key=lambda one: one.prediction_id)[:most]


def recomputed(answers: Sequence[Logged], lake: Lake, store: BundleStore) -> list[Judged]:
    """The verdicts; none of answers whose bundle the store does not keep. Raises BadArtifact."""
    known = models(store, (one.bundle for one in answers))
    return [
        verdict
        for bundle, model in known.items()
        for verdict in judged([one for one in answers if one.bundle == bundle], model, lake)
    ]


def tally(found: Iterable[Judged]) -> Counter[str]:
    """How many answers came to what."""
    return Counter(one.verdict for one in found)


@dataclass(frozen=True)
class _Doubted:
    """An answer with a value that is not excused by these aggregates."""

    one: Logged
    row: Row | None
    excused: frozenset[str]


class _Again:
    """Rows of one bundle's contract, computed again."""

    def __init__(self, model: Model, find: Find) -> None:
        self._contract, self._find = model.contract, find
        self._decode = request_decoder(model.contract)
        self._features = row_function(model.contract, model.fitted)
        self._reader = Reader.of(model.contract)
        self._aggregates = frozenset(a.name for a in model.contract.aggregates)
        self._reads = {
            f.name: frozenset(r.aggregate for r in readings_used([f])) for f in model.contract.features
        }

    def values(self, one: Logged) -> Row | None:
        """The event's fields; None where this contract refuses the request."""
        time = self._contract.events.time
        try:
            values = self._decode(one.request)
        except BadInput:
            return None
        return {**values, time: one.asked_at} if values.get(time) is None else values

    def made(
        self, answers: Sequence[Logged], rows: Sequence[Row | None], upto: int | None
    ) -> list[tuple[Differs, ...]]:
        """What differs of each answer, its readings from the batches up to `upto`."""
        known = [(one, row) for one, row in zip(answers, rows, strict=True) if row is not None]
        readings = self._find([(one.asked_at, self._reader.keys(row)) for one, row in known], upto)
        found = {
            one.prediction_id: self._differs(one, {**row, **read})
            for (one, row), read in zip(known, readings, strict=True)
        }
        refused = "the request", "answered", "refused by the bundle's contract"
        return [found.get(one.prediction_id, (Differs(one.prediction_id, *refused),)) for one in answers]

    def excused(self, one: Logged) -> frozenset[str]:
        """The aggregates that the answer itself said were late or could not be had."""
        late = {flag.removeprefix(LATE) for flag in one.degraded if flag.startswith(LATE)}
        absent = self._aggregates - one.batches.keys() if AGGREGATES in one.degraded else frozenset[str]()
        return absent | late

    def beyond(self, differs: Iterable[Differs], excused: frozenset[str]) -> bool:
        """Whether a feature differs that reads none of these aggregates."""
        return any(not self._reads.get(one.feature, frozenset()) & excused for one in differs)

    def then(self, doubted: Sequence[_Doubted]) -> list[bool]:
        """Whether the lake of the batches that each had read gives what it answered; each batch read once."""
        known = [
            (of, self._unread(keys, of.excused), keys)
            for of in doubted
            if of.row is not None and (keys := self._reader.keys(of.row))
        ]
        for batch in {newest for of, _, _ in known for newest in of.one.batches.values()}:
            those = [each for each in known if batch in each[0].one.batches.values()]
            found = self._find([(of.one.asked_at, keys) for of, _, keys in those], batch)
            for (of, readings, _), read in zip(those, found, strict=True):
                names = {name for name, newest in of.one.batches.items() if newest == batch}
                readings |= {n: value for n, value in read.items() if n.partition(".")[0] in names}
        agreed = {id(of) for of, readings, _ in known if self._agrees(of, readings)}
        return [id(of) in agreed for of in doubted]

    def _unread(self, keys: Sequence[str | None], excused: frozenset[str]) -> Row:
        """Null where the row has no key, of which nothing was read, and of what is excused."""
        layouts = zip(self._reader.layouts, keys, strict=True)
        null = excused | {layout.aggregate.name for layout, key in layouts if key is None}
        return {r.name: None for r in self._contract.readings if r.aggregate in null}

    def _agrees(self, of: _Doubted, readings: Row) -> bool:
        missing = {r.name for r in self._contract.readings} - readings.keys()
        return not missing and not self.beyond(self._differs(of.one, {**of.row, **readings}), of.excused)  # type: ignore[dict-item]

    def _differs(self, one: Logged, row: Row) -> tuple[Differs, ...]:
        made = self._features(row)
        names = [feature.name for feature in self._contract.features]
        if len(one.features) != len(names):
            return (Differs(one.prediction_id, "features", len(one.features), len(names)),)
        return tuple(
            Differs(one.prediction_id, name, answered, ours)
            for name, answered, ours in zip(names, one.features, made, strict=True)
            if answered != ours
        )


def _verdict(one: Logged, differs: tuple[Differs, ...], wrong: bool) -> Judged:
    if not differs:
        return Judged(one.prediction_id, "equal")
    if wrong:
        return Judged(one.prediction_id, "differing", differs)
    return Judged(one.prediction_id, "degraded" if AGGREGATES in one.degraded else "late", differs)


def _logged(row: Mapping[str, Any]) -> Logged | None:
    """None where the texts of a record are not what a scorer writes: anyone can write to the topic."""
    try:
        request, features, degraded = (orjson.loads(row[n]) for n in ("request", "features", "degraded"))
        tiles = orjson.loads(row["tiles"]) if row["tiles"] else {}
        batches = {name: int(read[1]) for name, read in tiles.items() if read is not None}
        said = tuple(features), tuple(map(str, degraded)), batches
        ids = str(row["prediction_id"]), str(row["bundle"]), int(row["asked_at"])
        return Logged(*ids, dict(request), *said)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
