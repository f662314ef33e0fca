"""Metrics of this process, in the text format of Prometheus.

Nothing is counted until `start`, so a process without METRICS_TOKEN pays nothing. Labels come from closed sets: an
operation's name is its own only for the first MAX_OPERATION_NAMES names, else `other`.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

MAX_OPERATION_NAMES = 200  # clients choose names
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WAIT_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
Sample = tuple[str, str, dict[str, str], float]  # name, help, labels, value


@dataclass
class Metrics:
    """The counters of a process."""

    registry: "CollectorRegistry"
    operations: "Histogram"
    errors: "Counter"
    cost: "Counter"
    claims: "Histogram"
    names: set[str] = field(default_factory=set)

    def name_of(self, name: str | None) -> str:
        """Return the label of an operation's name."""
        if name is None:
            return "anonymous"
        if name not in self.names:
            if len(self.names) >= MAX_OPERATION_NAMES:
                return "other"
            self.names.add(name)
        return name[:100]

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge whose value `read` returns at each scrape."""
        from prometheus_client import Gauge

        Gauge(name, text, registry=self.registry).set_function(read)


_metrics: Metrics | None = None


def start() -> Metrics:
    """Begin to count in this process. Counts of an earlier start are dropped."""
    global _metrics
    from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    _metrics = Metrics(
        registry=registry,
        operations=Histogram(
            "signalbox_operation_seconds",
            "Duration of GraphQL operations; of subscriptions until they end.",
            ["type", "name", "transport"],
            buckets=SECONDS,
            registry=registry,
        ),
        errors=Counter(
            "signalbox_operation_errors",
            "Operations that were answered with an error code.",
            ["code"],
            registry=registry,
        ),
        cost=Counter("signalbox_operation_cost", "Points of cost of all operations.", registry=registry),
        claims=Histogram(
            "signalbox_claim_wait_seconds",
            "Time from when a run became claimable until a worker claimed it.",
            buckets=WAIT_SECONDS,
            registry=registry,
        ),
    )
    return _metrics


def count_operation(
    kind: str | None,
    name: str | None,
    transport: str,
    seconds: float,
    cost: int | None,
    codes: Collection[str],
) -> None:
    """Count one operation that has ended."""
    if _metrics is None:
        return
    _metrics.operations.labels(kind or "invalid", _metrics.name_of(name), transport).observe(seconds)
    _metrics.cost.inc(cost or 0)
    for code in codes:
        _metrics.errors.labels(code).inc()


def count_claim(wait_seconds: float) -> None:
    """Count one claim of a run."""
    if _metrics is not None:
        _metrics.claims.observe(max(wait_seconds, 0.0))


def render(metrics: Metrics, samples: Iterable[Sample]) -> bytes:
    """Return all metrics, and `samples` that were read for this scrape, as text for Prometheus."""
    from prometheus_client import generate_latest
    from prometheus_client.core import CollectorRegistry, GaugeMetricFamily

    families: dict[str, GaugeMetricFamily] = {}
    for name, text, labels, value in samples:
        family = families.get(name)
        if family is None:
            family = families[name] = GaugeMetricFamily(name, text, labels=sorted(labels))
        family.add_metric([labels[label] for label in sorted(labels)], value)

    class Samples:
        def collect(self) -> Iterable[Any]:
            return families.values()

    registry = CollectorRegistry()
    registry.register(Samples())
    return generate_latest(metrics.registry) + generate_latest(registry)
