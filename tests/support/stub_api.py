"""`FakeClient` behind HTTP: enough of an API server for an operator process to run against, on loopback.

NginxPods and pods with list, watch, get, create, merge patch (status apart) and delete; discovery for kopf; Events are
taken and counted. Everything else is 404. It is no likeness of a real API server: that is what the end-to-end tests
are for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.fake_client import FakeClient
from twinloop.errors import ApiError, Gone
from twinloop.kube import NAMESPACES, NGINXPODS, PODS, Object, Resource

KINDS = {"nginxpods": NGINXPODS, "pods": PODS}
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
CRDS = DEFINITIONS.path()


def _kind(resource: Resource) -> Object:
    names = {"name": resource.plural, "singularName": resource.kind.lower(), "kind": resource.kind}
    return {**names, "namespaced": resource.namespaced, "verbs": VERBS}


def _group(name: str, version: str) -> Object:
    return {"name": name, "preferredVersion": {"version": version}, "versions": [{"version": version}]}


# What kopf asks for before it watches anything.
DISCOVERY: dict[str, Object] = {
    "/api": {"versions": ["v1"]},
    "/apis": {"groups": [_group(NGINXPODS.group, NGINXPODS.version), _group("apiextensions.k8s.io", "v1")]},
    "/api/v1": {"resources": [_kind(PODS), {**_kind(NAMESPACES), "namespaced": False}]},
    f"/apis/{NGINXPODS.api_version}": {
        "resources": [_kind(NGINXPODS), {**_kind(NGINXPODS), "name": "nginxpods/status", "verbs": ["patch"]}]
    },
    "/apis/apiextensions.k8s.io/v1": {"resources": [_kind(DEFINITIONS)]},
}


class StubApi(ThreadingHTTPServer):
    """Serve a `FakeClient`; `lines` lists every request as "METHOD path", `events` the reasons of Events."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.client = FakeClient()
        self.lines: list[str] = []
        self.events: list[str] = []
        self.fail: dict[str, int] = {}  # "METHOD path" -> status code
        self.hang: set[str] = set()  # "METHOD path" that gets no answer before the server is closed
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.ended.set()
        self.client.pods.end_watches()
        self.client.nginxpods.end_watches()
        self.shutdown()
        self.server_close()

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for this server."""
        server = f"http://127.0.0.1:{self.server_address[1]}"
        config = {
            "current-context": "stub",
            "contexts": [{"name": "stub", "context": {"cluster": "stub", "user": "stub"}}],
            "clusters": [{"name": "stub", "cluster": {"server": server}}],
            "users": [{"name": "stub", "user": {"token": "secret"}}],
        }
        path.write_text(json.dumps(config))
        return path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StubApi

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        line = f"{self.command} {url.path}"
        self.server.lines.append(line)
        if line in self.server.hang:
            self.server.ended.wait()
        try:
            if line in self.server.fail:
                raise ApiError("told to fail", code=self.server.fail[line])
            self._route(url.path, query, body)
        except ApiError as error:
            reason = type(error).__name__
            self._answer(error.code, {"kind": "Status", "code": error.code, "reason": reason, "message": str(error)})

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _route(self, path: str, query: dict[str, str], body: Object) -> None:
        if path in DISCOVERY:
            return self._answer(200, DISCOVERY[path])
        if path == CRDS:
            return self._stream(None, query) if query.get("watch") else self._answer(200, {"metadata": {}, "items": []})
        parts = path.removeprefix("/apis/").removeprefix("/api/").strip("/").split("/")
        rest = parts[2:] if parts[0] == NGINXPODS.group else parts[1:]
        namespace = rest[1] if rest and rest[0] == "namespaces" else None
        plural, *names = rest[2:] if namespace else rest
        if plural == "events":
            self.server.events.append(body["reason"])
            return self._answer(201, body)
        if plural not in KINDS:
            raise ApiError("no such kind", code=404)
        return self._object(KINDS[plural], names, query, body)

    def _object(self, resource: Resource, names: list[str], query: dict[str, str], body: Object) -> None:
        client = self.server.client
        name, subresource = (*names, "", "")[:2]
        if self.command == "POST":
            return self._answer(201, client.create(resource, body))
        if self.command == "PATCH":
            return self._answer(200, client.merge_patch(resource, name, body, subresource=subresource))
        if self.command == "DELETE":
            uid = (body.get("preconditions") or {}).get("uid")
            return self._answer(200, client.delete(resource, name, uid=uid))
        if name:
            return self._answer(200, client.get(resource, name))
        if query.get("watch"):
            return self._stream(resource, query)
        listed = client.source(resource).list(resource_version="", limit=0, continue_token="")
        if "labelSelector" in query:
            listed["items"] = client.list_all(resource, label_selector=query["labelSelector"])["items"]
        items = [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in listed["items"]]
        return self._answer(200, {"kind": f"{resource.kind}List", **listed, "items": items})

    def _stream(self, resource: Resource | None, query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if resource is None:
            self.server.ended.wait()
        else:
            for event in self._events(resource, query.get("resourceVersion", "")):
                self._chunk(event)
        self.wfile.write(b"0\r\n\r\n")

    def _events(self, resource: Resource, version: str) -> Iterator[Object]:
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        try:
            for event in self.server.client.source(resource).watch(resource_version=version, timeout_seconds=0):
                yield {**event, "object": {**kind, **event["object"]}}
        except Gone as error:  # in the stream, as API servers do when the version is too old for their watch cache
            yield {
                "type": "ERROR",
                "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": str(error)},
            }

    def _chunk(self, event: Object) -> None:
        line = json.dumps(event).encode() + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")

    def _answer(self, code: int, body: Object) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Silence."""
