"""What rows read of the tiles: copies, one trip, defaults; what an answer says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hotpath.clock import DAY, MINUTE, SECOND, Micros
from hotpath.contract.aggregates import Layout
from hotpath.contract.statistics import Part
from hotpath.contract.types import Value
from hotpath.readings import Reads, Windows
from hotpath.tiles import Reader, Tiles, packed
from serve.breaker import LONGEST_S, Breaker
from serve.redis_state import MemoryStore
from serve.stages import Sums
from serve.state import PREFIX, REMEMBERED_S, Held, State
from tests.unit.serve.generations import READING, START

LATE, SIZES = READING.layouts
END = LATE.aggregate.ended(START)
"""Tiles below it had ended for a row asked at START; both aggregates are cut alike."""
THROUGH: Micros = END * LATE.aggregate.tile
READS = Reads.of(READING)
COLUMNS = {
    Part.COUNT: (2, 3),
    Part.SUM: (1, 2),
    Part.GREATEST: (150, 990),
    Part.LAST_AT: (START - DAY, START - DAY),
}


def value(layout: Layout, through: Micros = THROUGH, batch: int = 7) -> bytes:
    """A key's tiles: the last two that a row at START reads."""
    return packed(Tiles(through, batch, (END - 2, END - 1), tuple(COLUMNS[p] for p in layout.parts)), layout)


def own(layout: Layout, through: Micros = THROUGH, batch: int = 8) -> bytes:
    """A layout's own record."""
    return packed(Tiles(through, batch), layout)


def records(**changed: bytes) -> dict[str, bytes]:
    """Both layouts with a key each."""
    return {
        LATE.id: changed.get("own", own(LATE)),
        LATE.key("t1"): changed.get("key", value(LATE)),
        SIZES.id: own(SIZES),
        SIZES.key("plain"): value(SIZES),
    }


@dataclass
class Case:
    """A state over a store in memory, and a clock that stands until it is moved."""

    store: MemoryStore
    now: float = 100.0
    sums: Sums = field(default_factory=Sums)

    def __post_init__(self) -> None:
        self.state = State(self.store, lambda: self.now, copy_s=1.0, most=3)
        self.state.tend()

    def read(self, *rows: Mapping[str, Value], at: Micros = START) -> list[Held]:
        """Rows of thing and kind; without any, the usual one."""
        return self.state.read(READS, rows or ({"thing_id": "t1", "kind": "plain"},), at, self.sums)


@pytest.fixture
def case() -> Case:
    return Case(MemoryStore.of(records()))


def test_a_row_reads_what_the_reader_reads(case: Case) -> None:
    (held,) = case.read()
    found = [
        Tiles(THROUGH, 7, (END - 2, END - 1), tuple(COLUMNS[p] for p in layout.parts))
        for layout in (LATE, SIZES)
    ]
    assert held.readings == Reader.of(READING).read(found, START)
    assert held.readings["late_of_thing.mean.3600s"] == 0.6
    assert (held.tiles, held.degraded) == ({"late_of_thing": [THROUGH, 8], "sizes": [THROUGH, 8]}, ())


def test_the_layouts_records_come_first_and_each_key_once(case: Case) -> None:
    case.read(
        {"thing_id": "t1", "kind": "plain"},
        {"thing_id": "t1", "kind": "odd"},
        {"thing_id": "t2", "kind": "plain"},
    )
    names = [LATE.id, SIZES.id, LATE.key("t1"), LATE.key("t2"), SIZES.key("plain"), SIZES.key("odd")]
    assert case.store.trips == [tuple(PREFIX + name.encode() for name in names)]


def test_a_copy_costs_no_trip_until_it_is_old_or_does_not_cover_the_row(case: Case) -> None:
    first = case.read()
    case.now += 0.9
    assert case.read() == first
    assert (len(case.store.trips), case.sums.copied) == (1, 2)
    case.now += 0.2
    case.read()
    assert len(case.store.trips) == 2
    (late,) = case.read(at=START + 5 * MINUTE)
    assert len(case.store.trips) == 3
    assert late.degraded == ("late:late_of_thing", "late:sizes")
    assert late.tiles["late_of_thing"] == [THROUGH, 8]


def test_only_the_newest_copies_are_kept(case: Case) -> None:
    case.read(*({"thing_id": f"t{n}", "kind": None} for n in range(9)))
    case.read({"thing_id": "t8", "kind": None})
    assert len(case.store.trips) == 1
    case.read({"thing_id": "t0", "kind": None})
    assert len(case.store.trips) == 2


