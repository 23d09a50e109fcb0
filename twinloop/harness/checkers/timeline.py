"""The truth in the server's own order: what every object was at any resourceVersion.

Truth records arrive later than what they tell of, and those of two resources in any order. So states are looked up by
resourceVersion, which one server counts up for all its objects; arrival only says from when on somebody could have known.
`trial_view.py` builds one from a history; the oracles ask it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twinloop.harness.history import Truth
from twinloop.harness.objects import controller
from twinloop.kube import NGINXPODS, PODS, Object


@dataclass(frozen=True)
class Version:
    """An object from this resourceVersion on; `gone` when that was its end. `t` and `seq` are those of the record."""

    number: int
    t: float
    seq: int
    object: Object
    gone: bool = False


def uid_of(obj: Object) -> str:
    """The uid: tells an object from a later one of its name."""
    return str(obj["metadata"]["uid"])


def name_of(obj: Object) -> str:
    """The name."""
    return str(obj["metadata"]["name"])


def number_of(obj: Object) -> int:
    """The resourceVersion as a number, which it is on every API server; ValueError otherwise."""
    return int(obj["metadata"]["resourceVersion"])


class Timeline:
    """All objects of a trial, looked up by uid, name or owner, at any resourceVersion."""

    def __init__(self, truths: Iterable[Truth]) -> None:
        self._versions: dict[str, list[Version]] = defaultdict(list)
        self._named: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._owned: dict[str, set[str]] = defaultdict(set)
        self._resource: dict[str, str] = {}
        self._kind: dict[str, list[str]] = defaultdict(list)
        # (t, the highest number known by then), for `number_at`.
        self._arrivals: list[tuple[float, int]] = [(0.0, 0)]
        for truth in truths:
            self._add(truth)
        for versions in self._versions.values():
            versions.sort(key=lambda version: version.number)
        self._numbers = sorted({each.number for versions in self._versions.values() for each in versions})

    def _add(self, truth: Truth) -> None:
        uid, number = uid_of(truth.object), number_of(truth.object)
        gone, known, latest = truth.type == "DELETED", self._versions[uid], self._arrivals[-1][1]
        if gone and known and number <= known[-1].number:
            # An end that a list told of, and not an event, has the number of the last state: it came some time after it.
            number = max(latest, number + 1)
        known.append(Version(number, truth.t, truth.seq, truth.object, gone))
        if uid not in self._resource:
            self._resource[uid] = truth.resource
            self._kind[truth.resource].append(uid)
            self._named[truth.resource, name_of(truth.object)].append(uid)
        self._owned[str(controller(truth.object).get("uid", ""))].add(uid)
        self._arrivals.append((truth.t, max(latest, number)))

    # ------------------------------------------------------------------ one object

    def versions(self, uid: str) -> list[Version]:
        """All states of an object, in order; empty when it was never seen."""
        return self._versions.get(uid, [])

    def at(self, uid: str, number: int) -> Object | None:
        """An object as it was at a resourceVersion; None before its beginning and from its end on."""
        version = self.version(uid, number)
        return version.object if version is not None and not version.gone else None

    def version(self, uid: str, number: int) -> Version | None:
        """The last version of an object up to a resourceVersion, its end included; None before its beginning."""
        versions = self._versions.get(uid, [])
        index = bisect_right(versions, number, key=lambda version: version.number)
        return versions[index - 1] if index else None

    def line(self, uid: str, number: int) -> tuple[int, ...]:
        """The line of the history that told of an object's state at a resourceVersion, as evidence."""
        version = self.version(uid, number)
        return (version.seq,) if version is not None else ()

    def born(self, uid: str) -> Object:
        """An object as it was first seen. KeyError when it never was."""
        return self._versions[uid][0].object if uid in self._versions else _never_seen(uid)

    def named(self, resource: str, name: str, number: int) -> Object | None:
        """Who had a name at a resourceVersion."""
        return next((obj for uid in self._named.get((resource, name), []) if (obj := self.at(uid, number))), None)

    def uids_named(self, resource: str, name: str) -> list[str]:
        """All that ever had a name, in the order in which they were first seen."""
        return list(self._named.get((resource, name), []))

    # ------------------------------------------------------------------ many objects

    def uids(self, resource: str) -> list[str]:
        """All objects of a resource that ever were."""
        return list(self._kind.get(resource, []))

    def nginxpods(self, number: int) -> list[Object]:
        """The NginxPods at a resourceVersion."""
        return [obj for uid in self.uids(str(NGINXPODS)) if (obj := self.at(uid, number))]

    def pods(self, number: int) -> list[Object]:
        """The pods at a resourceVersion."""
        return [obj for uid in self.uids(str(PODS)) if (obj := self.at(uid, number))]

    def pods_of(self, owner: str, number: int) -> list[Object]:
        """The pods whose controller has this uid, at a resourceVersion."""
        pods = (self.at(uid, number) for uid in self._owned.get(owner, ()))
        return sorted((pod for pod in pods if pod and controller(pod).get("uid") == owner), key=name_of)

    def ever_owned(self, owner: str) -> set[str]:
        """The uids of all pods whose controller had this uid at some time."""
        return set(self._owned.get(owner, ()))

    # ------------------------------------------------------------------ time

    @property
    def last(self) -> int:
        """The highest resourceVersion seen."""
        return self._numbers[-1] if self._numbers else 0

    def number_at(self, t: float) -> int:
        """The highest resourceVersion that had been seen at a time: at least so far had things gone by then."""
        return self._arrivals[bisect_right(self._arrivals, max(t, 0.0), key=lambda each: each[0]) - 1][1]

    def moments(self, low: int, high: int) -> Iterator[int]:
        """The resourceVersions at which anything changed, from `high` down to and including the state at `low`."""
        first, last = bisect_right(self._numbers, low), bisect_right(self._numbers, high)
        yield from reversed(self._numbers[first:last])
        yield low


def _never_seen(uid: str) -> Object:
    raise KeyError(uid)
