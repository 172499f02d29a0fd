from __future__ import annotations

from hotpath.settings import PROJECT
from tests.order import LONGEST, rank


def test_every_file_that_is_said_to_be_long_is_there_and_named_once() -> None:
    files = [file for line in LONGEST for file in line]
    assert all((PROJECT / file).is_file() for file in files)
    assert len(set(files)) == len(files)


def test_the_files_of_one_line_are_run_together_and_all_others_after_them() -> None:
    first, second = (rank(f"{file}::test_it[a::b]") for file in LONGEST[0])
    assert first == second == 0
    assert rank("tests/unit/test_order.py::test_it") == len(LONGEST)
