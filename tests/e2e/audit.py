"""What the operators asked of the API server, counted from its audit log.

The end-to-end cluster's API server writes one JSON line for each answered request of a service account in the
operators' namespace (audit-policy.yaml). Counting there counts what really arrived, in both variants alike, and
asks nothing of the operators. A cluster without the log gives None, which the report shows as "n/a".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

LOG: Final = "/var/log/kubernetes/audit/audit.log"
OPERATORS: Final = "system:serviceaccount:twinloop-system:"
WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Request:
    """One request as the audit log tells it. `resource` includes the subresource: "nginxpods/status"."""

    verb: str
    resource: str
    namespace: str
    name: str
    code: int

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change. Leases are left aside: who leads is no business of a NginxPod's."""
        return self.verb in WRITES and self.resource != "leases"

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def parse(lines: Iterable[str]) -> list[Request]:
    """The operators' requests among audit lines; a watch counts once, when its response starts.

    A last line that is still being written is no JSON yet and is left out.
    """
    requests = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if _counts(event):
            requests.append(_request(event))
    return requests


def _counts(event: dict[str, object]) -> bool:
    user = event.get("user")
    username = user.get("username", "") if isinstance(user, dict) else ""
    stage = "ResponseStarted" if event.get("verb") == "watch" else "ResponseComplete"
    return str(username).startswith(OPERATORS) and event.get("stage") == stage


def _request(event: dict[str, object]) -> Request:
    reference = event.get("objectRef")
    target = reference if isinstance(reference, dict) else {}
    status = event.get("responseStatus")
    parts = [str(target.get("resource") or event.get("requestURI", "")), str(target.get("subresource", ""))]
    return Request(
        verb=str(event.get("verb", "")),
        resource="/".join(part for part in parts if part),
        namespace=str(target.get("namespace", "")),
        name=str(target.get("name", "")),
        code=int(status.get("code", 0)) if isinstance(status, dict) else 0,
    )


def counts(requests: Iterable[Request]) -> dict[str, int]:
    """How often each "verb resource" was asked for, most frequent first."""
    return dict(Counter(str(request) for request in requests).most_common())


class AuditLog:
    """The log on the node. `on_node` runs a command there and gives its output."""

    def __init__(self, on_node: Callable[..., str]) -> None:
        self._on_node = on_node

    def mark(self) -> int | None:
        """Where the log ends now, in bytes; None when there is no log."""
        size = self._on_node("sh", "-c", f"stat -c %s {LOG} 2>/dev/null || true").strip()
        return int(size) if size else None

    def since(self, mark: int | None) -> list[Request] | None:
        """The operators' requests behind a mark; None when there is no log to tell."""
        if mark is None:
            return None
        return parse(self._on_node("tail", "-c", f"+{mark + 1}", LOG).splitlines())
