"""An API server that misbehaves by a script, on a real socket: what the bytes of a fault do to a reflector.

Each request takes the next step of the script; behind its end a list gets 503 and a watch silence. A step says what is
sent, how, and whether the connection is then closed or left open.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from handwritten.store import Object


@dataclass(frozen=True)
class Step:
    """One answer. `pieces` are written one by one; `hang` then keeps the connection open without a word."""

    pieces: tuple[bytes, ...] = ()
    code: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


def listed(version: str, *objects: Object, token: str = "") -> Step:
    """A page of a list."""
    return Step((json.dumps({"metadata": {"resourceVersion": version, "continue": token}, "items": objects}).encode(),))


def status(code: int, reason: str, **headers: str) -> Step:
    """A refusal."""
    body = {"kind": "Status", "code": code, "reason": reason, "message": reason}
    return Step((json.dumps(body).encode(),), code, {key.replace("_", "-"): value for key, value in headers.items()})


def watched(*pieces: bytes, hang: bool = False) -> Step:
    """A watch that writes these bytes."""
    return Step(pieces, hang=hang)


def line(kind: str, obj: Object) -> bytes:
    """One event as it is on the wire."""
    return json.dumps({"type": kind, "object": obj}, ensure_ascii=False).encode() + b"\n"


def pod(name: str, version: str, **metadata: Any) -> Object:
    """A pod with no more than a name and a version."""
    return {"kind": "Pod", "metadata": {"name": name, "resourceVersion": version, **metadata}}


class ScriptedServer(http.server.ThreadingHTTPServer):
    """Plays `steps`; `asked` lists what was asked for, `idle` is set when somebody asks behind the end."""

    daemon_threads = True

    def __init__(self, steps: Iterable[Step]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.steps: Iterator[Step] = iter([*steps])
        self.asked: list[str] = []
        self.idle = threading.Event()
        self.closing = threading.Event()
        self._guard = threading.Lock()

    def next_step(self, asked: str) -> Step:
        """Note a request and return its answer."""
        with self._guard:
            self.asked.append(asked)
            step = next(self.steps, None)
        if step is None:
            self.idle.set()
            return Step(hang=True) if asked.startswith("watch") else status(503, "ServiceUnavailable")
        return step

    def kubeconfig(self, path: Path) -> str:
        """Write a kubeconfig for this server; returns its path."""
        server = f"http://127.0.0.1:{self.server_address[1]}"
        config = {
            "current-context": "script",
            "contexts": [{"name": "script", "context": {"cluster": "script", "user": "script"}}],
            "clusters": [{"name": "script", "cluster": {"server": server}}],
            "users": [{"name": "script", "user": {}}],
        }
        path.write_text(json.dumps(config))
        return str(path)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client goes away."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        """Play a step."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        verb = "watch" if "watch" in query else "list"
        token = f" continue {query['continue']}" if "continue" in query else ""
        step = self.server.next_step(f"{verb} {query.get('resourceVersion', '')!r}{token}")
        self.send_response(step.code)
        self.send_header("Content-Type", "application/json")
        for name, value in step.headers.items():
            self.send_header(name, value)
        if verb == "list" or step.code != 200:
            self.send_header("Content-Length", str(sum(map(len, step.pieces))))
        self.end_headers()
        for piece in step.pieces:
            self.wfile.write(piece)
            self.wfile.flush()
        if step.hang:
            self.server.closing.wait(30)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Keep quiet."""
