"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from hotpath.errors import BadConfig
from hotpath.files import create, free, hold, make_folder, replace


def test_a_file_is_created_once_and_its_folders_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    assert create(path, b"first")
    assert not create(path, b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(path.parent) == ["file"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    replace(tmp_path / "file", b"first")
    replace(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))  # the disk is full after ten bytes
    try:
        with pytest.raises(OSError, match=r"File too large.*file'"):
            create(tmp_path / "file", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


def test_a_folder_may_be_made_twice(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_of_two_holders_the_second_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    with hold(tmp_path / "x.lock", "job a folder"), pytest.raises(BadConfig, match="one job a folder"):
        hold(tmp_path / "x.lock", "job a folder")
    hold(tmp_path / "x.lock", "job a folder").close()


def test_a_lock_is_one_holders_until_it_lets_go(tmp_path: Path) -> None:
    first = free(tmp_path / "a" / "lock")
    assert first is not None
    assert free(tmp_path / "a" / "lock") is None
    with pytest.raises(BadConfig, match="one trainer at a time"):
        hold(tmp_path / "a" / "lock", "trainer")
    first.close()
    hold(tmp_path / "a" / "lock", "trainer").close()
