"""What is told of tiles against an oracle that goes through the landed records one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.contract.aggregates import Layout
from hotpath.contract.statistics import STATISTICS
from hotpath.contract.tree import Reading
from hotpath.contract.types import Value
from hotpath.lake import INSTANT
from hotpath.tiles import Tiles, unpacked, window
from hotpath.tiling import tiled
from tests.contract.tiled import ALL, Counted, aggregate, parts
from transform.tiles import Delivered, Landed, Marked, Rebuilt, State, begun, due, packed, resumed, step

LAYOUT = Layout("p", aggregate(), "t", ALL)
OF = LAYOUT.aggregate
READINGS = tuple(
    Reading(s.name, OF.name, span, s.type(whole=True)) for s in STATISTICS for span in (10, 30, 60)
)
PARTITIONS = 2
KEYS = ("a", "b", "c")


@dataclass(frozen=True)
class Record:
    """As it stands in the topic: a key or value of None counts nowhere."""

    partition: int
    at: int
    key: str | None
    value: int | None


@dataclass
class World:
    """A topic, a lake of it, the tiler, and what stands on `hotpath.tiles`."""

    stood: list[list[Record]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    batches: list[list[Record]] = field(default_factory=list)
    ends: list[dict[int, int]] = field(default_factory=list)
    marks: list[Marked] = field(default_factory=list)
    state: State | None = None
    topic: dict[str, bytes] = field(default_factory=dict)
    own: Tiles | None = None

    def produce(self, records: list[Record]) -> None:
        for record in records:
            self.stood[record.partition].append(record)

    def land(self, shares: tuple[int, ...]) -> None:
        """A batch of so many tenths of what each partition holds beyond the lake's end."""
        before = self.ends[-1] if self.ends else dict.fromkeys(range(PARTITIONS), 0)
        left = {p: len(self.stood[p]) - before[p] for p in before}
        ends = {p: before[p] + left[p] * share // 10 for p, share in enumerate(shares)}
        self.batches.append([r for p, end in ends.items() for r in self.stood[p][before[p] : end]])
        self.ends.append(ends)
        if self.state is not None:
            self._follow()

    def mark(self, at: int) -> None:
        self.marks.append(Marked(at, {p: len(found) for p, found in enumerate(self.stood)}))
        if self.state is None:
            if self.own is None:
                self.state = begun(LAYOUT, at)
                self._rebuild(len(self.batches))
            else:
                self.restart()
        assert self.state is not None
        self.state = step(self.state, self.marks[-1])

    def restart(self) -> None:
        """The process was killed: it knows what stands on the topic, and the lake."""
        if self.own is None:
            self.state, self.marks = None, []
            return
        self.state = resumed(LAYOUT, self.own.through, self.topic)
        self._rebuild(self.own.batch + 1)
        self._follow()

    def forget(self, key: str) -> None:
        self.batches = [[r for r in batch if r.key != key] for batch in self.batches]
        if self.state is not None:
            self._rebuild(self.state.batch + 1)

    def publish(self, acknowledged: int | None) -> None:
        """What is due; of a tiler that is killed on the way only so many records get through."""
        if self.state is None or (wanted := due(self.state)) is None:
            return
        values = sorted(packed(self.state, wanted))
        assert {key for key, _ in values} == wanted.keys
        told = [*values, *((key, None) for key in wanted.gone)]
        for key, value in told[:acknowledged]:
            self.topic.pop(key, None)
            if value is not None:
                self.topic[key] = value
        if acknowledged is not None:
            self.restart()
            return
        self.own = Tiles(wanted.through, wanted.batch)
        self.state = step(self.state, Delivered(wanted))
        assert due(self.state) is None

    def _rebuild(self, count: int) -> None:
        assert self.state is not None
        if count and self.batches:
            event = Rebuilt(
                table([r for b in self.batches[:count] for r in b]), count - 1, self.ends[count - 1]
            )
            self.state = step(self.state, event)

    def _follow(self) -> None:
        assert self.state is not None
        for batch in range(self.state.batch + 1, len(self.batches)):
            event = Landed(table(self.batches[batch]), batch, self.ends[batch])
            self.state = step(self.state, event)

    def closed(self) -> int | None:
        """As far as tiles may be told, said from the definition."""
        landed = self.ends[-1] if self.ends else {}
        done = [m.at for m in self.marks if all(landed.get(p, 0) >= e for p, e in m.ends.items())]
        return max(((at - OF.grace) // OF.tile * OF.tile for at in done), default=None)

    def read(self, key: str, reading: Reading, at: int) -> Value:
        assert self.own is not None
        raw = self.topic.get(key)
        return window(
            Tiles(self.own.through, 0) if raw is None else unpacked(raw, LAYOUT), LAYOUT, reading, at
        )

    def expected(self, key: str, reading: Reading, at: int) -> Value:
        end = OF.ended(at)
        found = [
            Counted(r.at, r.value)
            for batch in self.batches
            for r in batch
            if r.key == key and r.value is not None and abs(r.value) <= OF.largest
            if end - reading.span // OF.tile <= r.at // OF.tile < end
        ]
        statistic = next(s for s in STATISTICS if s.name == reading.statistic)
        made = parts(found)
        return statistic.row(OF.unit, OF.limit, at, *[made[p] for p in statistic.parts])  # type: ignore[no-any-return]


def table(records: list[Record]) -> pa.Table:
    columns = {
        "shop": pa.array([r.key for r in records], pa.string()),
        "paid": pa.array([r.value for r in records], pa.int64()),
        "arrived_at": pa.array([r.at for r in records], pa.int64()).cast(INSTANT),
    }
    return tiled(pa.table(columns), LAYOUT)


INSTANTS = st.integers(1_000, 1_300)
RECORDS = st.builds(
    Record,
    st.integers(0, PARTITIONS - 1),
    INSTANTS,
    st.sampled_from([*KEYS, None]),
    st.one_of(st.none(), st.integers(-9, 9), st.sampled_from([10**12, -(10**12), 10**12 + 1])),
)
MOVES = st.one_of(
    st.tuples(st.just("produce"), st.lists(RECORDS, max_size=8)),
    st.tuples(st.just("land"), st.tuples(*[st.integers(0, 10)] * PARTITIONS)),
    st.tuples(st.just("land"), st.just((10,) * PARTITIONS)),
    st.tuples(st.just("mark"), INSTANTS),
    st.tuples(st.just("publish"), st.none()),
    st.tuples(st.just("publish"), st.integers(0, 3)),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("forget"), st.sampled_from(KEYS)),
)


@settings(max_examples=150)
@given(st.lists(MOVES, max_size=40), st.integers(0, 2 * 20))
def test_what_is_told_is_what_the_landed_records_come_to(
    moves: list[tuple[str, object]], behind: int
) -> None:
    """Duplicates, disorder, idle partitions, late records, any cut into batches, kills, forgetting."""
    world = World()
    for name, what in moves:
        before = world.own
        if name == "restart":
            world.restart()
        else:
            getattr(world, name)(what)
        if world.own is not None and before is not None:
            assert world.own.through >= before.through
    world.publish(None)
    if world.own is None:
        return
    assert world.own.batch < len(world.batches)
    newest = world.own.through + OF.delay + OF.tile - 1
    for at in (newest, newest - behind):
        for key in KEYS:
            for reading in READINGS:
                assert world.read(key, reading, at) == world.expected(key, reading, at), (key, reading, at)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.lists(RECORDS, max_size=5), INSTANTS, st.integers(0, 10)), min_size=1))
