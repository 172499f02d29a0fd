"""`hotpath parity`: every verdict is counted, and answers that nobody can check are no pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hotpath.bundle_store import BundleStore
from hotpath.cli.parity import parity
from hotpath.lake import Lake
from hotpath.settings import Settings, load
from tests.contract.samples import small
from tests.unit.kernel.lakes import land, score

VERDICTS = {"equal": 0, "late": 0, "degraded": 0, "differing": 0}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    return load()


def ended(as_json: bool) -> object:
    with pytest.raises(SystemExit) as ending:
        parity("small", as_json=as_json)
    return ending.value.code or 0


def test_without_an_answer_every_verdict_is_zero(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    land(Lake(settings.lake_root(), "small"), small(), 0, [], [], [])
    assert ended(as_json=True) == 0
    none = {"without a bundle": 0, "with a damaged bundle": 0, "unequal": []}
    assert json.loads(capsys.readouterr().out) == {"answers": 0, **VERDICTS, **none}
    assert ended(as_json=False) == 0
    assert capsys.readouterr().out == "0 answers: none\n"


@pytest.mark.parametrize("damaged", [False, True])
def test_answers_of_which_none_can_be_checked_are_no_pass(
    settings: Settings, capsys: pytest.CaptureFixture[str], damaged: bool
) -> None:
    land(Lake(settings.lake_root(), "small"), small(), 0, [], [], [score("ann")])
    if damaged:
        store = settings.bundle_store() / "small"
        (store / "bundles").mkdir(parents=True)
        (store / "bundles" / "b.zip").write_bytes(b"torn")
        assert BundleStore(store).kept() == ["b"]
    assert ended(as_json=True) == 1
    missed = {"without a bundle": int(not damaged), "with a damaged bundle": int(damaged)}
    assert json.loads(capsys.readouterr().out) == {"answers": 1, **VERDICTS, **missed, "unequal": []}
    assert ended(as_json=False) == 1
    why = "damaged" if damaged else "not kept"
    assert capsys.readouterr().out == f"1 answers: none, 1 of bundles that are {why}\n"
