"""Thousands of broken requests at the embedded server: each gets a proper answer and leaves nothing half-written.

`make fuzz` sends 20,000 (FUZZ_REQUESTS), `make test` a few hundred; FUZZ_SEED chooses others. Checked of each answer: it
comes, it is no 5xx but those that a real API server gives to the same request (504 for a version of the future, 500 for
DeleteOptions that are none), an error's body is a Status of the same code or the plain text of a path outside the API. Checked at the end: no traceback in the log, the server still answers, and
every object that is stored can be read, listed and written back as it is.

Left out: broken HTTP framing (tests/unit/apiserver/test_edge.py), and whether code and reason are the real server's
(tests/conformance).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fuzz.requests import CONFIGMAPS, CRD, CRDS, NAMESPACE, PODS, WIDGETS, Fuzzer, Sketch
from twinloop.apiserver.http.local import LocalServer

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "600"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


class Wire:
    """A raw connection that is opened again whenever the server closed it."""

    def __init__(self, server: LocalServer) -> None:
        where = urlsplit(server.url)
        self.address, self.token = (str(where.hostname), int(where.port or 0)), server.token
        self.socket: socket.socket | None = None

    def send(self, sketch: Sketch) -> tuple[int, str, bytes]:
        """Status, content type, body."""
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=20)
        self.socket.sendall(sketch.wire(f"{self.address[0]}:{self.address[1]}", self.token))
        answer = HTTPResponse(self.socket, method=sketch.method)
        answer.begin()
        if answer.chunked:  # a watch: a glance is enough, and then the client goes away
            return answer.status, "watch", self.glance(answer)
        body = answer.read()
        if answer.will_close or answer.headers.get("Connection") == "close":
            self.close()
        return answer.status, answer.headers.get("Content-Type", ""), body

    def glance(self, answer: HTTPResponse) -> bytes:
        """What a watch says within a moment."""
        assert self.socket is not None
        self.socket.settimeout(0.02)
        seen = b""
        with contextlib.suppress(TimeoutError):
            while piece := answer.read1():
                seen += piece
        self.close()
        return seen

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = None


# kube-apiserver answers these requests with 500 too, without a reason: errors of Go code that nobody made a Status of. An
# error of ours has the reason InternalError, and no excuse.
AS_THE_REAL_ONE = (
    rb"t get version/kind; json parse error",  # DeleteOptions that are no JSON object
    rb"json: cannot unmarshal \S+ into Go struct field DeleteOptions",
    rb"no kind .* is registered for version",  # DeleteOptions of another kind
    rb"Object 'Kind' is missing in",
    rb"failed to create typed patch object",  # an applied object that does not follow its schema
    rb"unknown patch type: ",  # strategic merge patches whose directives make no sense
    rb"merging lists cannot yet be specified in the patch|list element types are not identical",
    rb"content is not a list",  # one object asked for as a list of metadata
    rb"resourceVersion: Invalid value",  # of a GET of one object
)


def complaint(sketch: Sketch, status: int, kind: str, body: bytes) -> str:
    """What is wrong with an answer; empty when nothing is."""
    if status == 500 and b"InternalError" not in body and any(re.search(text, body) for text in AS_THE_REAL_ONE):
        return ""
    if status >= 500 and status not in {501, 504}:
        return f"{status}: {body[:300]!r}"
    if status < 400 or sketch.method == "HEAD" or not kind.startswith("application/json"):
        return "" if b"Traceback" not in body else "a traceback in the body"
    told = json.loads(body)
    proper = told.get("kind") == "Status" and told.get("status") == "Failure" and told.get("message")
    return "" if proper and told.get("code") == status else f"{status} with {body[:300]!r}"


@pytest.mark.timeout(REQUESTS / 20 + 60)
def test_every_malformed_request_gets_a_proper_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fuzzer = Fuzzer(SEED)
    codes: dict[int, int] = {}
    wrong: list[str] = []
    log = tmp_path / "log"
    with LocalServer(log=log) as server:
        wire = Wire(server)
        prepare(wire)
        for _ in range(REQUESTS):
            sketch = fuzzer.next()
            status, kind, body = wire.send(sketch)
            codes[status] = codes.get(status, 0) + 1
            if found := complaint(sketch, status, kind, body):
                wrong.append(f"{sketch} -> {found}")
        check_what_is_stored(wire)
        wire.close()
    with capsys.disabled():
        print(
            f"\nfuzz, seed {SEED}: {REQUESTS} requests, {len(wrong)} improper answers; codes {dict(sorted(codes.items()))}"
        )
    assert not wrong, "\n".join(wrong[:10])
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


def prepare(wire: Wire) -> None:
    made = [
        wire.send(Sketch("POST", "/api/v1/namespaces", body={"metadata": {"name": NAMESPACE}})),
        wire.send(Sketch("POST", CRDS, body=CRD)),
    ]
    assert [status for status, _, _ in made] == [201, 201]


def check_what_is_stored(wire: Wire) -> None:
    """Whatever got in is whole: it can be read and written back, and that changes nothing."""
    for path in (PODS, CONFIGMAPS, WIDGETS, CRDS, "/api/v1/namespaces"):
        status, _, body = wire.send(Sketch("GET", path))
        # A fuzzed request may have deleted the definition of widgets; everything else is there for good.
        if status == 404 and path == WIDGETS:
            continue
        assert status == 200, (path, body)
        listed = json.loads(body)
        for item in listed["items"]:
            whole = {"apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")} | item
            name = item["metadata"]["name"]
            status, _, written = wire.send(Sketch("PUT", f"{path}/{name}", body=whole))
            assert status == 200, (path, name, written)
            assert json.loads(written)["metadata"]["resourceVersion"] == item["metadata"]["resourceVersion"], (
                path,
                name,
            )
