"""What the scorer measures of itself, a pipeline: sums since the start, and the point of what came since.

The request path only adds to plain attributes, the watcher only reads them and remembers what it read: no
lock, no reset, nothing lost. Owns which stages there are; knows no clock and no log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hotpath.clock import SECOND, Micros
from hotpath.points import Number
from serve.generation import Generation

Elapsed = Callable[[], float]
"""Real seconds since an arbitrary start (`Clock.elapsed`)."""


@dataclass(slots=True)
class Sums:
    """Counts and seconds since the start. `parse_s` is of requests, `features_s` on of rows.

    Of the keyed state: `trips` to Redis, `copied` keys that a copy answered, aggregates of rows `defaulted`
    and `late`, `state_s` of the requests that read any (`stated`).
    """

    requests: int = 0
    errors: int = 0
    rows: int = 0
    degraded: int = 0
    unknown: int = 0
    dropped: int = 0
    stated: int = 0
    trips: int = 0
    failed_trips: int = 0
    copied: int = 0
    defaulted: int = 0
    late: int = 0
    state_s: float = 0.0
    request_s: float = 0.0
    parse_s: float = 0.0
    features_s: float = 0.0
    model_s: float = 0.0
    record_s: float = 0.0

    def answered(self, status: int, seconds: float) -> None:
        """A request was answered after `seconds`."""
        self.requests += 1
        self.errors += status >= 400
        self.request_s += seconds


@dataclass
class Since:
    """The sums of one pipeline, and those that its last point had seen."""

    sums: Sums
    seen: Sums

    @classmethod
    def start(cls) -> Since:
        """Nothing yet."""
        return cls(Sums(), Sums())

    def fields(self, live: Generation | None, now: Micros, breaker: bool = False) -> Mapping[str, Number]:
        """The measurement `scorer` since the last call; a mean of nothing is not known.

        Of the keyed state nothing is said where the live model reads none.
        """
        before, now_sums = self.seen, replace(self.sums)
        self.seen = now_sums
        requests, rows = now_sums.requests - before.requests, now_sums.rows - before.rows
        return {
            "requests": requests,
            "errors": now_sums.errors - before.errors,
            "degraded": now_sums.degraded - before.degraded,
            "unknown": now_sums.unknown - before.unknown,
            "dropped": now_sums.dropped - before.dropped,
            "request_us": _mean_us(now_sums.request_s - before.request_s, requests),
            "parse_us": _mean_us(now_sums.parse_s - before.parse_s, requests),
            "features_us": _mean_us(now_sums.features_s - before.features_s, rows),
            "model_us": _mean_us(now_sums.model_s - before.model_s, rows),
            "record_us": _mean_us(now_sums.record_s - before.record_s, rows),
            **(_state(before, now_sums, breaker) if live is not None and live.reads.windows else {}),
            "generation": None if live is None else live.sequence,
            "model_age_s": None if live is None else (now - live.trained_at) / SECOND,
        }


def _state(before: Sums, now: Sums, breaker: bool) -> dict[str, Number]:
    counted = ("trips", "failed_trips", "copied", "defaulted", "late")
    since: dict[str, Number] = {name: getattr(now, name) - getattr(before, name) for name in counted}
    mean = _mean_us(now.state_s - before.state_s, now.stated - before.stated)
    return {**since, "state_us": mean, "breaker": breaker}


def _mean_us(seconds: float, count: int) -> float | None:
    return seconds / count * 1e6 if count else None
