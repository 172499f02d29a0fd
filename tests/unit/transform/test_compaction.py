"""A compacted lake reads as it did, by batch, by range and within it, whatever is killed and when."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath import files, rewriting
from hotpath.clock import DAY, HOUR, Clock
from hotpath.errors import BadArtifact, BadConfig
from hotpath.forgetting import forget
from hotpath.lake import Dataset, File, Lake, Manifest
from hotpath.lake_check import check
from hotpath.manifests import Name, kept, records
from hotpath.rewriting import remove_superseded
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, LABEL, land, score
from transform import compaction
from transform.compaction import POINTS, compact
from transform.ranges import Sizes, next_range
from transform.retention import kept_for, retire

CONTRACT = small()
BATCHES = 7
ALL = ("events", "labels", "scores", "rejected")
REMOVAL = ("before the removal", "before the manifests' removal")


class Killed(Exception):
    """What a test dies of at a named point."""


def batch(lake: Lake, number: int) -> Manifest:
    events = [{**EVENT, "id": f"{number}-{n}", "who": who} for n, who in enumerate(("ann", "bob"))]
    return land(lake, CONTRACT, number, [*events, b"{torn"], [{**LABEL, "who": "ann"}], [score("bob")])


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Seven batches of two events, a label, a score and a record that is none."""
    lake = Lake(tmp_path, "small")
    for number in range(BATCHES):
        batch(lake, number)
    return lake


def rows(lake: Lake, manifests: tuple[Manifest, ...] | None = None) -> dict[Dataset, list[object]]:
    return {dataset: lake.read(dataset, None, manifests).to_pylist() for dataset in ALL}


def by_batch(lake: Lake) -> list[dict[Dataset, list[object]]]:
    """What each batch reads as, found by its number."""
    found = [lake.manifest(number) for number in range(BATCHES)]
    return [rows(lake, (manifest,)) for manifest in found if manifest is not None]


def days(lake: Lake, later: dict[int, int]) -> None:
    """Move batches from these on to other days of landing."""
    for manifest in lake.manifests():
        by = max((by for first, by in later.items() if manifest.batch >= first), default=0)
        moved = replace(manifest, landed_at=manifest.landed_at + by)
        lake.manifest_path(manifest.name).write_bytes(moved.to_bytes())


def now_ago(hours: int) -> int:
    """µs of real time, so many hours ago."""
    return Clock().real() - hours * HOUR


def aged(lake: Lake, span: str, hours: int) -> None:
    """A manifest was published so long ago."""
    os.utime(lake.folder / f"manifest/{span}.json", ns=(now_ago(hours) * 1000,) * 2)


def spans(lake: Lake) -> list[str]:
    return [manifest.name.span for manifest in lake.manifests()]


def test_small_batches_become_a_range_and_every_row_stays_where_it_was(lake: Lake) -> None:
    before, single, counts = rows(lake), by_batch(lake), lake.counts()
    assert compact(lake) == 1
    assert spans(lake) == ["0-5", "6"]
    assert rows(lake) == before
    assert by_batch(lake) == single
    assert lake.counts() == counts
    assert lake.newest() == 6
    assert len([f for f in lake.manifests()[0].files if f.dataset == "events"]) == 1
    assert remove_superseded(lake) > 0
    assert (rows(lake), by_batch(lake)) == (before, single)
    assert (lake.unlisted(), lake.superseded()) == ((), ())
    assert not list(lake.folder.glob("*/*/batch_id=3"))


def test_a_second_compaction_is_nothing_to_do_and_a_later_one_takes_what_came(lake: Lake) -> None:
    compact(lake)
    assert compact(lake) == 0
    before = by_batch(lake)
    for number in (7, 8):
        batch(lake, number)
    assert compact(lake) == 1
    assert spans(lake) == ["0-7", "8"]
    remove_superseded(lake)
    assert sorted(p.name for p in (lake.folder / "manifest").iterdir()) == [
        "0-7.batches",
        "0-7.json",
        "8.json",
    ]
    assert by_batch(lake) == before


def test_whoever_reads_while_it_is_rewritten_reads_the_same(lake: Lake) -> None:
    before, single, listed, seen = rows(lake), by_batch(lake), lake.manifests(), list[str]()

    def look(point: str, _: int) -> None:
        seen.append(point)
        assert (rows(lake), by_batch(lake), rows(lake, listed)) == (before, single, before)
        assert [m.batch for m in lake.since(0)][-1] == lake.newest() == BATCHES - 1

    compact(lake, None, look)
    remove_superseded(lake, None, look)
    assert set(seen) == {*POINTS, *REMOVAL}


