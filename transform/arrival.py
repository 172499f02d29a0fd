"""When a record arrived on-prem, in the domain's time.

The on-prem broker stamps it (LogAppendTime) and the mirror carries that stamp across. Imported history
says its arrival in a header, believed only inside the offsets that an import recorded: anyone could
forge a header. Even there it is believed only where it says the past: an import brings history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hotpath.clock import Micros, Timeline
from hotpath.lake import Import


@dataclass(frozen=True)
class Arrivals:
    """Turns a broker's stamp into `arrived_at`."""

    timeline: Timeline
    imports: tuple[Import, ...]

    def of(
        self, topic: str, partition: int, offset: int, stamped: Micros, header: bytes | None
    ) -> tuple[Micros, bool]:
        """(arrived_at, whether the record is imported history).

        `stamped` is the broker's real time, `header` the record's ARRIVED_HEADER.
        """
        arrived = self.timeline.virtual(stamped)
        if header is not None and any(i.covers(topic, partition, offset) for i in self.imports):
            claimed = _instant(header)
            if claimed is not None and claimed <= arrived:
                return claimed, True
        return arrived, False

    def stamped(self, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """`arrived_at` of records that claim none, from their brokers' stamps."""
        # A broker stamps whole ms, so few of a batch's stamps differ.
        instants, places = np.unique(stamps, return_inverse=True)
        return np.array([self.timeline.virtual(int(at)) for at in instants], np.int64)[places]


def _instant(header: bytes) -> Micros | None:
    """Decimal µs of at most 18 digits: what is longer is no instant, and would break the column."""
    return int(header) if len(header) <= 18 and header.isdigit() else None
