from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import HOUR, Micros
from hotpath.due import due

INSTANTS = st.integers(0, 10**12)


def test_the_first_run_is_due_at_once() -> None:
    assert due(None, 2 * HOUR, now=0)


@given(INSTANTS, st.integers(1, 10**12), INSTANTS)
def test_a_run_is_due_from_one_interval_after_the_last_began(
    last: Micros, every: Micros, now: Micros
) -> None:
    assert due(last, every, now) == (now >= last + every)


@given(INSTANTS, st.integers(1, 10**12), INSTANTS)
def test_a_run_of_another_contract_than_the_last_is_due_at_once(
    last: Micros, every: Micros, now: Micros
) -> None:
    assert due(last, every, now, changed=True)
