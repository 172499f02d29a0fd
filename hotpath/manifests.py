"""Manifests: what a batch, or a range of batches, landed; which of many are in force. Pure.

`N.json` is batch N's, `A-B.json` that of a compacted range, which supersedes every batch from A to B and
every range within; `.rR` before `.json` is revision R, of which the newest counts. `A-B.batches` keeps what
the superseded manifests said but for their files, so that any run of batches within a range has its offsets:
a share of the range, whose rows are told from the others of its files by them.

    >>> [n.file for n in in_force([Name(0, 0), Name(1, 1), Name(0, 1), Name(0, 1, 1), Name(2, 2)])]
    ['0-1.r1.json', '2.json']
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import orjson

from hotpath.clock import Micros
from hotpath.errors import BadArtifact

Dataset = str
"""What names a dataset: one of DATASETS, or a further stream of the contract."""
DATASETS: tuple[Dataset, ...] = ("events", "labels", "scores", "rejected")
"""Those that every pipeline has."""
Offsets = dict[str, dict[int, int]]
"""Topic to partition to offset."""

RESTORE = "restore it from a copy of the lake"
RETIRED = "retired"
"""The count of records that a range listed before its files were past their time and taken away."""
NO_RECORDS = frozenset({"unknown_fields", RETIRED})
"""Counts that are no records' places: all others without a dot are."""
NO_ROWS = frozenset({"skipped", "forgotten", "purged"})
"""Counts of places that no dataset has a row for: empty records, erased ones, those a topic lost first."""
_PATH = re.compile(r"[^/]+/schema=[^/]+/batch_id=[^/]+/.+")
_NAME = re.compile(r"([0-9]+)(?:-([0-9]+))?(?:\.r([0-9]+))?\.json")


class Name(NamedTuple):
    """Batches `first` to `last` (the same: one batch alone) in their revision."""

    first: int
    last: int
    revision: int = 0

    @property
    def span(self) -> str:
        """The batches as names have them: N, or A-B."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def file(self) -> str:
        """The manifest's name in its folder."""
        return f"{self.span}.r{self.revision}.json" if self.revision else f"{self.span}.json"

    @property
    def batches(self) -> str:
        """The name of what is kept of the batches of a range."""
        return f"{self.span}.batches"

    def covers(self, other: Name) -> bool:
        """Whether all batches of the other are among these."""
        return self.first <= other.first and other.last <= self.last

    def supersedes(self, other: Name) -> bool:
        """Whether it counts in the other's place."""
        return self.covers(other) and (not other.covers(self) or self.revision > other.revision)

    @classmethod
    def parse(cls, file: str) -> Name | None:
        """The name that a file has; None where it is no manifest."""
        found = _NAME.fullmatch(file)
        if found is None or (found[2] is not None and int(found[1]) >= int(found[2])):
            return None
        return cls(int(found[1]), int(found[2] or found[1]), int(found[3] or 0))


def in_force(names: Iterable[Name]) -> tuple[Name, ...]:
    """Those that count, oldest first: ranges before what they hold, and of each the newest revision."""
    found, end = [], -1
    for name in sorted(names, key=lambda n: (n.first, -n.last, -n.revision)):
        if name.last > end:
            found.append(name)
            end = name.last
    return tuple(found)


