"""What the stories have in common: things to put on the stage, things to wait for, and the rest between two samples.

`scenarios/` use it, and nothing here knows more than a story may: `twinloop.harness.scenario`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE, Stage, View
from twinloop.kube import NGINXPODS, PODS, Object, Resource

QUOTAS: Final = Resource("", "v1", "resourcequotas", "ResourceQuota")
# .invalid is reserved for names that exist nowhere, and the pretend kubelet pulls no image called does-not-exist.
NO_SUCH_IMAGE: Final = "nowhere.invalid/does-not-exist:none"

# The oracles that decide whatever the story: the end and its safety, the status, the process, the deletion afterwards.
ALWAYS: Final = ("O1", "O2", "O3", "O4", "O5", "O6", "O10", "O11", "O13", "O14")
# On a calm day also: nobody else's change is lost, no more is written than needed, all end alike.
CALM: Final = (*ALWAYS, "O8", "O9", "O12")
# Under faults also: what fails is tried again with patience, and the operator hears what comes after them.
FAULT: Final = (*ALWAYS, "O7", "O8", "O15")

# Settings of the stories that take samples: they only have to tell rest from work, not to wait for late-comers.
SAMPLING: Final = {"quiet": 0.1}

# Of the NginxPod `late` and its pod: the events that `day` promises, for rules to hang on.
LATE: Final = {"nginxpods": "late", "pods": "late-0"}

AT_LATE: Final = "late"

# ---------------------------------------------------------------------------------------------- to wait for


def image_of(pod: Object) -> str:
    """The image of a pod's first container."""
    return str(pod["spec"]["containers"][0].get("image"))


def uid_of(obj: Object | None) -> str:
    """The uid, "" when there is no object."""
    return str(obj["metadata"]["uid"]) if obj else ""


def reason_of(obj: Object | None) -> str:
    """The reason of the condition Ready, "" when there is none."""
    conditions = ((obj or {}).get("status") or {}).get("conditions") or []
    return next((str(each.get("reason")) for each in conditions if each.get("type") == "Ready"), "")


def serves(pod: Object) -> bool:
    """Whether a pod is ready and meant to stay."""
    status = pod.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
    staying = not pod["metadata"].get("deletionTimestamp") and status.get("phase") not in {"Failed", "Succeeded"}
    return staying and conditions.get("Ready") == "True"


def stands(name: str, pods: int, image: str = IMAGE) -> Callable[[View], bool]:
    """True when a NginxPod has so many ready pods of an image, no other ones, and says that it is ready."""

    def true(view: View) -> bool:
        own = view.pods(name)
        right = len(own) == pods and all(serves(pod) and image_of(pod) == image for pod in own)
        return right and view.ready(name)

    return true


def replaced(name: str, pods: int, pod: str, old: str) -> Callable[[View], bool]:
    """True when a NginxPod stands, and one of its pods is no longer the one with the uid `old`."""

    def true(view: View) -> bool:
        return uid_of(view.pod(pod)) not in {"", old} and stands(name, pods)(view)

    return true


# ---------------------------------------------------------------------------------------------- to put on the stage


def stranger(name: str) -> Object:
    """A pod that belongs to nobody, of a kind that a restricted namespace admits too."""
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "stranger"}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }


def pod_quota(pods: int) -> Object:
    """A ResourceQuota that admits so many pods."""
    return {
        "apiVersion": QUOTAS.api_version,
        "kind": QUOTAS.kind,
        "metadata": {"name": "pods"},
        "spec": {"hard": {"pods": str(pods)}},
    }


# ---------------------------------------------------------------------------------------------- to play


def at_rest(stage: Stage, *names: str, pods: int) -> bool:
    """Create NginxPods and wait until nothing more happens: the beginning of most stories.

    A story that goes on to change a pod has to end when this is false: there may be no such pod.
    """
    for name in names:
        stage.create(name, replicas=pods)
        stage.expect(name, pods=pods)
    return stage.settle()


def rounds(stage: Stage, samples: int = 5) -> Iterator[tuple[int, bool]]:
    """Number and warm-up flag of each sample of a block; every sample begins with an operator at rest."""
    for index in range(samples + 1):
        # An operator that never rests must not take the patience of a whole trial before each sample.
        stage.settle(stage.settings.bound / 5)
        yield index, index == 0


def day(stage: Stage) -> None:
    """An ordinary day, for faults to fall into: a NginxPod is made, changed and scaled, and another one joins it.

    It takes creates and deletes of pods and writes of status, and tells each kind of event about `web` and `late`.
    """
    stage.create("web", replicas=1)
    stage.expect("web", pods=1)
    stage.wait(stands("web", 1))
    stage.edit("web", replicas=2, image=OTHER_IMAGE)
    stage.expect("web", pods=2, image=OTHER_IMAGE)
    stage.create("late", replicas=1)
    stage.expect("late", pods=1)
    # Rules are disarmed when the story ends: whatever has not fired by now, hits nothing.
    stage.settle()


def changes_unseen(stage: Stage) -> None:
    """What others do to `web` and `old` while the operator cannot look: every kind of change."""
    stage.edit("web", replicas=3, image=OTHER_IMAGE)
    stage.expect("web", pods=3, image=OTHER_IMAGE)
    stage.delete("web-0", PODS, grace=1)
    stage.delete("old")
    stage.expect_gone("old")
    stage.create("late", replicas=1)
    stage.expect("late", pods=1)


# ---------------------------------------------------------------------------------------------- to go wrong


def at_late(act: Act, resource: str = NGINXPODS.plural, **how: object) -> Rule:
    """Do something to a watch at the line that tells of `late`, or of its pod; the rule that others come `after`."""
    match = Match(verb="watch", resource=resource, event="ADDED", name=LATE[resource])
    return Rule(id=AT_LATE, match=match, act=act, how=how)


def writes(verb: str, resource: str, subresource: str = "") -> Match:
    """The operator's writes of one kind."""
    return Match(verb=verb, resource=resource, subresource=subresource)


CREATES: Final = writes("create", "pods", "-")
DELETES: Final = writes("delete", "pods", "-")
STATUS: Final = writes("write", "nginxpods", "status")
