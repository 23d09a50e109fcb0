"""Admission: what a write must satisfy besides its kind's own rules, because it concerns more than one object.

Belongs here: the admission plugins of kube-apiserver that every cluster runs and a client can tell from outside, each a
plain function `(server, operation, kind, obj, old, namespace, subresource, dry_run)` that changes `obj` in place or
raises a `Failure`. `verbs/` call the lists below; `old` and `obj` are None where an operation has none.

Never belongs here: rules about one object alone (`builtin/`, `schemas/`), and what happens after a write
(`controllers/`).
"""

from __future__ import annotations

from twinloop.apiserver.admission import namespaces, quota, serviceaccounts
from twinloop.apiserver.verbs.call import Admit

# In kube-apiserver's order. Quota comes last of all: what it counts is then as good as stored. The plugins that look at a
# pod alone (Priority, DefaultTolerationSeconds) are part of its strategy in `builtin/pods.py`.
MUTATING: tuple[Admit, ...] = (namespaces.lifecycle, serviceaccounts.assign)
VALIDATING: tuple[Admit, ...] = (quota.enforce,)