@pytest.mark.parametrize("point", [*POINTS, *REMOVAL])
def test_killed_at_any_point_the_lake_reads_the_same_and_a_repeat_finishes(lake: Lake, point: str) -> None:
    before, single = rows(lake), by_batch(lake)

    def kill(reached: str, _: int) -> None:
        if reached == point:
            raise Killed

    def both(reached: Callable[[str, int], None]) -> None:
        compact(lake, None, reached)
        remove_superseded(lake, None, reached)

    with pytest.raises(Killed):
        both(kill)
    assert (rows(lake), by_batch(lake)) == (before, single)
    both(lambda *_: None)
    assert (rows(lake), by_batch(lake)) == (before, single)
    assert spans(lake) == ["0-5", "6"]
    assert (lake.unlisted(), lake.superseded()) == ((), ())


def test_a_reader_of_batches_whose_files_are_gone_reads_the_same_rows_in_the_range(lake: Lake) -> None:
    listed, before = lake.manifests(), rows(lake)
    some = listed[2:4]
    of_some = rows(lake, some)
    compact(lake)
    remove_superseded(lake)
    assert rows(lake, listed) == before
    assert rows(lake, some) == of_some
    known = lake.read_known("events", ["who"], some)["who"].to_pylist()
    assert known == ["ann", "bob"] * 2


def test_what_is_superseded_stays_until_its_time_is_over(lake: Lake) -> None:
    listed = lake.manifests()
    compact(lake)
    published = lake.manifest_path(lake.manifests()[0].name).stat().st_mtime_ns // 1000
    assert remove_superseded(lake, before=published) == 0
    assert all(lake.checked(file) for manifest in listed for file in manifest.files)
    assert remove_superseded(lake, before=published + 1) > 0


def test_what_was_superseded_by_what_is_superseded_too_does_not_begin_to_wait_anew(lake: Lake) -> None:
    compact(lake)
    aged(lake, "0-5", 2)
    for number in (7, 8):
        batch(lake, number)
    compact(lake)
    assert remove_superseded(lake, before=now_ago(1)) == 6 * len(ALL)
    assert {m.name.span for m in lake.superseded()} == {"0-5", "6", "7"}
    assert [m.name[:2] for m in lake.since(0)] == [(0, 7), (8, 8)]


def test_what_stands_alone_is_taken_away_oldest_first_whichever_range_was_made_first(lake: Lake) -> None:
    days(lake, {2: DAY})
    compact(lake)
    assert spans(lake) == ["0-1", "2-5", "6"]
    aged(lake, "2-5", 2)
    assert remove_superseded(lake, before=now_ago(1)) == 0
    assert [m.name[:2] for m in lake.since(2)] == [(2, 5), (6, 6)]


def test_a_range_behind_a_batch_that_stands_alone_is_found(lake: Lake) -> None:
    single = by_batch(lake)
    days(lake, {1: DAY})
    compact(lake)
    assert spans(lake) == ["0", "1-5", "6"]
    remove_superseded(lake)
    assert [m.name[:2] for m in lake.since(1)] == [(1, 5), (6, 6)]
    assert by_batch(lake) == single
    assert (lake.since(7), lake.manifest(7)) == ((), None)


def test_whoever_waits_to_rewrite_has_a_turn_between_two_ranges(lake: Lake) -> None:
    days(lake, {2: DAY, 4: 2 * DAY})
    turns, found = list[Thread](), list[list[str]]()

    def forgets() -> None:
        with rewriting.hold(lake, patience_s=20):
            found.append(spans(lake))

    def begin(point: str, newest: int) -> None:
        if (point, newest) == ("before the files", 1):
            turns.append(Thread(target=forgets))
            turns[0].start()

    with suppress(BadConfig):  # the other one has its turn
        compact(lake, None, begin)
    turns[0].join()
    assert found == [["0-1", "2", "3", "4", "5", "6"]]


def test_what_is_out_of_force_is_not_read_to_find_what_counts(lake: Lake) -> None:
    before = rows(lake)
    compact(lake)
    (lake.folder / "manifest/2.json").write_text("harmed")
    assert spans(lake) == ["0-5", "6"]
    assert [m.name.span for m in (*lake.since(0), *lake.upto(6))] == ["0-5", "6", "0-5", "6"]
    assert rows(lake) == before


