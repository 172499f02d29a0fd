"""Rows of the lake for people: files of older contracts are filled; what is away or damaged is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import CONTENT, seal
from hotpath.bundle_store import BundleStore, Run
from hotpath.cli import features, try_
from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.model import Contract
from hotpath.errors import BadConfig, BadInput
from hotpath.lake import Lake
from hotpath.settings import Settings, load
from tests.contract.samples import CONTRACT as TEXT
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, STAMP, land
from tests.unit.kernel.test_parity import CONTRACT as COUNTED

OLDER = small("{type: long, min: 0, max: 100}", "{type: double}")
NEWER = Contract.from_yaml(
    TEXT.replace("max: 100}", "max: 100, default: 3}").replace(
        "    host: ", "    more: {type: long, nullable: true}\n    host: "
    ),
    "small.yaml",
)
"""Has a count of another type than OLDER, and a field that OLDER lacks."""
COUNT = "    count:  {type: long, min: 0, max: 100}\n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    return load()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "small")


def test_what_an_older_file_lacks_is_filled_as_in_a_window(lake: Lake) -> None:
    land(lake, OLDER, 0, [EVENT], [], [])
    land(lake, NEWER, 1, [{**EVENT, "id": "b", "who": "ann", "more": 1}], [], [])
    row = features.event(lake, NEWER, "w", STAMP)
    assert (row["count"], row["more"], row["size"]) == (3, None, 2.0)
    assert [(row["id"], row["count"], row["more"]) for row in try_.landed(lake, NEWER, 9)] == [
        ("a1", 3, None),
        ("b", 7, 1),
    ]


def test_a_file_that_lacks_what_must_be_there_is_passed_over(lake: Lake) -> None:
    land(lake, small(COUNT), 0, [{name: EVENT[name] for name in EVENT if name != "count"}], [], [])
    with pytest.raises(BadInput, match="entity"):
        features.event(lake, small(), "w", STAMP)
    assert try_.landed(lake, small(), 9) == []


def test_a_lake_without_an_event_has_no_row(lake: Lake) -> None:
    land(lake, small(), 0, [], [], [])
    with pytest.raises(BadInput, match="entity"):
        features.event(lake, small(), "w", STAMP)
    assert try_.landed(lake, small(), 9) == []


def test_try_reads_back_as_far_as_the_rows_that_were_asked_for(lake: Lake) -> None:
    for batch in range(12):
        land(lake, small(), batch, [{**EVENT, "id": str(batch)}], [], [])
    assert [row["id"] for row in try_.landed(lake, small(), 10)] == [str(batch) for batch in range(2, 12)]


def test_where_redis_is_away_its_address_and_the_reason_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__REDIS__URL", "redis://somebody:secret@127.0.0.1:9")
    held, away = features.online(load(), COUNTED, {"shop": "a"}, STAMP)
    assert held.degraded == ("aggregates",)
    assert away is not None
    assert away.startswith("redis://127.0.0.1:9: ")
    assert "refused" in away


def test_an_address_of_redis_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__REDIS__URL", "redis://127.0.0.1:abc")
    with pytest.raises(BadConfig, match="abc"):
        features.online(load(), COUNTED, {"shop": "a"}, STAMP)


def test_where_the_newest_models_bundle_is_damaged_an_older_one_is_taken(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    store, fitted = BundleStore(settings.bundle_store() / "small"), Fitted({"level": ("low",)})
    run = Run("trained", "", 0, {}, bundle="gone", fingerprint=small().fingerprint)
    store.record(run)
    assert features._fitted(settings, small()) == NOTHING
    assert "gone" in capsys.readouterr().err
    files = {name: fitted.to_bytes() if name == "fitted.json" else b"x" for name in CONTENT}
    sealed = seal(files, {}, Ed25519PrivateKey.generate())
    store.keep(sealed)
    store.record(Run("trained", "", 0, {}, bundle=sealed.id, fingerprint=small().fingerprint))
    store.record(run)
    assert features._fitted(settings, small()) == fitted
