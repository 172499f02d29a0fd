"""What the scorer counts, in a registry of its own. Names and labels only; low cardinality, never an id."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hotpath.clock import SECOND, Micros
from serve.generation import Generation

_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The scorer's numbers since its start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Scoring requests by HTTP status.", "status")
        self.decisions = self._counter("decisions", "Rows by decision.", "decision")
        self.dropped = self._counter("scores_dropped", "Score records that Kafka did not take.", "pipeline")
        self.swaps = self._counter("swaps", "Pointers followed, by what came of it.", "pipeline", "kind")
        self.aggregates = self._counter(
            "aggregates_degraded",
            "Aggregates of rows without (newest) tiles.",
            "pipeline",
            "how",
        )
        self.latency = Histogram(
            "hotpath_request_seconds",
            "Receipt of the head to the answer's bytes.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._sequence = Gauge(
            "hotpath_live_sequence", "Live generation.", ["pipeline"], registry=self.registry
        )
        self._breaker = Gauge(
            "hotpath_redis_breaker_open", "1 while Redis is left alone.", registry=self.registry
        )
        self._age = Gauge(
            "hotpath_model_age_seconds", "Of the domain's time.", ["pipeline"], registry=self.registry
        )

    def answers(self) -> int:
        """Rows answered since the start."""
        samples = (s for metric in self.decisions.collect() for s in metric.samples)
        return int(sum(s.value for s in samples if s.name.endswith("_total")))

    def rendered(self, live: Mapping[str, Generation | None], now: Micros, breaker: bool = False) -> bytes:
        """The page, in Prometheus' text format."""
        self._breaker.set(breaker)
        for pipeline, generation in live.items():
            if generation is not None:
                self._sequence.labels(pipeline).set(generation.sequence)
                self._age.labels(pipeline).set((now - generation.trained_at) / SECOND)
        return generate_latest(self.registry)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"hotpath_{name}", help_text, labels, registry=self.registry)
