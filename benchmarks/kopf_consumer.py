"""`kopf run -m benchmarks.kopf_consumer`: one event handler that counts pods. Its peers are in `consumers.py`."""

from __future__ import annotations

import os
import threading
from typing import Any

import kopf

from benchmarks.consumers import Counter

_counter = Counter()


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Nothing is written to the server."""
    settings.posting.enabled = False


@kopf.on.event("", "v1", "pods")
async def count(**_: Any) -> None:
    """Count, in kopf's own loop: a handler in a thread would cost more."""
    _counter.take()


def _end() -> None:
    _counter.ended.wait(300)
    os._exit(0)


threading.Thread(target=_end, daemon=True).start()
