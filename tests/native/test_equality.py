"""The native module against genmodel, on the sample MOJOs and rows of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import hotpath_native as native
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from hotpath.settings import PROJECT
from tests.native.judge import Compared, Genmodel, compare, rows, scored

MOJOS = PROJECT / "native" / "tests" / "mojos"
SAMPLES = sorted(MOJOS.glob("*.zip"))
REFUSED = {"gbm_ce_OneHotExplicit": "_genmodel_encoding = OneHotExplicit"}
EXACT = {"drf_double", "drf_multi", "gbm_gaussian", "gbm_quantile", "glm_gauss"}
"""No `exp`, `log` or `pow` in an answer."""
OFFSETS = st.one_of(
    st.just(0.0), st.floats(-3, 3), st.sampled_from((1e308, float("nan"), float("inf"), -1e-320))
)

carried = pytest.mark.parametrize("path", [p for p in SAMPLES if p.stem not in REFUSED], ids=lambda p: p.stem)


def test_the_samples_are_here() -> None:
    """Parametrized by an empty folder, the tests below would be skipped."""
    assert {path.stem for path in SAMPLES} > EXACT | set(REFUSED)
    assert len(SAMPLES) >= 20


@carried
def test_rows_of_every_kind_score_as_in_genmodel(path: Path) -> None:
    mojo = path.read_bytes()
    model, genmodel = native.Model.load(mojo), Genmodel(mojo)
    seen = [float(x) for x in np.unique(np.load(path.with_suffix(".npz"))["rows"]) if np.isfinite(x)][::29]
    told = Compared()

    @hypothesis.given(rows(model.domains, seen), OFFSETS)
    @hypothesis.settings(max_examples=60)
    def equal(some: list[list[float]], offset: float) -> None:
        compare(model, genmodel, some, offset, told, path.stem in EXACT)

    equal()
    print(f"{path.stem:24} {told}")


REWRITTEN = (
    *(
        ("gbm_poisson", {"distribution": d})
        for d in ("gaussian", "laplace", "quantile", "huber", "gamma", "tweedie")
    ),
    *(
        ("gbm_poisson", {"link_function": link})
        for link in ("identity", "log", "logit", "ologit", "ologlog", "oprobit", "inverse", "tweedie", "null")
    ),
    *(("gbm_bin_num", {"distribution": d}) for d in ("quasibinomial", "modified_huber", "multinomial")),
    *(("gbm_bin_num", {"link_function": link}) for link in ("identity", "log", "inverse", "null")),
    *(("gbm_gaussian", {"mojo_version": version}) for version in ("1.20", "1.30")),
    *(("glm_gauss", {"link": link}) for link in ("log", "logit", "inverse", "tweedie")),
    *(
        ("glm_gauss", {"link": "tweedie\ntweedie_link_power = " + power})
        for power in ("0.0", "0.5", "-1.0", "1.0")
    ),
    ("glm_multi", {"family": "ordinal"}),
    ("dl_tanh", {"activation": "ExpRectifier"}),
    ("dl_tanh", {"activation": "ExpRectifierWithDropout", "hidden_dropout_ratios": "[0.2, 0.5, 0.0]"}),
    ("dl_rect", {"activation": "RectifierWithDropout", "hidden_dropout_ratios": "[0.2, 0.5, 0.9]"}),
    ("dl_multi", {"activation": "TanhWithDropout", "hidden_dropout_ratios": "[0.1, 0.0, 0.0]"}),
    ("dl_multi", {"prior_class_distrib": "null"}),
    ("xgb_bin", {"sparse": "false"}),
)
"""Samples with lines of model.ini changed: what H2O's own models of this kind were not at hand for."""


def rewritten(path: Path, changes: Mapping[str, str]) -> bytes:
    out = BytesIO()
    with ZipFile(path) as source, ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "model.ini":
                lines = content.decode().split("\n")
                for key, value in changes.items():
                    lines = [f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in lines]
                content = "\n".join(lines).encode()
            target.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(("sample", "changes"), REWRITTEN, ids=str)
def test_lines_changed_change_both_alike(sample: str, changes: dict[str, str]) -> None:
    mojo = rewritten(MOJOS / f"{sample}.zip", changes)
    model, genmodel, told = native.Model.load(mojo), Genmodel(mojo), Compared()

    @hypothesis.given(rows(model.domains))
    @hypothesis.settings(max_examples=10)
    def equal(some: list[list[float]]) -> None:
        compare(model, genmodel, some, 0.0, told, exact=False)

    equal()


