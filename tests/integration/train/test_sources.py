"""A lake that is not what its manifests say is refused before Spark is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from hotpath.errors import BadArtifact
from hotpath.lake import Lake
from tests.integration.train.lakes import land
from tests.integration.train.parcels import CONTRACT, NOW, one_event
from train.sources import held

EVENT = one_event(0, NOW)


def altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (altered, "the hash that its manifest lists"),
        (lambda path: path.write_bytes(b""), "bytes its manifest lists"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "bytes its manifest lists"),
        (Path.unlink, "bytes its manifest lists"),
    ],
    ids=["altered", "empty", "cut", "absent"],
)
def test_a_harmed_file_refuses_the_window_and_is_named(
    tmp_path: Path, harm: Callable[[Path], object], said: str
) -> None:
    lake = Lake(tmp_path / "lake", CONTRACT.name)
    land(lake, CONTRACT, 0, [EVENT], [])
    (path,) = lake.paths("events")
    harm(path)
    with pytest.raises(BadArtifact, match=said) as error:
        held(lake, CONTRACT)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("column", "kind", "said"),
    [
        ("weight", None, "no such column"),
        ("weight", pa.float32(), "float"),
        ("pieces", pa.int32(), "int32"),
        ("time", pa.timestamp("ms", tz="UTC"), r"timestamp\[ms"),
    ],
)
def test_a_file_of_another_schema_refuses_the_window(
    tmp_path: Path, column: str, kind: pa.DataType | None, said: str
) -> None:
    lake = Lake(tmp_path / "lake", CONTRACT.name)
    land(lake, CONTRACT, 0, [EVENT], [], change=OtherSchema(column, kind))
    with pytest.raises(BadArtifact, match=f"column {column}.*{said}"):
        held(lake, CONTRACT)


class OtherSchema:
    """A writer that leaves a column out, or gives it another type."""

    def __init__(self, column: str, kind: pa.DataType | None) -> None:
        self._column, self._kind = column, kind

    def __call__(self, table: pa.Table) -> pa.Table:
        if self._column not in table.column_names:
            return table
        index = table.column_names.index(self._column)
        if self._kind is None:
            return table.remove_column(index)
        return table.set_column(index, self._column, table[self._column].cast(self._kind, safe=False))
