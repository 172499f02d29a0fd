"""What runs is what was deployed, whatever stands in the files that somebody edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath import deployed
from hotpath.deployed import Deployed
from hotpath.errors import BadArtifact, BadConfig
from hotpath.settings import Settings, load
from tests.contract.samples import CONTRACT, small


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "small.yaml").write_text(CONTRACT)
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "run"))
    monkeypatch.setenv("HOTPATH__PIPELINES", str(tmp_path / "pipelines"))
    return load()


def test_a_deployed_contract_is_read_back_and_a_newer_one_replaces_it(tmp_path: Path) -> None:
    found = Deployed(tmp_path / "deployed")
    assert (found.all(), found.get("small")) == ((), None)
    found.put(small())
    assert (found.all(), found.get("small")) == ((small(),), small())
    assert found.get("small") is found.get("small"), "what has not changed is not parsed again"
    newer = small("size > 1.5", "size > 2.5")
    Deployed(tmp_path / "deployed").put(newer)
    assert found.get("small") == newer


def test_the_file_stands_in_where_nothing_was_deployed(settings: Settings) -> None:
    assert deployed.contract(settings, "small") == small()
    assert deployed.contracts(settings) == (small(),)


def test_a_file_that_is_edited_changes_nothing_until_it_is_deployed(settings: Settings) -> None:
    Deployed(settings.deployed()).put(small())
    (settings.pipelines / "small.yaml").write_text(CONTRACT.replace("1.5", "2.5"))
    (settings.pipelines / "other.yaml").write_text(CONTRACT.replace("name: small", "name: other"))
    assert deployed.contract(settings, "small") == small()
    assert deployed.contracts(settings) == (small(),)


@pytest.mark.parametrize("name", ["smal", "", "../pipelines/small", "a\0b", "x" * 300])
def test_a_wrong_name_is_told_with_the_pipelines_that_there_are(settings: Settings, name: str) -> None:
    Deployed(settings.deployed()).put(small())
    (settings.pipelines / "other.yaml").write_text(CONTRACT.replace("name: small", "name: other"))
    with pytest.raises(BadConfig, match=r"the pipeline's name.*a pipeline, one of other, small") as raised:
        deployed.contract(settings, name)
    assert ("did you mean small?" in str(raised.value)) == (name == "smal")


def test_where_there_is_no_pipeline_at_all_one_is_told_how_to_make_one(settings: Settings) -> None:
    (settings.pipelines / "small.yaml").unlink()
    with pytest.raises(BadConfig, match="has none, hotpath new makes one"):
        deployed.contract(settings, "small")


def test_a_spoilt_file_is_named(tmp_path: Path) -> None:
    Deployed(tmp_path).put(small())
    (tmp_path / "small.json").rename(tmp_path / "other.json")
    with pytest.raises(BadArtifact, match=r"other\.json"):
        Deployed(tmp_path).all()


@pytest.mark.parametrize("spoilt", [b"{", b"{}", b"", b"\xff"])
def test_a_file_that_is_no_contract_is_named_by_its_path_with_what_to_do(
    tmp_path: Path, spoilt: bytes
) -> None:
    (tmp_path / "small.json").write_bytes(spoilt)
    with pytest.raises(BadArtifact, match=r"small\.json.*deploy it again") as raised:
        Deployed(tmp_path).get("small")
    assert raised.value.thing.startswith(str(tmp_path / "small.json"))
