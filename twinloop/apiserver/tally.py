"""Who asked for what, how often: a count of requests by client, verb, resource, namespace and code.

`server.py` notes every request for a resource, `publish/metrics.py` shows the counts as `apiserver_request_total`, with
two labels that kube-apiserver's own lacks: the namespace, and the client as its User-Agent names it. A demo or a test
learns from it what an operator costs without asking the operator.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from twinloop.apiserver.failures import qualified
from twinloop.apiserver.request import Request, Target

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Asked(NamedTuple):
    """What is counted together; the fields are the labels of the metric."""

    client: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    code: int


# Names come from clients, who may make up as many and as long ones as they like.
LONGEST_NAME = 100
MOST = 5_000
OTHERS = "others"


class Tally:
    """Counts since the start; clients and namespaces beyond `MOST` different entries are counted together."""

    def __init__(self) -> None:
        self.counts: Counter[Asked] = Counter()

    def note(self, request: Request, target: Target, code: int) -> None:
        """Count one request; `code` is the one that was answered, 200 for a watch that began."""
        client = request.user_agent.partition("/")[0][:LONGEST_NAME]
        resource = qualified(target.kind.group, target.kind.plural)
        namespace = target.namespace[:LONGEST_NAME]
        asked = Asked(client, _verb(request, target), resource, target.subresource, namespace, code)
        if len(self.counts) >= MOST and asked not in self.counts:
            asked = asked._replace(client=OTHERS, namespace=OTHERS)
        self.counts[asked] += 1


def _verb(request: Request, target: Target) -> str:
    """The verb as discovery names it."""
    if request.method in {"GET", "HEAD"}:
        if target.watch or request.first("watch").lower() in {"true", "1"}:
            return "watch"
        return "get" if target.name else "list"
    verb = _VERBS.get(request.method, request.method.lower())
    return "deletecollection" if verb == "delete" and not target.name else verb
