"""The tiles that a request's rows read: from copies in this process, else Redis in one trip, else defaults.

Owns which copies are good, which values are, and what an answer says of them; the store is handed in. A copy
is good while it is younger than `copy_s` (real) and covers what the row must read, so a repeated key costs no
trip. A trip asks for the layouts' own records first and for the keys after them, each once: a key that has no
value has no tiles only where its layout's record stands, and what was read covers that record's `through` at
least. Without good values a row gets the contract's defaults, and its answer says so.

Read by one thread; another `tend`s the connection. While the breaker is open no request reaches for Redis.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hotpath.clock import Micros
from hotpath.contract.aggregates import key_text
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import AGGREGATES, LATE
from hotpath.readings import Merged, Reads, Windows
from serve.breaker import CONNECTING
from serve.stages import Sums

PREFIX = b"hotpath:tiles:"
"""Of every key in Redis; what follows is the record's key on `hotpath.tiles`."""
MOST_COPIES = 20_000
REMEMBERED_S = 60.0
"""So long (real) a value that is older than the one before it is refused; then it may be a new beginning."""


class Store(Protocol):
    """Values by key, in one round trip."""

    def connect(self) -> None:
        """Reach for it anew, and prove that it answers in time. Raises Unavailable."""

    def got(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values in the order of the keys: None where there is none, b"" where it is of another type.

        Raises Unavailable where not all came in time; then only `connect` helps.
        """


@dataclass(frozen=True, slots=True)
class Held:
    """What a row reads. `tiles` and `degraded` as `handoffs.Score` has them."""

    readings: Mapping[str, Value]
    tiles: Mapping[str, object]
    degraded: tuple[str, ...] = ()


NOTHING = Held({}, {})


def without(reads: Reads) -> Held:
    """What a row reads where no tiles can be had: the defaults, and that it is so."""
    if not reads.windows:
        return NOTHING
    readings = dict(zip(reads.names, reads.defaults, strict=True))
    return Held(readings, dict.fromkeys(w.name for w in reads.windows), (AGGREGATES,))


@dataclass(slots=True)
class Copy:
    """A value as it was got at `at` (real), with what its head says of it.

    It `covers` tiles up to there, of rows up to batch `upto`: a layout's own record says more than its keys'.
    `merged`: its windows for the last row's `end`, which is the same for all rows of a tile's length.
    `values`: its readings, where none of them rests on the row's own instant.
    """

    raw: bytes
    count: int
    through: Micros
    batch: int
    covers: Micros
    upto: int
    at: float
    end: int = -1
    of: Windows | None = None
    merged: Merged = ()
    values: Sequence[Value] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """What the rows of one request share of a layout: tiles below `end` are read, so `must` be covered."""

    w: Windows
    end: int
    must: Micros


class State:
    """`elapsed`: real seconds; `copy_s`: how old a copy may be; `most` copies are kept, the newest."""

    def __init__(
        self, store: Store, elapsed: Callable[[], float], copy_s: float, most: int = MOST_COPIES
    ) -> None:
        self.breaker = CONNECTING
        self._store, self._elapsed, self._copy_s, self._most = store, elapsed, copy_s, most
        self._copies: OrderedDict[str, Copy] = OrderedDict()
        self._own: dict[str, Copy] = {}

    def tend(self) -> None:
        """Where the breaker is open and a probe is due: connect. For a thread that may wait."""
        if not self.breaker.due(self._elapsed()):
            return
        try:
            self._store.connect()
        except Unavailable:
            self.breaker = self.breaker.failed(self._elapsed())
        else:
            self.breaker = self.breaker.closed()

    def read(self, reads: Reads, rows: Sequence[Mapping[str, Value]], at: Micros, sums: Sums) -> list[Held]:
        """What each of the rows, all asked at `at`, reads. Raises nothing."""
        began = self._elapsed()
        layouts = [Now(w, end := (at - w.delay) // w.tile, end * w.tile) for w in reads.windows]
        named = [[_name(now.w, row) for now in layouts] for row in rows]
        found, wanted = self._copied(layouts, named, began - self._copy_s)
        sums.copied += len(found)
        if wanted and (values := self._trip(layouts, wanted, began, sums)) is not None:
            self._take(layouts, wanted, values, at, began, found)
        held = [_held(reads.names, layouts, names, found, at, sums) for names in named]
        sums.state_s += self._elapsed() - began
        return held

    def _copied(
        self, layouts: Sequence[Now], named: Sequence[Sequence[str | None]], youngest: float
    ) -> tuple[dict[str, Copy], dict[int, list[str]]]:
        """The copies that are good, and by layout the names, each once, of those that are not."""
        found: dict[str, Copy] = {}
        wanted: dict[int, list[str]] = {}
        copies = self._copies
        for names in named:
            for place, name in enumerate(names):
                if name is None or name in found:
                    continue
                copy = copies.get(name)
                if copy is not None and copy.at > youngest and copy.covers >= layouts[place].must:
                    found[name] = copy
                elif place not in wanted:
                    wanted[place] = [name]
                elif len(named) == 1 or name not in wanted[place]:
                    wanted[place].append(name)
        return found, wanted

    def _trip(
        self, layouts: Sequence[Now], wanted: Mapping[int, Sequence[str]], now: float, sums: Sums
    ) -> list[bytes | None] | None:
        """The layouts' own records, then the keys; None where there is none to ask, or no answer in time."""
        if self.breaker.until is not None:
            return None
        keys = [PREFIX + layouts[place].w.id.encode() for place in wanted]
        keys += [PREFIX + name.encode() for names in wanted.values() for name in names]
        sums.trips += 1
        try:
            values = self._store.got(keys)
        except Unavailable:
            sums.failed_trips += 1
            self.breaker = self.breaker.failed(now)
            return None
        self.breaker = self.breaker.succeeded()
        return values

    def _take(
        self,
        layouts: Sequence[Now],
        wanted: Mapping[int, Sequence[str]],
        values: Sequence[bytes | None],
        at: Micros,
        now: float,
        found: dict[str, Copy],
    ) -> None:
        """What came and is good becomes a copy."""
        place, copies = len(wanted), self._copies
        for (layout, names), raw in zip(wanted.items(), values, strict=False):
            w = layouts[layout].w
            if (own := self._layouts_own(w, raw, at, now)) is not None:
                for name, value in zip(names, values[place:], strict=False):
                    if (copy := _copy(w, value, copies.get(name), own, at, now)) is not None:
                        found[name] = copies[name] = copy
                        copies.move_to_end(name)
            place += len(names)
        while len(copies) > self._most:
            copies.popitem(last=False)

    def _layouts_own(self, w: Windows, raw: bytes | None, at: Micros, now: float) -> Copy | None:
        """What the layout's own record says; None where there is none that is good."""
        if raw is None:
            return None
        before = self._own.get(w.id)
        if before is not None and before.raw == raw:  # as it mostly is: nothing new to judge
            before.at = now
            return before if before.through <= at + w.delay else None
        if (copy := _copy(w, raw, before, None, at, now)) is not None:
            self._own[w.id] = copy
        return copy


def _name(w: Windows, row: Mapping[str, Value]) -> str | None:
    """The record's key of a row's; None where the row has none."""
    key = row[w.key]
    if type(key) is str:
        return w.prefix + key
    return None if (text := key_text(key)) is None else w.prefix + text


def _copy(
    w: Windows, raw: bytes | None, before: Copy | None, own: Copy | None, at: Micros, now: float
) -> Copy | None:
    """A value that came, beside its layout's own record; None where it is not good.

    Good is a packed value, or none at all, that is neither older than the one before it nor far in the future
    (a clock of another host on-prem may be a little ahead of ours; nothing is read before its delay anyway).
    """
    if raw is None:
        return None if own is None else Copy(b"", 0, 0, 0, own.through, own.batch, now)
    if before is not None and own is not None and before.raw == raw:
        # As it mostly is, for a tile's length is minutes: what was made of it still holds.
        before.at, before.covers = now, max(before.through, own.through)
        before.upto = max(before.batch, own.batch)
        return before if before.through <= at + w.delay else None
    try:
        count, through, batch = w.head(raw)
    except BadArtifact:
        return None
    if through > at + w.delay:
        return None
    if before is not None and (through, batch) < (before.through, before.batch) and _fresh(before, now):
        return None
    if own is None or (through >= own.through and batch >= own.batch):
        return Copy(raw, count, through, batch, through, batch, now)
    return Copy(raw, count, through, batch, max(through, own.through), max(batch, own.batch), now)


def _fresh(before: Copy, now: float) -> bool:
    return now - before.at <= REMEMBERED_S


def _held(
    every: Sequence[str],
    layouts: Sequence[Now],
    names: Sequence[str | None],
    found: Mapping[str, Copy],
    at: Micros,
    sums: Sums,
) -> Held:
    """What one row reads of what was `found`."""
    values: list[Value] = []
    tiles: dict[str, object] = {}
    late: list[str] = []
    defaulted = 0
    for now, name in zip(layouts, names, strict=True):
        w, end = now.w, now.end
        if name is None:  # the row has no key there, so there is nothing to be had
            values += w.nulls
        elif (copy := found.get(name)) is None:
            values += w.defaults
            tiles[w.name] = None
            defaulted += 1
        else:
            if copy.end != end or copy.of is not w:
                copy.merged, copy.end, copy.of = w.merged(copy.raw, copy.count, end), end, w
                copy.values = () if w.timed else w.values(copy.merged, at)
            values += copy.values or w.values(copy.merged, at)
            tiles[w.name] = [copy.covers, copy.upto]
            if copy.covers < now.must:
                late.append(f"{LATE}{w.name}")
    sums.defaulted += defaulted
    sums.late += len(late)
    readings = dict(zip(every, values, strict=True))
    return Held(readings, tiles, (AGGREGATES, *late) if defaulted else tuple(late))
