"""When the replayed clock starts, stands and runs: what the demonstration writes into the clock file.

import of history      replay at 60            stopped   replay at 60          the present
|--- rate 0 ----------|--- rate 60 -----------|- rate 0 -|--- rate 60 --------|--- rate 1 ---
V0                    V0 (history has landed)            where it stopped
"""

from hotpath.clock import SECOND, Clock, Micros, Segment

REPLAY_RATE = 60.0
OUTLIVED: Micros = 3 * SECOND


def begin(clock: Clock, starts_at: Micros) -> None:
    """Time stands at `starts_at` while history is imported; a clock that has begun is left alone."""
    if not clock.timeline().segments:
        clock.append(Segment(clock.real(), starts_at, 0))


def resume(clock: Clock, last_alive: Micros) -> None:
    """Time stood still from `last_alive` (real), when the earlier run was last seen, until now.

    A moment later, in truth: a run that is killed is not noted to the instant, and its parts outlive it a
    little. What they stamped then must not lie in the future of the run that continues.
    """
    line = clock.timeline()
    if line.rate > 0:
        stopped = min(max(last_alive + OUTLIVED, line.segments[-1].real), clock.real())
        clock.append(Segment(stopped, line.virtual(stopped), 0))


def run(clock: Clock, rate: float = REPLAY_RATE) -> None:
    """From now on virtual time runs at `rate`, until it meets the present."""
    clock.append(Segment(clock.real(), clock.now(), rate))


def keep(clock: Clock) -> bool:
    """Write the last segment, rate 1, once a replay has met the present; whether it did so now."""
    real = clock.real()
    line = clock.timeline()
    if line.rate <= 1 or line.virtual(real) < real:
        return False
    clock.append(Segment(real, real, 1))
    return True
