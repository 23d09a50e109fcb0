"""`python -m benchmarks.cache indexer|dict`: what 10,000 pods weigh in a cache, in a process that holds nothing else.

Prints one JSON line. Both sides hold the same pods, decoded one by one as a watch would bring them, managedFields stripped;
what differs is the cache around them. `machinery.py` runs both and puts them side by side.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import psutil

from benchmarks.pods import pod
from handwritten.informer import strip_managed_fields
from handwritten.store import Indexer, meta_namespace_key

COUNT = 10_000
BY_OWNER = "owner"


def owners(obj: dict[str, Any]) -> list[str]:
    """The uids of the owners, as the operator's own index has them."""
    return [str(each["uid"]) for each in obj["metadata"].get("ownerReferences", ())]


def lines() -> list[bytes]:
    """The pods as text, three to an owner."""
    made = []
    for number in range(COUNT):
        obj = pod(f"pod-{number}")
        owner = {"apiVersion": "twinloop.dev/v1alpha1", "kind": "NginxPod", "name": "o", "uid": f"uid-{number // 3}"}
        fields = [{"manager": "bench", "operation": "Update", "fieldsV1": {f"f:{n}": {} for n in range(40)}}]
        obj["metadata"] |= {"namespace": "default", "ownerReferences": [owner], "managedFields": fields}
        made.append(json.dumps(obj).encode())
    return made


def main(kind: str) -> None:
    """Fill the cache, then weigh it and read from it."""
    text = lines()
    process = psutil.Process()
    before = process.memory_info().rss
    if kind == "dict":
        plain = {}
        for line in text:
            obj = strip_managed_fields(json.loads(line))
            plain[meta_namespace_key(obj)] = obj
        print(json.dumps({"megabytes": (process.memory_info().rss - before) / 1e6}))  # noqa: T201 - its whole purpose
        return
    indexer = Indexer({BY_OWNER: owners})
    for line in text:
        indexer.add(strip_managed_fields(json.loads(line)))
    weight = (process.memory_info().rss - before) / 1e6
    began = time.perf_counter()
    for number in range(1000):
        assert len(indexer.by_index(BY_OWNER, f"uid-{number}")) == 3  # noqa: S101 - else the figure means nothing
    print(json.dumps({"megabytes": weight, "micros_by_index": (time.perf_counter() - began) * 1e3}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
