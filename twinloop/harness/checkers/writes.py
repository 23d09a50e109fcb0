"""What an operator wrote: requests joined with their answers, and with the resourceVersion that came of them.

A write that was answered with an error may have been done, and one that was done may never have been answered; both are told
apart here once, for all oracles. `trial_view.py` joins them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from twinloop.harness.faults import WRITES
from twinloop.harness.history import Request, Response
from twinloop.kube import EVENTS, LEASES, NGINXPODS, PODS, Object

# Asking the server about oneself is a POST and changes nothing.
_REVIEWS = re.compile(r".*\.(authorization|authentication)\.k8s\.io")
_EVENTS = {str(EVENTS), "events.events.k8s.io"}


@dataclass(frozen=True)
class Write:
    """One write of an operator. `number` is the resourceVersion that came of it, 0 when nobody knows."""

    request: Request
    response: Response | None
    number: int = 0
    uid: str = ""

    @property
    def seq(self) -> int:
        """The line of the request, as evidence."""
        return self.request.seq

    @property
    def name(self) -> str:
        """The object's name; for a name that the server made up, the one in its answer."""
        return self.request.name or _name(self.request.body) or _name(self.response and self.response.body)

    @property
    def accepted(self) -> bool:
        """Whether the server did it, whatever the operator was told."""
        return self.response is not None and 200 <= self.response.committed < 300

    @property
    def answered(self) -> bool:
        """Whether the operator knows that it was done."""
        return self.response is not None and 200 <= self.response.code < 300

    @property
    def on_pods(self) -> bool:
        """Whether it is about pods themselves."""
        return self.request.resource == str(PODS) and not self.request.subresource

    @property
    def on_nginxpods(self) -> bool:
        """Whether it is about NginxPods or a subresource of theirs."""
        return self.request.resource == str(NGINXPODS)

    @property
    def on_status(self) -> bool:
        """Whether it writes a NginxPod's status."""
        return self.on_nginxpods and self.request.subresource == "status"

    @property
    def is_event(self) -> bool:
        """Whether it is a Kubernetes Event: news for people, the object of nobody."""
        return self.request.resource in _EVENTS

    @property
    def counts(self) -> bool:
        """Whether it changes what the cluster is: neither an Event, nor a lease, nor a question put as a POST."""
        resource = self.request.resource
        return not self.is_event and resource != str(LEASES) and not _REVIEWS.fullmatch(resource)

    def says(self, obj: Object) -> bool:
        """Whether an object has the status that this write gives it."""
        status = self.request.body.get("status") if isinstance(self.request.body, dict) else None
        there = obj.get("status") or {}
        told = isinstance(status, dict) and all(there.get(key) == value for key, value in status.items())
        return self.on_status and bool(status) and told

    def __str__(self) -> str:
        what = (
            f"{self.request.resource.partition('.')[0]}{'/' * bool(self.request.subresource)}{self.request.subresource}"
        )
        return f"{self.request.verb} {what} {self.name}".strip()


def is_write(request: Request) -> bool:
    """Whether a request may change something."""
    return request.verb in WRITES


def body_metadata(body: Any) -> Object:
    """The metadata of an answered object, {} for a Status or nothing."""
    metadata = body.get("metadata") if isinstance(body, dict) and body.get("kind") != "Status" else None
    return metadata if isinstance(metadata, dict) else {}


def preconditions(write: Write) -> Object:
    """The preconditions of a delete: in its body."""
    body = write.request.body
    found = body.get("preconditions") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _name(body: Any) -> str:
    return str(body_metadata(body).get("name", ""))
