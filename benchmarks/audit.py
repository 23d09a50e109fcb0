"""The audit log of the benchmarks' cluster: who asked for what, how often, without asking the operator.

`operators.py` marks a place in the log and counts from there.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# Metadata is enough to count. A watch is in the log when it ends, so that none begins or ends a second request.
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: Metadata
"""

# kopf sends under two names: its own, and that of the client which the operator's code uses.
AGENTS = {"handwritten": ("twinloop-handwritten",), "kopf": ("twinloop-kopf", "kopf")}

WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass
class Audit:
    """The log's file. It only grows."""

    path: Path

    def here(self) -> int:
        """A place to count from: its end."""
        return self.path.stat().st_size

    def requests(self, variant: str, since: int) -> Counter[str]:
        """The variant's requests after a place, as verb and resource."""
        found: Counter[str] = Counter()
        with self.path.open("rb") as log:
            log.seek(since)
            for line in log:
                found[_asked(line, AGENTS[variant])] += 1
        del found[""]
        return found

    def writes(self, variant: str, since: int) -> int:
        """How many of these change something."""
        return sum(count for asked, count in self.requests(variant, since).items() if asked.split()[0] in WRITES)


def _asked(line: bytes, agents: tuple[str, ...]) -> str:
    """What a line of the log says was asked for; empty if somebody else asked, or if it is half a line yet."""
    with contextlib.suppress(json.JSONDecodeError):
        entry = json.loads(line)
        if str(entry.get("userAgent", "")).startswith(agents):
            about = entry.get("objectRef", {})
            what = "/".join(filter(None, (about.get("resource"), about.get("subresource"))))
            return f"{entry['verb']} {what or entry.get('requestURI', '')}"
    return ""
