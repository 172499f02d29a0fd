"""Each lake is compacted when it is due, and one that is harmed does not keep the others waiting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hotpath.clock import HOUR, SECOND, Clock, Segment
from hotpath.kafka import MemoryLog
from hotpath.lake import Lake
from hotpath.points import Point, Points
from hotpath.progress import Progress, read
from hotpath.settings import LakeSettings, Settings, load
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, land
from transform import upkeep
from transform.compaction import compact
from transform.retention import kept_for
from transform.upkeep import Upkeep

SMALL = small()
OTHER = replace(SMALL, name="other")


class Keeping:
    """Two lakes of three batches, the one who keeps them, and what was said."""

    def __init__(self, folder: Path) -> None:
        kept = LakeSettings(url=folder / "lake", compact_every="1h", keep_superseded_s=0)
        self.settings: Settings = load().model_copy(update={"data": folder, "lake": kept})
        self.clock = Clock(folder / "clock.jsonl")
        self.stand(0)
        self.log = MemoryLog()
        points, progress = Points(self.log, self.clock, {}), Progress(folder / "upkeep.json")
        self.upkeep = Upkeep(self.settings, self.clock, points, progress)
        self.lakes = {c.name: Lake(folder / "lake", c.name) for c in (SMALL, OTHER)}
        for lake in self.lakes.values():
            for number in range(3):
                land(lake, SMALL, number, [{**EVENT, "id": str(number)}], [], [])

    def stand(self, hours: int) -> None:
        """It is so late in the domain."""
        self.clock.append(Segment(self.clock.real() - SECOND, hours * HOUR, 0))

    def turn(self) -> None:
        self.upkeep.turn((SMALL, OTHER))

    def spans(self, name: str = "small") -> list[str]:
        return [manifest.name.span for manifest in self.lakes[name].manifests()]


@pytest.fixture
def keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeping:
    monkeypatch.setattr(upkeep, "LOOK_S", 0.0)
    return Keeping(tmp_path)


def test_a_lake_is_compacted_at_once_and_then_when_it_is_due(keeping: Keeping) -> None:
    keeping.turn()
    assert keeping.spans() == ["0-1", "2"]
    assert keeping.lakes["small"].superseded() == ()
    for number in (3, 4):
        land(keeping.lakes["small"], SMALL, number, [{**EVENT, "id": str(number)}], [], [])
    keeping.turn()
    assert keeping.spans() == ["0-1", "2", "3", "4"]
    keeping.stand(1)
    keeping.turn()
    assert keeping.spans() == ["0-3", "4"]


def test_a_harmed_lake_is_told_and_the_others_are_kept(
    keeping: Keeping, caplog: pytest.LogCaptureFixture
) -> None:
    harmed = keeping.lakes["small"]
    harmed.path(harmed.manifests()[0].files[0]).write_bytes(b"")
    for _ in range(3):
        keeping.turn()
    assert keeping.spans() == ["0", "1", "2"]
    assert keeping.spans("other") == ["0-1", "2"]
    assert len([r for r in caplog.records if "expected the" in r.message]) == 1


def test_a_lake_whose_compaction_fails_is_freed_of_what_is_past_its_time(keeping: Keeping) -> None:
    keeping.turn()
    lake = keeping.lakes["small"]
    for number in (3, 4):
        land(lake, SMALL, number, [{**EVENT, "id": str(number)}], [], [])
    compact(lake)
    assert [m.name.span for m in lake.superseded()] == ["0-1", "2", "3"]
    for number in (5, 6):
        land(lake, SMALL, number, [{**EVENT, "id": str(number)}], [], [])
    lake.path(lake.manifests()[-2].files[0]).write_bytes(b"")
    keeping.stand(1)
    keeping.turn()
    assert keeping.spans() == ["0-3", "4", "5", "6"]
    assert lake.superseded() == ()


def test_what_a_lake_holds_is_said(keeping: Keeping) -> None:
    keeping.turn()
    points = [Point.parse((e.value or b"").decode()) for e in keeping.log.entries]
    said = next(p for p in points if p.tags == {"pipeline": "small"})
    assert (said.measurement, said.fields["files"], said.fields["manifests"]) == ("lake", 2.0, 2.0)
    assert said.fields["large"] == 0.0


def test_a_pipeline_that_has_landed_nothing_is_no_trouble(
    keeping: Keeping, caplog: pytest.LogCaptureFixture
) -> None:
    keeping.upkeep.turn((replace(SMALL, name="new"),))
    assert caplog.records == []


def said(keeping: Keeping) -> dict[str, object]:
    return dict(read(keeping.upkeep.settings.data / "upkeep.json"))


def test_what_hinders_a_lake_is_said_until_it_is_mended(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "RETRY_S", 0.0)
    harmed = keeping.lakes["small"]
    path = harmed.path(harmed.manifests()[0].files[0])
    whole = path.read_bytes()
    path.unlink()
    keeping.turn()
    now = said(keeping)
    assert now["state"] == "hindered"
    assert str(path) in str(now["why"])
    points = [Point.parse((e.value or b"").decode()) for e in keeping.log.entries]
    assert {p.tags["pipeline"]: p.fields["manifests"] for p in points} == {"small": 3.0, "other": 2.0}
    path.write_bytes(whole)
    keeping.turn()
    assert (said(keeping)["state"], said(keeping)["why"]) == ("keeping", {})
    assert keeping.spans() == ["0-1", "2"]


def test_a_lake_with_a_manifest_that_does_not_read_is_measured_by_the_others(keeping: Keeping) -> None:
    (keeping.lakes["small"].folder / "manifest/1.json").write_text("{")
    keeping.turn()
    points = [Point.parse((e.value or b"").decode()) for e in keeping.log.entries]
    small = next(p for p in points if p.tags == {"pipeline": "small"})
    assert (small.fields["files"], small.fields["manifests"]) == (2.0, 3.0)


def test_a_lost_file_blocks_neither_retention_nor_the_removal_of_what_is_superseded(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "RETRY_S", 0.0)
    lake = keeping.lakes["small"]
    compact(lake)
    lake.path(lake.manifests()[0].files[0]).unlink()
    for number in (3, 4):
        land(lake, SMALL, number, [{**EVENT, "id": str(number)}], [], [])
    keeping.stand((lake.manifests()[-1].landed_at + kept_for(SMALL)) // HOUR + 1)
    keeping.turn()
    assert [len(m.files) for m in lake.manifests()] == [0, 0, 0, 1]
    assert [m.name.span for m in lake.superseded()] == ["2", "3"], "a batch's own, kept with its revision"
    keeping.turn()
    assert said(keeping)["why"] == {}