@dataclass(frozen=True)
class File:
    """One Parquet file; `path` is POSIX text relative to the pipeline's folder, `bytes` its size."""

    path: str
    dataset: Dataset
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All that the batches `first` to `batch` landed: offsets `start` (inclusive) to `end` (exclusive) of
    each partition. `first` is `batch` where it is left out; `landed_at` is the newest batch's.

    `part`: a share of a range. Its files hold rows of other batches too, so it is read through the lake only.
    """

    batch: int
    start: Offsets
    end: Offsets
    files: tuple[File, ...]
    counts: dict[str, int]
    landed_at: Micros
    revision: int = 0
    first: int = -1
    part: bool = False

    def __post_init__(self) -> None:
        if self.first < 0:
            object.__setattr__(self, "first", self.batch)

    @property
    def name(self) -> Name:
        """What names it."""
        return Name(self.first, self.batch, self.revision)

    @property
    def alone(self) -> bool:
        """Whether it is of one batch."""
        return self.first == self.batch

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.bytes for file in self.files)

    def to_bytes(self) -> bytes:
        """The manifest file's content."""
        return json.dumps(self._plain(), sort_keys=True, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Manifest:
        """Raises BadArtifact where `data` is no manifest."""
        try:
            return cls._from(orjson.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArtifact(source, data, "a manifest", RESTORE) from error

    def _plain(self) -> dict[str, Any]:
        plain = asdict(self)
        del plain["part"]
        if self.alone:
            del plain["first"]
        return plain

    @classmethod
    def _from(cls, raw: dict[str, Any]) -> Manifest:
        files = tuple(_file(f) for f in raw.pop("files"))
        start, end = _offsets(raw.pop("start")), _offsets(raw.pop("end"))
        found = cls(files=files, start=start, end=end, **raw)
        _whole_numbers(found.batch, found.landed_at, found.revision, found.first, *found.counts.values())
        return found


def kept(batches: Sequence[Manifest]) -> bytes:
    """The content of a range's `.batches`: each of its batches, without files."""
    plain = [replace(batch, files=())._plain() for batch in batches]
    return gzip.compress(json.dumps(plain, sort_keys=True).encode(), mtime=0)


def batches_of(data: bytes, source: str) -> tuple[Manifest, ...]:
    """What `kept` wrote. Raises BadArtifact on anything else."""
    try:
        return tuple(Manifest._from(raw) for raw in orjson.loads(gzip.decompress(data)))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadArtifact(source, data, "a range's batches", RESTORE) from error


def whole(group: Sequence[Manifest], files: Sequence[File]) -> Manifest:
    """The manifest of the range of all these (consecutive, oldest first), whose rows are now in `files`."""
    start, newest = group[0], group[-1]
    counts = Counter[str]()
    for manifest in group:
        counts.update(manifest.counts)
    return Manifest(
        newest.batch,
        start.start,
        newest.end,
        tuple(files),
        dict(counts),
        newest.landed_at,
        first=start.first,
    )


def share(of: Manifest, batches: Sequence[Manifest], first: int, last: int) -> Manifest:
    """The batches `first` to `last` of a range. Raises BadArtifact where `batches` has not all of them."""
    if (first, last) == (of.first, of.batch):
        return of
    there = [batch for batch in batches if first <= batch.batch <= last]
    if [batch.batch for batch in there] != list(range(first, last + 1)):
        raise BadArtifact(f"batches {first} to {last} of {of.name.span}", len(there), "all of them", RESTORE)
    return replace(whole(there, of.files), revision=of.revision, part=True)


def shares(of: Manifest, batches: Sequence[Manifest], first: int, rows: int) -> Iterable[Manifest]:
    """The range from batch `first` on, in shares of about so many rows, each of whole batches."""
    begun, size = first, 0
    for batch in batches:
        if batch.batch < first:
            continue
        size += records(batch.counts)
        if size >= rows or batch.batch == of.batch:
            yield share(of, batches, begun, batch.batch)
            begun, size = batch.batch + 1, 0


def records(counts: Mapping[str, int]) -> int:
    """Places that these counts account for: with a row in a dataset, or without."""
    return sum(n for name, n in counts.items() if "." not in name and name not in NO_RECORDS)


def _file(raw: Mapping[str, Any]) -> File:
    found = File(**raw)
    _whole_numbers(found.rows, found.bytes)
    if not isinstance(found.dataset, str) or not _PATH.fullmatch(found.path) or ".." in found.path.split("/"):
        raise ValueError(found.path)
    return found


def _offsets(raw: Mapping[str, Mapping[str, int]]) -> Offsets:
    for parts in raw.values():
        _whole_numbers(*parts.values())
    return {topic: {int(p): o for p, o in parts.items()} for topic, parts in raw.items()}


def _whole_numbers(*values: object) -> None:
    if not all(type(value) is int for value in values):  # a bool is no count
        raise TypeError(values)
