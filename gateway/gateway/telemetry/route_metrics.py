"""Counts and durations by route template, cheap enough for every request, given to Prometheus when it asks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""


class OperationMetrics:
    """Counters of one operation; one thread writes, so no lock."""

    __slots__ = ("buckets", "method", "seconds", "statuses", "template", "upstream_seconds")

    def __init__(self, template: str, method: str) -> None:
        self.template = template
        self.method = method
        self.statuses: dict[int, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.upstream_seconds = 0.0

    def record(self, status: int, seconds: float, upstream_seconds: float) -> None:
        """One finished request; `seconds` in the gateway altogether, `upstream_seconds` until the service's headers
        came."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        self.upstream_seconds += upstream_seconds


class RouteMetrics:
    """All operations seen; a Prometheus collector."""

    def __init__(self) -> None:
        self._operations: dict[tuple[str, str], OperationMetrics] = {}

    def of(self, template: str, method: str) -> OperationMetrics:
        """The counters of one operation, created at the first asking and kept when the path table is rebuilt."""
        return self._operations.setdefault((template, method), OperationMetrics(template, method))

    def describe(self) -> Iterable[Metric]:
        """Nothing before the first scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The families Prometheus reads."""
        requests = CounterMetricFamily("gateway_requests", "Requests answered", labels=("route", "method", "status"))
        upstream = CounterMetricFamily(
            "gateway_upstream_seconds", "Seconds spent waiting for services", labels=("route", "method")
        )
        durations = HistogramMetricFamily(
            "gateway_request_duration_seconds", "Seconds from the first byte to the last", labels=("route", "method")
        )
        for operation in list(self._operations.values()):
            if not operation.statuses:
                continue
            labels = (operation.template, operation.method)
            for status, count in operation.statuses.items():
                requests.add_metric((*labels, str(status)), count)
            upstream.add_metric(labels, operation.upstream_seconds)
            durations.add_metric(labels, buckets=_cumulative(operation.buckets), sum_value=operation.seconds)
        yield from (requests, upstream, durations)


def _cumulative(counts: list[int]) -> list[tuple[str, float]]:
    total = 0
    out: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        out.append((bound, float(total)))
    return out
