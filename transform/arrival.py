"""When a record arrived on-prem, in the domain's time.

The on-prem broker stamps it (LogAppendTime) and the mirror carries that stamp across. Imported history
says its arrival in a header, believed only inside the offsets that an import recorded: anyone could
forge a header. Even there it is believed only where it says the past: an import brings history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hotpath.clock import Micros, Timeline
from hotpath.handoffs import ARRIVED_HEADER
from hotpath.lake import Import

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Arrivals:
    """Turns a broker's stamp into `arrived_at`."""

    timeline: Timeline
    imports: tuple[Import, ...]

    def of(
        self, topic: str, partition: int, offset: int, stamped: Micros, headers: Headers | None
    ) -> tuple[Micros, bool]:
        """(arrived_at, whether the record is imported history); `stamped` is the broker's real time."""
        arrived = self.timeline.virtual(stamped)
        if headers and any(i.covers(topic, partition, offset) for i in self.imports):
            claimed = _instant(dict(headers).get(ARRIVED_HEADER))
            if claimed is not None and claimed <= arrived:
                return claimed, True
        return arrived, False


def _instant(header: bytes | None) -> Micros | None:
    """Decimal µs of at most 18 digits: what is longer is no instant, and would break the column."""
    return int(header) if header is not None and len(header) <= 18 and header.isdigit() else None
