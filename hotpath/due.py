"""When what is done again and again is due: a pure schedule, so that a replayed clock can drive it."""

from hotpath.clock import Micros


def due(last: Micros | None, every: Micros, now: Micros, changed: bool = False) -> bool:
    """Whether a run is due at `now`, the last one having begun at `last` (None: never).

    At once where it was of another contract (`changed`): what is deployed waits for no schedule. Runs that
    were missed while one was under way or the trainer was away are not caught up.

    >>> due(None, 10, 0), due(5, 10, 14), due(5, 10, 15), due(5, 10, 99), due(5, 10, 6, changed=True)
    (True, False, True, True, True)
    """
    return last is None or changed or now - last >= every
