"""What an import of history filled, as the lake records it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hotpath.errors import BadArtifact
from hotpath.manifests import RESTORE


@dataclass(frozen=True)
class Import:
    """Offsets (first, last; both inclusive, of the cloud's topics) that an import of history filled."""

    id: str
    ranges: dict[str, dict[int, tuple[int, int]]]

    def covers(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a record was brought by this import, so that its header's arrival is believed."""
        first, last = self.ranges.get(topic, {}).get(partition, (0, -1))
        return first <= offset <= last

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Import:
        """Raises BadArtifact where `data` is no record of an import."""
        try:
            raw = json.loads(data)
            ranges = {
                topic: {int(p): (first, last) for p, (first, last) in parts.items()}
                for topic, parts in raw["ranges"].items()
            }
            return cls(raw["id"], ranges)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArtifact(source, data, "an import's record", RESTORE) from error
