"""What Prometheus reads at ``/metrics``, in a registry of our own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters and gauges of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "rankloop_requests", "Requests by route and status", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "rankloop_request_seconds",
            "Time to the end of the response",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "rankloop_stage_seconds", "Time by stage of an answer", ["stage"], buckets=_SECONDS, registry=self.registry
        )
        self._answers = Counter(
            "rankloop_answers", "Answers by kind and version", ["kind", "version"], registry=self.registry
        )
        self._ratings = Counter("rankloop_ratings", "Ratings by kind", ["kind"], registry=self.registry)
        self.serving = Gauge("rankloop_serving_version", "Version that serves", registry=self.registry)
        self.champion = Gauge("rankloop_champion_version", "Version that should serve", registry=self.registry)
        self.degraded = Gauge(
            "rankloop_degraded", "1 while another version than the champion serves", registry=self.registry
        )
        self.engine_fallback = Gauge(
            "rankloop_engine_fallback",
            "1 while torch scores because another engine failed or was refused",
            registry=self.registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has ended."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answer(self, kind: str, version: int, milliseconds: dict[str, float]) -> None:
        """A question has been answered."""
        self._answers.labels(kind, str(version)).inc()
        for stage, value in milliseconds.items():
            self._stages.labels(stage).observe(value / 1000)

    def rating(self, kind: str) -> None:
        """A rating has been recorded."""
        self._ratings.labels(kind).inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
