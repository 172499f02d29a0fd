"""Which tiles are closed and what of them must stand on `hotpath.tiles`: a pure machine for one layout.

`step(state, event)` takes in what has happened, `due(state)` says what is to be published now, and only
`Delivered` counts as published: whatever is lost on the way is due again. Knows no lake, no Kafka, no clock.

    Rebuilt, then
    Landed ───▶ partial tiles, by number          ┌─▶ due: keys, gone, through, batch
    Marked ───▶ waiting until all is landed that ─┘        │
                stood in the topic when it came            ▼
                                              Delivered ─▶ told: through; what no row reads is let go

A tile that ends at e is closed by a mark of e + grace or later, once the batches have landed all that stood
in the source's topic when the mark was seen. Records that land in a tile that was told already make their
keys due again, and are counted. All of a key travels at once; what it is depends on the landed records alone.
Nothing comes between what is `due` and its `Delivered`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hotpath.clock import Micros
from hotpath.contract.aggregates import Layout
from hotpath.contract.statistics import Part
from hotpath.tiling import merged, packed_keys, schema

Ends = Mapping[int, int]
"""One past the last offset, by partition of the source's topic."""
MOST_TABLES = 8
"""Of one tile before they are merged: a merge costs as much as the tile is large."""


@dataclass(frozen=True)
class Landed:
    """A batch, or a range of them, ending with `batch` at `ends`; `table`: its records as tiles."""

    table: pa.Table
    batch: int
    ends: Ends


@dataclass(frozen=True)
class Rebuilt:
    """The lake was read anew up to `batch`: its tiles are those of `table`; what was told is told again."""

    table: pa.Table
    batch: int
    ends: Ends


@dataclass(frozen=True)
class Marked:
    """A mark was seen that says `at`, and then the topic ended at `ends`."""

    at: Micros
    ends: Ends


@dataclass(frozen=True)
class Due:
    """To be published: the tiles of `keys` that ended by `through`, nothing for those `gone`, then the
    layout's own record. `closed`: tiles that are told for the first time.
    """

    keys: frozenset[str]
    gone: frozenset[str]
    through: Micros
    batch: int
    closed: int


@dataclass(frozen=True)
class Delivered:
    """All of that is acknowledged."""

    due: Due


Event = Landed | Rebuilt | Marked | Delivered


@dataclass(frozen=True)
class State:
    """What is known of one layout.

    `tiles`: tables of partial tiles, by number from `first` on. `batch` and `landed`: how far the lake was
    taken in. `waiting`: marks that not everything has landed for, oldest first. `closed` (µs): tiles that
    ended by it are closed; `told`: as far as that is published; None: nothing yet. `there`: keys that have a
    value on the topic. `late`: keys with records in told tiles since. `anew`: all of it is to be published
    again. `late_records` and `records` count.
    """

    layout: Layout
    first: int
    tiles: Mapping[int, tuple[pa.Table, ...]] = field(default_factory=dict)
    batch: int = -1
    landed: Ends = field(default_factory=dict)
    waiting: tuple[Marked, ...] = ()
    closed: Micros | None = None
    told: Micros | None = None
    there: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    anew: bool = False
    late_records: int = 0
    records: int = 0


def begun(layout: Layout, at: Micros, there: Iterable[str] = ()) -> State:
    """A layout that was never told whole, where a mark of `at` is the first to be seen."""
    return State(layout, first_kept(layout, at - layout.aggregate.grace), there=frozenset(there))


def resumed(layout: Layout, told: Micros, there: Iterable[str]) -> State:
    """A layout of which the topic has these keys, and has told `told`."""
    first = first_kept(layout, told)
    return State(layout, first, closed=told, told=told, there=frozenset(there))


def first_kept(layout: Layout, through: Micros) -> int:
    """The oldest tile that is kept once `through` is told: a horizon and the delay before it are read by a
    row of that instant, and as much as a delay more by one that was asked a little before.
    """
    aggregate = layout.aggregate
    return (through - aggregate.horizon - 2 * aggregate.delay) // aggregate.tile


def step(state: State, event: Event) -> State:
    """What `event` makes of `state`. Total: raises nothing."""
    match event:
        case Landed():
            return _covered(_landed(state, event))
        case Rebuilt(table, batch, ends):
            bare = replace(state, tiles={}, late=frozenset(), anew=state.told is not None)
            tiles = {number: (rows,) for number, rows in _by_number(_kept(state, table))}
            return _covered(replace(bare, tiles=tiles, batch=batch, landed=ends))
        case Marked():
            return _covered(_marked(state, event))
        case Delivered(due):
            return _delivered(state, due)


