"""FRESH removes an earlier run, and never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath.errors import BadConfig
from hotpath.local.demo import forget
from hotpath.settings import load


def test_an_earlier_run_is_forgotten(tmp_path: Path) -> None:
    data = tmp_path / "run"
    (data / "state").mkdir(parents=True)
    (data / "clock.jsonl").write_text("")
    forget(data)
    assert not data.exists()


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "photos").mkdir()
    with pytest.raises(BadConfig, match="photos"):
        forget(tmp_path)
    assert (tmp_path / "state").exists()


def test_an_empty_data_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__DATA", "")
    with pytest.raises(BadConfig, match="data"):
        load()
