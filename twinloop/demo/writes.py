"""How often each operator wrote, as the API server counts it.

`run.py` asks before and after each step. The server tells clients apart by their User-Agent: the operator on kopf has two,
kopf's own and that of the shared sync function.
"""

from __future__ import annotations

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from twinloop.demo.operators import VARIANTS

CLIENTS = {"twinloop-handwritten": "handwritten", "twinloop-kopf": "kopf", "kopf": "kopf"}
READS = {"get", "list", "watch"}


def fetch(url: str, token: str) -> str:
    """The server's metrics page."""
    request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the demo's own server
        return str(answer.read().decode())


def count_writes(page: str) -> dict[str, int]:
    """Writes by variant, refused ones included; Events, which both write alike and nobody waits for, are left out."""
    counts = dict.fromkeys(VARIANTS, 0)
    for family in text_string_to_metric_families(page):
        for sample in family.samples if family.name == "apiserver_request" else ():
            labels = sample.labels
            if labels["client"] in CLIENTS and labels["verb"] not in READS and labels["resource"] != "events":
                counts[CLIENTS[labels["client"]]] += int(sample.value)
    return counts
