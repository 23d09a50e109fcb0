"""etcd's watch guarantees as plain functions over what watchers wrote down.

Ordered, unique, reliable (no gap), resumable and bookmarkable, in the words of etcd's API guarantees. Atomic is the same
as ordered and reliable here: no request of this API changes two objects in one revision. Each function returns what
is wrong as lines; an empty list is a kept promise. `test_soak.py` records and judges, `test_guarantees.py` shows that
each of them notices a broken promise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seen:
    """One line of a watch; `content` is the object's whole text, so that two tellings of it can be compared."""

    type: str
    name: str
    version: int
    content: str = ""


@dataclass
class Log:
    """What one watcher saw: `start` is the version that it asked for first, `resumes` where it had to begin again."""

    watcher: str
    start: int
    lines: list[Seen] = field(default_factory=list)
    resumes: list[int] = field(default_factory=list)

    def events(self) -> list[Seen]:
        """Without bookmarks."""
        return [line for line in self.lines if line.type != "BOOKMARK"]


def ordered(log: Log) -> list[str]:
    """Versions grow from event to event, over resumes too, and begin after the start."""
    versions = [log.start, *(event.version for event in log.events())]
    pairs = itertools.pairwise(versions)
    return [f"{log.watcher}: version {after} came after {before}" for before, after in pairs if after < before]


def unique(log: Log) -> list[str]:
    """No event comes twice."""
    events = log.events()
    return [] if len(set(events)) == len(events) else [f"{log.watcher}: an event came twice"]


def reliable(log: Log, truth: Sequence[Seen]) -> list[str]:
    """Between its start and its last event, a watcher saw what the truth has, all of it and nothing else."""
    events = log.events()
    if not events:
        return []
    should = [event for event in truth if log.start < event.version <= events[-1].version]
    return _difference(log.watcher, should, events)


def _difference(watcher: str, should: Sequence[Seen], events: Sequence[Seen]) -> list[str]:
    wanted, seen = set(should), set(events)
    missing = [event for event in should if event not in seen]
    extra = [event for event in events if event not in wanted]
    told = [f"{watcher}: never saw {each.type} {each.name} at {each.version}" for each in missing]
    return told + [f"{watcher}: saw {each.type} {each.name} at {each.version}, which is not so" for each in extra]


def bookmarkable(log: Log) -> list[str]:
    """A bookmark is not older than what came before it, and what comes after it is newer."""
    wrong = []
    last = log.start
    mark = log.start
    for line in log.lines:
        if line.type == "BOOKMARK":
            wrong += [f"{log.watcher}: bookmark {line.version} after event {last}"] if line.version < last else []
            mark = max(mark, line.version)
        else:
            wrong += (
                [f"{log.watcher}: event {line.version} after bookmark {mark}"]
                if line.version <= mark > log.start
                else []
            )
            last = line.version
    return wrong


def told_of_every_write(truth: Iterable[Seen], writes: Iterable[tuple[str, int]]) -> list[str]:
    """Each write that was answered with a version is an event with that version."""
    seen = {(event.name, event.version) for event in truth}
    return [f"nobody was told of {name} at {version}" for name, version in writes if (name, version) not in seen]


def leads_to(truth: Iterable[Seen], listed: dict[str, int], before: dict[str, int] | None = None) -> list[str]:
    """Who lists (`before`) and then follows all events has what a list returns at the end."""
    state = dict(before or {})
    for event in truth:
        if event.type == "DELETED":
            state.pop(event.name, None)
        else:
            state[event.name] = event.version
    names = sorted(state.keys() | listed.keys())
    return [
        f"{name}: events lead to {state.get(name)}, the list has {listed.get(name)}"
        for name in names
        if state.get(name) != listed.get(name)
    ]


def judge(log: Log, truth: Sequence[Seen]) -> list[str]:
    """All promises of one watcher."""
    return [*ordered(log), *unique(log), *reliable(log, truth), *bookmarkable(log)]
