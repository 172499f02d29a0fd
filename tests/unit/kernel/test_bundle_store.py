"""A store that somebody damaged says which file it is, and what to do: it is never read as an empty one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import CONTENT, seal
from hotpath.bundle_store import BundleStore, Forced, Run
from hotpath.errors import BadArtifact

RUN = Run("refused", "auc is 0.5", 7, {"build": 1, "fit": 2.5}, {"auc": 0.5}, left_out={"late": 3})
GARBAGE = (b"", b"{", b"\xff", b"[]", b"null", b"7", b"[" * 100_000)


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path)


def spoilt(path: Path, **changed: object) -> None:
    path.write_text(json.dumps({**asdict(RUN), **changed}))


def test_a_run_reads_back_as_it_was_noted(store: BundleStore) -> None:
    store.record(RUN)
    assert store.runs() == (RUN,)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("kind", ["sequence", "runs", "forced", "parameters"])
def test_a_note_that_is_none_is_named_with_what_to_do(tmp_path: Path, kind: str, garbage: bytes) -> None:
    store = BundleStore(tmp_path)
    store.take_sequence({"bundle": "b"})
    store.record(RUN)
    store.note_forced(Forced("b", 1, "ann", "why", 7))
    store.keep_chosen({"model": "gbm"})
    (tmp_path / kind / "1.json").write_bytes(garbage)
    read = {"sequence": store.taken, "runs": store.runs, "forced": store.forced, "parameters": store.chosen}
    with pytest.raises(BadArtifact, match=rf"{kind}/1\.json.*restore it, or"):
        read[kind]()


def test_whoever_mends_a_number_is_told_to_leave_it_taken(store: BundleStore, tmp_path: Path) -> None:
    assert store.take_sequence({"bundle": "b"}) == 1
    note = tmp_path / "sequence" / "1.json"
    note.write_bytes(b"")
    nobody = {"bundle": "", "at": 0}
    with pytest.raises(BadArtifact) as raised:
        store.taken()
    assert f"write {json.dumps(nobody)}" in raised.value.todo
    note.write_text(json.dumps(nobody))
    assert (store.taken(), store.take_sequence({})) == ({1: nobody}, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"began_at": "yesterday"},
        {"began_at": 1.5},
        {"seconds": None},
        {"seconds": {"build": "long"}},
        {"metrics": {"auc": None}},
        {"left_out": {"late": "many"}},
        {"state": "lost"},
        {"sequence": "1"},
        {"reasons": ["because"]},
        {"unheard": 1},
    ],
)
def test_a_note_of_wrong_types_is_refused_as_it_is_read(
    store: BundleStore, tmp_path: Path, changed: dict[str, Any]
) -> None:
    store.record(RUN)
    spoilt(tmp_path / "runs" / "1.json", **changed)
    (field,) = changed
    with pytest.raises(BadArtifact, match=rf"runs/1\.json.*{field}.*a run's note"):
        store.runs()


def test_the_oldest_notes_know_one_metric_only(store: BundleStore, tmp_path: Path) -> None:
    old = {"state": "trained", "why": "", "began_at": 7, "seconds": {}, "auc": 0.7}
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "1.json").write_text(json.dumps(old))
    assert store.runs() == (Run("trained", "", 7, {}, {"auc": 0.7}),)


@pytest.mark.parametrize("name", ["1x.json", "0.json", "01.json", "1.json.bak", ".2.json.abc", "².json"])
def test_a_file_that_is_called_like_no_note_is_passed_over(
    store: BundleStore, tmp_path: Path, name: str
) -> None:
    store.record(RUN)
    (tmp_path / "runs" / name).write_bytes(b"")
    assert store.runs() == (RUN,)
    assert store.record(RUN) == 2


@pytest.mark.parametrize("kind", ["runs", "bundles", "sequence"])
def test_a_folder_that_is_none_is_no_empty_one(store: BundleStore, tmp_path: Path, kind: str) -> None:
    assert (store.runs(), store.kept(), store.taken()) == ((), [], {})
    (tmp_path / kind).write_bytes(b"")
    read = {"runs": store.runs, "bundles": store.kept, "sequence": store.taken}
    with pytest.raises(BadArtifact, match=f"{kind}.*a folder that can be read"):
        read[kind]()


def test_a_bundle_that_was_cut_short_is_named_with_its_file_and_what_to_do(
    store: BundleStore, tmp_path: Path
) -> None:
    sealed = seal(dict.fromkeys(CONTENT, b"{}"), {}, Ed25519PrivateKey.generate())
    store.keep(sealed)
    path = tmp_path / "bundles" / f"{sealed.id}.zip"
    path.write_bytes(sealed.packed[:-100])
    with pytest.raises(BadArtifact, match=r"without a zip's end.*a whole bundle; restore it, or") as raised:
        store.bundle(sealed.id)
    assert raised.value.thing.startswith(str(path))
