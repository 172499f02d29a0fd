"""The engine gives the very numbers of H2O's own scorer; tests/data holds MOJOs and what they say."""

from __future__ import annotations

import io
import threading
import zipfile
from math import isnan

import numpy as np
import pytest

from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from serve import engine
from serve.generation import CATEGORY, NUMBER, Kind, Target
from tests.integration.serve.bundles import CATEGORIES, DATA, NUMBERS

COLUMNS: dict[str, dict[str, Kind]] = {
    "gbm_numbers": dict.fromkeys(["n00", *NUMBERS], NUMBER),
    "gbm_categories": {**dict.fromkeys(["n00", *NUMBERS], NUMBER), **dict.fromkeys(CATEGORIES, CATEGORY)},
}


BINARY = Target("binary", ("0", "1"))
WAYS: dict[str, Target] = {
    "gbm_ways": Target("classes", ("air", "rail", "road", "sea")),
    "gbm_two_ways": Target("classes", ("air", "rail", "sea")),
    "gbm_cost": Target("number", ()),
}
"""Targets of small models over x, y and c; they never met the class `road`, and the second not `rail`."""
SEEN = {"gbm_ways": (0, 1, 3), "gbm_two_ways": (0, 2)}
"""Places of the classes that were, in the order of what H2O said."""


@pytest.fixture(scope="module", autouse=True)
def _jvm() -> None:
    engine.start(engine.JARS)


def load(name: str, features: dict[str, Kind]) -> engine.Mojo:
    return engine.load((DATA / f"{name}.zip").read_bytes(), features, BINARY)


def vector(name: str, row: list[float]) -> dict[str, Value]:
    """A row of the .npz as features; a level is an index, one outside the domain stands for an unseen one."""
    with zipfile.ZipFile(DATA / f"{name}.zip") as mojo:
        domains = {e: mojo.read(f"domains/d{i:03d}.txt").decode().split() for i, e in enumerate(CATEGORIES)}
    made: dict[str, Value] = {}
    for (feature, kind), value in zip(COLUMNS[name].items(), row, strict=True):
        if isnan(value):
            made[feature] = None
        elif kind == NUMBER:
            made[feature] = value
        else:
            levels = domains[feature]
            made[feature] = levels[int(value)] if 0 <= value < len(levels) else "never met"
    return made


@pytest.mark.parametrize("name", COLUMNS)
def test_scores_equal_h2os_to_the_bit(name: str) -> None:
    model = load(name, COLUMNS[name])
    data = np.load(DATA / f"{name}.npz")
    for row, (_, _, expected) in zip(data["rows"].tolist(), data["expected"].tolist(), strict=True):
        features = (
            vector(name, row) if name == "gbm_categories" else dict(zip(COLUMNS[name], row, strict=True))
        )
        scored = model(tuple(features.values()))
        assert scored.score == expected
        assert ("e3" in scored.unseen) == (features.get("e3") == "never met")


def way(name: str, target: Target) -> engine.Mojo:
    """A model of WAYS under some target."""
    features: dict[str, Kind] = {"x": NUMBER, "y": NUMBER, "c": CATEGORY}
    return engine.load((DATA / f"{name}.zip").read_bytes(), features, target)


@pytest.mark.parametrize("name", WAYS)
def test_classes_and_numbers_equal_h2os_to_the_bit(name: str) -> None:
    model, data = way(name, WAYS[name]), np.load(DATA / f"{name}.npz")
    rows = zip(data["x"].tolist(), data["y"].tolist(), data["c"].tolist(), strict=True)
    for (x, y, c), expected in zip(rows, data["expected"].tolist(), strict=True):
        scored = model((None if isnan(x) else x, None if isnan(y) else y, c or None))
        if name == "gbm_cost":
            assert (scored.score, scored.scores) == (expected[0], ())
        else:
            every = dict(zip(SEEN[name], expected, strict=True))
            assert scored.scores == tuple(every.get(i, 0.0) for i in range(len(WAYS[name].classes)))
            assert scored.score == max(expected)
        assert scored.unseen == (("c",) if c == "never met" else ())


