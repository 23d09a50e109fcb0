"""Read by Python itself at its start, when this folder is on PYTHONPATH: profiles every thread of a program as it is.

`benchmarks/profiled.py` puts it there and reads what is written at the end: for each function its own CPU time, and that
of each built-in function which it called. The clock counts the CPU time of one thread, so waiting costs nothing.
"""
# ruff: noqa: INP001 - a folder on the path and no package: Python looks for this very name.

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


def _begin(*_: Any) -> None:
    """The first event of a new thread: from here on the profiler's own function takes the events."""
    profile = cProfile.Profile(time.thread_time)
    _profiles.append(profile)
    profile.enable()


def _rows() -> list[tuple[str, str, float, int]]:
    """File, function or built-in, CPU seconds with the profiler's own, and how often that looked at its clock."""
    rows = []
    for entry in (each for profile in _profiles for each in profile.getstats()):
        if isinstance(entry.code, str):  # built-ins are told of with who called them
            continue
        inside = entry.calls or []
        looks = entry.callcount + sum(each.callcount for each in inside)
        rows.append((entry.code.co_filename, entry.code.co_name, entry.inlinetime, looks))
        file = entry.code.co_filename
        rows += [(file, each.code, each.inlinetime, each.callcount) for each in inside if isinstance(each.code, str)]
    return rows


def _write() -> None:
    _profiles[0].disable()
    Path(os.environ["BENCH_PROFILE"]).write_text(json.dumps(_rows()))


if "BENCH_PROFILE" in os.environ:
    threading.setprofile(_begin)
    atexit.register(_write)
    _begin()
