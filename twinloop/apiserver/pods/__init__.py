"""What a client can do to a pod besides reading and writing it: bind it, evict it, read its log.

Belongs here: the pod subresources that are no part of the object, each a module that reads what a client sent, checks it
and has its effect. `register` makes them known to `verbs/subresources.py`.

Never belongs here: status, which is the object seen from another side (`verbs/`), and what follows from the effect: a
bound pod is the kubelet's, an evicted one goes the way of every deleted pod (`controllers/`).
"""

from __future__ import annotations

from twinloop.apiserver.pods import binding, eviction, log
from twinloop.apiserver.verbs.subresources import EFFECTS


def register() -> None:
    """Serve the subresources of pods."""
    EFFECTS["", "pods", "binding", "POST"] = binding.serve
    EFFECTS["", "bindings", "", "POST"] = binding.serve_collection
    EFFECTS["", "pods", "eviction", "POST"] = eviction.serve
    EFFECTS["", "pods", "log", "GET"] = log.serve
