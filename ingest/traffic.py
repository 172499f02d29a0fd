"""How many payments there are, and when: settings of the generator, and the instants of an hour.

Pure. Whatever is drawn at random is drawn from a generator seeded by the settings' seed and the name of what
is drawn, so that any part of any day comes out the same by itself.

    >>> calm = Traffic(1, 2400, 0.08, 16, 1.0, 0.05, 12.0, 0.1, 0.01, 0.01, 3, {})
    >>> sum(len(instants(calm, hour, Random())) for hour in range(24))
    2400
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from hotpath.clock import DAY, HOUR, Micros

BUSY = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 13, 14, 12, 11, 11, 13, 15, 14, 11, 8, 6, 5, 3)
"""How the payments of a day are spread over its hours (UTC)."""
BY_THEN = (0, *accumulate(BUSY))


@dataclass(frozen=True)
class Traffic:
    """`frauds` to `no_consent` are shares of 1.

    A pattern of fraud lives for `drift_h` hours. A label comes about `label_h` hours after its payment,
    `late_labels` of them by `late_by_h` hours more. `nulls`: values that are not known; `twice`: events that
    are sent twice; `bad_hosts`: seconds by which a host's clock is ahead (negative: behind). `history_d`:
    days that are imported.
    """

    seed: int
    a_day: int
    frauds: float
    drift_h: float
    label_h: float
    late_labels: float
    late_by_h: float
    nulls: float
    twice: float
    no_consent: float
    history_d: int
    bad_hosts: Mapping[str, float]

    @property
    def history(self) -> Micros:
        """Length of the imported history."""
        return self.history_d * DAY

    @property
    def longest_wait(self) -> Micros:
        """Every label is said within this after its payment."""
        return int((LONGEST_WAIT * self.label_h + self.late_by_h) * HOUR)


SHORTEST_WAIT, LONGEST_WAIT = 0.25, 1.75
"""Of `label_h`: a label in time comes after a time between."""


def drawn(traffic: Traffic, *name: object) -> Random:
    """Chance, the same each time for one seed and name."""
    return Random("/".join(map(str, (traffic.seed, *name))))


def instants(traffic: Traffic, hour: int, chance: Random) -> list[Micros]:
    """When payments are made in an hour (hours since 1970 UTC), unordered; a day has `a_day` of them."""
    first, last = (traffic.a_day * BY_THEN[h] // BY_THEN[-1] for h in (hour % 24, hour % 24 + 1))
    return [hour * HOUR + chance.randrange(HOUR) for _ in range(last - first)]
