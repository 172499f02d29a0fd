"""How old things are when they get where they are used, in real seconds: events and labels, a model.

Of a batch: from the on-prem broker's stamp to the landing, imported history left out. Of a model: from the
newest event that it could know (its window's end) to its going live. Domain instants pass through the
timeline, so that a replay does not stretch them. Keeps no memory: old freshness is no news, it begins at the
lake's newest batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from hotpath.clock import SECOND, Clock, Micros, Timeline
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.handoffs import Receipt
from hotpath.lake import Dataset, Lake, Manifest
from hotpath.points import Points

DATASETS: tuple[Literal["events", "labels"], ...] = ("events", "labels")
QUANTILES: Mapping[str, float] = {"p50_s": 0.5, "p95_s": 0.95}


class Bundles(Protocol):
    """As much of the bundle store as is read here."""

    def facts(self, bundle: str) -> Mapping[str, object]:
        """What the trainer recorded of a kept bundle. Raises BadArtifact."""


class FreshnessWatch:
    """One pipeline's freshness; `cursor` is the next batch it wants."""

    def __init__(self, lake: Lake, contract: Contract, points: Points, clock: Clock, store: Bundles) -> None:
        self._lake, self._points, self._clock, self._store = lake, points, clock, store
        self._pipeline, self._began = contract.name, clock.now()
        self._told: set[tuple[str, int]] = set()
        newest = lake.newest()
        self.cursor = 0 if newest is None else newest + 1

    def take(self, manifest: Manifest) -> None:
        """A batch was landed. Raises BadArtifact on a file of it that does not read."""
        if manifest.batch < self.cursor:
            return
        timeline = self._clock.timeline()
        # What is in a range landed long ago, each batch at another time.
        for dataset in DATASETS if manifest.alone else ():
            arrived = _arrived(self._lake, dataset, manifest)
            self._say(dataset, delays(arrived, manifest.landed_at, timeline))
        self.cursor = manifest.batch + 1

    def receipt(self, receipt: Receipt) -> None:
        """A scorer did something; where a model went live, its freshness is said."""
        if receipt.kind != "live" or receipt.pipeline != self._pipeline or receipt.at < self._began:
            return
        if (told := (receipt.scorer, receipt.sequence)) in self._told:  # the topic is read anew
            return
        try:
            known = known_until(self._store.facts(receipt.bundle), receipt.bundle)
        except BadArtifact:  # a bundle of another store: how old it was is not known
            return
        self._told.add(told)
        timeline = self._clock.timeline()
        seconds = (timeline.real(receipt.at) - timeline.real(known)) / SECOND
        self._say("model", dict.fromkeys(QUANTILES, seconds))

    def tick(self) -> None:
        """Nothing comes of time alone."""

    def _say(self, of: str, fields: Mapping[str, float]) -> None:
        self._points.say("freshness", fields, {"of": of, "pipeline": self._pipeline})


def delays(arrived: Sequence[Micros] | pa.Array, landed_at: Micros, timeline: Timeline) -> dict[str, float]:
    """Real seconds from arrival to `landed_at`, by quantile; empty where nothing arrived.

    The timeline only ever goes forward, so that the delay's quantile is the arrival's, counted from the other
    end: two instants are mapped, however many rows there are.
    """
    if not len(arrived):
        return {}
    shares = [1 - share for share in QUANTILES.values()]
    instants = pc.quantile(pa.array(arrived, pa.int64()), shares, interpolation="lower").to_pylist()
    landed = timeline.real(landed_at)
    return {
        name: (landed - timeline.real(instant)) / SECOND
        for name, instant in zip(QUANTILES, instants, strict=True)
    }


def known_until(facts: Mapping[str, object], bundle: str) -> Micros:
    """The end of the window that a bundle's model was trained on. Raises BadArtifact where it is not said."""
    match facts.get("window"):
        case {"to": int(end)}:
            return end
    raise BadArtifact(f"bundle {bundle}'s window", facts.get("window"), "an object with its end, `to`")


def _arrived(lake: Lake, dataset: Dataset, manifest: Manifest) -> pa.Array:
    """Arrivals (µs) of one dataset's live rows. Raises BadArtifact."""
    whole = lake.read(dataset, ("arrived_at", "imported"), [manifest])
    if not len(whole):
        return pa.array([], pa.int64())
    return whole.filter(pc.invert(whole["imported"]))["arrived_at"].cast(pa.int64()).combine_chunks()
