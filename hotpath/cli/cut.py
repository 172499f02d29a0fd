"""`python -m hotpath.cli.cut NAME`: the sample of a pipeline that ships, anew from its own source.

Every record of some entities, in the order of arrival, so that a sample holds whole stories: all questions
about a flight, and its landing. The same source gives the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from hotpath import settings
from hotpath.clock import DAY, HOUR, Micros
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.people import samples
from ingest.records import Due
from ingest.sources import SOURCES, Start

BEGINS: Micros = 1_795_338_000_000_000
"""2026-11-22T09:00:00Z, a Sunday, 04:00 in New York: a replay's first instant, which ends the sample."""


@dataclass(frozen=True)
class Cut:
    """The history of the last `span` µs, of one entity in `every`."""

    span: Micros
    every: int


CUTS: Mapping[str, Cut] = {"flights": Cut(28 * DAY, 20), "payments": Cut(48 * HOUR, 2)}


def main(argv: Sequence[str]) -> int:
    """Write sample and labels beside the contract that `argv` names."""
    found = settings.load()
    file = found.pipelines / f"{argv[0]}.yaml"
    contract = load(file)
    source = SOURCES[argv[0]](found, contract, Start(BEGINS, BEGINS))
    for path in cut(CUTS[argv[0]], source.due(BEGINS - CUTS[argv[0]].span, BEGINS), contract, file):
        print(path, path.stat().st_size)
    return 0


def cut(cut: Cut, records: Sequence[Due], contract: Contract, file: Path) -> list[Path]:
    """The two files of the records."""
    kept = [r for r in records if crc32(r.key) % cut.every == 0 and _may_be_kept(contract, r)]
    topics = {"sample": contract.events.topic, "labels": contract.labels.topic}
    lines = {name: [r.value for r in kept if r.topic == topic] for name, topic in topics.items()}
    return [
        samples.store(file.with_suffix(""), name, b"\n".join(found) + b"\n") for name, found in lines.items()
    ]


def _may_be_kept(contract: Contract, record: Due) -> bool:
    """Whether whoever the record is about agrees: a sample is learned from."""
    consent = contract.events.consent
    if consent is None or record.topic != contract.events.topic:
        return True
    found = decoder(contract.events)(record.value)
    return isinstance(found, Decoded) and found.values[consent] is True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
