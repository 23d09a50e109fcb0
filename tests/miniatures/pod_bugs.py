"""Miniatures that make or delete the wrong pods, or the wrong person's."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import twinloop.plan
import twinloop.sync
from miniatures.base import Miniature, WholeNamespace
from twinloop.cluster import Recorder
from twinloop.errors import Unavailable
from twinloop.kube import PODS, Client, Object
from twinloop.nginxpod import (
    build_pod,
    controller_of,
    is_current,
    is_ours,
    is_terminating,
    name_of,
    namespace_of,
    ordinal_of,
    parse_spec,
    uid_of,
)
from twinloop.plan import Deletion, Plan

_plan = twinloop.plan.plan


class OtherPlan(Miniature):
    """For bugs of the decision: `decide` takes the place of `plan`."""

    def __init__(self, client: Client, recorder: Recorder, namespace: str, resync: float) -> None:
        super().__init__(client, recorder, namespace, resync)
        vars(twinloop.sync)["plan"] = self.decide

    def decide(self, nginxpod: Object, pods: Iterable[Object], now: datetime) -> Plan:
        """As `plan`."""
        return _plan(nginxpod, pods, now)


class DeletesByName(Miniature):
    """A pod is deleted by its name, whoever has it by now."""

    shown, caught = "shrunk", "O11"

    class Cluster(WholeNamespace):
        """Deletes without a precondition."""

        def delete_pod(self, pod: Object) -> Object:
            """Without the uid, and long after the pods were read."""
            time.sleep(1.2)
            return self.client.delete(PODS, name_of(pod), namespace_of(pod))


class ReplacesAllAtOnce(OtherPlan):
    """A new image replaces all pods at the same time."""

    shown, caught = "image-change", "O11"

    def decide(self, nginxpod: Object, pods: Iterable[Object], now: datetime) -> Plan:
        """Delete whatever is outdated."""
        pods, spec = list(pods), parse_spec(nginxpod)
        decided = super().decide(nginxpod, pods, now)
        going = {uid_of(each.pod) for each in decided.deletions}
        more = [
            Deletion(pod, "it is outdated")
            for pod in pods
            if is_ours(nginxpod, pod) and not is_current(nginxpod, spec, pod) and not is_terminating(pod)
        ]
        extra = tuple(each for each in more if uid_of(each.pod) not in going)
        return replace(decided, deletions=decided.deletions + extra)


class LowestFirst(OtherPlan):
    """Scaling down deletes the lowest ordinals."""

    shown, caught = "shrunk", "O11"

    def decide(self, nginxpod: Object, pods: Iterable[Object], now: datetime) -> Plan:
        """As many deletions, of the wrong pods."""
        pods = list(pods)
        decided = super().decide(nginxpod, pods, now)
        living = [pod for pod in pods if is_ours(nginxpod, pod) and not is_terminating(pod)]
        lowest = sorted(living, key=lambda pod: ordinal_of(name_of(nginxpod), pod) or 0)
        wrong = [
            Deletion(other, each.why) if each.why == "it is not wanted" else each
            for each, other in zip(decided.deletions, lowest, strict=False)
        ]
        return replace(decided, deletions=tuple(wrong))


class Surges(OtherPlan):
    """Before a pod is replaced another one is made beside it."""

    shown, caught = "image-change", "O3"

    def decide(self, nginxpod: Object, pods: Iterable[Object], now: datetime) -> Plan:
        """One more pod, under the next name, and the replacement after that."""
        pods = list(pods)
        decided = super().decide(nginxpod, pods, now)
        if not any(each.why == "it is outdated" for each in decided.deletions):
            return decided
        spec = parse_spec(nginxpod)
        extra = build_pod(nginxpod, spec, spec.replicas)
        taken = {name_of(pod) for pod in pods}
        if name_of(extra) in taken:
            return decided
        first = tuple(each for each in decided.deletions if each.why != "it is outdated")
        return replace(decided, deletions=first, creations=(*decided.creations, extra))


class MakesAnother(Miniature):
    """When nobody answers a create, another pod is made under another name."""

    shown, caught = "answer-lost.create-broken", "O3"

    class Cluster(WholeNamespace):
        """Does not look whether it was done."""

        def create_pod(self, pod: Object) -> Object:
            """Once more, to be sure."""
            try:
                return super().create_pod(pod)
            except Unavailable:
                return super().create_pod({**pod, "metadata": {**pod["metadata"], "name": f"{name_of(pod)}-again"}})


class NamesNoOwner(Miniature):
    """Pods are made without an owner reference: labels say whose they are."""

    shown, caught = "create", "O4"

    class Cluster(WholeNamespace):
        """Leaves the owner out when it writes, and puts it in when it reads."""

        def create_pod(self, pod: Object) -> Object:
            """Without an owner; the answer with one."""
            owners = pod["metadata"]["ownerReferences"]
            bare = {key: value for key, value in pod["metadata"].items() if key != "ownerReferences"}
            made = super().create_pod({**pod, "metadata": bare})
            made["metadata"]["ownerReferences"] = owners
            return made

        def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
            """With an owner for every pod that has our label."""
            pods = super().list_pods(nginxpod, live=live)
            owner = build_pod(nginxpod, parse_spec(nginxpod), 0)["metadata"]["ownerReferences"]
            for pod in pods:
                if (pod["metadata"].get("labels") or {}).get("twinloop.dev/nginxpod") == name_of(nginxpod):
                    pod["metadata"]["ownerReferences"] = owner
            return pods


class LeavesOrphans(Miniature):
    """A pod that is not wanted any more is let go instead of deleted."""

    shown, caught = "shrunk", "O2"

    class Cluster(WholeNamespace):
        """Strips the owner of what it should delete."""

        def delete_pod(self, pod: Object) -> Object:
            """Keep the pod, drop the owner, and its name's claim with it."""
            patch: Object = {"metadata": {"ownerReferences": None, "labels": dict.fromkeys(pod["metadata"]["labels"])}}
            return self.client.merge_patch(PODS, name_of(pod), patch, namespace_of(pod))


