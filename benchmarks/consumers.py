"""`python -m benchmarks.consumers handwritten|official`: one informer, one handler that counts; prints a JSON line.

$BENCH_EVENTS says how many events come. kopf's counterpart is `kopf_consumer.py`.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from typing import Any


class Counter:
    """Takes the time of the first and of the last event."""

    def __init__(self) -> None:
        self.expected = int(os.environ["BENCH_EVENTS"])
        self.seen = 0
        self.began = 0.0
        self.ended = threading.Event()

    def take(self) -> None:
        """One event."""
        self.seen += 1
        if self.seen == 1:
            self.began = time.perf_counter()
        if self.seen == self.expected:
            print(json.dumps({"seconds": time.perf_counter() - self.began}), flush=True)  # noqa: T201 - its purpose
            self.ended.set()


def handwritten(counter: Counter) -> None:
    """Our informer, as the operator runs it."""
    from handwritten.clock import RealClock  # noqa: PLC0415 - each consumer loads its own library only
    from handwritten.informer import SharedInformer  # noqa: PLC0415
    from handwritten.listwatch import ListWatch  # noqa: PLC0415
    from twinloop.kube import PODS, Client, load_configuration  # noqa: PLC0415

    class Handler:
        def on_add(self, obj: Any, is_in_initial_list: bool) -> None:  # noqa: ARG002
            counter.take()

        def on_update(self, old: Any, new: Any) -> None:  # noqa: ARG002
            counter.take()

        def on_delete(self, obj: Any) -> None:
            """Nothing is deleted here."""

    client = Client(load_configuration(), user_agent="bench")
    rng = random.Random(1)  # noqa: S311 - spreads requests over time
    informer = SharedInformer(ListWatch(client, PODS), clock=RealClock(), rng=rng)
    informer.add_event_handler(Handler())
    threading.Thread(target=informer.run, args=(counter.ended,), daemon=True).start()


def official(counter: Counter) -> None:
    """The SharedInformer of the kubernetes package, with its typed models: it has no other way."""
    from kubernetes import client, config  # noqa: PLC0415
    from kubernetes import informer as informers  # noqa: PLC0415

    # The package has types for its models only.
    untyped: Any = informers
    configuration: Any = config

    configuration.load_kube_config()
    informer = untyped.SharedInformer(client.CoreV1Api().list_pod_for_all_namespaces)
    informer.add_event_handler("ADDED", lambda _: counter.take())
    informer.start()


if __name__ == "__main__":
    counting = Counter()
    {"handwritten": handwritten, "official": official}[sys.argv[1]](counting)
    counting.ended.wait(300)
    # Not through the interpreter's end: what is measured is over, and a reader in recv would hold it up.
    os._exit(0)
