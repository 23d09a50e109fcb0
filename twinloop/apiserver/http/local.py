"""A server for tests and demos: `with LocalServer() as server:` and it answers.

By default a process of its own, which ends with the block, or with this process if that dies first. With
`in_process=True` it runs in a thread of this process on a clock that stands still until `advance` moves it, and
`server` and `control` reach behind the API.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import yaml

from twinloop.apiserver.clock import Clock, ManualClock
from twinloop.apiserver.http.control import CONTROL, Control
from twinloop.apiserver.http.process import Running, running
from twinloop.apiserver.http.settings import Settings
from twinloop.apiserver.server import ApiServer
from twinloop.apiserver.storage import HISTORY
from twinloop.errors import TwinloopError

T = TypeVar("T")

# A machine that is busy with something else; on an idle one it takes half a second.
PATIENCE = 30.0


class LocalServerError(TwinloopError):
    """The server did not start."""

    hint = "What it said is on standard error."
