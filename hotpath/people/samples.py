"""Sample files: records of a topic, one JSON object a line, plain or gzipped (`.gz`).

Reads and writes files, nothing else: what a record must be is the contract's decoder's to say.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson

from hotpath.errors import BadInput

Record = Mapping[str, object]
PLAIN_BYTES = 256 * 1024
"""A larger sample is written gzipped: it stands in the repository."""


def lines(path: Path) -> list[bytes]:
    """The lines that are not empty. Raises BadInput where the file cannot be read."""
    try:
        raw = path.read_bytes()
        data = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(str(path), str(error), "a readable file of JSON lines") from error
    return [line for line in data.splitlines() if line.strip()]


def records(path: Path) -> list[dict[str, object]]:
    """The objects of the file, at least one. Raises BadInput naming the first line that is none."""
    found = [_record(path, number, line) for number, line in enumerate(lines(path), start=1)]
    if not found:
        raise BadInput(str(path), "no line", "one JSON object a line")
    return found


def beside(folder: Path, name: str) -> Path | None:
    """`folder/name.jsonl`, or the same gzipped; None where there is neither."""
    paths = (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz")
    return next((path for path in paths if path.exists()), None)


def needed(folder: Path, name: str) -> Path:
    """As `beside`. Raises BadInput where there is none."""
    path = beside(folder, name)
    if path is None:
        raise BadInput(
            str(folder / f"{name}.jsonl"), None, "a sample", "cut one from the topic, or hotpath new"
        )
    return path


def write(folder: Path, name: str, rows: Sequence[Record]) -> Path:
    """The rows' file, as `store` writes it."""
    return store(folder, name, encoded(rows))


def store(folder: Path, name: str, data: bytes) -> Path:
    """The file of these lines, gzipped where it is large. The same lines give the same bytes."""
    path = folder / f"{name}.jsonl"
    if len(data) <= PLAIN_BYTES:
        path.write_bytes(data)
        return path
    path = path.with_suffix(".jsonl.gz")
    path.write_bytes(gzip.compress(data, mtime=0))
    return path


def encoded(rows: Iterable[Record]) -> bytes:
    """One JSON object a line."""
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _record(path: Path, number: int, line: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"{path}, line {number}", str(error), "a JSON object") from error
    if not isinstance(found, dict):
        raise BadInput(f"{path}, line {number}", type(found).__name__, "a JSON object")
    return found
