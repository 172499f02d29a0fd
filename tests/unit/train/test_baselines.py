import statistics
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.fitted import Baseline, Fitted
from train.baselines import MOST_LEVELS, baseline

NUMBERS = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=60)
TEXTS = st.lists(st.none() | st.sampled_from([f"level {n}" for n in range(80)]), max_size=300)


@given(NUMBERS)
def test_a_numbers_baseline_is_what_the_standard_library_computes(values: list[float | None]) -> None:
    found = baseline(
        pa.chunked_array([pa.array(values[:20], pa.float64()), pa.array(values[20:], pa.float64())])
    )
    present = sorted(v for v in values if v is not None)
    assert (found.rows, found.nulls) == (len(values), values.count(None))
    if not present:
        assert (found.deciles, found.mean, found.std) == ((), None, None)
        return
    assert found.mean == pytest.approx(statistics.fmean(present), abs=1e-6)
    std = statistics.stdev(present) if len(present) > 1 else None
    assert found.std == (None if std is None else pytest.approx(std, rel=1e-6, abs=1e-6))
    assert (found.deciles[0], found.deciles[10]) == (present[0], present[-1])
    for n, decile in enumerate(found.deciles):
        rank = n / 10 * (len(present) - 1)
        assert decile in {present[int(rank)], present[min(int(rank) + 1, len(present) - 1)]}


@given(TEXTS)
def test_a_categorys_baseline_counts_its_most_frequent_levels(values: list[str | None]) -> None:
    found = baseline(pa.chunked_array([pa.array(values, pa.string())]))
    counted = Counter(v for v in values if v is not None)
    ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    assert found == Baseline(len(values), values.count(None), levels=tuple(ranked[:MOST_LEVELS]))


def test_what_overflows_is_null_and_the_rest_stands() -> None:
    found = baseline(pa.chunked_array([[1.7e308, 1.7e308, -1.7e308]]))
    assert (found.deciles[0], found.deciles[10], found.std) == (-1.7e308, 1.7e308, None)
    fitted = Fitted(baselines={"x": found})
    assert Fitted.from_bytes(fitted.to_bytes()) == fitted