def test_a_key_that_is_absent_has_no_tiles_and_null_is_no_key(case: Case) -> None:
    (held,) = case.read({"thing_id": "new", "kind": None})
    assert held.readings["late_of_thing.count.3600s"] == 0
    assert held.readings["late_of_thing.mean.3600s"] is None
    assert held.readings["sizes.max.3600s"] is None
    assert (held.tiles, held.degraded) == ({"late_of_thing": [THROUGH, 8]}, ())


ABSENT, A_LIST = b"absent", b"a list"
BAD: dict[str, dict[str, Any]] = {
    "missing": {"own": ABSENT},
    "of another type": {"key": A_LIST},
    "the layout's own of another type": {"own": A_LIST},
    "not a number": {"key": b"twelve"},
    "empty": {"key": b""},
    "truncated": {"key": value(LATE)[:-1]},
    "of another layout": {"key": value(SIZES)},
    "far in the future": {"key": value(LATE, through=START + DAY)},
    "the layout's own far in the future": {"own": own(LATE, through=START + DAY)},
}


@pytest.mark.parametrize("changed", BAD.values(), ids=BAD)
def test_a_bad_value_is_ignored_counted_and_said(changed: dict[str, bytes]) -> None:
    case = Case(MemoryStore.of(records(**changed)))
    for name, raw in list(case.store.values.items()):
        if raw == A_LIST:
            case.store.values[name] = ["a", "list"]
        elif raw == ABSENT:
            del case.store.values[name]
    (held,) = case.read()
    assert held.readings["late_of_thing.mean.3600s"] == 0.25
    assert held.readings["late_of_thing.count.3600s"] is None
    assert held.readings["sizes.max.3600s"] == 9.9
    assert held.degraded == ("aggregates",)
    assert held.tiles == {"late_of_thing": None, "sizes": [THROUGH, 8]}
    assert case.sums.defaulted == 1


@pytest.mark.parametrize(
    "older",
    [
        {"key": value(LATE, batch=6)},
        {"key": value(LATE, through=THROUGH - SECOND)},
        {"own": own(LATE, batch=5)},
    ],
)
def test_a_value_older_than_the_one_it_replaces_is_refused_for_a_while(older: dict[str, bytes]) -> None:
    case = Case(MemoryStore.of(records()))
    case.read()
    case.store.values = MemoryStore.of(records(**older)).values
    case.now += 2
    assert case.read()[0].degraded == ("aggregates",)
    case.now += REMEMBERED_S
    assert case.read()[0].degraded == ()


def test_without_an_answer_rows_get_defaults_and_nobody_asks_again(case: Case) -> None:
    case.store.away = True
    for _ in range(3):
        (held,) = case.read()
        assert held.readings["late_of_thing.mean.3600s"] == 0.25
        assert (held.degraded, held.tiles) == (("aggregates",), {"late_of_thing": None, "sizes": None})
    assert (case.sums.trips, case.sums.failed_trips, case.state.breaker.open) == (1, 1, True)
    case.state.tend()
    case.store.away = False
    case.state.tend()
    assert case.state.breaker.open  # the probe is not due yet
    case.now += LONGEST_S
    case.state.tend()
    assert case.read()[0].degraded == ()
    assert case.state.breaker == Breaker()


def test_copies_answer_while_the_breaker_is_open(case: Case) -> None:
    case.read()
    case.store.away = True
    case.read({"thing_id": "t2", "kind": "plain"})
    assert case.state.breaker.open
    assert case.read()[0].degraded == ()


def test_before_the_first_connection_there_are_defaults() -> None:
    store = MemoryStore.of(records())
    state = State(store, lambda: 0.0, 1.0)
    (held,) = state.read(READS, [{"thing_id": "t1", "kind": "plain"}], START, Sums())
    assert (held.degraded, store.trips) == (("aggregates",), [])


def test_pauses_grow_until_a_trip_succeeds() -> None:
    breaker, now = Breaker(), 0.0
    pauses = []
    for _ in range(6):
        breaker = breaker.failed(now)
        pauses.append((breaker.until or 0) - now)
    assert pauses == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    assert breaker.closed().failed(0).until == 2.0
    assert breaker.closed().succeeded().failed(0).until == 0.25


def test_models_that_read_other_windows_share_a_copy_not_its_windows(case: Case) -> None:
    mean = next(r for r in Reader.of(READING).readings[0] if r.statistic == "mean")
    shorter = replace(mean, span=LATE.aggregate.tile)
    other = Reads((Windows.of(LATE, [shorter]),), (shorter.name,), (None,))
    row = {"thing_id": "t1", "kind": "plain"}
    case.read(row)
    (held,) = case.state.read(other, [row], START, case.sums)
    assert held.readings == {shorter.name: 2 / 3}, "of the last tile alone: 2 of 3"
    assert case.read(row)[0].readings["late_of_thing.mean.3600s"] == 0.6
    assert case.sums.trips == 1
