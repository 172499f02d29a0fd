"""Sample files: read as they were written, gzipped where they are large."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath.errors import BadInput
from hotpath.people import samples


def test_a_sample_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"a": 1}, {"a": None, "b": {"c": "x"}}]
    path = samples.write(tmp_path, "sample", rows)
    assert path.name == "sample.jsonl"
    assert samples.records(path) == rows
    assert samples.beside(tmp_path, "sample") == path


def test_a_large_sample_is_gzipped_and_always_the_same_bytes(tmp_path: Path) -> None:
    rows = [{"text": "x" * 1000}] * 300
    path = samples.write(tmp_path, "sample", rows)
    first = path.read_bytes()
    assert path.name == "sample.jsonl.gz"
    assert samples.records(path) == rows
    assert samples.write(tmp_path, "sample", rows).read_bytes() == first


@pytest.mark.parametrize("content", [b"[1]\n", b'{"a": 1}\n{"a":\n', b"\n\n"])
def test_what_is_no_sample_is_refused_by_its_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sample.jsonl").write_bytes(content)
    with pytest.raises(BadInput, match=r"sample\.jsonl"):
        samples.records(tmp_path / "sample.jsonl")


def test_a_spoilt_archive_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sample.jsonl.gz").write_bytes(b"no archive")
    for name in ("sample", "labels"):
        with pytest.raises(BadInput):
            samples.lines(samples.needed(tmp_path, name))
