"""Models of every kind, trained anew by a real H2O: the native module equals genmodel, or refuses by name."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import h2o
import hotpath_native as native
import hypothesis
import pytest
from hypothesis import strategies as st

from hotpath.clock import Clock
from hotpath.local.ports import free_port
from tests.integration.native.cases import CASES, FEATURES, LEVELS, Case, columns
from tests.native.judge import Compared, Genmodel, compare, rows
from train.h2o_server import server

ENUMS = (*LEVELS, "two", "four")


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The training frame in a server of this module's own."""
    place = tmp_path_factory.mktemp("native")
    data = columns()
    with (place / "frame.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(data)
        table.writerows([["" if v is None else v for v in row] for row in zip(*data.values(), strict=True)])
    with server(place / "h2o", free_port(), "1g", 1, Clock(), xgboost=True) as address:
        with quiet():
            h2o.connect(url=address.url, auth=address.login, verbose=False, strict_version_check=True)
        h2o.no_progress()
        kinds = {name: "enum" if name in ENUMS else "numeric" for name in data}
        yield h2o.upload_file(str(place / "frame.csv"), col_types=kinds)
        h2o.connection().close()


@contextmanager
def quiet() -> Iterator[None]:
    """H2O's client warns of what is meant to be."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def trained(case: Case, frame: Any, folder: Path) -> bytes:
    """A case's MOJO."""
    parameters = dict(case.parameters)
    if parameters.get("calibrate_model"):
        parameters["calibration_frame"] = frame[:300, :]
    with quiet():
        model = getattr(h2o.estimators, case.estimator)(**parameters)
        model.train(x=list(FEATURES), y=case.response or None, training_frame=frame)
        return Path(model.download_mojo(str(folder))).read_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_model_is_scored_as_in_genmodel_or_refused_by_name(case: Case, frame: Any, tmp_path: Path) -> None:
    mojo = trained(case, frame, tmp_path)
    if case.refused is not None:
        with pytest.raises(native.Refused) as error:
            native.Model.load(mojo)
        assert error.value.what == case.refused
        return
    model, genmodel = native.Model.load(mojo), Genmodel(mojo)
    data, told = columns(), Compared()
    known = [as_row(model, data, at) for at in range(0, 1_500, 5)]
    # What was trained on: here a probability may be the very threshold that labels are cut at.
    compare(model, genmodel, known, 0.0, told, case.exact)
    seen = sorted({value for row in known[::20] for value in row})
    offsets = st.one_of(st.just(0.0), st.floats(-3, 3)) if model.offset_column else st.just(0.0)

    @hypothesis.given(rows(model.domains, seen), offsets)
    @hypothesis.settings(max_examples=12)
    def equal(some: list[list[float]], offset: float) -> None:
        compare(model, genmodel, some, offset, told, case.exact)

    equal()
    print(f"{case.name:32} {told}")


def as_row(model: native.Model, data: dict[str, list[float | str | None]], at: int) -> list[float]:
    """A training row as the model's doubles."""
    return [
        as_double(data[name][at], domain) for name, domain in zip(model.names, model.domains, strict=True)
    ]


def as_double(value: float | str | None, domain: list[str] | None) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, float):
        return value
    if domain is None:  # a label encoder's column has lost its levels: their indices are left
        return float(value.removeprefix("L"))
    return float(domain.index(value)) if value in domain else float("nan")
