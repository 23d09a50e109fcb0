"""Who leads, under client-go's metric names.

`leaderelection.py` calls it, /metrics shows it. client-go: tools/leaderelection/metrics.go and
component-base/metrics/prometheus/clientgo/leaderelection.
"""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


class PrometheusLeaderElectionMetrics:
    """`leader_election_master_status` and `leader_election_slowpath_total`. Make one per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; they show nothing until an election takes place."""
        self._status = Gauge(
            "leader_election_master_status",
            "Whether this process is the leader of the lease: 1 leader, 0 standby.",
            ["name"],
            registry=registry,
        )
        self._slowpath = Counter(
            "leader_election_slowpath",
            "How often a leader had to read its lease before it could renew it.",
            ["name"],
            registry=registry,
        )

    def leader_on(self, name: str) -> None:
        """See `LeaderElectionMetrics`."""
        self._status.labels(name).set(1)

    def leader_off(self, name: str) -> None:
        """See `LeaderElectionMetrics`."""
        self._status.labels(name).set(0)

    def slowpath_exercised(self, name: str) -> None:
        """See `LeaderElectionMetrics`."""
        self._slowpath.labels(name).inc()
