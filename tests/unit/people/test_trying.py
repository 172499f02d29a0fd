"""Where a null comes from: the field or the function that was null first."""

from __future__ import annotations

import pytest

from hotpath.contract.model import Contract
from hotpath.people.starter import contract_text
from hotpath.people.trying import trier
from tests.unit.people.rides import COUNTED, drafted, shown

FEATURES: dict[str, dict[str, tuple[str, ...]]] = {
    "surge / trip_km": {"surge": ("surge",), "trip_km": ("/ of (1.5, 0.0)",)},
    "if_else(is_null(surge), trip_km, trip_km / surge)": {"surge": ()},
    "if_else(surge > 1, device.version, seats)": {"surge": ("surge",), "device.version": ("device.version",)},
    "coalesce(surge, device.version * 1.0)": {"device.version": ()},
    "surge > 1 and device.version > 1": {"surge": (), "device.version": ("device.version",)},
    "clip(surge * 2, 0, device.version)": {"surge": ("surge",)},
}
ROW = {"surge": 1.5, "trip_km": 3.0, "device.version": 1, "seats": 2}


@pytest.mark.parametrize(("text", "field"), [(t, f) for t, fields in FEATURES.items() for f in fields])
def test_a_null_is_followed_to_what_was_null_first(text: str, field: str) -> None:
    plain = contract_text(drafted()).replace("  surge: surge", f"  surge: {text}")
    tried = trier(Contract.from_yaml(plain, "rides.yaml"))
    value = 0.0 if field == "trip_km" else None
    found = tried({**shown().rows[0], **ROW, field: value})
    assert found.nulls.get("surge", ()) == FEATURES[text][field]


def test_what_is_no_null_has_no_origin() -> None:
    found = trier(shown().contract)(shown().rows[1])
    assert found.nulls.keys() == {name for name, value in found.features.items() if value is None}


def test_of_a_sample_nothing_is_read_of_tiles_unless_the_row_says_so() -> None:
    tried = trier(Contract.from_yaml(contract_text(drafted()).replace(*COUNTED), "rides.yaml"))
    row = shown().rows[0]
    assert tried(row).features["share"] is None
    assert tried(row).nulls["share"] == ("told.mean.7200s",)
    assert tried({**row, "told.mean.7200s": 0.25}).features["share"] == 0.25
