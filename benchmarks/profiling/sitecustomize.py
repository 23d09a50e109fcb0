"""Read by Python itself at its start, when this folder is on PYTHONPATH: profiles every thread of a program as it is.

`benchmarks/profiled.py` puts it there and reads what is written at the end: for each function its own CPU time and that
of the built-in functions which it called. A clock that counts the CPU time of one thread, so waiting costs nothing.
"""

from __future__ import annotations

import atexit
import cProfile
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

_profiles: list[cProfile.Profile] = []
_CALLS = 50_000


def _begin(*_: Any) -> None:
    """The first event of a new thread: from here on the profiler's own function takes the events."""
    profile = cProfile.Profile(time.thread_time)
    _profiles.append(profile)
    profile.enable()


def _nothing() -> None:
    """A call that costs nothing but its being measured."""


def _overhead() -> tuple[float, float]:
    """What the profiler adds to a function for each of its calls, and to its caller."""
    began = time.thread_time()
    for _ in range(_CALLS):
        _nothing()
    bare = (time.thread_time() - began) / _CALLS / 2
    profile = cProfile.Profile(time.thread_time)
    profile.runcall(_many)
    found = {entry.code.co_name: entry for entry in profile.getstats() if not isinstance(entry.code, str)}
    return found["_nothing"].inlinetime / _CALLS - bare, found["_many"].inlinetime / _CALLS - bare


def _many() -> None:
    for _ in range(_CALLS):
        _nothing()


def _rows() -> list[tuple[str, str, float]]:
    """File, function or built-in, and CPU seconds without the profiler's own."""
    called, caller = _overhead()
    rows = []
    for entry in (each for profile in _profiles for each in profile.getstats()):
        if isinstance(entry.code, str):  # built-ins are told of with who called them
            continue
        inside = entry.calls or []
        own = entry.inlinetime - entry.callcount * called - sum(each.callcount for each in inside) * caller
        rows.append((entry.code.co_filename, entry.code.co_name, own))
        built_in = [each for each in inside if isinstance(each.code, str)]
        rows += [(entry.code.co_filename, each.code, each.inlinetime - each.callcount * called) for each in built_in]
    return rows


def _write() -> None:
    _profiles[0].disable()
    Path(os.environ["BENCH_PROFILE"]).write_text(json.dumps(_rows()))


if "BENCH_PROFILE" in os.environ:
    threading.setprofile(_begin)
    atexit.register(_write)
    _begin()
