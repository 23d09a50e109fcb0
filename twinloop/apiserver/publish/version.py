"""/version: which Kubernetes this server passes for. Clients compare minor versions, so it is that of `builtin/`'s data."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from twinloop import __version__
from twinloop.apiserver import failures
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.publish.formats import JSON, accepted, indented, not_acceptable, only_get
from twinloop.apiserver.request import Request

MAJOR, MINOR = "1", "34"
GIT_VERSION = f"v{MAJOR}.{MINOR}.4+twinloop-{__version__}"
# Go's names for what Python calls the machine.
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}

INFO = {
    "major": MAJOR,
    "minor": MINOR,
    "emulationMajor": MAJOR,
    "emulationMinor": MINOR,
    "minCompatibilityMajor": MAJOR,
    "minCompatibilityMinor": "33",
    "gitVersion": GIT_VERSION,
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": f"python{platform.python_version()}",
    "compiler": platform.python_implementation().lower(),
    "platform": f"{platform.system().lower()}/{_MACHINES.get(platform.machine(), platform.machine())}",
}


def answer(request: Request, rest: Sequence[str]) -> Answer:
    """The version, for a path /version and what follows it."""
    if list(rest) not in ([], [""]):
        raise failures.no_such_path()
    only_get(request)
    if not any(media_type in {JSON, "*/*"} for media_type, _ in accepted(request)):
        raise not_acceptable([JSON])
    return indented(200, INFO)
