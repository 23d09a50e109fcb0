"""An embedded API server in this process whose time a test drives, and what was seen happening in it.

`LiveServer` sends requests as a client does, lets the controllers work with `settle`, and keeps every committed event.
Nothing sleeps and nothing speaks HTTP.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from twinloop.apiserver.answer import Answer
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.request import Request
from twinloop.apiserver.server import ApiServer
from twinloop.apiserver.storage import Event

Object = dict[str, Any]

THINGS = "/apis/example.com/v1/namespaces/{}/things"


class LiveServer:
    """A server with some controllers switched on; `events` is what was committed since `forget`."""

    def __init__(self, *controllers: str, seed: int = 1) -> None:
        self.clock = ManualClock()
        self.server = ApiServer(clock=self.clock, rng=random.Random(seed), controllers=set(controllers))
        self.events: list[Event] = []
        self.server.storage.listeners.append(self.events.append)
        self.settle()
        self.forget()

    # ------------------------------------------------------------------ time

    def settle(self, seconds: float = 0.0) -> None:
        """Let so much time pass, with everything that becomes due in it."""
        end = self.clock.now() + seconds
        while (due := self.server.tick()) is not None and due <= end:
            if due > self.clock.now():
                self.clock.advance(due - self.clock.now())
        if end > self.clock.now():
            self.clock.advance(end - self.clock.now())
        self.server.tick()

    # ------------------------------------------------------------------ requests

    def ask(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", agent: str = "test/1"
    ) -> Answer:
        """Send a request; a query may stand in the path."""
        bare, _, query = path.partition("?")
        pairs = [(name, value) for name, _, value in (each.partition("=") for each in query.split("&") if each)]
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.server.handle(
            Request(method, bare, pairs, {"content-type": content_type, "user-agent": agent}, raw)
        )
        assert isinstance(answer, Answer)
        return answer

    def create(self, path: str, obj: Mapping[str, Any]) -> Object:
        """POST that must succeed."""
        return self._expect(self.ask("POST", path, dict(obj)), 201)

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """The code and message of a request that must fail."""
        answer = self.ask(method, path, body)
        assert answer.code >= 400, answer.body
        return answer.code, json.loads(answer.body)["message"]

    def get(self, path: str) -> Object:
        """GET that must succeed."""
        return self._expect(self.ask("GET", path), 200)

    def exists(self, path: str) -> bool:
        """Whether GET finds something."""
        return self.ask("GET", path).code == 200

    def patch(self, path: str, change: Any, kind: str = "merge") -> Object:
        """Patch that must succeed; `kind` is merge, json or strategic-merge."""
        return self._expect(self.ask("PATCH", path, change, content_type=f"application/{kind}-patch+json"), 200)

    def delete(self, path: str, options: Any = None) -> Object:
        """DELETE that must succeed."""
        answer = self.ask("DELETE", path, options)
        assert answer.code in {200, 202}, answer.body
        found: Object = json.loads(answer.body)
        return found

    @staticmethod
    def _expect(answer: Answer, code: int) -> Object:
        assert answer.code == code, answer.body
        found: Object = json.loads(answer.body)
        return found

    # ------------------------------------------------------------------ what was seen

    def forget(self) -> None:
        """See only what happens from now on."""
        self.events.clear()

    def seen(self, *plurals: str) -> list[str]:
        """What happened to these resources, such as "MODIFIED a", in order."""
        return [f"{each.type} {each.record.name}" for each in self.events if each.resource[1] in plurals]

    def states(self, name: str) -> list[tuple[str, Object]]:
        """The events of the objects of one name, with the objects."""
        return [(each.type, each.record.object()) for each in self.events if each.record.name == name]

    # ------------------------------------------------------------------ objects

    def namespace(self, name: str) -> str:
        """Make a namespace, with what the controllers put into it; returns the path below it."""
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        self.settle()
        self.forget()
        return f"/api/v1/namespaces/{name}"

    def serve_things(self) -> None:
        """Serve a custom resource: example.com/v1 Thing."""
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
        spec = {"group": "example.com", "names": names, "scope": "Namespaced", "versions": [version]}
        crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        self.create(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            crd | {"metadata": {"name": "things.example.com"}, "spec": spec},
        )


def pod(name: str, *, annotations: Mapping[str, str] | None = None, **spec: Any) -> Object:
    """A pod with one container."""
    metadata = {"name": name, **({"annotations": dict(annotations)} if annotations else {})}
    return {"metadata": metadata, "spec": {"containers": [{"name": "main", "image": "web:1"}], **spec}}


def thing(name: str, **metadata: Any) -> Object:
    """A custom resource."""
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name, **metadata}}


def config_map(name: str, **metadata: Any) -> Object:
    """A ConfigMap, the plainest object there is."""
    return {"metadata": {"name": name, **metadata}}


def owned_by(owner: Object, *, block: bool = False) -> Object:
    """An owner reference."""
    names = {"apiVersion": owner["apiVersion"], "kind": owner["kind"]}
    reference = {**names, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    return reference | ({"blockOwnerDeletion": True} if block else {})
