"""The only place that speaks HTTP to an API server, for both variants.

The flow of a request: a caller names a `Resource` (resources.py) and a verb of `Client` (client.py); `Transport`
(transport.py) sends it with the credentials (credentials.py) of the loaded configuration (config.py); answers.py turns
what comes back into a dict or an error; an open watch is a `WatchStream` (watch.py). `EventRecorder` (events.py) writes
Kubernetes Events through the same client in a thread of its own, as few as event_correlator.py makes of them; metrics.py
counts all of it.

What belongs here: configuration, authentication, connections, requests, what answers mean. Objects are raw dicts. Of
the `kubernetes` package it uses the configuration loaders and the connection pool.

What never does:

- Back-off, queues, caches. A failed request is told to the caller at once; when to try again is the queue's question.
  The one retry (a 401 with fresh credentials) and the event recorder's own are explained where they are.
- NginxPods. Which objects exist and why is `twinloop.sync`'s; resources.py knows their address only.
- The kubernetes package's models, Watch, SharedInformer and LeaderElection: they parse every object into classes,
  or retry without back-off, and the machinery they stand for is what this project shows.
"""

from twinloop.kube.answers import error_from_status
from twinloop.kube.client import Client
from twinloop.kube.config import Configuration, load_configuration
from twinloop.kube.events import EventRecorder
from twinloop.kube.resources import EVENTS, LEASES, NAMESPACES, NGINXPODS, PODS, Object, Resource
from twinloop.kube.watch import WatchStream, decode_event

__all__ = [
    "EVENTS",
    "LEASES",
    "NAMESPACES",
    "NGINXPODS",
    "PODS",
    "Client",
    "Configuration",
    "EventRecorder",
    "Object",
    "Resource",
    "WatchStream",
    "decode_event",
    "error_from_status",
    "load_configuration",
]
