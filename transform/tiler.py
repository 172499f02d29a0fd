"""The tiles of one pipeline: its lake followed, closed tiles put on the topic, figures of both.

One `Following` a layout, each with a state of its own (transform/tiles.py) that is made anew from the lake
wherever it is lost: at a start, and where rows were forgotten. Raises BadArtifact where the lake does not
read, Unavailable where the topic takes nothing; a next turn goes on from what had been acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hotpath.clock import SECOND, Clock, Micros
from hotpath.contract.aggregates import Layout
from hotpath.contract.model import Contract
from hotpath.contract.parts import Source
from hotpath.errors import HotpathError
from hotpath.lake import Lake
from hotpath.manifests import RETIRED, Name
from hotpath.points import Points
from hotpath.tile_rows import tiles
from hotpath.tiles import Tiles
from hotpath.tiles import packed as encoded
from transform.standing import Shelf, Stood
from transform.tiles import (
    Delivered,
    Due,
    Event,
    Landed,
    Marked,
    Rebuilt,
    State,
    begun,
    due,
    packed,
    resumed,
    step,
)

MOST_BATCHES = 20
"""That a layout takes in at once: a long lake must not keep the others waiting."""


@dataclass(frozen=True)
class Seen:
    """A mark of `at` was seen, and then the cloud's topics ended there: by topic and partition."""

    at: Micros
    ends: Mapping[tuple[str, int], int]

    def of(self, topic: str) -> Marked:
        """What it says of one topic."""
        return Marked(self.at, {p: end for (name, p), end in self.ends.items() if name == topic})


@dataclass
class Figures:
    """Of a layout since the last point. `margin` (µs): the least that was left of the delay."""

    keys: int = 0
    closed: int = 0
    late: int = 0
    records: int = 0
    bytes: int = 0
    margin: Micros | None = None

    def least(self, margin: Micros) -> None:
        """Keep the least margin."""
        self.margin = margin if self.margin is None else min(self.margin, margin)


class Following:
    """One layout. `source`: what its records are made of, by the newest contract that has the layout."""

    def __init__(self, lake: Lake, layout: Layout, source: Source, stood: Stood) -> None:
        self.layout, self.source, self.figures = layout, source, Figures()
        self.state: State | None = None
        self._lake, self._stood = lake, stood
        self._mark: Micros | None = None

    def stood(self) -> Stood:
        """What stands on the topic of it."""
        if self.state is None or self.state.told is None:
            return self._stood
        own = Tiles(self.state.told, self.state.batch)
        return Stood(set(self.state.there), encoded(own, self.layout))

    def turn(self, seen: Seen | None, renewed: bool, shelf: Shelf, clock: Clock) -> bool:
        """Take in what is new, publish what is due; whether there is more to take in at once."""
        state = self._begun(seen) if self.state is None else self.state
        if state is None:  # never published, and no mark seen yet
            return False
        self.state = self._rebuilt(state, state.batch) if renewed and self.state is not None else state
        behind = self._follow()
        if seen is not None:
            self._mark = seen.at
            self._step(seen.of(self.layout.topic))
        if not behind and self._settled() and (wanted := due(self.state)) is not None:
            self._publish(wanted, shelf, clock)
        self._live(clock.now())
        return behind

    def said(self) -> dict[str, float | None]:
        """The fields of a point, and none of them twice."""
        figures, self.figures = self.figures, Figures()
        told = None if self.state is None else self.state.told
        delay = self.layout.aggregate.delay
        margin = figures.margin
        return {
            "keys": figures.keys,
            "closed": figures.closed,
            "late": figures.late,
            "records": figures.records,
            "bytes": figures.bytes,
            "behind_s": None if told is None or self._mark is None else (self._mark - told) / SECOND,
            "margin_s": None if margin is None else margin / SECOND,
            "margin": None if margin is None else margin / delay,
        }

    def _begun(self, seen: Seen | None) -> State | None:
        """As the topic has it, and the lake up to where the topic was made of it, or all of it."""
        told = self._stood.told(self.layout)
        if told is not None:
            return self._rebuilt(resumed(self.layout, told.through, self._stood.keys), told.batch)
        return None if seen is None else self._rebuilt(begun(self.layout, seen.at, self._stood.keys), None)

    def _rebuilt(self, state: State, batch: int | None) -> State:
        listed = self._lake.manifests() if batch is None else self._lake.upto(batch)
        if not listed:
            return state
        table = tiles(
            self._lake, listed, self.layout, self.source, since=state.first * self.layout.aggregate.tile
        )
        newest = listed[-1]
        return step(state, Rebuilt(table, newest.batch, newest.end.get(self.layout.topic, {})))

    def _follow(self) -> bool:
        assert self.state is not None
        listed = self._lake.since(self.state.batch + 1, MOST_BATCHES)
        for manifest in listed:
            before = self.state
            since = before.first * self.layout.aggregate.tile
            table = tiles(self._lake, [manifest], self.layout, self.source, since=since)
            self._step(Landed(table, manifest.batch, manifest.end.get(self.layout.topic, {})))
            self.figures.late += self.state.late_records - before.late_records
            self.figures.records += self.state.records - before.records
        return len(listed) == MOST_BATCHES

    def _settled(self) -> bool:
        """Whether what is told is no older than what a telling that was cut short has left on the topic: a
        scorer refuses a key that goes back.
        """
        assert self.state is not None
        return self._mark is not None and not (self.state.anew and self.state.waiting)

    def _publish(self, wanted: Due, shelf: Shelf, clock: Clock) -> None:
        assert self.state is not None
        before, sent = self.state.told, shelf.sent
        own = Tiles(wanted.through, wanted.batch)
        shelf.put(self.layout, packed(self.state, wanted), wanted.gone, own)
        self._step(Delivered(wanted))
        self.figures.keys += len(wanted.keys)
        self.figures.closed += wanted.closed
        self.figures.bytes += shelf.sent - sent
        if wanted.closed and before is not None:
            self._left(before, clock.now())

    def _live(self, now: Micros) -> None:
        """What is left of the delay of the tile that is the next to close."""
        if self.state is not None and self.state.told is not None:
            self._left(self.state.told, now)

    def _left(self, told: Micros, now: Micros) -> None:
        aggregate = self.layout.aggregate
        self.figures.least(aggregate.delay - max(0, now - (told + aggregate.tile)))

    def _step(self, event: Event) -> None:
        assert self.state is not None
        self.state = step(self.state, event)


