"""Golden rows as the scorer reads them: what a row reads of tiles stands beside the event's fields."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath.contract.row import row_function
from hotpath.contract.types import Type
from hotpath.errors import BadArtifact
from hotpath.lake import ARROW_TYPES
from serve import golden
from tests.unit.serve.generations import START, changed

_OF_KIND = "{over: labels, by: kind, value: late, tile: 5m, horizon: 1h, delay: 2m}"
READING = changed(
    ("late: {type: bool}}", "kind: {type: category}, late: {type: bool}}"),
    ("features:", f"aggregates:\n  late_of: {_OF_KIND}\nfeatures:\n  share: mean(late_of) + 1"),
)


def parquet(**columns: object) -> bytes:
    """Two rows of a golden.parquet; `columns`, dots written as __, replace or (None) take away."""
    instants = (Type.TIMESTAMP,)
    table = {
        f"event.{f.name}": pa.array([START, START] if f.type in instants else [None, None]).cast(
            ARROW_TYPES[f.type]
        )
        for f in READING.events.fields
    }
    table |= {f"feature.{f.name}": pa.array([None, None], pa.float64()) for f in READING.features}
    table |= {"reading.late_of.mean.3600s": pa.array([0.25, None]), "score": pa.array([0.1, 0.9])}
    table |= {name.replace("__", "."): values for name, values in columns.items()}
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({name: values for name, values in table.items() if values is not None}), out)
    return bytes(out.getvalue().to_pybytes())


def test_a_golden_row_holds_what_the_row_function_takes() -> None:
    first, second = golden.read(parquet(), READING)
    assert (first.values["event_time"], first.values["late_of.mean.3600s"]) == (START, 0.25)
    place = [f.name for f in READING.features].index("share")
    features = row_function(READING)
    assert (features(first.values)[place], features(second.values)[place]) == (1.25, None)


def test_golden_rows_without_a_reading_or_with_a_strange_one_are_refused() -> None:
    with pytest.raises(BadArtifact, match=r"golden\.parquet's columns"):
        golden.read(parquet(reading__late_of__mean__3600s=None), READING)
    with pytest.raises(BadArtifact, match=r"golden\.parquet's columns"):
        golden.read(parquet(reading__late_of__sum__3600s=pa.array([1, 2])), READING)
