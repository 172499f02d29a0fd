"""Tiles of a lake that is landed, compacted, forgotten from and read anew, told on a log in memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.as_of import as_of
from hotpath.clock import SECOND
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact, Unavailable
from hotpath.forgetting import forget
from hotpath.handoffs import TILES
from hotpath.lake import Lake
from hotpath.tiles import unpacked
from tests.contract.samples import CONTRACT
from tests.unit.transform.tiled_lake import AGGREGATES, START, TILED, Site, event, label, land
from transform.compaction import compact
from transform.replaced import Entry, Remembered, renewed
from transform.standing import Shelf, stood

WHO = ("ann", "bob", "a/c")


def asked(lake: Lake, contract: Contract, at: float, upto: int | None = None) -> list[dict[str, Value]]:
    return as_of(lake, contract, [(START + int(at * SECOND), (one, one)) for one in WHO], upto)


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from(["land", "land", "mark", "compact", "forget", "start"]), max_size=12),
    st.randoms(),
)
def test_what_is_told_is_what_the_lake_gives_as_of_then(
    tmp_path_factory: pytest.TempPathFactory, moves: list[str], draw: random.Random
) -> None:
    site, at, told = Site(tmp_path_factory.mktemp("lake")), 0.0, dict[int, tuple[float, object]]()
    for move in [*moves, "land", "mark"]:
        match move:
            case "land":
                sizes = [draw.choice([None, -0.25, 7.05]) for _ in range(draw.randrange(4))]
                events = [event(draw.choice(WHO), at - draw.choice([0, 3, 40]), size) for size in sizes]
                site.land(events, [label(draw.choice(WHO), at - 8 * n) for n in range(draw.randrange(3))])
            case "mark":
                at += draw.choice([4, 17, 90])
                site.turn(at)
            case "compact":
                compact(site.lake)
            case "forget":
                forget(site.lake, site.contract, "bob")
                site.turn(at)
                told.clear()
            case "start":
                site.start()
        site.turn()
        if all(layout.id in site.topic() for layout in TILED.layouts):
            own = site.own()
            then = (min(tiles.through for tiles in own) - START) / SECOND + 20
            expected = asked(site.lake, TILED, then)
            assert [site.read(who, then) for who in WHO] == expected
            if min(tiles.batch for tiles in own) == max(tiles.batch for tiles in own) >= 0:
                told[own[0].batch] = then, expected
    for batch, (then, before) in told.items():
        assert asked(site.lake, TILED, then, upto=batch) == before


def test_a_file_that_does_not_read_stops_its_aggregate_until_it_does(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.land([event("ann", 1)])
    (path,) = site.lake.paths("events")
    data = path.read_bytes()
    path.write_bytes(data[:-7])
    with pytest.raises(BadArtifact, match="bytes its manifest lists"):
        site.turn(40)
    assert set(site.topic()) == {TILED.layouts[1].id}
    path.write_bytes(data)
    site.turn(41)
    assert site.read("ann", 50)["sizes.mean.60s"] == 1.0


def test_what_is_not_acknowledged_is_due_again(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.tiler._shelf.stopping = lambda: True
    site.land([event("ann", 1)])
    site.log.refuse = True
    with pytest.raises(Unavailable):
        site.turn(40)
    site.log.refuse = False
    site.turn(41)
    assert site.read("ann", 50)["sizes.count.20s"] == 0
    assert site.read("ann", 50)["sizes.mean.60s"] == 1.0


def test_a_file_of_an_older_contract_counts_with_the_default_or_not_at_all(tmp_path: Path) -> None:
    older = Contract.from_yaml(CONTRACT.replace("    size:   {type: double, min: -1, max: 10.5, unit: km, nullable: true}\n", "").replace("  big: size > 1.5 and flag\n", ""), "small.yaml")  # fmt: skip # noqa: E501
    lake = Lake(tmp_path, "small")
    row = {name: value for name, value in event("ann", 1).items() if name != "size"}
    land(lake, older, [row], [])
    assert asked(lake, TILED, 40)[0]["sizes.count.20s"] == 0
    given = CONTRACT.replace("unit: km, nullable: true", "unit: km, default: 2.5").replace(
        "features:\n", AGGREGATES
    )
    assert asked(lake, Contract.from_yaml(given, "small.yaml"), 40)[0]["sizes.mean.60s"] == 2.5


def test_a_replaced_contracts_layouts_are_told_on_and_then_cleared(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.land([event("ann", 1)])
    site.turn(40)
    older = {layout.id for layout in TILED.layouts}
    text = CONTRACT.replace("features:\n", AGGREGATES.replace("digits: 1", "digits: 2"))
    newer = Contract.from_yaml(text, "small.yaml")
    site.tiler.follow([newer, TILED], {})
    site.land([event("ann", 41)])
    site.turn(80)
    assert {name for name in site.topic() if name.count("/") == 1} == older | {c.id for c in newer.layouts}
    assert site.read("ann", 85)["sizes.count.20s"] == 1
    site.tiler.follow([newer], {})
    assert not [name for name in site.topic() if name.startswith(TILED.layouts[0].id)]
    Shelf(site.log, site.tiler._clock).clear("small/old@0", ["ann"])
    assert stood(site.log)["small/old@0"].record is None


def test_a_longer_delay_keeps_more_tiles_for_the_models_that_read_them(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.land([event("ann", 1)])
    site.turn(91)
    site.land([event("bob", 100)])
    site.turn(140)
    assert TILED.layouts[0].key("ann") not in site.topic()
    assert stood(site.log)[TILED.layouts[0].id].keys == {"bob"}
    text = CONTRACT.replace("features:\n", AGGREGATES.replace("delay: 20s", "delay: 60s"))
    longer = Contract.from_yaml(text, "small.yaml")
    assert [layout.id for layout in longer.layouts] == [layout.id for layout in TILED.layouts]
    site.tiler.follow([TILED, longer], {})
    site.turn(140)
    assert TILED.layouts[0].key("ann") in site.topic()


def test_a_contract_is_remembered_until_no_model_of_it_is_used(tmp_path: Path) -> None:
    newer = Contract.from_yaml(CONTRACT, "small.yaml")
    known = renewed((), [TILED], 10)
    assert known == (Entry(TILED),)
    known = renewed(known, [newer], 10)
    assert known == (Entry(newer), Entry(TILED, 10 + TILED.serve.expired))
    assert renewed(known, [TILED], 20) == (Entry(TILED), Entry(newer, 20 + newer.serve.expired))
    assert renewed(known, [newer], 10 + TILED.serve.expired) == (Entry(newer),)
    path = tmp_path / "contracts.json"
    assert Remembered(path).contracts([TILED], 5) == (TILED,)
    assert Remembered(path).contracts([newer], 6) == (newer, TILED)
    path.write_bytes(b"[{}]")
    with pytest.raises(BadArtifact, match="contracts whose tiles are told"):
        Remembered(path)


def test_what_came_late_while_the_process_was_away_is_counted_and_told(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.land([event("ann", 1)])
    site.turn(25)
    site.land([event("ann", 3), event("bob", 22)])
    site.start()
    site.turn(25)
    said = site.tiler._following[TILED.layouts[0].id].said()
    assert (said["late"], said["records"]) == (1, 2)
    assert site.read("ann", 40)["sizes.count.20s"] == 2
    assert stood(site.log)[TILED.layouts[0].id].keys == {"ann"}


def test_the_first_instant_of_a_window_is_in_it_and_the_last_is_not(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    for second, size in ((0, 1.0), (60, 3.0)):
        land(lake, TILED, [event("ann", second, size)])
    means = [asked(lake, TILED, at)[0]["sizes.mean.60s"] for at in (79, 80, 90)]
    assert means == [1.0, 1.0, 3.0]


def test_figures_say_what_came_late_and_what_is_left_of_the_delay(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.land([event("ann", 1), event("bob", 2)])
    site.turn(15)
    site.land([event("ann", 3)])
    site.turn(25)
    said = site.tiler._following[TILED.layouts[0].id].said()
    assert {name: said[name] for name in ("records", "late", "keys", "closed", "behind_s")} == {
        "records": 1, "late": 1, "keys": 3, "closed": 1, "behind_s": 5,
    }  # fmt: skip
    assert said["margin_s"] is not None
    assert said["margin"] == said["margin_s"] / 20


def test_killed_in_the_middle_of_a_telling_no_key_goes_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.land([event("a", 1)], [label("a", 1)])
    site.turn(20)
    site.land([event("a", 18)], [label("a", 18)])
    site.turn(40)
    names = {layout.id.encode() for layout in TILED.layouts}
    last = max(n for n, entry in enumerate(site.log.entries) if entry.key not in names)
    before = {e.key: e.value for e in site.log.entries if e.topic == TILES}
    # Its keys were told, its own record was not.
    del site.log.entries[last + 1 :]
    site.start()
    told = len(site.log.entries)
    site.turn()
    site.turn(40)
    again = [e for e in site.log.entries[told:] if e.topic == TILES]
    assert {e.key for e in again} >= names
    for entry in again:
        layout = next(own for own in TILED.layouts if (entry.key or b"").startswith(own.id.encode()))
        found, first = unpacked(entry.value or b"", layout), unpacked(before[entry.key] or b"", layout)
        assert (found.through, found.batch) >= (first.through, first.batch)