@pytest.mark.parametrize("name", ["glm_multi", "xgb_multi", "dl_multi"])
def test_other_algorithms_equal_h2os_scorer(name: str) -> None:
    """Three classes of rows with nulls, extremes and unseen levels; every algorithm on real H2O is
    tests/integration/train/test_fit.py's."""
    mojo, data = (DATA / f"{name}.zip").read_bytes(), np.load(DATA / f"{name}.npz")
    raw = engine._read(mojo)
    names = [str(n) for n in raw.getNames()][: raw.nfeatures()]
    domains = [raw.getDomainValues(place) for place in range(len(names))]
    kinds: dict[str, Kind] = {
        n: NUMBER if domain is None else CATEGORY for n, domain in zip(names, domains, strict=True)
    }
    classes = tuple(str(c) for c in raw.getDomainValues(raw.getResponseIdx()))
    model = engine.load(mojo, kinds, Target("classes", classes))
    for row, expected in zip(data["rows"].tolist(), data["expected"].tolist(), strict=True):
        cells = zip(row, domains, strict=True)
        values = [None if isnan(v) else v if d is None else str(d[int(v)]) for v, d in cells]
        assert model(values).scores == pytest.approx(expected[1:], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "target", "why"),
    [
        ("gbm_ways", BINARY, "model's category: found 'Multinomial', expected Binomial"),
        ("gbm_cost", BINARY, "model's category: found 'Regression', expected Binomial"),
        ("gbm_two_ways", WAYS["gbm_cost"], "model's category: found 'Binomial', expected Regression"),
        (
            "gbm_cost",
            WAYS["gbm_ways"],
            "model's category: found 'Regression', expected Multinomial or Binomial",
        ),
        ("gbm_ways", Target("classes", ("air", "sea")), r"model's classes: found \['rail'\]"),
    ],
)
def test_a_model_of_another_target_is_refused(name: str, target: Target, why: str) -> None:
    with pytest.raises(BadArtifact, match=why):
        way(name, target)


def test_features_may_come_in_any_order() -> None:
    turned = dict(reversed(COLUMNS["gbm_categories"].items()))
    values: tuple[Value, ...] = (*(f"{e}_001" for e in CATEGORIES), *(float(i) for i in range(20)))
    one, other = load("gbm_categories", turned), load("gbm_categories", COLUMNS["gbm_categories"])
    by_name = dict(zip([*CATEGORIES, "n00", *NUMBERS], values, strict=True))
    assert one([by_name[n] for n in turned]) == other([by_name[n] for n in COLUMNS["gbm_categories"]])


def test_threads_do_not_disturb_each_other() -> None:
    model = load("gbm_numbers", COLUMNS["gbm_numbers"])
    rows = [[float(i + j) for j in range(20)] for i in range(4)]
    alone = [model(row).score for row in rows]
    wrong: list[int] = []

    def score(i: int) -> None:
        wrong.extend(i for _ in range(2000) if model(rows[i]).score != alone[i])

    threads = [threading.Thread(target=score, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_model_with_other_columns_is_refused() -> None:
    features = {**COLUMNS["gbm_numbers"], "extra": NUMBER}
    with pytest.raises(BadArtifact, match="model's columns"):
        load("gbm_numbers", features)


def test_a_category_where_the_model_has_a_number_is_refused() -> None:
    with pytest.raises(BadArtifact, match=r"model's column n01.* null in the whole window"):
        load("gbm_numbers", {**COLUMNS["gbm_numbers"], "n01": CATEGORY})


def test_a_number_where_the_model_has_a_category_is_refused() -> None:
    with pytest.raises(BadArtifact, match=r"model's column e3: found 'category', expected number$"):
        load("gbm_categories", {**COLUMNS["gbm_categories"], "e3": NUMBER})


def test_another_algorithm_is_refused_by_name() -> None:
    columns = b"algo = isofor\nmax_path_length = 1\nmin_path_length = 0\noutput_anomaly_flag = false"
    forest = with_text("model.ini", b"algo = gbm", columns)
    with pytest.raises(BadArtifact, match="model's algorithm: found 'isofor', expected one of deeplearning"):
        engine.load(forest, COLUMNS["gbm_numbers"], BINARY)


def with_text(entry: str, old: bytes, new: bytes) -> bytes:
    """The MOJO of numbers with a text of one entry replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(DATA / "gbm_numbers.zip") as mojo, zipfile.ZipFile(out, "w") as changed:
        for name in mojo.namelist():
            data = mojo.read(name)
            changed.writestr(name, data.replace(old, new, 1) if name == entry else data)
    return out.getvalue()


@pytest.mark.parametrize("cut", [0, 10, 50_000])
def test_a_truncated_mojo_is_refused(cut: int) -> None:
    mojo = (DATA / "gbm_numbers.zip").read_bytes()[:cut]
    with pytest.raises(BadArtifact, match=r"model\.zip"):
        engine.load(mojo, COLUMNS["gbm_numbers"], BINARY)
