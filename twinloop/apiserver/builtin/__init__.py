"""The kinds that Kubernetes itself brings: pods, namespaces, events, secrets and the others that operators use.

Belongs here: what is known about each kind (its Go types, schemas, defaults, validation, what an update may change, its
columns in kubectl), as a `Strategy` per kind, and the data that it comes from. Never belongs here: storing anything,
what happens to an object later (`controllers/`), and rules that look at other objects (`admission/`).

The flow: `register` puts the kinds of `served.py` into the registry; `verbs/` then ask each kind's strategy to decode
(`decode.py`), to default, to validate and to prepare a write.
"""

from __future__ import annotations

from twinloop.apiserver.builtin.served import all_kinds
from twinloop.apiserver.kinds import Registry


def register(registry: Registry) -> None:
    """Serve every built-in kind."""
    for kind in all_kinds():
        registry.add(kind)
