"""`hotpath new` on a public data set: the pipeline trains and scores without an edit (real Spark, real H2O).

The data are scikit-learn's copies of the Wisconsin breast cancer study (569 tumours with 30 measures each),
and, as they come, of a study of diabetes (a number) and of wines (three classes, sorted by them).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from hotpath.cli import new, test_
from hotpath.clock import MINUTE
from hotpath.contract.load import load
from hotpath.people import samples
from hotpath.people.draft import FILLED_FROM, Wanted, draft
from hotpath.people.results import Kind, Result
from tests.unit.people.rides import spelt


def tumours() -> list[dict[str, Any]]:
    """What a new user's script makes of the data: an id, a host and a time to each row, in random order."""
    data = load_breast_cancer()
    order = list(range(len(data.target)))
    random.Random(3).shuffle(order)
    names = [str(name) for name in data.feature_names]
    return [
        {
            "sample_id": f"tumour-{number}",
            "lab_host": f"microscope-{number % 3}",
            "taken_at": spelt(FILLED_FROM + number * 10 * MINUTE),
            **dict(zip(names, data.data[row].tolist(), strict=True)),
            "malignant": data.target[row].item() == 0,
        }
        for number, row in enumerate(order)
    ]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Result]]:
    """All tests of the pipeline that `hotpath new` made, the first time and accepted."""
    folder = tmp_path_factory.mktemp("pipelines")
    new.write(draft(Wanted("tumours", ("malignant",)), tumours()), folder)
    file = folder / "tumours.yaml"
    yield list(test_.outcomes(load(file), folder / "tumours", frozenset(Kind), accept=True))
    assert samples.beside(folder / "tumours", "sample") is not None


def of(results: list[Result], kind: Kind) -> list[Result]:
    found = [result for result in results if result.kind == kind]
    assert found, f"no test of kind {kind}"
    return found


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_test_passes_without_an_edit(results: list[Result], kind: Kind) -> None:
    assert [result for result in of(results, kind) if not result.passed] == []


def test_the_model_is_as_good_as_the_data_allow(results: list[Result]) -> None:
    (said,) = [result.says for result in of(results, Kind.MODEL) if "accepted" in result.name]
    metrics = dict(pair.split() for pair in said.split(", "))
    assert float(metrics["auc"]) > 0.97


def test_the_window_notices_what_no_single_row_shows(results: list[Result]) -> None:
    says = [result.says for result in of(results, Kind.MISTAKE) if "the window" in result.says]
    assert len(says) == 3


@pytest.mark.parametrize("loaded", [load_diabetes, load_wine])
def test_a_number_and_classes_train_and_score_as_they_come(loaded: Any, tmp_path: Path) -> None:
    data = loaded()
    names = [str(name) for name in data.feature_names]
    rows = [
        {**dict(zip(names, row.tolist(), strict=True)), "target": target.item()}
        for row, target in zip(data.data, data.target, strict=True)
    ]
    new.write(draft(Wanted("it", fill=True), rows), tmp_path)
    kinds = frozenset({Kind.MODEL, Kind.INTEGRATION})
    results = list(test_.outcomes(load(tmp_path / "it.yaml"), tmp_path / "it", kinds, accept=True))
    assert {result.kind for result in results} == kinds
    assert [result for result in results if not result.passed] == []
