"""/healthz, /livez and /readyz: a server that can answer is well, so every check passes.

The checks bear names of the real server's that mean something here, for `?verbose`, `?exclude=` and the paths of the
single checks.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinloop.apiserver.answer import Answer, text_answer
from twinloop.apiserver.request import Request

CHECKS = ("ping", "log", "etcd")
_READY = (*CHECKS, "etcd-readiness", "informer-sync", "shutdown")


def answer(request: Request, probe: str, rest: Sequence[str]) -> Answer | None:
    """The answer of a probe or of one of its checks; None: there is no such check."""
    checks = _checks(probe)
    if rest:
        # The one text answer without X-Content-Type-Options.
        return Answer(200, b"ok", "text/plain; charset=utf-8") if "/".join(rest) in checks else None
    if not any(name == "verbose" for name, _ in request.query):
        return text_answer(200, "ok")
    excluded = {value for name, value in request.query if name == "exclude"}
    lines = [f"[+]{each} excluded: ok" if each in excluded else f"[+]{each} ok" for each in checks]
    return text_answer(200, "\n".join([*lines, f"{probe} check passed", ""]))


def paths() -> list[str]:
    """All of them."""
    probes = ("healthz", "livez", "readyz")
    return [path for probe in probes for path in (f"/{probe}", *(f"/{probe}/{each}" for each in _checks(probe)))]


def _checks(probe: str) -> tuple[str, ...]:
    return _READY if probe == "readyz" else CHECKS
