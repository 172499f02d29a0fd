"""Sends rejected records that a contract accepts now to their on-prem topic again, once each.

What is about to be sent is claimed first, by place, in a record of the lake that is created where it does not
exist (`replayed/N.json`); what the broker acknowledged is noted after (`replayed/N.sent.json`). So a second
run sends nothing twice. What was claimed and not noted, because a run was cut short, may have been sent or
not: it is told, and sent only where the operator says so. A record of the lake stays rejected: what was sent
lands as a record of its own, that arrives when it is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hotpath import files
from hotpath.errors import BadArtifact, Unavailable
from hotpath.lake import RESTORE, Lake

if TYPE_CHECKING:
    from hotpath.kafka import Log

DEADLINE_S = 30.0
MOST = 10_000
"""Records in one claim: bounds what is in doubt after a kill, and the memory that it takes."""
OURS = re.compile(r"[0-9]+(\.sent)?\.json")
COLUMNS = ("reason", "raw", "topic", "partition", "offset")

Place = tuple[str, int, int]
"""Topic, partition, offset."""
Accepts = Callable[[bytes], bytes | None]
"""A record's key where its bytes are accepted now (b"": it has none); None where they are not."""


@dataclass(frozen=True)
class Refused:
    """A rejected record; `raw` is b"" where its bytes are not kept."""

    reason: str
    raw: bytes
    place: Place


@dataclass(frozen=True)
class Replayed:
    """`accepted` now, and of them `sent` by this run (or due, where nothing is sent), sent `before`, and
    `doubtful`: claimed by a run that was cut short. `left` are rejected still.
    """

    accepted: int
    sent: int
    before: int
    doubtful: int
    left: int


def refused(lake: Lake) -> Iterator[Refused]:
    """Every rejected record, oldest first, manifest by manifest."""
    for manifest in lake.manifests():
        for some in lake.read("rejected", COLUMNS, [manifest]).to_batches(max_chunksize=MOST):
            for row in some.to_pylist():
                place = row["topic"], row["partition"], row["offset"]
                yield Refused(row["reason"], row["raw"] or b"", place)


def replay(lake: Lake, accepts: Mapping[str, Accepts], log: Log | None, again: bool = False) -> Replayed:
    """Send what `accepts` (by topic) takes now; without a log only say what would be sent, and write nothing.

    `again`: what an earlier run may have sent too. Raises BadConfig where another run is under way,
    Unavailable where the broker does not acknowledge (what is in doubt then is claimed).
    """
    with nullcontext() if log is None else files.hold(lake.folder / "replay.lock", "replay of a lake"):
        sent, claimed = _known(lake.folder / "replayed")
        doubtful = claimed - sent
        done = {"accepted": 0, "sent": 0, "before": 0, "doubtful": 0, "left": 0}
        due: list[tuple[Refused, bytes]] = []
        for record in refused(lake):
            key = accepts[record.place[0]](record.raw) if record.raw and record.place[0] in accepts else None
            if key is None:
                done["left"] += 1
                continue
            done["accepted"] += 1
            done["before"] += record.place in sent
            done["doubtful"] += record.place in doubtful
            if record.place not in sent and (again or record.place not in doubtful):
                done["sent"] += 1
                if log is not None:
                    due.append((record, key))
            if log is not None and len(due) >= MOST:
                _send(lake, due, log)
                due = []
        if log is not None and due:
            _send(lake, due, log)
        return Replayed(**done)


def _send(lake: Lake, due: Sequence[tuple[Refused, bytes]], log: Log) -> None:
    folder = lake.folder / "replayed"
    number = max((int(p.name.split(".")[0]) for p in _records(folder)), default=0) + 1
    if not files.create(folder / f"{number}.json", _places(record.place for record, _ in due)):
        raise BadArtifact(f"replay {number}", "recorded already", "one replay at a time")
    acknowledged: list[Place] = []
    for record, key in due:
        told = _Told(record.place, acknowledged)
        while not log.send(record.place[0], record.raw, key or None, on_delivery=told):
            log.flush(0.1)
    log.flush(DEADLINE_S)
    files.create(folder / f"{number}.sent.json", _places(acknowledged))
    if len(acknowledged) < len(due):
        raise Unavailable(
            "the on-prem brokers",
            f"{len(acknowledged)} of {len(due)} records acknowledged",
            "an acknowledgement each",
            "run it again with --again: the others may have been sent or not",
        )


@dataclass(frozen=True)
class _Told:
    """What a delivery's end is told to."""

    place: Place
    acknowledged: list[Place]

    def __call__(self, error: Exception | None) -> None:
        if error is None:
            self.acknowledged.append(self.place)


def _known(folder: Path) -> tuple[set[Place], set[Place]]:
    """Places that were sent, and those that were claimed."""
    sent, claimed = set[Place](), set[Place]()
    for path in sorted(_records(folder)):
        (sent if path.name.endswith(".sent.json") else claimed).update(_read(path))
    return sent, claimed


def _records(folder: Path) -> list[Path]:
    """The files that are ours, by their names."""
    return [path for path in folder.glob("*.json") if OURS.fullmatch(path.name)]


def _places(places: Iterable[Place]) -> bytes:
    return json.dumps([list(place) for place in places]).encode()


def _read(path: Path) -> Iterator[Place]:
    try:
        for topic, partition, offset in json.loads(path.read_bytes()):
            yield str(topic), int(partition), int(offset)
    except (ValueError, TypeError) as error:
        raise BadArtifact(str(path), str(error), "a replay's places", RESTORE) from error
