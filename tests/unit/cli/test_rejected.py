"""Rejected records are told by reason, and what is accepted by now is sent again once each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from hotpath import files
from hotpath.cli import rejected
from hotpath.cli.rejected import accepting, by_reason, foreign
from hotpath.cli.rejected import ls as listed
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import BadConfig, Unavailable
from hotpath.kafka import Delivered, Headers, MemoryLog
from hotpath.lake import Lake
from hotpath.replayed import Replayed, replay
from hotpath.settings import load
from tests.contract.samples import CONTRACT as TEXT
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, LABEL, land
from transform.compaction import compact

CONTRACT = small()
WIDER = small("max: 100", "max: 1000")
"""A contract that takes a count of 500."""
MANY = orjson.dumps({**EVENT, "id": "m", "who": "ann", "count": 500})
TORN = b"{torn"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two batches; in each a record that is torn, and one whose count is too large under CONTRACT."""
    lake = Lake(tmp_path, "small")
    for number in range(2):
        land(
            lake, CONTRACT, number, [{**EVENT, "id": str(number)}, TORN, MANY], [{**LABEL, "who": "ann"}], []
        )
    return lake


def again(lake: Lake, log: MemoryLog | None, anew: bool = False) -> Replayed:
    return replay(lake, accepting(WIDER), log, anew)


def test_what_is_rejected_is_counted_by_reason_with_places_and_without_bytes(lake: Lake) -> None:
    rows = by_reason(lake, CONTRACT)
    assert [(row["dataset"], row["records"]) for row in rows] == [("events", 2), ("events", 2)]
    counted = next(row for row in rows if row["reason"].startswith("count"))
    assert counted["places"] == ["small.asked/0/2", "small.asked/0/102"]
    assert "torn" not in json.dumps(rows)
    assert "{torn" in json.dumps(by_reason(lake, CONTRACT, raw=True))


def test_what_is_accepted_by_now_is_sent_again_once_and_the_rest_stays(lake: Lake) -> None:
    log = MemoryLog()
    assert again(lake, None) == Replayed(accepted=2, sent=2, before=0, doubtful=0, left=2)
    assert log.entries == []
    assert again(lake, log) == Replayed(accepted=2, sent=2, before=0, doubtful=0, left=2)
    assert [(e.topic, e.key, e.value) for e in log.entries] == [("small.asked", b"ann", MANY)] * 2
    compact(lake)
    assert again(lake, log) == Replayed(accepted=2, sent=0, before=2, doubtful=0, left=2)
    assert len(log.entries) == 2


def test_what_the_deployed_contract_still_refuses_is_not_sent(lake: Lake) -> None:
    log = MemoryLog()
    assert replay(lake, accepting(CONTRACT), log) == Replayed(0, 0, 0, 0, 4)
    assert log.entries == []


@dataclass
class Broken(MemoryLog):
    """A log that acknowledges only what it takes first."""

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        on_delivery: Delivered | None = None,
    ) -> bool:
        told = on_delivery if not self.entries else None
        return super().send(topic, value, key, headers, told)


def test_what_a_run_that_was_cut_short_may_have_sent_is_told_and_sent_where_asked_for(lake: Lake) -> None:
    with pytest.raises(Unavailable, match="1 of 2 records"):
        again(lake, Broken())
    log = MemoryLog()
    assert again(lake, log) == Replayed(accepted=2, sent=0, before=1, doubtful=1, left=2)
    assert again(lake, log, anew=True).sent == 1
    assert again(lake, log, anew=True).sent == 0
    assert len(log.entries) == 1


def test_two_replays_at_a_time_are_refused(lake: Lake) -> None:
    with files.hold(lake.folder / "replay.lock", "test"), pytest.raises(BadConfig, match="another process"):
        again(lake, MemoryLog())


def test_the_command_lists_the_deployed_contracts_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    settings = load()
    Deployed(settings.deployed()).put(CONTRACT)
    land(Lake(settings.lake_root(), "small"), CONTRACT, 0, [TORN], [], [])
    listed("small", as_json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["dataset"], row["records"]) == ("events", 1)
    listed("small")
    assert "small.asked/0/0" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(lake: Lake) -> None:
    before = sorted(lake.folder.rglob("*"))
    again(lake, None)
    assert sorted(lake.folder.rglob("*")) == before


def test_a_file_that_is_not_a_replays_is_passed_over(lake: Lake) -> None:
    notes = lake.folder / "replayed" / "notes.json"
    notes.parent.mkdir()
    notes.write_text("[]")
    assert again(lake, MemoryLog()).sent == 2
    assert again(lake, MemoryLog()).before == 2


def reading(name: str, *topics: str) -> Contract:
    """A pipeline with further streams."""
    streams = "".join(
        f"  s{number}: {{topic: {topic}, fields: {{size: {{type: double}}}}}}\n"
        for number, topic in enumerate(topics)
    )
    text = TEXT.replace("name: small", f"name: {name}").replace("small.", f"{name}.")
    return Contract.from_yaml(f"{text}streams:\n{streams}", f"{name}.yaml")


def test_nothing_is_sent_to_where_another_pipeline_would_take_it_twice() -> None:
    other = reading("other", "shared.weather")
    own = reading("small", "other.asked", "shared.weather", "hotpath.scores.other", "own.weather")
    assert foreign(own, [own, other]) == ["hotpath.scores.other", "other.asked", "shared.weather"]
    assert foreign(other, [other, reading("small", "other.asked")]) == [], "its own topic is its own"


def test_a_record_without_an_entity_is_sent_without_a_key(tmp_path: Path) -> None:
    lake, log = Lake(tmp_path, "small"), MemoryLog()
    land(lake, CONTRACT, 0, [MANY], [], [])
    replay(lake, {"small.asked": lambda _: b""}, log)
    assert [entry.key for entry in log.entries] == [None]


def test_with_the_broker_away_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setattr(rejected, "REACH_S", 0.2)
    settings = load()
    Deployed(settings.deployed()).put(WIDER)
    lake = Lake(settings.lake_root(), "small")
    land(lake, CONTRACT, 0, [MANY], [], [])
    with pytest.raises(Unavailable, match="Kafka at"):
        rejected.replay("small")
    assert not (lake.folder / "replayed").exists()
