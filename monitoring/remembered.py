"""What is remembered of gaps: as far as the reader's word was read, what was seen, what was found. Pure.

It outlives the process, so that a gap is found that opened while nobody looked, and is told once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field

import orjson

from hotpath.clock import HOUR, Micros
from hotpath.errors import BadArtifact
from monitoring.gaps import Found, Gap, Place, Seen, Why

STANDS: Micros = 6 * HOUR
"""How long a gap is told of after it was found: it does not heal, and people must have seen it."""
FORMAT = 1

Subject = tuple[str, int, Why]
"""Topic, partition, and why records of it are missing."""


@dataclass(frozen=True)
class Remembered:
    """`read`: the next offset of each partition of the topic in which the reader says its positions. `found`
    with the instant of each.
    """

    read: Mapping[int, int] = field(default_factory=dict)
    seen: Mapping[Place, Seen] = field(default_factory=dict)
    found: tuple[tuple[Micros, Place, Gap], ...] = ()

    def after(
        self, read: Mapping[int, int], seen: Mapping[Place, Seen], found: Iterable[Found], now: Micros
    ) -> Remembered:
        """This, after a look at `now`; what has stood long enough is let go of."""
        new = ((now, place, gap) for place, gap in found)
        kept = (told for told in self.found if now - told[0] < STANDS)
        return Remembered(dict(read), dict(seen), (*kept, *new))

    def standing(self, now: Micros) -> dict[Subject, int]:
        """Records that are missing, by subject, of the gaps that are told of now."""
        total: Counter[Subject] = Counter()
        for at, (topic, partition), gap in self.found:
            if now - at < STANDS:
                total[topic, partition, gap.why] += gap.records
        return dict(total)

    def to_bytes(self) -> bytes:
        """The file's content."""
        return orjson.dumps(
            {
                "format": FORMAT,
                "read": [list(pair) for pair in self.read.items()],
                "seen": [[*place, *astuple(seen)] for place, seen in self.seen.items()],
                "found": [[at, *place, *astuple(gap)] for at, place, gap in self.found],
            }
        )

    @classmethod
    def from_bytes(cls, raw: bytes, source: str) -> Remembered:
        """What `to_bytes` wrote. Raises BadArtifact on anything else."""
        try:
            facts = orjson.loads(raw)
            if facts["format"] != FORMAT:
                raise ValueError(facts["format"])
            seen = {(topic, partition): Seen(*rest) for topic, partition, *rest in facts["seen"]}
            found = tuple((at, (topic, p), Gap(*rest)) for at, topic, p, *rest in facts["found"])
            return cls(dict(facts["read"]), seen, found)
        except (ValueError, KeyError, TypeError) as error:
            raise BadArtifact(source, raw[:80], "what is remembered of gaps", "it is begun anew") from error


def said(missed_by: str, gaps: Mapping[Subject, int]) -> Iterator[tuple[dict[str, int], dict[str, str]]]:
    """Fields and tags of a `gap` point each; one of no records where there is none, so that nothing found is
    told from nobody having looked.

    >>> list(said("lake", {}))
    [({'records': 0}, {'missed_by': 'lake', 'topic': 'all', 'partition': 'all', 'why': 'none'})]
    """
    if not gaps:
        yield {"records": 0}, {"missed_by": missed_by, "topic": "all", "partition": "all", "why": "none"}
    for (topic, partition, why), records in gaps.items():
        tags = {"missed_by": missed_by, "topic": topic, "partition": str(partition), "why": why}
        yield {"records": records}, tags