def due(state: State) -> Due | None:
    """What is to be published now; None where all is told."""
    if state.closed is None:
        return None
    if state.closed == state.told and not state.anew:
        return Due(state.late, frozenset(), state.closed, state.batch, 0) if state.late else None
    end = state.closed // state.layout.aggregate.tile
    kept = max(state.first, first_kept(state.layout, state.closed))
    keys = _keys(state, kept, end)
    if state.told is None or state.anew:
        new = keys
    else:
        # What is older than any row reads is nobody's, however late it closed.
        new = keys & (_keys(state, state.told // state.layout.aggregate.tile, end) | state.late)
    closed = 0 if state.told is None else end - state.told // state.layout.aggregate.tile
    return Due(new, state.there - keys, state.closed, state.batch, closed)


def packed(state: State, wanted: Due) -> Iterator[tuple[str, bytes]]:
    """The values of the keys that are due."""
    end = wanted.through // state.layout.aggregate.tile
    kept = max(state.first, first_kept(state.layout, wanted.through))
    found = [table for n, tables in state.tiles.items() if kept <= n < end for table in tables]
    table = pa.concat_tables([schema(state.layout).empty_table(), *found])
    theirs = pc.is_in(table["key"], value_set=pa.array(wanted.keys, pa.string()))
    whole = merged([table.filter(theirs)], state.layout)
    yield from packed_keys(whole, state.layout, wanted.through, wanted.batch)


def _landed(state: State, event: Landed) -> State:
    rows = _kept(state, event.table)
    tiles = dict(state.tiles)
    for number, table in _by_number(rows):
        tables = (*tiles.get(number, ()), table)
        tiles[number] = (merged(tables, state.layout),) if len(tables) > MOST_TABLES else tables
    if state.told is not None:
        end = state.told // state.layout.aggregate.tile
        late = rows.filter(pc.less(rows["number"], end))
        state = replace(
            state,
            late=state.late | set(pc.unique(late["key"]).to_pylist()),
            late_records=state.late_records + _records(late),
        )
    counted = state.records + _records(rows)
    return replace(state, tiles=tiles, batch=event.batch, landed=event.ends, records=counted)


def _kept(state: State, table: pa.Table) -> pa.Table:
    """Without what is older than any row reads."""
    return table.filter(pc.greater_equal(table["number"], state.first))


def _marked(state: State, event: Marked) -> State:
    """Kept only where it lets a tile close that none before it does: so few wait, whatever the backlog."""
    before = state.waiting[-1].at if state.waiting else None
    if before is None:
        if state.closed is not None and _closes(state.layout, event.at) <= state.closed:
            return state
    elif _closes(state.layout, event.at) <= _closes(state.layout, before):
        return state
    return replace(state, waiting=(*state.waiting, event))


def _closes(layout: Layout, at: Micros) -> Micros:
    """A mark of `at` closes the tiles that ended by this."""
    aggregate = layout.aggregate
    return (at - aggregate.grace) // aggregate.tile * aggregate.tile


def _covered(state: State) -> State:
    """The tiles closed that marks close for which everything has landed."""
    while state.waiting and all(state.landed.get(p, 0) >= end for p, end in state.waiting[0].ends.items()):
        at = state.waiting[0].at
        state = replace(state, waiting=state.waiting[1:], closed=_closes(state.layout, at))
    return state


def _delivered(state: State, done: Due) -> State:
    first = max(state.first, first_kept(state.layout, done.through))
    return replace(
        state,
        first=first,
        tiles={number: tables for number, tables in state.tiles.items() if number >= first},
        told=done.through,
        there=(state.there | done.keys) - done.gone,
        late=frozenset(),
        anew=False,
    )


def _keys(state: State, first: int, end: int) -> frozenset[str]:
    found = [t["key"] for n, tables in state.tiles.items() if first <= n < end for t in tables]
    chunks = [chunk for column in found for chunk in column.chunks]
    return frozenset(pc.unique(pa.chunked_array(chunks, pa.string())).to_pylist())


def _by_number(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each tile."""
    numbers = table["number"].to_numpy()
    order = np.argsort(numbers, kind="stable")
    cuts = [*np.flatnonzero(np.diff(numbers[order], prepend=-(2**62))).tolist(), len(order)]
    for start, end in pairwise(cuts):
        # Taken, not sliced: a slice would keep the whole batch in memory for as long as its tile is kept.
        yield int(numbers[order[start]]), table.take(pa.array(order[start:end]))


def _records(table: pa.Table) -> int:
    return int(pc.sum(table[Part.COUNT.value]).as_py() or 0)