def test_a_follower_gets_ranges_whole_or_from_where_it_stands_and_in_shares(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = by_batch(lake)
    compact(lake)
    remove_superseded(lake)
    assert [m.name[:2] for m in lake.since(0)] == [(0, 5), (6, 6)]
    assert [m.name[:2] for m in lake.since(2)] == [(2, 5), (6, 6)]
    assert [m.name[:2] for m in lake.since(6)] == [(6, 6)]
    assert lake.since(7) == ()
    assert len(lake.since(0, 1)) == 1
    monkeypatch.setattr("hotpath.lake.SHARE_ROWS", 10)
    shares = lake.since(0)
    assert [m.name[:2] for m in shares] == [(0, 1), (2, 3), (4, 5), (6, 6)]
    assert rows(lake, shares[1:2])["events"] == single[2]["events"] + single[3]["events"]
    assert [m.name[:2] for m in lake.upto(3)] == [(0, 3)]
    assert [m.batch for m in lake.each()] == list(range(BATCHES))
    assert shares[1].start == {topic: {0: 200} for topic in shares[1].end}


def test_a_follower_stops_where_a_batch_is_missing(lake: Lake) -> None:
    (lake.folder / "manifest/3.json").unlink()
    assert [m.batch for m in lake.since(1)] == [1, 2]


def test_batches_in_a_range_are_published_and_are_not_published_again(lake: Lake) -> None:
    third = lake.manifests()[3]
    compact(lake)
    remove_superseded(lake)
    found = lake.manifest(3)
    assert found is not None
    assert (found.start, found.end, found.counts) == (third.start, third.end, third.counts)
    with pytest.raises(BadArtifact, match="one writer"):
        lake.publish(third)
    assert lake.manifest(7) is None


def test_forgetting_and_retention_work_on_ranges_and_leave_the_account_whole(lake: Lake) -> None:
    compact(lake)
    assert forget(lake, CONTRACT, "bob").rows == {"events": 7, "scores": 7}
    assert lake.superseded() != ()
    assert set(lake.read("events")["who"].to_pylist()) == {"ann"}
    assert lake.read("events", ["who"], [lake.manifest(2) or lake.manifests()[0]])["who"].to_pylist() == [
        "ann"
    ]
    assert sum(records(m.counts) for m in lake.manifests()) == 5 * BATCHES
    ends = [m.end for m in lake.manifests()]
    newest = max(m.landed_at for m in lake.manifests())
    assert retire(lake, CONTRACT, newest + kept_for(CONTRACT)) == 1
    assert retire(lake, CONTRACT, newest + kept_for(CONTRACT)) == 0
    assert spans(lake) == ["0-5", "6"]
    assert sum(records(m.counts) for m in lake.manifests()) == 5 * BATCHES
    assert [m.end for m in lake.manifests()] == ends
    remove_superseded(lake)
    assert len(lake.read("events")) == 1
    assert list(lake.folder.glob("*/*/batch_id=0-5/**/*.parquet")) == []
    assert compact(lake) == 0


def test_a_batch_that_no_range_took_up_is_retired_too_but_the_newest_is_not(lake: Lake) -> None:
    days(lake, {1: DAY})
    compact(lake)
    assert spans(lake) == ["0", "1-5", "6"]
    newest = max(m.landed_at for m in lake.manifests())
    assert retire(lake, CONTRACT, newest + kept_for(CONTRACT) + 1) == 2
    assert [m.name for m in lake.manifests()] == [Name(0, 0, 1), Name(1, 5, 1), Name(6, 6)]
    assert compact(lake) == 0
    remove_superseded(lake)
    assert len(lake.read("events")) == 2
    assert check(lake, {}).breaches == ()


def test_nothing_is_retired_before_its_time(lake: Lake) -> None:
    compact(lake)
    oldest = lake.manifests()[0].landed_at
    assert retire(lake, CONTRACT, oldest + kept_for(CONTRACT)) == 0


def test_forgetting_finds_what_a_compaction_has_put_out_of_force(lake: Lake) -> None:
    compact(lake)
    forget(lake, CONTRACT, "bob")
    left = [
        p for p in lake.folder.glob("*/*/**/*.parquet") if "bob" in str(pq.read_table(p, partitioning=None))
    ]
    assert left == []


def test_two_may_not_rewrite_one_lake_at_a_time(lake: Lake) -> None:
    with files.hold(lake.folder / "rewrite.lock", "test"), pytest.raises(BadConfig, match="another process"):
        compact(lake)


def damage(lake: Lake, how: str, file: File) -> None:
    path = lake.path(file)
    whole = path.read_bytes()
    table = pq.read_table(path, partitioning=None)
    match how:
        case "absent":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "truncated":
            path.write_bytes(whole[:-9])
        case "altered":
            path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        case "column missing":
            pq.write_table(table.drop_columns(["who"]), path)
        case "column widened":
            pq.write_table(table.set_column(0, "count", table["count"].cast(pa.float64())), path)


@pytest.mark.parametrize("ranged", [False, True])
@pytest.mark.parametrize("how", ["absent", "empty", "truncated", "altered"])
def test_a_damaged_file_is_refused_by_name_and_never_copied(lake: Lake, how: str, ranged: bool) -> None:
    if ranged:
        compact(lake)
        remove_superseded(lake)
        batch(lake, BATCHES)
    file = next(f for f in lake.manifests()[0].files if f.dataset == "events")
    damage(lake, how, file)
    found = spans(lake)
    with pytest.raises(BadArtifact, match=Path(file.path).name):
        compact(lake)
    assert spans(lake) == found


@pytest.mark.parametrize("how", ["column missing", "column widened"])
def test_a_file_with_other_columns_than_its_folders_is_refused_by_name(lake: Lake, how: str) -> None:
    third = lake.manifests()[3]
    file = next(f for f in third.files if f.dataset == "events")
    damage(lake, how, file)
    data = lake.path(file).read_bytes()
    listed = replace(file, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    rest = tuple(f for f in third.files if f != file)
    lake.publish(replace(third, files=(*rest, listed), revision=1))
    with pytest.raises(BadArtifact, match=f"{Path(file.path).name}.*columns"):
        compact(lake)


def test_a_ranges_record_of_its_batches_that_is_none_is_refused_by_name(lake: Lake) -> None:
    compact(lake)
    remove_superseded(lake)
    path = lake.folder / "manifest/0-5.batches"
    path.write_bytes(b"torn")
    with pytest.raises(BadArtifact, match=r"0-5\.batches"):
        lake.manifest(3)
    path.unlink()
    with pytest.raises(BadArtifact, match=r"0-5\.batches.*absent"):
        lake.manifest(3)
    assert len(lake.manifests()) == 2


def numbers(group: tuple[Manifest, ...]) -> list[int]:
    return [manifest.batch for manifest in group]


def of(batch: int, size: int = 1, landed_at: int = 0, first: int = -1) -> Manifest:
    return Manifest(batch, {}, {}, (File("p", "events", 1, size, ""),), {}, landed_at, first=first)


def test_a_range_ends_with_its_bytes_its_day_and_before_the_newest() -> None:
    sizes = Sizes(range=10, file=4, least=2)
    assert numbers(next_range([of(0, 4), of(1, 4), of(2, 4), of(3, 4)], sizes)) == [0, 1]
    assert numbers(next_range([of(0), of(1), of(2, landed_at=DAY), of(3, landed_at=DAY)], sizes)) == [0, 1]
    assert numbers(next_range([of(4, 5, first=0), of(5), of(6), of(7)], sizes)) == [5, 6]
    assert numbers(next_range([of(4, 4, first=0), of(5), of(6)], sizes)) == [4, 5]
    assert numbers(next_range([of(0), of(2), of(3), of(4)], sizes)) == [2, 3]
    assert next_range([of(0), of(1)], sizes) == next_range([], sizes) == ()


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=40))
def test_ranges_made_one_after_another_come_to_an_end_and_keep_every_batch(
    made: list[tuple[int, int]],
) -> None:
    sizes, days = Sizes(range=10, file=4, least=2), sorted(day for _, day in made)
    lake = [of(n, size, days[n] * DAY) for n, (size, _) in enumerate(made)]
    for _ in range(100):
        if not (group := next_range(lake, sizes)):
            break
        at = lake.index(group[0])
        size = sum(m.size for m in group)
        assert size <= sizes.range
        assert group[-1] != lake[-1]
        lake[at : at + len(group)] = [of(group[-1].batch, size, group[0].landed_at, group[0].first)]
    assert next_range(lake, sizes) == ()
    assert [n for m in lake for n in range(m.first, m.batch + 1)] == list(range(len(made)))


