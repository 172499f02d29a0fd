"""Outcomes: whatever the batches and wherever the watch is killed, they are what plain counting finds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.clock import HOUR, MINUTE
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.handoffs import Announcement
from hotpath.lake import Manifest
from hotpath.local.live_quality import live_quality
from hotpath.points import Point
from hotpath.rewriting import remove_superseded
from monitoring.held import LEAST_KEPT, Held
from monitoring.outcome_watch import OutcomeWatch
from tests.contract.samples import small
from tests.unit.monitoring.answered import CONTRACT, HORIZON, START, Asked, Site, Told, land
from transform.compaction import compact

MORE = (Asked(0, "x", 0.9, 90), Asked(0, "y", 0.1, 91))
TRUTHS = (Told(1, "x", True, 90), Told(1, "y", False, 91))
"""Two answers, both right."""

WHO = st.sampled_from(["a", "b", "c", "d"])
MINUTES = st.integers(0, 150)
ASKED = st.builds(
    Asked,
    at=MINUTES,
    who=st.none() | WHO | st.just("stranger"),
    score=st.none() | st.sampled_from([0.0, 0.1, 0.5, 0.5000000001, 0.9, 1.0]),
    sequence=st.integers(1, 3),
)
TOLD = st.builds(Told, at=MINUTES, who=WHO, truth=st.booleans(), partition=st.integers(0, 1))


def site(tmp_path: Path, *batches: tuple[Sequence[Asked], Sequence[Told]]) -> Site:
    made = Site(tmp_path)
    for number, (asked, told) in enumerate(batches):
        land(made.lake, number, asked, told)
    return made


def everything(watch: OutcomeWatch) -> dict[str, Any]:
    found = watch.figures()["all"]
    assert isinstance(found, dict)
    return found


def truth(tmp_path: Path, asked: Asked, *told: Told) -> bool | None:
    """What the outcome of one answer is, seen through the accuracy of it alone."""
    made = site(tmp_path, ([asked], told))
    found = everything(made.follow(made.watch()))
    return None if found["accuracy"] is None else found["accuracy"] == 1.0


# minutes   0         10                60
#           asked ────┼──── horizon ────┤
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], None),
        ([Told(10, "f", True)], True),
        ([Told(0, "f", True)], True),
        ([Told(-1, "f", True)], None),
        ([Told(60, "f", True)], True),
        ([Told(61, "f", True)], None),
        ([Told(10, "g", True)], None),
        ([Told(10, "f", None)], None),
        ([Told(10, "f", True), Told(20, "f", False)], False),
        ([Told(20, "f", False), Told(10, "f", True)], False),
        ([Told(10, "f", True), Told(61, "f", False)], True),
        ([Told(-1, "f", False), Told(10, "f", True)], True),
        ([Told(10, "f", False, 7), Told(10, "f", True, 8)], True),
        ([Told(10, "f", False, 8, 0), Told(10, "f", True, 7, 1)], True),
    ],
    ids=[
        "none",
        "in time",
        "at once",
        "before its answer",
        "at the horizon",
        "late",
        "another's",
        "without a truth",
        "revised",
        "revised, landed the other way round",
        "revised too late",
        "an early one revised",
        "same instant: the higher offset",
        "same instant: the higher partition",
    ],
)
def test_which_label_counts(tmp_path: Path, told: list[Told], expected: bool | None) -> None:
    assert truth(tmp_path, Asked(0, "f", 0.9), *told) is expected


def test_an_answer_without_a_score_counts_and_is_in_no_metric(tmp_path: Path) -> None:
    made = site(tmp_path, ([*MORE, Asked(0, "x", None, 5)], TRUTHS))
    found = everything(made.follow(made.watch()))
    assert (found["answers"], found["labelled"], found["auc"], found["accuracy"]) == (3, 3, 1.0, 1.0)


def test_an_answer_about_nobody_or_a_stranger_is_never_labelled(tmp_path: Path) -> None:
    made = site(tmp_path, ([*MORE, Asked(0, None, 0.5, 5), Asked(0, "stranger", 0.5, 6)], TRUTHS))
    found = everything(made.follow(made.watch()))
    assert (found["answers"], found["labelled"], found["coverage"]) == (4, 2, 0.5)


def test_a_score_record_that_comes_twice_counts_once(tmp_path: Path) -> None:
    one = Asked(0, "x", 0.2, 5, id="same")
    made = site(tmp_path, ([*MORE, one, one], TRUTHS), ([Asked(1, "x", 0.8, 6, id="same")], []))
    found = everything(made.follow(made.watch()))
    assert (found["answers"], found["accuracy"]) == (3, pytest.approx(2 / 3))


def test_one_class_has_no_auc_and_no_answer_no_figure_at_all(tmp_path: Path) -> None:
    made = site(tmp_path, ([], []), (MORE, []), ([], TRUTHS[:1]))
    watch = made.watch()
    found = []
    for manifest in made.lake.manifests():
        made.follow(watch, [manifest])
        found.append(everything(watch))
    assert [f["answers"] for f in found] == [0, 2, 2]
    assert [f["coverage"] for f in found] == [None, 0.0, 0.5]
    assert [f["auc"] for f in found] == [None, None, None]
    assert [f["accuracy"] for f in found] == [None, None, 1.0]


def test_a_lake_that_was_compacted_tells_the_same_to_a_watch_whose_state_was_lost(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, []), ([Asked(5, "x", 0.7, 6)], TRUTHS[:1]), ([], TRUTHS[1:]), ([], []))
    expected = everything(made.follow(made.watch()))
    compact(made.lake)
    remove_superseded(made.lake)
    (made.folder / "outcomes.state").unlink()
    watch = made.watch()
    assert [m.name.span for m in made.lake.since(watch.cursor)] == ["0-2", "3"]
    assert everything(made.follow(watch, made.lake.since(watch.cursor))) == expected
    assert watch.cursor == 4


@settings(max_examples=50)
@given(st.lists(ASKED, max_size=40), st.lists(TOLD, max_size=30), st.data())
def test_any_batching_with_a_restart_anywhere_is_what_plain_counting_finds(
    asked: list[Asked], told: list[Told], data: st.DataObject
) -> None:
    asked = [Asked(a.at, a.who, a.score, n, a.sequence) for n, a in enumerate(asked)]
    told = [Told(t.at, t.who, t.truth, n, t.partition) for n, t in enumerate(told)]
    again = [a for a in asked if a.place % 5 == 0]  # sent twice, the same record at a later offset
    batches = data.draw(st.integers(1, 4))
    into = st.integers(0, batches - 1)
    with TemporaryDirectory() as folder:
        made = Site(Path(folder))
        placed_asked = [(data.draw(into), a) for a in [*asked, *again]]
        placed_told = [(data.draw(into), t) for t in told]
        for n in range(batches):
            land(
                made.lake,
                n,
                [a for batch, a in placed_asked if batch == n],
                [t for batch, t in placed_told if batch == n],
            )
        watch = interrupted(made, data)
        found = everything(watch)
    plain = live_quality([a.plain() for a in asked], [t.plain() for t in told], HORIZON)
    assert found["answers"] == len(asked)
    assert found["coverage"] == plain.coverage
    assert found["auc"] == pytest.approx(plain.auc, abs=1e-9)


def interrupted(made: Site, data: st.DataObject) -> OutcomeWatch:
    """A watch that looks, or is killed, after batches that the draw names; every batch is offered again."""
    watch = made.watch()
    manifests: list[Manifest] = []
    for manifest in made.lake.manifests():
        manifests.append(manifest)
        watch.take(manifest)
        match data.draw(st.sampled_from(["go on", "look", "look and die", "die"])):
            case "look":
                watch.look()
            case "look and die":
                watch.look()
                watch = made.watch()
            case "die":
                watch = made.watch()
        for known in manifests:  # what was taken already is passed over
            watch.take(known)
    watch.look()
    return watch


def test_a_restart_goes_on_at_the_cursor_and_reads_no_batch_again(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, []), ([], TRUTHS))
    first = made.follow(made.watch(), made.lake.manifests()[:1])
    assert first.cursor == 1
    (made.lake.folder / made.lake.manifests()[0].files[0].path).unlink()
    again = made.watch()
    assert again.cursor == 1
    assert everything(made.follow(again))["auc"] == 1.0


@pytest.mark.parametrize("harm", ["lost", "empty", "cut", "a bit flipped", "another's"])
def test_a_state_that_is_lost_or_damaged_is_rebuilt_from_the_lake(tmp_path: Path, harm: str) -> None:
    made = site(tmp_path, (MORE, []), ([], TRUTHS))
    before = everything(made.follow(made.watch()))
    state = made.folder / "outcomes.state"
    whole = state.read_bytes()
    if harm == "lost":
        state.unlink()
    else:
        flipped = whole[:300] + bytes([whole[300] ^ 1]) + whole[301:]
        other = Held(CONTRACT.labels, 0, cursor=9).to_bytes("other")
        state.write_bytes(
            {"empty": b"", "cut": whole[:-50], "a bit flipped": flipped, "another's": other}[harm]
        )
    again = made.watch()
    assert again.cursor == 0
    assert everything(made.follow(again)) == before


def test_a_contract_that_asks_for_more_history_rebuilds_it_from_the_lake(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, TRUTHS))
    assert made.follow(made.watch()).cursor == 1
    longer = small("horizon: 24h", "horizon: 9d")
    assert Site(tmp_path, longer).watch().cursor == 0


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=3))
def test_no_damage_to_the_state_is_believed(damage: list[tuple[int, int]]) -> None:
    whole = Held(CONTRACT.labels, 0, cursor=9).to_bytes("small")
    harmed = bytearray(whole)
    for place, bits in damage:
        harmed[place % len(whole)] ^= bits
    if harmed != whole:
        with pytest.raises(BadArtifact, match="rebuilt from the lake"):
            Held.from_bytes(bytes(harmed), "small", CONTRACT.labels, 0)


def test_a_batch_whose_file_is_harmed_is_refused_and_named(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, TRUTHS))
    path = made.lake.folder / made.lake.manifests()[0].files[0].path
    path.write_bytes(b"")
    watch = made.watch()
    with pytest.raises(BadArtifact, match=r"part\.parquet"):
        watch.take(made.lake.manifests()[0])
    assert watch.cursor == 0


def test_labels_of_a_contract_that_named_its_columns_otherwise_are_passed_over(tmp_path: Path) -> None:
    site(tmp_path, (MORE, TRUTHS))
    renamed = Contract.from_yaml(CONTRACT.canonical().decode().replace("truth", "outcome"), "small.yaml")
    of_today = Site(tmp_path, renamed)
    watch = of_today.follow(of_today.watch())
    assert (everything(watch)["answers"], everything(watch)["labelled"], watch.cursor) == (len(MORE), 0, 1)


def test_what_was_asked_too_long_ago_is_forgotten_and_exactly_that(tmp_path: Path) -> None:
    days = LEAST_KEPT // MINUTE
    old, kept = Asked(0, "x", 0.9, 1), Asked(10, "y", 0.2, 2)
    made = site(tmp_path, ([old, kept], [Told(5, "x", True, 1), Told(20, "y", False, 2)]))
    watch = made.follow(made.watch())
    assert everything(watch)["answers"] == 2
    made.follow(watch, [land(made.lake, 1, [Asked(days + 5, "z", 0.5, 3)], [])])
    assert (everything(watch)["answers"], everything(watch)["labelled"]) == (2, 1)
    assert watch.figures()["since"] == START + 5 * MINUTE
    assert everything(made.follow(made.watch()))["answers"] == 2


def test_a_record_that_lies_ahead_of_its_landing_does_not_make_the_rest_old(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, TRUTHS))
    watch = made.follow(made.watch())
    decade = 10 * 365 * 24 * 60
    land(made.lake, 1, [Asked(decade, "z", 0.5, 3)], [])
    ahead = made.lake.manifests()[1]
    watch.take(Manifest(1, {}, {}, ahead.files, {}, landed_at=START + HOUR))
    watch.look()
    assert everything(watch)["answers"] == 3


def announced(sequence: int, at: float) -> Announcement:
    when = START + int(at * MINUTE)
    return Announcement(CONTRACT.name, f"b{sequence}", "0" * 64, 1, 1, sequence, "promote", "fresh", when)


# minutes   -30       0        90        150      240
#           model 1            model 2
#                     asked 1            asked 2  seen
def test_quality_is_told_by_model_by_its_age_by_maturity_and_by_window(tmp_path: Path) -> None:
    asked = [*MORE, Asked(150, "x", 0.1, 5, sequence=2), Asked(150, "y", 0.9, 6, sequence=2)]
    late = [Told(160, "x", True, 5), Told(160, "y", False, 6), Told(240, "q", True, 7)]
    made = site(tmp_path, (asked, [*TRUTHS, *late]))
    watch = made.watch()
    watch.announced(announced(1, -30))
    by = made.follow(watch).figures()["by"]
    assert isinstance(by, dict)
    assert {g: q["auc"] for g, q in by["model"].items()} == {"1": 1.0, "2": 0.0}
    assert {g: q["answers"] for g, q in by["age"].items()} == {"0-1h": 2, "unknown": 2}
    assert {g: q["answers"] for g, q in by["maturity"].items()} == {"1-3h": 2, "3-6h": 2}
    assert {g: q["auc"] for g, q in by["window"].items()} == {"-2": 1.0, "-1": 0.0}
    watch.announced(announced(2, 90))
    by = made.follow(watch, []).figures()["by"]
    assert isinstance(by, dict)
    assert {g: q["answers"] for g, q in by["age"].items()} == {"0-1h": 2, "1-3h": 2}


def test_the_store_knows_when_a_model_was_announced_if_the_topic_has_forgotten(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, TRUTHS))
    made.store.take_sequence({"bundle": "b1", "at": START - 2 * HOUR})
    by = made.follow(made.watch()).figures()["by"]
    assert isinstance(by, dict)
    assert list(by["age"]) == ["1-3h"]


def test_a_window_counts_once_it_is_over(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, [*TRUTHS, Told(59, "q", True, 7)]))
    watch = made.follow(made.watch())
    by = watch.figures()["by"]
    assert isinstance(by, dict)
    assert by["window"] == {}
    made.follow(watch, [land(made.lake, 1, [], [Told(60, "q", True, 8)])])
    by = watch.figures()["by"]
    assert isinstance(by, dict)
    assert list(by["window"]) == ["-1"]


def test_what_is_found_is_said_in_points_and_in_a_file_with_its_cursor(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, TRUTHS))
    watch = made.follow(made.watch())
    points = [Point.parse((e.value or b"").decode()) for e in made.said.entries]
    whole = [p for p in points if p.measurement == "outcomes" and p.tags["by"] == "all"]
    assert [(p.fields["answers"], p.fields["auc"]) for p in whole] == [(2, 1.0)]
    assert {p.tags["by"] for p in points} == {"all", "model", "age", "maturity"}
    written = json.loads((made.folder / "outcomes.json").read_bytes())
    assert written == watch.figures()
    assert written["cursor"] == 1


def test_a_look_is_taken_when_something_changed_and_not_more_often(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, TRUTHS), (MORE, []))
    watch = made.watch()
    for manifest in made.lake.manifests():
        watch.take(manifest)
        watch.tick()
    first = len(made.said.entries)
    assert everything(watch)["answers"] == 2
    watch.tick()
    assert len(made.said.entries) == first


def test_a_look_that_cannot_be_kept_is_taken_again_and_not_at_once(tmp_path: Path) -> None:
    made = site(tmp_path, (MORE, TRUTHS))
    watch = made.watch()
    watch.take(made.lake.manifests()[0])
    made.folder.write_text("no folder: nothing can be kept in it")
    with pytest.raises(OSError, match="monitoring"):
        watch.tick()
    watch.tick()
