"""The embedded API server as the process tests want it: with NginxPods, in this process, and told to refuse or to hang.

A test makes, edits and deletes objects through the same client that the operators use; what operators ask for is noted in
`lines`. The pretend kubelet makes pods ready within a tenth of a second; `kubelet=False` leaves pods alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from support.processes import ROOT, until
from twinloop.apiserver.answer import Answer, WatchAnswer, failure_answer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.http.local import LocalServer
from twinloop.apiserver.request import Request
from twinloop.apiserver.server import ApiServer
from twinloop.kube import LEASES, NGINXPODS, PODS, Client, Object, Resource, load_configuration

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
FAST = {"start_after": 0.03, "ready_after": 0.03, "stop_after": 0.03}
TESTER = "tester"


class Silence:
    """A stream that says nothing for ever: the answer to a request that is to hang."""

    on_ready: Callable[[], None] | None = None
    ended = False
    deadline = None

    def read(self) -> bytes:
        return b""

    def close(self) -> None:
        self.ended = True


class EmbeddedApi:
    """`lines` lists every request of an operator as "METHOD path", `events` the reasons of Events, repeated ones too."""

    def __init__(self, *, kubelet: bool = True) -> None:
        controllers = None if kubelet else ["garbage", "namespaces", "quota", "serviceaccounts"]
        self.server = LocalServer(
            in_process=True, manual_clock=False, controllers=controllers, delays=FAST if kubelet else {}
        )
        self.server.__enter__()
        self.lines: list[str] = []
        self.events: list[str] = []
        self.fail: dict[str, int] = {}  # "METHOD path" -> status code
        self.hang: set[str] = set()  # "METHOD path" that gets no whole answer
        self._reasons: dict[str, str] = {}  # by the name of an Event
        self.client = Client(load_configuration(str(self.server.kubeconfig)), user_agent=TESTER)
        self.client.create(DEFINITIONS, yaml.safe_load((ROOT / "crds" / "nginxpods.yaml").read_text()))
        self.server.call(self._listen_in)

    def close(self) -> None:
        self.client.close()
        self.server.close()

    def kubeconfig(self, path: Path) -> Path:
        """Put a copy of the server's kubeconfig there."""
        shutil.copyfile(self.server.kubeconfig, path)
        return path

    # ------------------------------------------------------------------ objects of the namespace "default"

    def items(self, resource: Resource) -> dict[str, Object]:
        return {item["metadata"]["name"]: item for item in self.client.list_all(resource, "default")["items"]}

    def web(self) -> Object:
        return self.client.get(NGINXPODS, "web", "default")

    def add(self, obj: Object) -> Object:
        resource = NGINXPODS if obj.get("kind") == "NginxPod" else PODS
        return self.client.create(resource, obj, obj["metadata"].get("namespace", "default"))

    def edit(
        self, resource: Resource, name: str, patch: Object, namespace: str = "default", subresource: str = ""
    ) -> None:
        self.client.merge_patch(resource, name, patch, namespace, subresource=subresource)

    def remove(self, resource: Resource, name: str, namespace: str = "default") -> None:
        """Delete an object at once, whatever its grace period."""
        self.client.delete(resource, name, namespace, grace_period_seconds=0)

    def lease(self) -> Object:
        """The Lease of the operators' leader election, {} while there is none."""
        found = self.client.list_all(LEASES)["items"]
        return dict(found[0]["spec"]) if found else {}

    # ------------------------------------------------------------------ misbehaving

    def unseen(self, resource: Resource, act: Callable[[ApiServer], object]) -> None:
        """End the watches of a resource, let `act` happen, and forget that it did: a watch from before gets 410."""

        def between(server: ApiServer) -> None:
            server.storage.end_watches((resource.group, resource.plural))
            act(server)
            server.storage.compact(server.storage.revision)

        self.server.call(between)

    def lose(self, resource: Resource, name: str, namespace: str = "default") -> None:
        """Delete an object without anybody being told."""
        self.unseen(resource, lambda server: server.internal.delete(_kind(server, resource), namespace, name, grace=0))

    def annotate_unseen(self, resource: Resource, name: str, namespace: str = "default") -> None:
        """Change an object without anybody being told."""

        def change(server: ApiServer) -> None:
            obj = server.internal.get(_kind(server, resource), namespace, name)
            assert obj is not None
            obj["metadata"]["annotations"] = {"changed": "unseen"}
            server.internal.update(_kind(server, resource), obj, manager=TESTER)

        self.unseen(resource, change)

    def _listen_in(self, server: ApiServer) -> None:
        handle = server.handle

        def heard(request: Request) -> Answer | WatchAnswer:
            if request.user_agent == TESTER:
                return handle(request)
            line = f"{request.method} {request.path.rstrip('?')}"
            self.lines.append(line)
            if line in self.hang:
                return WatchAnswer(Silence())
            if line in self.fail:
                return failure_answer(Failure(self.fail[line], "InternalError", "told to fail"))
            if request.method in {"POST", "PATCH"} and "/events" in request.path:
                self._note_event(request)
            return handle(request)

        server.handle = heard  # type: ignore[method-assign]

    def _note_event(self, request: Request) -> None:
        body: dict[str, Any] = json.loads(request.body)
        name = request.path.rpartition("/")[2]
        # A patch counts one more of an Event that was created before.
        self.events.append(body.get("reason") or self._reasons[name])
        self._reasons.setdefault(body.get("metadata", {}).get("name", name), self.events[-1])


def _kind(server: ApiServer, resource: Resource) -> Any:
    return server.registry.find(resource.group, resource.version, resource.plural)


def web_pod(name: str = "web-0", **metadata: Any) -> Object:
    """A pod of somebody else that no scheduler takes."""
    container = {"name": "app", "image": "app:1"}
    spec = {"schedulerName": "nobody", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


def web(**spec: Any) -> Object:
    """The NginxPod web, as a user would write it."""
    given = {"replicas": 3, "image": "nginx:1", **spec}
    return {"apiVersion": NGINXPODS.api_version, "kind": "NginxPod", "metadata": {"name": "web"}, "spec": given}


def reason(api: EmbeddedApi) -> str:
    """Where the NginxPod web stands, in a word."""
    conditions = api.web().get("status", {}).get("conditions") or []
    return next((str(each["reason"]) for each in conditions if each["type"] == "Ready"), "")


def becomes(api: EmbeddedApi, wanted: str) -> None:
    """Wait until web stands there."""
    until(lambda: reason(api) == wanted, f"never {wanted}: {api.items(NGINXPODS)} {api.lines[-10:]}")
