"""POST .../pods/<name>/eviction: a polite delete, as kubectl drain sends it.

The pod is deleted with the options of the Eviction, and goes as any deleted pod does. PodDisruptionBudgets are not
modelled: every eviction is granted.
"""

from __future__ import annotations

from twinloop.apiserver.answer import Answer, json_answer
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.options import delete_options
from twinloop.apiserver.pods.binding import SUCCESS
from twinloop.apiserver.pods.reading import read_body
from twinloop.apiserver.request import Request
from twinloop.apiserver.strategy import Strategy
from twinloop.apiserver.verbs import delete
from twinloop.apiserver.verbs.call import Call


class _EvictionStrategy(Strategy):
    """An Eviction as a body: one of Kubernetes' own kinds, of which nothing is stored."""

    def merges_strategically(self) -> bool:
        """As all of them do."""
        return True


EVICTIONS = {
    version: Kind("policy", version, "Eviction", "evictions", _EvictionStrategy()) for version in ("v1", "v1beta1")
}


def serve(call: Call, request: Request) -> Answer:
    """Evict a pod."""
    kind = EVICTIONS["v1beta1" if b'"policy/v1beta1"' in request.body else "v1"]
    found = read_body(call, request, kind)
    options = delete_options(request, found.get("deleteOptions") or {})
    dry_run = call.dry_run or bool(options.dry_run)
    delete.delete(Call(call.host, call.kind, call.namespace, call.name, dry_run=dry_run), options)
    return json_answer(201, SUCCESS)
