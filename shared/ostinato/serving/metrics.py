"""What a server counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class ServingMetrics:
    """Counters of one server, in a registry of its own: two servers in a process do not mix.

    Attributes:
      requests: answered requests by `model`, front end (`api`) and status (`code`).
      request_seconds: from the first byte of a request to its answer, by `model` and `api`.
      batch_rows: rows that were computed together, by `model`, `version` and `signature`.
      batch_seconds: time that computing them took.
      refused: requests that found the queue full.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        model = ("model", "version", "signature")
        self.requests = Counter(
            "ostinato_serve_requests", "Requests answered.", ("model", "api", "code"), registry=self.registry
        )
        self.request_seconds = Histogram(
            "ostinato_serve_request_seconds",
            "Time from a request to its answer.",
            ("model", "api"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_rows = Histogram(
            "ostinato_serve_batch_rows", "Rows computed together.", model, buckets=_ROWS, registry=self.registry
        )
        self.batch_seconds = Histogram(
            "ostinato_serve_batch_seconds",
            "Time of computing a batch.",
            model,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.refused = Counter(
            "ostinato_serve_refused_requests", "Requests that found the queue full.", model, registry=self.registry
        )

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Shows the value that a function returns whenever it is asked for."""
        Gauge(name, description, registry=self.registry).set_function(value)

    def page(self) -> bytes:
        """All of them in the text format of Prometheus."""
        return generate_latest(self.registry)
