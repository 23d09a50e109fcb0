"""The sync function's `Cluster`, by live requests: what `twinloop.sync` asks for, said in HTTP.

Every read goes to the API server and is as fresh as it can be. The kopf variant uses it as it is; the handwritten
variant keeps the writes and puts its caches before the reads (handwritten/nginxpod.py).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from twinloop.errors import NotFound
from twinloop.kube.client import Client
from twinloop.kube.resources import NGINXPODS, PODS
from twinloop.nginxpod import API_VERSION, KIND, Object, is_ours, name_of, namespace_of, selector_of, uid_of


class Recorder(Protocol):
    """Whatever publishes Kubernetes Events without blocking or failing."""

    def event(self, involved: Object, type_: str, reason: str, message: str) -> None:
        """Publish one."""


class LiveCluster:
    """A `twinloop.sync.Cluster` without a cache. Thread-safe, as the client is."""

    def __init__(self, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder

    def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:  # noqa: ARG002 - always live
        """The NginxPod as the API server has it, None when there is none."""
        try:
            return self._client.get(NGINXPODS, name, namespace)
        except NotFound:
            return None

    def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:  # noqa: ARG002 - always live
        """The pods with the NginxPod's label: a quorum read, so nothing that we wrote is missing."""
        selector = selector_of(name_of(nginxpod))
        items: list[Object] = self._client.list_all(PODS, namespace_of(nginxpod), label_selector=selector)["items"]
        return items

    def get_pod(self, namespace: str, name: str) -> Object | None:
        """One pod as the API server has it, None when there is none."""
        try:
            return self._client.get(PODS, name, namespace)
        except NotFound:
            return None

    def create_pod(self, pod: Object) -> Object:
        """POST the pod."""
        return self._client.create(PODS, pod, namespace_of(pod))

    def delete_pod(self, pod: Object) -> Object:
        """DELETE the pod if it still has this uid (R8)."""
        return self._client.delete(PODS, name_of(pod), namespace_of(pod), uid=uid_of(pod))

    def patch_status(self, nginxpod: Object, status: Object) -> Object:
        """PATCH the status subresource; a resource version in a merge patch is a precondition (R11)."""
        patch = {"metadata": {"resourceVersion": nginxpod["metadata"]["resourceVersion"]}, "status": status}
        return self._client.merge_patch(
            NGINXPODS, name_of(nginxpod), patch, namespace_of(nginxpod), subresource="status"
        )

    def record(self, nginxpod: Object, type_: str, reason: str, message: str) -> None:
        """Publish an Event about the NginxPod; items of a list may lack the kind, so it is put in here."""
        self._recorder.event({**nginxpod, "apiVersion": API_VERSION, "kind": KIND}, type_, reason, message)


class ToldCluster(LiveCluster):
    """A `LiveCluster` that also looks at pods which an event named.

    A pod of ours may have lost the label that `list_pods` selects by; the event of that change is how anybody knows.
    """

    def __init__(self, client: Client, recorder: Recorder, told: Collection[str]) -> None:
        super().__init__(client, recorder)
        self._told = told
        # Those of the told pods that are the NginxPod's own and that no list shows: to be told again next time.
        self.strays: set[str] = set()

    def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
        """The labelled pods, and those of the named ones that still exist."""
        pods = super().list_pods(nginxpod, live=live)
        unlisted = set(self._told) - {name_of(pod) for pod in pods}
        found = [self.get_pod(namespace_of(nginxpod), name) for name in sorted(unlisted)]
        present = [pod for pod in found if pod is not None]
        self.strays = {name_of(pod) for pod in present if is_ours(nginxpod, pod)}
        return pods + present