def test_files_are_full_and_the_last_one_is_not_small(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "ROWS", 2)
    before = rows(lake)
    group = pq.ParquetFile(lake.paths("events")[0]).metadata.row_group(0)
    size = sum(group.column(n).total_compressed_size for n in range(group.num_columns))
    compact(lake, Sizes(range=1 << 30, file=2 * size, least=int(1.5 * size)))
    events = [f.rows for f in lake.manifests()[0].files if f.dataset == "events"]
    assert len(events) > 1
    assert min(events) == events[0]
    assert rows(lake) == before
    forget(lake, CONTRACT, "bob")
    assert lake.read("events")["id"].to_pylist() == [f"{number}-0" for number in range(BATCHES)]


def test_a_range_that_is_wider_puts_the_one_within_it_out_of_force() -> None:
    assert Name.parse("3-5.r2.json") == Name(3, 5, 2)
    assert [Name.parse(text) for text in ("5-3.json", "5-5.json", ".5.json.x", "5.batches")] == [None] * 4


def left(lake: Lake) -> set[Path]:
    return {path for path in lake.folder.rglob("*") if path.suffix in (".parquet", ".batches")}


def stream_goes_on(lake: Lake, first: int) -> None:
    for number in range(first, first + 3):
        batch(lake, number)


@pytest.mark.parametrize("rewrite", [compact, lambda lake: forget(lake, CONTRACT, "bob")])
@pytest.mark.parametrize("lost", ["0-5.json", "6.json"])
def test_a_lake_that_lost_a_manifest_is_refused_and_keeps_every_file(
    lake: Lake, lost: str, rewrite: Callable[[Lake], object]
) -> None:
    compact(lake)
    remove_superseded(lake)
    stream_goes_on(lake, BATCHES)
    path = lake.folder / "manifest" / lost
    content, before, files_before = path.read_bytes(), rows(lake), left(lake)
    path.unlink()
    with pytest.raises(BadArtifact, match=r"manifest of batch .* from a copy"):
        rewrite(lake)
    assert left(lake) == files_before
    path.write_bytes(content)
    assert rows(lake) == before


