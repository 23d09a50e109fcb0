"""twinloop: one reconciliation, two control loops, and the means to compare them.

This package holds what both operators share. `nginxpod`, `plan`, `status` and `sync` decide what a
NginxPod needs and import nothing but the standard library and one another. `kube` is the only place that
speaks HTTP to an API server. `serving`, `logs` and `metrics` are what any operator process shows to
the outside.

What never belongs here: a control loop. Queues, caches and workers live in `handwritten`, kopf's handlers
in `operator/`; this package knows neither.
"""

__version__ = "0.1.0"