def test_ties_are_broken_as_in_genmodel() -> None:
    """Without weights a network answers every class alike: the row's own bits choose one."""
    source = MOJOS / "dl_multi.zip"
    ini = ZipFile(source).read("model.ini").decode().split("\n")
    last = [line for line in ini if line.startswith("weight_layer")][-1]
    key, weights = last.split(" = ")
    zeros = {
        key: str([0.0] * len(weights.split(","))),
        key.replace("weight", "bias"): "[0.5, 0.5, 0.25, 0.5]",
    }
    for priors in ("[0.4, 0.3, 0.2, 0.1]", "null"):
        mojo = rewritten(source, {**zeros, "prior_class_distrib": priors})
        model, genmodel, told = native.Model.load(mojo), Genmodel(mojo), Compared()
        table = np.load(source.with_suffix(".npz"))["rows"].tolist()
        compare(model, genmodel, table, 0.0, told, exact=False)
        labels = {model.score(row)[0] for row in table}
        assert len(labels) > 1, "rows choose among ties"


@carried
def test_what_a_model_says_of_itself_is_what_genmodel_says(path: Path) -> None:
    mojo = path.read_bytes()
    model, genmodel = native.Model.load(mojo), Genmodel(mojo)
    java = genmodel._model
    domains = [java.getDomainValues(i) for i in range(len(genmodel.columns))]
    assert model.names == genmodel.columns
    assert model.domains == [None if d is None else [str(level) for level in d] for d in domains]
    assert (model.size, model.algorithm) == (genmodel.size, str(java._algoName))
    assert model.category == str(java.getModelCategory())


@carried
def test_many_rows_at_once_are_as_one_at_a_time(path: Path) -> None:
    table = np.load(path.with_suffix(".npz"))["rows"]
    model = native.Model.load(path.read_bytes())
    many = np.frombuffer(model.score_many(np.ascontiguousarray(table).data, len(table))).reshape(
        -1, model.size
    )
    for row, answer in zip(table.tolist(), many.tolist(), strict=True):
        try:
            one = model.score(row)
        except native.Unscorable:
            one = [float("nan")] * model.size
        np.testing.assert_array_equal(one, answer)


@pytest.mark.parametrize("path", [p for p in SAMPLES if p.stem in REFUSED], ids=lambda p: p.stem)
def test_what_is_not_carried_is_refused_by_name(path: Path) -> None:
    with pytest.raises(native.Refused) as error:
        native.Model.load(path.read_bytes())
    assert error.value.what == REFUSED[path.stem]


def test_a_damaged_mojo_names_entry_and_offset() -> None:
    mojo = bytearray((MOJOS / "gbm_gaussian.zip").read_bytes())
    at = mojo.index(b"trees/t00_007.bin") + len(b"trees/t00_007.bin") + 40
    mojo[at] ^= 1
    with pytest.raises(native.Corrupt) as error:
        native.Model.load(bytes(mojo))
    assert error.value.entry == "trees/t00_007.bin"
    assert error.value.offset < at


def test_a_row_of_another_length_is_no_row() -> None:
    model = native.Model.load((MOJOS / "glm_gauss.zip").read_bytes())
    with pytest.raises(native.Unscorable, match="length"):
        model.score([1.0])
    with pytest.raises(ValueError, match="2 x 25"):
        model.score_many(np.zeros(7).data, 2)


def test_threads_share_a_model() -> None:
    """Each thread has its own scratch, whatever models it scores with in turn."""
    models = [native.Model.load(path.read_bytes()) for path in SAMPLES if path.stem not in REFUSED]
    tables = [
        np.load(path.with_suffix(".npz"))["rows"][:40].tolist()
        for path in SAMPLES
        if path.stem not in REFUSED
    ]

    def scores(_: int) -> list[list[list[float] | None]]:
        return [
            [scored(model, row, 0.0) for row in table] for model, table in zip(models, tables, strict=True)
        ]

    alone = scores(0)
    with ThreadPoolExecutor(4) as threads:
        assert all(repr(found) == repr(alone) for found in threads.map(scores, range(8))), (
            "NaN or number alike"
        )