@pytest.mark.parametrize("rewrite", [compact, lambda lake: forget(lake, CONTRACT, "ann")])
def test_a_lake_that_lost_a_revision_is_refused_and_keeps_every_file(
    lake: Lake, rewrite: Callable[[Lake], object]
) -> None:
    forget(lake, CONTRACT, "bob")
    path = lake.folder / "manifest/2.r1.json"
    content, before, files_before = path.read_bytes(), rows(lake), left(lake)
    path.unlink()
    with pytest.raises(BadArtifact, match=r"absent.*from a copy"):
        rewrite(lake)
    assert left(lake) == files_before
    path.write_bytes(content)
    assert rows(lake) == before


def test_a_lake_whose_newest_manifests_are_lost_keeps_their_files(lake: Lake) -> None:
    days(lake, {3: DAY})
    compact(lake)
    remove_superseded(lake)
    assert spans(lake) == ["0-2", "3-5", "6"]
    before, copy = rows(lake), dict[Path, bytes]()
    for name in ("3-5.json", "6.json"):
        path = lake.folder / "manifest" / name
        copy[path] = path.read_bytes()
        path.unlink()
    forget(lake, CONTRACT, "nobody")
    for path, content in copy.items():
        path.write_bytes(content)
    assert rows(lake) == before
    assert check(lake, {}).breaches == ()


def test_what_a_compaction_superseded_stays_where_a_file_of_the_range_is_lost(lake: Lake) -> None:
    listed = lake.manifests()
    compact(lake)
    lake.path(lake.manifests()[0].files[0]).unlink()
    assert remove_superseded(lake) == 0
    assert all(lake.checked(file) for manifest in listed for file in manifest.files)


@pytest.mark.parametrize("how", ["absent", "no batches"])
def test_a_range_whose_record_of_its_batches_is_lost_is_not_made_part_of_another(
    lake: Lake, how: str
) -> None:
    compact(lake)
    stream_goes_on(lake, BATCHES)
    path = lake.folder / "manifest/0-5.batches"
    path.unlink()
    if how == "no batches":
        path.write_bytes(kept([]))
    with pytest.raises(BadArtifact, match=r"0-5\.batches.*from a copy"):
        compact(lake)
    assert spans(lake)[0] == "0-5"


def test_a_file_that_is_lost_does_not_keep_what_is_past_its_time(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    compact(lake)
    path = lake.path(lake.manifests()[0].files[0])
    path.unlink()
    newest = max(m.landed_at for m in lake.manifests())
    assert retire(lake, CONTRACT, newest + kept_for(CONTRACT) + 1) == 1
    assert str(path) in caplog.text
    assert remove_superseded(lake) > 0
    assert compact(lake) == 0
    assert check(lake, {}).breaches == ()
