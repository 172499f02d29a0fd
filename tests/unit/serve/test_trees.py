"""A MOJO holds the trees that it counts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

import pytest

from hotpath.errors import BadArtifact
from hotpath.settings import PROJECT
from serve.trees import whole

DATA = PROJECT / "tests" / "data"


def mojo(counted: str, trees: Iterable[str], ini: str = "model.ini") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ini, f"[info]\n{counted}\nn_trees_per_class = 1\n")
        for name in trees:
            archive.writestr(f"trees/{name}", b"")
    return out.getvalue()


@pytest.mark.parametrize("path", sorted(DATA.glob("*.zip")), ids=lambda path: path.stem)
def test_real_models_are_whole(path: object) -> None:
    whole(path.read_bytes())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "good",
    [
        mojo("n_trees = 2", ["t00_000.bin", "t00_000_aux.bin", "t00_001.bin"]),
        mojo("n_trees = 2", ["t00_000.bin", "t02_000.bin", "t02_001.bin"]),  # a class that the window lacked
        mojo("hidden = [200]", []),  # a network
    ],
)
def test_as_many_trees_as_are_counted_are_whole(good: bytes) -> None:
    whole(good)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (mojo("n_trees = 2", ["t00_000.bin"]), "found '1, the last of them 0'"),
        (mojo("n_trees = 1", ["t00_000.bin", "t00_001.bin"]), "expected 1 from 0 on"),
        (mojo("n_trees = 2", ["t00_000.bin", "t00_002.bin"]), "the last of them 2"),
        (mojo("n_trees = 1", ["../t00_000.bin"]), "found '0, the last of them None'"),
        (mojo("n_trees = 1", ["t00_000.bin"], ini="other.ini"), "a MOJO"),
        (mojo("x" * 17 * 2**20, []), "bytes"),
        (b"", "a MOJO"),
    ],
)
def test_trees_that_are_missing_or_too_many_are_refused(bad: bytes, why: str) -> None:
    with pytest.raises(BadArtifact) as refused:
        whole(bad)
    assert why in str(refused.value)