def test_a_tile_is_told_when_its_mark_and_all_that_stood_then_are_there(
    turns: list[tuple[list[Record], int, int]],
) -> None:
    world, at = World(), 0
    for records, mark, share in turns:
        world.produce(records)
        at = max(at, mark)
        world.mark(at)
        world.land((share, 10))
        world.publish(None)
        assert (None if world.own is None else world.own.through) == world.closed()


def test_told_twice_changes_nothing_but_the_batch() -> None:
    world = World()
    world.produce([Record(0, 1_001, "a", 3), Record(1, 1_002, "b", 4)])
    world.land((10, 10))
    world.mark(1_020)
    world.publish(None)
    before = dict(world.topic)
    assert set(before) == {"a", "b"}
    world.restart()
    world.publish(None)
    assert world.topic == before


def test_a_record_that_comes_late_is_counted_and_only_its_key_is_due() -> None:
    world = World()
    world.produce([Record(0, 1_001, "a", 3), Record(1, 1_002, "b", 4)])
    world.land((10, 10))
    world.mark(1_020)
    world.publish(None)
    world.produce([Record(0, 1_009, "a", 5), Record(0, 1_011, "b", 1)])
    world.land((10, 10))
    assert world.state is not None
    assert world.state.late_records == 1
    wanted = due(world.state)
    assert wanted is not None
    assert (set(wanted.keys), set(wanted.gone), wanted.closed) == ({"a"}, set(), 0)
    assert wanted.batch == 1


def test_a_key_without_a_tile_that_any_row_reads_is_gone() -> None:
    world = World()
    world.produce([Record(0, 1_001, "a", 3), Record(1, 1_002, "b", 4)])
    world.land((10, 10))
    world.mark(1_020)
    world.publish(None)
    world.produce([Record(0, 1_150, "b", 5)])
    world.land((10, 10))
    world.mark(1_170)
    world.publish(None)
    assert set(world.topic) == {"b"}
    assert world.state is not None
    assert all(number >= world.state.first for number in world.state.tiles)
