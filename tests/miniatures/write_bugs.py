"""Miniatures that write what is not theirs, what nobody needs, or what depends on the way."""

from __future__ import annotations

import time

import twinloop.plan
import twinloop.sync
from miniatures.base import Miniature, WholeNamespace
from twinloop.cluster import Recorder
from twinloop.errors import ApiError, NotFound, Unavailable
from twinloop.kube import NGINXPODS, PODS, Client, Object
from twinloop.nginxpod import (
    is_terminating,
    name_of,
    namespace_of,
    uid_of,
)
from twinloop.status import Difference
from twinloop.sync import Outcome


class HoldsOn(Miniature):
    """A finalizer is put on every NginxPod and never taken away."""

    shown, caught = "deleted", "O14"

    class Cluster(WholeNamespace):
        """Adds it when it reads."""

        def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
            """With our finalizer on it."""
            found = super().get_nginxpod(namespace, name, live=live)
            if found is None or is_terminating(found) or found["metadata"].get("finalizers"):
                return found
            patch = {"metadata": {"finalizers": ["miniature.example/held"]}}
            return self.client.merge_patch(NGINXPODS, name, patch, namespace)


class NotesEveryVisit(Miniature):
    """Every visit leaves a note on the NginxPod, which is a change, which asks for a visit."""

    shown, caught = "create", "O6"

    def visit(self, name: str) -> Outcome:
        """And note it."""
        outcome = super().visit(name)
        note = {"metadata": {"annotations": {"miniature.example/visited": str(time.time_ns())}}}
        try:
            self.client.merge_patch(NGINXPODS, name, note, self.namespace)
        except NotFound:
            return outcome
        except ApiError as error:
            return Outcome(str(error))
        # A loop without a pause would hide behind its own noise.
        self.stopped.wait(0.02)
        return outcome


class WritesWhatIsThere(Miniature):
    """The status is written at every visit, also when it is the same."""

    shown, caught = "restart", "O6"

    def __init__(self, client: Client, recorder: Recorder, namespace: str, resync: float) -> None:
        super().__init__(client, recorder, namespace, resync)
        vars(twinloop.sync)["difference"] = lambda *_: Difference.FACTS


class TellsOldNews(Miniature):
    """An Event says that a NginxPod is ready whenever it is found so."""

    shown, caught = "restart", "O6"

    class Cluster(WholeNamespace):
        """Says so when it reads."""

        def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
            """And an Event."""
            self.record(nginxpod, "Normal", "Seen", "It was looked at")
            return super().list_pods(nginxpod, live=live)


class PutsItAllBack(Miniature):
    """The whole NginxPod is written as it was first seen, whatever others have written since."""

    shown, caught = "strangers-write", "O8"

    class Cluster(WholeNamespace):
        """Remembers the first look for ever."""

        def __init__(self, client: Client, recorder: Recorder) -> None:
            super().__init__(client, recorder)
            self._first: dict[str, Object] = {}

        def patch_status(self, nginxpod: Object, status: Object) -> Object:
            """And the labels and annotations of the first look."""
            first = self._first.setdefault(uid_of(nginxpod), nginxpod["metadata"])
            kept = {key: first.get(key) or {} for key in ("labels", "annotations")}
            whole = {**nginxpod, "metadata": {**nginxpod["metadata"], **kept}}
            written = self.client.update(NGINXPODS, name_of(nginxpod), whole, namespace_of(nginxpod))
            return super().patch_status(written, status)


class WritesHalfSteps(Miniature):
    """A pod is made in many small writes: created, and then noted upon ten times."""

    shown, caught = "create", "O9"

    class Cluster(WholeNamespace):
        """Patches what it has made."""

        def create_pod(self, pod: Object) -> Object:
            """And a note, and another one."""
            made = super().create_pod(pod)
            for step in range(10):
                note = {"metadata": {"annotations": {"miniature.example/step": str(step)}}}
                made = self.client.merge_patch(PODS, name_of(pod), note, namespace_of(pod))
            return made


class WearsItsOwn(Miniature):
    """Pods carry a label that nobody has asked for."""

    shown, caught = "shrunk", "O12"

    class Cluster(WholeNamespace):
        """Labels what it makes."""

        def create_pod(self, pod: Object) -> Object:
            """With one label more."""
            return super().create_pod(_labelled(pod, "yes"))


class RemembersTheWay(Miniature):
    """Pods carry the number of the generation that they were made for: the same spec comes to other pods."""

    shown, caught = "there-and-back", "O16"

    class Cluster(WholeNamespace):
        """Labels what it makes with what it read last."""

        generation = ""

        def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
            """And keep its generation."""
            found = super().get_nginxpod(namespace, name, live=live)
            if found is not None:
                self.generation = str(found["metadata"]["generation"])
            return found

        def create_pod(self, pod: Object) -> Object:
            """With the generation on it."""
            return super().create_pod(_labelled(pod, self.generation))


class MarksTheUnlucky(Miniature):
    """A pod whose first create failed carries a label that says so: the end tells of the way."""

    shown, caught = "server-error.create-500", "O17"
    # Another plan of that story, in which no create fails.
    also = "server-error.status-500"

    class Cluster(WholeNamespace):
        """Remembers failures by name."""

        failed: set[str] = set()  # noqa: RUF012 - one of it for a process

        def create_pod(self, pod: Object) -> Object:
            """Marked, from the second attempt on."""
            try:
                return super().create_pod(_labelled(pod, "yes") if name_of(pod) in self.failed else pod)
            except Unavailable:
                self.failed.add(name_of(pod))
                raise


def _labelled(pod: Object, value: str) -> Object:
    labels = {**pod["metadata"]["labels"], "miniature.example/label": value}
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}}
