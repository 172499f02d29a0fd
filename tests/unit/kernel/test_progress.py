"""A part's word about itself is never what ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath import progress


def test_a_full_disk_costs_the_word_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    said = progress.Progress(tmp_path / "part.json")
    said.say("first")
    with monkeypatch.context() as patched:
        patched.setattr(progress, "replace", full)
        said.say("second")
    assert progress.read(tmp_path / "part.json")["state"] == "first"
    said.say("third")
    assert progress.read(tmp_path / "part.json")["state"] == "third"
