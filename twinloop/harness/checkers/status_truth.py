"""What a status has to say about a NginxPod and its pods, computed once more from the objects alone.

Used by the oracle of status truth. Words are free: messages are for people, and every operator has its own. Counts, Ready with
its reason, Stalled and the generation are the interface, and have to be exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinloop.harness.checkers.right import (
    Wanted,
    alive,
    current,
    leaving,
    owned_by_a_nginxpod,
    owner_is,
    ready,
    wanted,
)
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.objects import condition, controller
from twinloop.kube import Object


@dataclass(frozen=True)
class World:
    """A NginxPod and all pods of its namespace at one moment; `born`: each pod as it was made, by uid.

    `refused`: which writes of pods ("create", "delete") the server has refused at some time.
    """

    nginxpod: Object
    pods: Sequence[Object]
    born: Mapping[str, Object]
    refused: frozenset[str] = frozenset()

    @property
    def own(self) -> list[Object]:
        """The pods that it owns."""
        return [pod for pod in self.pods if owner_is(pod, self.nginxpod)]


def fine(world: World) -> bool:
    """Whether Ready=True is the truth: exactly the wanted pods are there, current and ready."""
    want, own = wanted(world.nginxpod), world.own
    return (
        want is not None
        and sorted(map(name_of, own)) == sorted(want.names)
        and all(ready(pod) and _current(world, pod, want) for pod in own)
    )


def _current(world: World, pod: Object, want: Wanted) -> bool:
    return current(pod, world.nginxpod, want, world.born.get(uid_of(pod), pod))


def untruth(world: World) -> str:
    """What is not true in the status of a NginxPod, as a sentence; "" when all is."""
    return _wrong_numbers(world) or _wrong_ready(world) or _wrong_stalled(world)


def _wrong_numbers(world: World) -> str:
    status, metadata = world.nginxpod.get("status") or {}, world.nginxpod["metadata"]
    right = {
        "observedGeneration": metadata.get("generation"),
        "replicas": sum(map(alive, world.own)),
        "readyReplicas": sum(map(ready, world.own)),
        "selector": f"twinloop.dev/nginxpod={name_of(world.nginxpod)}",
    }
    for field, value in right.items():
        if status.get(field) != value:
            return f"{field} is {status.get(field)!r} and should be {value!r}"
    return ""


def _wrong_ready(world: World) -> str:
    said = condition(world.nginxpod, "Ready")
    if not said:
        return "there is no condition Ready"
    if said.get("observedGeneration", world.nginxpod["metadata"].get("generation")) != world.nginxpod["metadata"].get(
        "generation"
    ):
        return f"Ready is about generation {said.get('observedGeneration')}"
    truth, reasons = "True" if fine(world) else "False", _reasons(world)
    if said.get("status") != truth or said.get("reason") not in reasons:
        return f"Ready is {said.get('status')} ({said.get('reason')}) and should be {truth} ({' or '.join(sorted(reasons))})"
    return ""


def _reasons(world: World) -> set[str]:
    """The reasons that are true."""
    if fine(world):
        return {"AllReady"}
    want = wanted(world.nginxpod)
    if want is None:
        return {"InvalidSpec"}
    holders = [pod for pod in world.pods if name_of(pod) in want.names and not owner_is(pod, world.nginxpod)]
    if any(not _on_its_way(pod, world) for pod in holders):
        return {"NameConflict"}
    there = {name_of(pod) for pod in world.own}
    missing, leftover = set(want.names) - there, any(_unwanted(world, pod, want) for pod in world.own)
    reasons = {"Progressing"}
    reasons |= {"NameConflict"} if holders else set()
    reasons |= {"PodCreateFailed"} if missing and "create" in world.refused else set()
    return reasons | ({"PodDeleteFailed"} if leftover and "delete" in world.refused else set())


def _on_its_way(pod: Object, world: World) -> bool:
    """Whether a foreign pod will leave by itself: it terminates, or its NginxPod of our name is gone."""
    return leaving(pod) or (owned_by_a_nginxpod(pod) and controller(pod).get("name") == name_of(world.nginxpod))


def _unwanted(world: World, pod: Object, want: Wanted) -> bool:
    return name_of(pod) not in want.names or not alive(pod) or not _current(world, pod, want)


def _wrong_stalled(world: World) -> str:
    stalled, reason = condition(world.nginxpod, "Stalled"), condition(world.nginxpod, "Ready").get("reason")
    stuck = reason in {"InvalidSpec", "NameConflict"}
    if stalled and stalled.get("status") != "True":
        return f"Stalled is there and {stalled.get('status')}"
    if bool(stalled) != stuck:
        return f"Stalled is {'there' if stalled else 'missing'} beside Ready's reason {reason}"
    return ""
