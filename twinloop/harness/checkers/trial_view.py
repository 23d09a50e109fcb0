"""A history as the oracles look at it: the truth as a timeline, writes with their answers, and what could have been known.

Read once by `judge.py` and handed to every oracle; what is expensive is computed when first asked for. An oracle that asks
about a moment asks for a resourceVersion (`Timeline`), one that asks what an operator may have had in mind asks for a
`window`: everything that was true in the last `lag` seconds before it acted.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from twinloop.harness.checkers import patience
from twinloop.harness.checkers.joining import ECHO, Joining
from twinloop.harness.checkers.right import concerned
from twinloop.harness.checkers.timeline import Timeline
from twinloop.harness.checkers.writes import Write
from twinloop.harness.history import (
    Expect,
    Fault,
    History,
    Mark,
    Process,
    Request,
    Response,
    StreamEnd,
    StreamEvent,
    Truth,
    User,
)
from twinloop.harness.scenario import Settings
from twinloop.kube import NGINXPODS, PODS

_DEFAULTS = Settings()


class Trial:
    """One trial's history with everything that oracles ask of it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.begin = history.begin

    def bound(self, name: str) -> float:
        """A bound of the trial in seconds, as its first line has it."""
        return float(self.begin.settings.get(name, getattr(_DEFAULTS, name, 0.0)))

    @property
    def lag(self) -> float:
        """Seconds that an operator may act on what it has read."""
        return patience.lag(float(self.begin.settings.get("pace", 1.0)))

    # ------------------------------------------------------------------ the truth

    @cached_property
    def timeline(self) -> Timeline:
        """The truth by resourceVersion."""
        return Timeline(self.history.of(Truth))

    @cached_property
    def rest(self) -> Mark | None:
        """The end of the quiet window: what is true here is what a story came to. None when it was never reached."""
        return self.history.mark("quiet-end")

    @property
    def rest_number(self) -> int:
        """The resourceVersion at the end of the quiet window; ValueError when there was none."""
        if self.rest is None:
            raise ValueError("the trial has no quiet window")
        return self.timeline.number_at(self.rest.t)

    @property
    def settled(self) -> bool:
        """Whether the expected table held and the operator had come to rest."""
        mark = self.history.mark("settled")
        return mark is not None and mark.ok

    def expected(self, seq: int) -> dict[str, Expect]:
        """The table of expectations as it stood at a line of the history."""
        return {each.name: each for each in self.history.of(Expect) if each.seq <= seq}

    # ------------------------------------------------------------------ the operator

    @cached_property
    def requests(self) -> dict[int, Request]:
        """All requests by id."""
        return {each.id: each for each in self.history.of(Request)}

    @cached_property
    def responses(self) -> dict[int, Response]:
        """All answers by the id of their request."""
        return {each.request: each for each in self.history.of(Response)}

    @cached_property
    def stream_ends(self) -> dict[int, StreamEnd]:
        """The end of each watch that ended, by the id of its request."""
        return {each.request: each for each in self.history.of(StreamEnd)}

    @cached_property
    def news(self) -> dict[tuple[str, str], list[int]]:
        """(Replica, NginxPod) -> the lines that told that replica of a change which no operator had made."""
        news: dict[tuple[str, str], list[int]] = defaultdict(list)
        for each in self.history.of(StreamEvent):
            number = int(each.resource_version) if each.resource_version.isdigit() else 0
            about = each.name if each.resource == str(NGINXPODS) else concerned(each.name)
            if each.delivered and each.type in {"ADDED", "MODIFIED", "DELETED"} and number not in self.author:
                news[self.requests[each.request].replica, about].append(each.seq)
        return news

    @cached_property
    def writes(self) -> list[Write]:
        """All that operators wrote or tried to, Events and leases too, in the order of the requests."""
        users = frozenset(each.uid for each in self.users if each.op == "create" and each.uid)
        return Joining(self.timeline, self.responses, users).writes(self.requests.values())

    @cached_property
    def changes(self) -> list[Write]:
        """The writes that count and that the server did."""
        return [write for write in self.writes if write.counts and write.accepted]

    @cached_property
    def author(self) -> dict[int, Write]:
        """resourceVersion -> the operator's write that made it; writes that changed nothing made none."""
        return {write.number: write for write in self.changes if write.number and not self.idle(write)}

    @cached_property
    def _first_writer(self) -> dict[int, int]:
        first: dict[int, int] = {}
        for write in self.changes:
            first.setdefault(write.number, write.seq)
        return first

    def idle(self, write: Write) -> bool:
        """Whether an accepted write changed nothing: its resourceVersion had been there before."""
        if not write.number or write.request.verb in {"create", "delete"}:
            return False
        seen = any(
            version.number == write.number and version.seq < write.seq for version in self.timeline.versions(write.uid)
        )
        theirs = self._user_numbers.get(write.number)
        return seen or self._first_writer.get(write.number) != write.seq or (theirs is not None and theirs < write.seq)

    @cached_property
    def made(self) -> set[str]:
        """The uids of the pods that operators created."""
        creates = (write for write in self.changes if write.on_pods and write.request.verb == "create")
        return {write.uid for write in creates if write.uid}

    # ------------------------------------------------------------------ the user and the faults

    @cached_property
    def users(self) -> list[User]:
        """What the story did and the server accepted."""
        return [each for each in self.history.of(User) if 200 <= each.code < 300]

    def before(self, user: User) -> int:
        """The resourceVersion at which things stood when a user's operation came."""
        if user.resource_version and user.op != "delete":
            return int(user.resource_version) - 1
        return self.timeline.number_at(user.asked)

    @cached_property
    def _user_numbers(self) -> dict[int, int]:
        """resourceVersion -> the line of the user's operation that was answered with it."""
        numbers: dict[int, int] = {}
        for each in self.users:
            if each.resource_version and each.op != "delete":
                numbers.setdefault(int(each.resource_version), each.seq)
        return numbers

    @cached_property
    def processes(self) -> list[Process]:
        """What became of the operator's processes."""
        return self.history.of(Process)

    @cached_property
    def calm(self) -> bool:
        """Whether nothing was done to the operator: no fault, no signal, no end that it did not choose."""
        rough = any(each.what in {"killed", "signalled"} for each in self.processes if each.detail != "SIGTERM")
        died = any(each.what == "exited" and each.code != 0 for each in self.processes)
        return not (self.begin.rules or self.history.of(Fault) or rough or died)

    # ------------------------------------------------------------------ what could have been known

    @cached_property
    def _waits(self) -> dict[str, list[patience.Span]]:
        return patience.waits(self.processes, self.requests.values(), self.responses)

    def since(self, t: float, replica: str) -> float:
        """The time from which on what was true may still have been in a replica's mind at `t`."""
        return patience.back(t, self.lag, self._waits.get(replica, []))

    def window(self, write: Write) -> tuple[int, int]:
        """The resourceVersions between which lies what an operator may have had in mind when it wrote this."""
        low = self.timeline.number_at(self.since(write.request.t, write.request.replica))
        if write.number:
            return min(low, write.number - 1), write.number - 1
        answered = write.response.t if write.response else write.request.t
        return low, self.timeline.number_at(answered + ECHO)

    def known_deleted(self, write: Write) -> set[str]:
        """The uids of the pods whose deletion this replica had been told of when it sent a write."""
        return {
            each.uid
            for each in self.writes
            if each.on_pods
            and each.request.verb == "delete"
            and each.answered
            and each.request.replica == write.request.replica
            and each.response is not None
            and each.response.seq < write.seq
        }

    def provoked(self, write: Write, patience: float) -> bool:
        """Whether somebody but the operators changed the NginxPod of a write, or a pod of it, at most so long before."""
        owner, (_, before) = self.owner_of(write), self.window(write)
        after = write.request.t - patience
        uids = {owner, *self.timeline.ever_owned(owner)} if owner else set()
        versions = (version for uid in uids for version in self.timeline.versions(uid))
        # By its number, not by its arrival: its truth may have come later than the answer to it.
        return any(
            after < version.t and version.number <= before and version.number not in self.author for version in versions
        )

    def foreign_between(self, low: int, high: int) -> bool:
        """Whether anybody but the operators changed anything after one resourceVersion and up to another."""
        return any(low < number <= high for number in self._foreign)

    @cached_property
    def _foreign(self) -> list[int]:
        return [number for number in self.timeline.moments(0, self.timeline.last) if number not in self.author]

    def owner_of(self, write: Write) -> str:
        """The uid of the NginxPod that a write is about: itself, or the controller of the pod; "" for neither."""
        if write.on_nginxpods:
            return write.uid
        if write.request.resource != str(PODS):
            return ""
        body = write.request.body if write.request.verb == "create" else None
        versions = self.timeline.versions(write.uid)
        source = body or (versions[0].object if versions else {})
        owners = (source.get("metadata") or {}).get("ownerReferences") or []
        return next((str(owner.get("uid", "")) for owner in owners if owner.get("controller")), "")