class TakesNames(Miniature):
    """A stranger's pod under a name that is needed is deleted."""

    shown, caught = "name-conflict", "O4"

    class Cluster(WholeNamespace):
        """Makes room."""

        def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
            """Without strangers, whom it deletes when they are in the way."""
            pods = super().list_pods(nginxpod, live=live)
            wanted = {f"{name_of(nginxpod)}-{ordinal}" for ordinal in range(parse_spec(nginxpod).replicas)}
            for pod in pods:
                if name_of(pod) in wanted and controller_of(pod) is None and not is_terminating(pod):
                    self.delete_pod(pod)
            return pods


class MarksStrangers(Miniature):
    """Every pod of the namespace gets a note that it was seen, whoever it belongs to."""

    shown, caught = "name-conflict", "O4"

    class Cluster(WholeNamespace):
        """Writes when it reads."""

        def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
            """And note whom it has seen."""
            pods = super().list_pods(nginxpod, live=live)
            for pod in pods:
                if controller_of(pod) is None and not pod["metadata"].get("annotations"):
                    note = {"metadata": {"annotations": {"miniature.example/seen": "yes"}}}
                    self.client.merge_patch(PODS, name_of(pod), note, namespace_of(pod))
            return pods


class Adopts(Miniature):
    """A pod with our label that belongs to nobody is made ours."""

    shown, caught = "owner-stripped", "O4"

    class Cluster(WholeNamespace):
        """Writes when it reads."""

        def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
            """After it has taken what lay about."""
            return [self._ours(nginxpod, pod) for pod in super().list_pods(nginxpod, live=live)]

        def _ours(self, nginxpod: Object, pod: Object) -> Object:
            label = (pod["metadata"].get("labels") or {}).get("twinloop.dev/nginxpod")
            if controller_of(pod) or label != name_of(nginxpod):
                return pod
            owners = build_pod(nginxpod, parse_spec(nginxpod), 0)["metadata"]["ownerReferences"]
            patch = {"metadata": {"ownerReferences": owners}}
            return self.client.merge_patch(PODS, name_of(pod), patch, namespace_of(pod))
