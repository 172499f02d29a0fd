"""`contract diff` and `forget`: what they say, as words and as JSON, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import CONTENT, seal
from hotpath.bundle_store import BundleStore, Run
from hotpath.cli.diff import diff
from hotpath.cli.forget import forget, holding
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import BadConfig
from hotpath.lake import Lake
from hotpath.settings import Settings, load
from tests.contract.samples import CONTRACT as TEXT
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, LABEL, land

NARROWER = ("max: 100", "max: 99")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    return load()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    return lambda: capsys.readouterr().out


def ended(old: str, new: str, as_json: bool = False) -> object:
    with pytest.raises(SystemExit) as ending:
        diff(old, new, as_json)
    return ending.value.code or 0


def a_file(folder: Path, old: str = "", new: str = "") -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "small.yaml"
    path.write_text(TEXT.replace(old, new) if old else TEXT)
    return str(path)


def kept(settings: Settings, contract: Contract, entity: str) -> str:
    """The id of a bundle in the store whose golden row is about the entity."""
    golden = BytesIO()
    pq.write_table(pa.table({"event.who": [entity]}), golden)
    own = {"contract.json": contract.canonical(), "golden.parquet": golden.getvalue()}
    sealed = seal({name: own.get(name, b"x") for name in CONTENT}, {}, Ed25519PrivateKey.generate())
    store = BundleStore(settings.bundle_store() / contract.name)
    store.keep(sealed)
    store.record(Run("trained", "", 0, {}, bundle=sealed.id))
    return sealed.id


def test_two_files_that_differ_end_with_1_and_say_whom_it_breaks(
    tmp_path: Path, said: Callable[[], str]
) -> None:
    old, new = a_file(tmp_path / "a"), a_file(tmp_path / "b", *NARROWER)
    assert ended(old, new) == 1
    assert said().startswith("events.fields.count: narrowed (0 to 99; was 0 to 100)")
    assert ended(old, new, as_json=True) == 1
    (change,) = json.loads(said())
    assert (change["change"], change["breaks"]) == ("narrowed", ["callers", "producers"])


def test_a_change_that_breaks_nobody_ends_with_0(tmp_path: Path, said: Callable[[], str]) -> None:
    old, new = a_file(tmp_path / "a"), a_file(tmp_path / "b", "size > 1.5", "size > 2.5")
    assert ended(old, new) == 0
    assert "feature changed" in said()
    assert ended(old, old) == 0
    assert said() == "the same contract\n"


def test_a_deployed_pipeline_and_a_bundle_are_compared_by_name(
    settings: Settings, said: Callable[[], str]
) -> None:
    Deployed(settings.deployed()).put(small())
    bundle = kept(settings, small(*NARROWER), "x")
    assert ended(bundle, "small") == 1
    assert "widened" in said()


@pytest.mark.usefixtures("settings")
def test_what_has_no_contract_is_refused() -> None:
    with pytest.raises(BadConfig, match="a bundle's id"):
        diff("nothing", "small")


def landed(settings: Settings) -> Lake:
    """A deployed pipeline, and its lake with two entities."""
    Deployed(settings.deployed()).put(small())
    lake = Lake(settings.lake_root(), "small")
    events = [{**EVENT, "id": who, "who": who} for who in ("ann", "bob")]
    land(lake, small(), 0, events, [{**LABEL, "who": "bob"}], [])
    return lake


def test_forgetting_says_what_was_erased_and_where_copies_remain(
    settings: Settings, said: Callable[[], str]
) -> None:
    lake, bundle = landed(settings), kept(settings, small(), "bob")
    forget("bob", "small")
    assert said().splitlines() == [
        "erased: 1 of events, 1 of labels",
        "files rewritten: 2, up to batch 0",
        "copies remain until their retention ends: small.asked, small.answered, hotpath.scores.small",
        f"copies remain among the golden rows of bundles: {bundle}; retire them",
    ]
    assert lake.read("events")["who"].to_pylist() == ["ann"]


def test_a_bundle_that_cannot_be_told_free_of_the_entity_is_named(settings: Settings) -> None:
    store, named = BundleStore(settings.bundle_store() / "small"), small()
    spoilt, hers = kept(settings, named, "ann"), kept(settings, named, "bob")
    (settings.bundle_store() / "small" / "bundles" / f"{spoilt}.zip").write_bytes(b"torn")
    (settings.bundle_store() / "small" / "runs" / "2.json").unlink()  # killed before its run was noted
    assert holding(store, named, "bob") == sorted([spoilt, hers])
    renamed = replace(named, events=replace(named.events, entity="id"))
    assert holding(store, renamed, "bob") == sorted([spoilt, hers]), "an older contract called it otherwise"
    assert holding(store, named, "carl") == [spoilt]


def test_forgetting_nobody_says_nothing_was_erased(settings: Settings, said: Callable[[], str]) -> None:
    landed(settings)
    kept(settings, small(), "bob")
    forget("carl", "small", as_json=True)
    found = json.loads(said())
    assert (found["rows"], found["rewritten"], found["bundles"]) == ({}, 0, [])
    forget("carl", "small")
    assert said().startswith("erased: nothing\n")
