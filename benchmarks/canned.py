"""`python -m benchmarks.canned N`: as little of an API server as three clients need to be sent N events. Prints its port.

It answers discovery for kopf and empty lists, and sends the same N events to whoever watches pods; other watches stay
silent.
"""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks.pods import pod

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def _kind(name: str, kind: str, *, namespaced: bool) -> dict[str, object]:
    return {"name": name, "singularName": kind.lower(), "kind": kind, "namespaced": namespaced, "verbs": VERBS}


CORE = [_kind("pods", "Pod", namespaced=True), _kind("namespaces", "Namespace", namespaced=False)]
EXTENSIONS = "apiextensions.k8s.io"
DEFINITIONS = [_kind("customresourcedefinitions", "CustomResourceDefinition", namespaced=False)]
VERSION = {"groupVersion": f"{EXTENSIONS}/v1", "version": "v1"}
GROUP = {"name": EXTENSIONS, "versions": [VERSION], "preferredVersion": VERSION}
DISCOVERY: dict[str, object] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [GROUP]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": CORE},
    f"/apis/{EXTENSIONS}/v1": {"kind": "APIResourceList", "groupVersion": f"{EXTENSIONS}/v1", "resources": DEFINITIONS},
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
}


def stream(count: int) -> bytes:
    """The events as one chunk each."""
    parts = []
    for number in range(count):
        obj = pod(f"pod-{number}")
        metadata = {"namespace": "default", "uid": f"uid-{number}", "resourceVersion": str(100 + number)}
        obj["metadata"] |= metadata | {"creationTimestamp": "2026-01-01T00:00:00Z"}
        obj["status"] = {"phase": "Pending"}
        owned: dict[str, object] = {f"f:field-{each}": {"f:inner": {}, ".": {}} for each in range(72)}
        obj["metadata"]["managedFields"] = [{"manager": "bench", "operation": "Update", "fieldsV1": owned}]
        line = json.dumps({"type": "ADDED", "object": obj}, separators=(",", ":")).encode() + b"\n"
        parts.append(b"%x\r\n%b\r\n" % (len(line), line))
    return b"".join(parts)


async def serve(count: int) -> None:
    """Listen, print the port, answer until killed."""
    events = stream(count)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await answer(writer, head.split(" ", 2)[1], events)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the parent learns it
    await server.serve_forever()


async def answer(writer: asyncio.StreamWriter, target: str, events: bytes) -> None:
    """One request."""
    path, _, query = target.partition("?")
    if "watch=" in query.lower():
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(events if path.endswith("/pods") else b"")
        await writer.drain()
        await asyncio.Event().wait()
    empty = {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}
    body = json.dumps(DISCOVERY.get(path.rstrip("/"), empty)).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
