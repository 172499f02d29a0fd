"""What landed under an older contract is read under a newer one: filled where it may be, else refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from hotpath.contract.model import Contract
from hotpath.contract.parts import Field, Part
from hotpath.contract.types import Type
from hotpath.errors import BadArtifact
from hotpath.forgetting import forget
from hotpath.lake import UNIT, Lake, Manifest
from tests.integration.train.lakes import land
from tests.integration.train.parcels import CONTRACT, NOW, one_event, one_label
from train.sources import held, table

OLD, NEW = one_event(0, NOW), one_event(1, NOW)


def changed(*parts: Part, without: Sequence[str] = ()) -> Contract:
    """The parcels' contract with these fields in place of those of their name."""
    gone = {part.name for part in parts} | set(without)
    kept = [part for part in CONTRACT.events.parts if part.name not in gone]
    found = tuple(sorted([*kept, *parts], key=lambda part: part.name))
    return replace(CONTRACT, events=replace(CONTRACT.events, parts=found))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """One batch under the contract as it was."""
    found = Lake(tmp_path / "lake", CONTRACT.name)
    land(found, CONTRACT, 0, [OLD], [])
    return found


def read(session: SparkSession, lake: Lake, contract: Contract, column: str) -> list[object]:
    """A column of the events, by offset."""
    rows = table(session, held(lake, contract).events, contract.events).orderBy("offset")
    return [row[0] for row in rows.select(f"`{column}`").collect()]


@pytest.mark.parametrize(
    ("field", "filled", "now"),
    [
        (Field("seal", Type.STRING, nullable=True), None, "s"),
        (Field("seal", Type.STRING, default="none"), "none", "s"),
        (Field("seal", Type.BOOL, default=False), False, True),
        (Field("seal", Type.DOUBLE, default=2), 2.0, 0.5),
        (Field("seal", Type.DURATION, default="PT1S"), 1_000_000, 5),
        (Field("seal", Type.LONGS, nullable=True), None, [1, 2]),
        (Field("in.seal", Type.CATEGORY, default="a"), "a", "b"),
    ],
)
def test_a_field_that_was_added_is_its_default_or_null_in_older_rows(
    session: SparkSession, lake: Lake, field: Field, filled: object, now: object
) -> None:
    contract = changed(field)
    land(lake, contract, 1, [{**NEW, field.name: now}], [])
    assert read(session, lake, contract, field.name) == [filled, now]
    assert read(session, lake, contract, "id") == ["id-0", "id-1"]


def test_an_instant_as_default_is_that_instant_in_older_rows(session: SparkSession, lake: Lake) -> None:
    contract = changed(Field("seen", Type.TIMESTAMP, default="2026-11-20T09:00:00.000001Z"))
    found = table(session, held(lake, contract).events, contract.events)
    assert found.selectExpr("unix_micros(seen)").collect()[0][0] == 1795165200000001


def test_a_field_that_was_added_and_has_no_default_refuses_older_rows_and_says_what_to_do(lake: Lake) -> None:
    with pytest.raises(
        BadArtifact, match=r"batch_id=0.*column seal.*no such column.*give the field a default"
    ):
        held(lake, changed(Field("seal", Type.STRING)))


def test_a_field_of_another_type_is_parted_from_its_history(session: SparkSession, lake: Lake) -> None:
    contract = changed(Field("pieces", Type.DOUBLE, nullable=True))
    land(lake, contract, 1, [{**NEW, "pieces": 1.5}], [])
    assert read(session, lake, contract, "pieces") == [None, 1.5]
    with pytest.raises(BadArtifact, match=r"column pieces.*int64.*double"):
        held(lake, changed(Field("pieces", Type.DOUBLE)))


def test_a_field_of_another_unit_is_parted_from_its_history(session: SparkSession, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", CONTRACT.name)
    land(lake, CONTRACT, 0, [{**OLD, "weight": 2.0}], [], change=with_unit("km"))
    contract = changed(Field("weight", Type.DOUBLE, nullable=True, unit="mi"))
    land(lake, contract, 1, [{**NEW, "weight": 3.0}], [], change=with_unit("mi"))
    assert read(session, lake, contract, "weight") == [None, 3.0]
    with pytest.raises(BadArtifact, match=r"column weight.*double km.*double mi"):
        held(lake, changed(Field("weight", Type.DOUBLE, unit="mi")))


def test_a_field_that_was_removed_is_not_read(session: SparkSession, lake: Lake) -> None:
    contract = changed(without=["pieces"])
    land(lake, contract, 1, [{k: v for k, v in NEW.items() if k != "pieces"}], [])
    assert read(session, lake, contract, "id") == ["id-0", "id-1"]


def test_a_wider_range_parts_nothing(lake: Lake) -> None:
    contract = changed(Field("pieces", Type.LONG, nullable=True, min=-5))
    (files,) = held(lake, contract).events
    assert files.absent == ()


class Behind(Lake):
    """A lake whose reader listed the manifests a moment ago."""

    listed: tuple[Manifest, ...] = ()

    def manifests(self) -> tuple[Manifest, ...]:
        return self.listed or super().manifests()


def test_a_window_whose_files_were_taken_away_meanwhile_holds_the_newer_ones(tmp_path: Path) -> None:
    lake = Behind(tmp_path / "lake", CONTRACT.name)
    hers = one_event(1, NOW, "hers")
    land(lake, CONTRACT, 0, [OLD, hers], [one_label(0, True, NOW, "hers")])
    lake.listed = lake.manifests()
    forget(Lake(tmp_path / "lake", CONTRACT.name), CONTRACT, "hers")
    found = held(lake, CONTRACT)
    assert ["revision=1" in path for files in found.events for path in files.paths] == [True]
    assert found.labels == ()


def with_unit(unit: str) -> Callable[[pa.Table], pa.Table]:
    """A writer that says what weights are measured in."""

    def change(found: pa.Table) -> pa.Table:
        if "weight" not in found.column_names:
            return found
        field = pa.field("weight", pa.float64(), metadata={UNIT: unit.encode()})
        return found.set_column(found.column_names.index("weight"), field, found["weight"])

    return change