class Tiler:
    """One pipeline's layouts, of every contract whose models may be live."""

    def __init__(self, lake: Lake, shelf: Shelf, clock: Clock, points: Points) -> None:
        self._lake, self._shelf, self._clock, self._points = lake, shelf, clock, points
        self._following: dict[str, Following] = {}
        self._revisions: set[Name] | None = None
        """Those that what is known of tiles rests on."""

    def follow(self, contracts: Sequence[Contract], stood: dict[str, Stood]) -> None:
        """From the next turn on the layouts of these, the newest contract first; the others are cleared.

        `stood`: what stands on the topic of layouts that nobody follows; those that are from now on leave it.
        """
        wanted: dict[str, Layout] = {}
        for layout in (layout for contract in contracts for layout in contract.layouts):
            wanted[layout.id] = _for_both(wanted.get(layout.id, layout), layout)
        for name in self._following.keys() - wanted.keys():
            self._shelf.clear(name, self._following[name].stood().keys)
            del self._following[name]
        for name, layout in wanted.items():
            owners = [contract for contract in contracts if name in {own.id for own in contract.layouts}]
            source = owners[0].source(layout.aggregate.over)
            known = self._following.get(name)
            if known is None or (known.layout, known.source) != (layout, source):
                there = stood.pop(name, Stood()) if known is None else known.stood()
                self._following[name] = Following(self._lake, layout, source, there)

    def turn(self, seen: Seen | None) -> bool:
        """Everything new of every layout; whether there is more to take in at once.

        Trouble with one hinders no other. Raises HotpathError or OSError, the first there was.
        """
        known = self._revisions
        # A long lake is not listed at every turn: marks come once a second.
        revisions = known if known is not None and seen is None else self._revised()
        self._revisions = revisions if known is None else known
        renewed = any(not self._retired(name) for name in revisions - self._revisions)
        troubles: list[HotpathError | OSError] = []
        behind = False
        for each in self._following.values():
            try:
                behind |= each.turn(seen, renewed, self._shelf, self._clock)
            except (HotpathError, OSError) as error:
                troubles.append(error)
        if troubles:
            raise troubles[0]
        self._revisions = revisions
        return behind

    def tell(self) -> None:
        """A point of each layout."""
        for each in self._following.values():
            self._points.say("tiles", each.said(), {"aggregate": each.layout.aggregate.name})

    def told(self) -> dict[str, int]:
        """Through which instant each layout is told, by its id."""
        states = {name: each.state for name, each in self._following.items()}
        return {name: s.told for name, s in states.items() if s is not None and s.told is not None}

    def _revised(self) -> set[Name]:
        return {name for name in self._lake.names() if name.revision}

    def _retired(self, name: Name) -> bool:
        """Whether a revision only lets go of what is past its time; any other takes rows from batches that
        were read, which no sum of tiles can follow.
        """
        try:
            return self._lake.read_manifest(name).counts.get(RETIRED, 0) > 0
        except FileNotFoundError:  # a newer one is there by now
            return False


def _for_both(one: Layout, other: Layout) -> Layout:
    """A layout that serves the models of two contracts, which may differ in delay and grace alone: told as
    early, and kept for as long, as either of them needs.
    """
    a, b = one.aggregate, other.aggregate
    return replace(one, aggregate=replace(a, delay=max(a.delay, b.delay), grace=min(a.grace, b.grace)))
