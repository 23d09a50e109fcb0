"""Verdicts over a record: pure functions, each of which says what it found and never looks at the cluster.

`recorder` wrote the record while the case ran. A judge that needs history which was lost raises `Unchecked`. The
default window is the whole record; `since` and `until` are moments of the recorder's clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from e2e.record import DELETED, Entry, Object, Record, condition_of, is_ready, is_terminating, name_of, uid_of

# Who else writes to pods in a cluster. None of them is an operator, so what they do is no write of ours.
CLUSTER_WRITERS = frozenset({"kubelet", "kube-scheduler", "kube-controller-manager"})
# The component under which both operators report Events (R15).
EVENT_SOURCE = "nginxpod-controller"


@dataclass(frozen=True)
class Worst:
    """The moment at which most of the wanted pods were away, and which they were."""

    count: int
    at: float
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.count} at once: {', '.join(self.names)}" if self.names else "none"


def most_down(record: Record, names: Iterable[str], since: float = -math.inf, until: float = math.inf) -> Worst:
    """R5, what a user of the service sees: pods that are missing, terminating or not ready, at the worst moment."""
    return _worst(record, names, lambda pod: not is_ready(pod), since, until)


def most_taken(record: Record, names: Iterable[str], since: float = -math.inf, until: float = math.inf) -> Worst:
    """R5, what the operator did: pods that are missing or terminating, at the worst moment."""
    return _worst(record, names, is_terminating, since, until)


def _worst(
    record: Record,
    names: Iterable[str],
    away: Callable[[Object], bool],
    since: float,
    until: float,
) -> Worst:
    wanted = list(names)
    worst = Worst(0, since, ())
    for at, pods in record.states("pods", since, until):
        gone = tuple(name for name in wanted if name not in pods or away(pods[name]))
        if len(gone) > worst.count:
            worst = Worst(len(gone), at, gone)
    return worst


def uids(record: Record, pod: str) -> list[str]:
    """All uids that a pod's name has had, oldest first; the number of replacements is one less."""
    seen: dict[str, None] = {}
    for entry in record.of("pods"):
        if entry.object and name_of(entry.object) == pod:
            seen[uid_of(entry.object)] = None
    return list(seen)


def created(record: Record, since: float = -math.inf, until: float = math.inf) -> list[str]:
    """The names of the pods that appeared in the window, in that order."""
    return [name_of(entry.object) for entry, before in record.changes("pods", since, until) if before is None]


def deleted(record: Record, since: float = -math.inf, until: float = math.inf) -> list[str]:
    """The names of the pods whose deletion was asked for in the window, in that order."""
    return [
        name_of(entry.object) for entry, before in record.changes("pods", since, until) if _is_deletion(entry, before)
    ]


def _is_deletion(entry: Entry, before: Object | None) -> bool:
    # A pod that runs is first marked and disappears later; one that never ran may disappear at once.
    marked_before = before is not None and is_terminating(before)
    return not marked_before and (entry.type == DELETED or is_terminating(entry.object))


def reasons(record: Record, nginxpod: str, type_: str = "Ready", since: float = -math.inf) -> list[tuple[str, str]]:
    """The (status, reason) that a condition went through, without repetitions; ("", "") while it was absent."""
    course: list[tuple[str, str]] = []
    for _, state in record.states("nginxpods", since):
        if nginxpod not in state:
            continue
        condition = condition_of(state[nginxpod], type_)
        step = (condition.get("status", ""), condition.get("reason", ""))
        if not course or course[-1] != step:
            course.append(step)
    return course


def event_count(record: Record, reason: str, involved: str) -> int:
    """How often the operators reported this reason about an object; repetitions counted in one Event included."""
    counts: dict[str, int] = {}
    for entry in record.of("events"):
        event = entry.object
        if not event or not _is_ours(event) or event.get("reason") != reason:
            continue
        if (event.get("involvedObject") or {}).get("name") == involved:
            counts[uid_of(event)] = max(counts.get(uid_of(event), 0), int(event.get("count") or 1))
    return sum(counts.values())


def _is_ours(event: Object) -> bool:
    return EVENT_SOURCE in {(event.get("source") or {}).get("component"), event.get("reportingComponent")}


def writes(record: Record, since: float = -math.inf, until: float = math.inf) -> list[str]:
    """R14: the changes in the window that an operator may have made, as short lines; [] = nobody wrote.

    Any change of a NginxPod counts. A pod's counts unless the cluster's own components made it. An Event counts when
    it is the operators'. A person's or a test's own write counts too: judge a window in which nobody acts.
    """
    found = []
    for resource in ("nginxpods", "pods", "events"):
        for entry, before in record.changes(resource, since, until):
            if _may_be_ours(entry, before):
                found.append(f"{entry.type.lower()} {resource} {name_of(entry.object)}")
    return found


def _may_be_ours(entry: Entry, before: Object | None) -> bool:
    if entry.resource == "events":
        # Events expire by themselves.
        return entry.type != DELETED and _is_ours(entry.object)
    if entry.resource == "pods" and before is not None and uid_of(before) == uid_of(entry.object):
        return not _by_the_cluster(before, entry)
    return True


def _by_the_cluster(before: Object, entry: Entry) -> bool:
    if entry.type == DELETED:
        return is_terminating(before)
    if is_terminating(entry.object) and not is_terminating(before):
        return False
    managers = _managers_between(before, entry.object)
    if managers:
        return managers <= CLUSTER_WRITERS
    # Two writes of one component within a second leave managedFields as they are: then what changed must be status.
    return _without_status(before) == _without_status(entry.object)


def _managers_between(before: Object, after: Object) -> set[str]:
    """Who, by managedFields, has written since: the managers of entries that are new or have another time."""
    known = before["metadata"].get("managedFields") or []
    return {field.get("manager", "") for field in after["metadata"].get("managedFields") or [] if field not in known}


def _without_status(pod: Object) -> Object:
    metadata = {key: value for key, value in pod["metadata"].items() if key not in {"resourceVersion", "managedFields"}}
    return {**{key: value for key, value in pod.items() if key != "status"}, "metadata": metadata}
