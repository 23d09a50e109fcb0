"""Joins an operator's requests with their answers and with what came of them.

Mostly the answer shows the object with its resourceVersion. Where it was lost, forged or a mere Status, the truth is searched
for what the write must have done. `trial_view.py` keeps the result; the oracles see `Write`s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinloop.harness.checkers.timeline import Timeline, Version, uid_of
from twinloop.harness.checkers.writes import Write, body_metadata, is_write
from twinloop.harness.history import Request, Response

# Seconds after an answer by which its echo has reached the truth.
ECHO = 2.0


@dataclass(frozen=True)
class Joining:
    """`users`: the uids of what the story itself created, which no operator's request did."""

    timeline: Timeline
    responses: dict[int, Response]
    users: frozenset[str]

    def writes(self, requests: Iterable[Request]) -> list[Write]:
        """The writes among the requests, in their order."""
        return [self._joined(each) for each in requests if is_write(each)]

    def _joined(self, request: Request) -> Write:
        response = self.responses.get(request.id)
        write = Write(request, response)
        metadata = body_metadata(response.body) if response is not None else {}
        if write.accepted and metadata.get("resourceVersion"):
            return Write(request, response, int(metadata["resourceVersion"]), str(metadata.get("uid", "")))
        return self._found(write) if write.accepted else self._aimed(write)

    def _aimed(self, write: Write) -> Write:
        """A write of which nothing is known to have come: the uid is that of whoever had the name."""
        number = self.timeline.number_at(write.request.t)
        target = self.timeline.named(write.request.resource, write.name, number)
        return Write(write.request, write.response, 0, uid_of(target) if target else "")

    def _found(self, write: Write) -> Write:
        """A write that was done and whose answer does not show the object."""
        until = (write.response.t if write.response else write.request.t) + ECHO
        for uid in self.timeline.uids_named(write.request.resource, write.name):
            for version in self.timeline.versions(uid):
                # A request is written down before it is forwarded: its effect cannot come first.
                if write.seq < version.seq and version.t <= until and self._did(write, uid, version):
                    return Write(write.request, write.response, version.number, uid)
        return self._aimed(write)

    def _did(self, write: Write, uid: str, version: Version) -> bool:
        """Whether a version is what a write must have come to. Of patches only those of a status can be told, by its words."""
        if write.request.verb == "create":
            return version is self.timeline.versions(uid)[0] and uid not in self.users
        if write.request.verb == "delete":
            return version.gone or "deletionTimestamp" in version.object["metadata"]
        return write.says(version.object)
