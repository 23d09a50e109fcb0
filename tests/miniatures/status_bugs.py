"""Miniatures whose status does not say what is true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from miniatures.base import Miniature, WholeNamespace
from twinloop.kube import Object
from twinloop.nginxpod import format_time, name_of, namespace_of
from twinloop.status import conditions_of


def _said(written: Object, **changed: object) -> Object:
    """The status with another condition Ready."""
    conditions = [{**each, **changed} if each["type"] == "Ready" else each for each in written["conditions"]]
    return {**written, "conditions": conditions}


class ReadyTooEarly(Miniature):
    """Ready=True is said as soon as the pods are made."""

    shown, caught = "create", "O10"

    class Cluster(WholeNamespace):
        """Says so in the first status."""

        def patch_status(self, nginxpod: Object, status: Object) -> Object:
            """Everything is fine."""
            return super().patch_status(nginxpod, _said(status, status="True", reason="AllReady", message="fine"))


class CountsNothing(Miniature):
    """readyReplicas is always 0."""

    shown, caught = "create", "O10"

    class Cluster(WholeNamespace):
        """Both ways: the loop takes its own word for true."""

        def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
            """With the count that it believes to have written."""
            found = super().get_nginxpod(namespace, name, live=live)
            if found is not None and conditions_of(found.get("status")).get("Ready", {}).get("status") == "True":
                found["status"]["readyReplicas"] = found["status"]["replicas"]
            return found

        def patch_status(self, nginxpod: Object, status: Object) -> Object:
            """Without the ready ones."""
            return super().patch_status(nginxpod, {**status, "readyReplicas": 0})


class PromisesFirst(Miniature):
    """A new generation is acknowledged at once, with the old conditions, and worked on afterwards."""

    shown, caught = "image-change", "O5"

    class Cluster(WholeNamespace):
        """Writes when it reads."""

        def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
            """After it has been acknowledged."""
            found = super().get_nginxpod(namespace, name, live=live)
            status = (found or {}).get("status") or {}
            if found is None or status.get("observedGeneration", -1) in {-1, found["metadata"]["generation"]}:
                return found
            return super().patch_status(found, {**status, "observedGeneration": found["metadata"]["generation"]})


class GoesBack(Miniature):
    """An older status lands after the newer one, and the newer one again after that."""

    shown, caught = "image-change", "O5"

    class Cluster(WholeNamespace):
        """Writes three times."""

        def patch_status(self, nginxpod: Object, status: Object) -> Object:
            """New, old, new."""
            before = nginxpod.get("status") or {}
            written = super().patch_status(nginxpod, status)
            if before.get("observedGeneration", -1) in {-1, status["observedGeneration"]}:
                return written
            return super().patch_status(super().patch_status(written, before), status)


class MovesTheClock(Miniature):
    """lastTransitionTime is another one in every status."""

    shown, caught = "image-change", "O10"

    class Cluster(WholeNamespace):
        """Stamps every condition."""

        writes = 0

        def patch_status(self, nginxpod: Object, status: Object) -> Object:
            """A second later than the last one: what takes a minute elsewhere takes no time here."""
            type(self).writes += 1
            moved = format_time(datetime.now(UTC) + timedelta(seconds=self.writes))
            return super().patch_status(nginxpod, _said(status, lastTransitionTime=moved))


class DropsOthersConditions(Miniature):
    """Conditions of other types are left out when the status is written."""

    shown, caught = "strangers-write", "O8"

    class Cluster(WholeNamespace):
        """Keeps its own."""

        def patch_status(self, nginxpod: Object, status: Object) -> Object:
            """Only our own two."""
            own = [each for each in status["conditions"] if each["type"] in {"Ready", "Stalled"}]
            return super().patch_status(nginxpod, {**status, "conditions": own})


class TalksOfTheFirst(Miniature):
    """The status follows the NginxPod that was first seen under a name: a successor's is never written."""

    shown, caught = "aba", "O1"

    class Cluster(WholeNamespace):
        """Remembers names, not uids."""

        seen: dict[tuple[str, str], str] = {}  # noqa: RUF012 - one of it for a process

        def patch_status(self, nginxpod: Object, status: Object) -> Object:
            """Only for the first of a name."""
            key = (namespace_of(nginxpod), name_of(nginxpod))
            first = self.seen.setdefault(key, nginxpod["metadata"]["uid"])
            return super().patch_status(nginxpod, status) if first == nginxpod["metadata"]["uid"] else nginxpod
