"""What the requests of both variants are measured by: client-go's two REST metrics.

`transport.py` observes every request here, `events.py` every Event that was given up; `twinloop.serving`
shows them on /metrics. The names and the buckets are those of k8s.io/component-base/metrics/prometheus/restclient,
so that a dashboard made for any Go operator shows ours as well.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "rest_client_requests_total",
    "Number of HTTP requests, partitioned by status code, method, and host.",
    ["code", "method", "host"],
)

REQUEST_DURATION = Histogram(
    "rest_client_request_duration_seconds",
    "Request latency in seconds. Broken down by verb, and host. A watch counts until its headers came.",
    ["verb", "host"],
    buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0),
)

EVENTS_DROPPED = Counter(
    "twinloop_events_dropped_total",
    "Kubernetes Events that were never written, by cause: queue_full, rate_limited, refused, unavailable, closed.",
    ["cause"],
)

# client-go's value of `code` for a request that got no answer.
NO_ANSWER = "<error>"


def observe(method: str, host: str, code: int, seconds: float) -> None:
    """Count one request; `code` 0 means that no answer came."""
    REQUESTS.labels(code=str(code) if code else NO_ANSWER, method=method, host=host).inc()
    REQUEST_DURATION.labels(verb=method, host=host).observe(seconds)
