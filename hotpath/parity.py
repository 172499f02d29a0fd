"""Logged answers computed again from the lake as of their time (law 2): what agrees, and what does not.

An answer names its bundle, its instant and, of each aggregate, the newest batch of the tiles it had read. Its
row is made anew from the request as it came and from the lake's records; the contract and the levels are its
bundle's. What differs is `late` where the answer said so itself, or where the lake of the batches that it had
read gives what it answered: a record landed after the tile was published. Anything else is `differing`.

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
from hotpath.errors import BadArtifact, BadInput
from hotpath.lake import Lake, Manifest
from hotpath.tiles import Reader

Verdict = Literal["equal", "late", "degraded", "differing"]
Row = dict[str, Value]
Find = Callable[[Sequence[tuple[Micros, tuple[str | None, ...]]], int | None], Sequence[Row]]
"""Instants and keys in, readings by name out; from the batches up to the one that is named, or from all."""
NO_TILES, LATE = "aggregates", "late:"
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
    return judge(answers, model, lambda asked, upto: as_of(lake, model.contract, asked, upto))


def judge(answers: Sequence[Logged], model: Model, find: Find) -> list[Judged]:
    """The verdicts, the lake's part handed in."""
    again = _Again(model, find)
    rows = [again.values(one) for one in answers]
    made = again.made(answers, rows, None)
    return [
        _verdict(one, differs, lambda one=one, row=row: again.then(one, row))  # type: ignore[misc]
        for one, row, differs in zip(answers, rows, made, strict=True)
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


class _Again:
    """Rows of one bundle's contract, computed again."""

    def __init__(self, model: Model, find: Find) -> None:
        self._contract, self._find = model.contract, find
        self._decode = request_decoder(model.contract)
        self._features = row_function(model.contract, model.fitted)
        self._reader = Reader.of(model.contract)

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

    def then(self, one: Logged, row: Row | None) -> bool:
        """Whether the lake of the batches that the answer had read gives what it answered."""
        if row is None or not one.batches:
            return False
        keys = self._reader.keys(row)
        # Of an aggregate for which the row has no key nothing was read, and all is null.
        keyless = {
            of.aggregate.name for of, key in zip(self._reader.layouts, keys, strict=True) if key is None
        }
        readings: Row = {r.name: None for r in self._contract.readings if r.aggregate in keyless}
        for batch in set(one.batches.values()):
            (read,) = self._find([(one.asked_at, keys)], batch)
            of = {name for name, newest in one.batches.items() if newest == batch}
            readings |= {name: value for name, value in read.items() if name.partition(".")[0] in of}
        missing = {r.name for r in self._contract.readings} - readings.keys()
        return not missing and not self._differs(one, {**row, **readings})

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


def _verdict(one: Logged, differs: tuple[Differs, ...], then: Callable[[], bool]) -> Judged:
    if not differs:
        return Judged(one.prediction_id, "equal")
    if NO_TILES in one.degraded:
        return Judged(one.prediction_id, "degraded", differs)
    late = any(flag.startswith(LATE) for flag in one.degraded) or then()
    return Judged(one.prediction_id, "late" if late else "differing", differs)


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
