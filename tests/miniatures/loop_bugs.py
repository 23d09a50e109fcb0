"""Miniatures whose loop is wrong: what they do is right, but not when."""

from __future__ import annotations

import os
import signal
import threading

from miniatures.base import Miniature, WholeNamespace
from twinloop.cluster import Recorder
from twinloop.errors import ApiError, Gone
from twinloop.kube import PODS, Client, Object, Resource
from twinloop.memory import Memory
from twinloop.nginxpod import is_terminating
from twinloop.sync import Outcome


class GivesUp(Miniature):
    """What has failed is not tried again."""

    shown, caught = "quota", "O1"

    def next_visit(self, outcome: Outcome, failures: int) -> float | None:
        """Never after a failure."""
        return None if outcome.failure else super().next_visit(outcome, failures)


class RetriesAtOnce(Miniature):
    """What has failed is tried again without a pause."""

    shown, caught = "quota", "O7"

    def next_visit(self, outcome: Outcome, failures: int) -> float | None:
        """At once."""
        return 0.001 if outcome.failure else super().next_visit(outcome, failures)


class Impatient(Miniature):
    """Retry-After is not read: the usual back-off takes its place."""

    shown, caught = "throttled.create", "O7"

    def visit(self, name: str) -> Outcome:
        """As if the server had named no time: nothing that it said is remembered."""
        self.memory = Memory()
        outcome = super().visit(name)
        return Outcome(outcome.failure) if outcome.failure else outcome


class ReopensAtOnce(Miniature):
    """A watch that has ended is opened again without a pause."""

    shown, caught = "watch-cut-often", "O7"

    def pause(self, failures: int) -> float:
        """None."""
        return 0.0


class DeafAfterGone(Miniature):
    """A watch is not opened again when its version has expired, and nobody notices."""

    shown, caught = "deafened", "O15"

    def after_error(self, resource: Resource, error: ApiError) -> float:
        """Wait for better days."""
        if isinstance(error, Gone):
            self.stopped.wait()
        return super().after_error(resource, error)


class DiesOfErrors(Miniature):
    """An error of a watch ends the process."""

    shown, caught = "expired.event-pods", "O13"

    def after_error(self, resource: Resource, error: ApiError) -> float:
        """Leave it to whoever starts us again."""
        os._exit(1)


class LosesWorkers(Miniature):
    """A failure ends the worker that met it, with a traceback."""

    shown, caught = "server-error.create-500", "O13"

    def next_visit(self, outcome: Outcome, failures: int) -> float | None:
        """Raise where nobody catches."""
        if outcome.failure:
            raise RuntimeError(outcome.failure)
        return super().next_visit(outcome, failures)


class SeesOnlyWhatIsThere(Miniature):
    """A new list is searched for what has changed: what is not in it any more is not missed."""

    shown, caught = "expired-unseen", "O1"

    def __init__(self, client: Client, recorder: Recorder, namespace: str, resync: float) -> None:
        super().__init__(client, recorder, namespace, resync)
        self._seen: dict[str, str] = {}

    def wake(self, resource: Resource, obj: Object) -> None:
        """Whom it concerns, unless it is as it was."""
        metadata = obj["metadata"]
        if self._seen.get(metadata["uid"]) != metadata["resourceVersion"]:
            super().wake(resource, obj)
        self._seen[metadata["uid"]] = metadata["resourceVersion"]

    def visit_all(self) -> None:
        """Nobody."""


class BlindToPods(Miniature):
    """Pods are not watched: what becomes of them is seen at the next change of their NginxPod."""

    shown, caught = "pod-deleted", "O1"

    def wake(self, resource: Resource, obj: Object) -> None:
        """Nobody, for a pod."""
        if resource != PODS:
            super().wake(resource, obj)


class StartsBlind(Miniature):
    """At the start only what changes from then on is looked at."""

    shown, caught = "operator-stopped", "O1"

    def wake(self, resource: Resource, obj: Object) -> None:
        """Nobody, while the first list is read."""
        if resource in self.synced:
            super().wake(resource, obj)

    def visit_all(self) -> None:
        """Nobody."""


class Polls(Miniature):
    """Everything is visited again every few milliseconds."""

    shown, caught = "restart", "O6"

    def next_visit(self, outcome: Outcome, failures: int) -> float | None:
        """Soon."""
        return super().next_visit(outcome, failures) if outcome.failure else 0.001


class IgnoresSigterm(Miniature):
    """SIGTERM is not heard."""

    shown, caught = "restart", "O13"

    def run(self) -> None:
        """Go on whatever happens."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        super().run()


class OneAfterTheOther(Miniature):
    """One worker, which waits on the spot until what has failed succeeds."""

    shown, caught = "poisoned", "O1"

    def __init__(self, client: Client, recorder: Recorder, namespace: str, resync: float) -> None:
        super().__init__(client, recorder, namespace, resync)
        self._only = threading.Lock()

    def visit(self, name: str) -> Outcome:
        """Hold everybody up."""
        with self._only:
            outcome = super().visit(name)
            while outcome.failure and not self.stopped.wait(0.5):
                outcome = super().visit(name)
            return outcome


class ServesTheDying(Miniature):
    """A NginxPod that is being deleted is served like any other."""

    shown, caught = "held", "O14"

    class Cluster(WholeNamespace):
        """Shows no deletion."""

        def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
            """The NginxPod as if nobody had deleted it."""
            found = super().get_nginxpod(namespace, name, live=live)
            if found is not None and is_terminating(found):
                del found["metadata"]["deletionTimestamp"]
            return found
