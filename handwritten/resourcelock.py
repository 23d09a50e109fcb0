"""The lock that candidates for leadership meet at: a Lease, read and written with optimistic concurrency.

`leaderelection.py` decides with it who leads; here is only what a record is and where it is kept. Counterpart of
client-go's tools/leaderelection/resourcelock (interface.go, leaselock.go). Of its locks only the Lease is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from handwritten.store import Object
from twinloop.errors import CorruptAnswer
from twinloop.kube import LEASES, Resource

# metav1.MicroTime.
_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True)
class LeaderElectionRecord:
    """What a Lease says. The two times are for people: no decision is taken by them, since clocks differ."""

    holder_identity: str
    lease_duration_seconds: int
    acquire_time: str = ""
    renew_time: str = ""
    leader_transitions: int = 0

    def released(self, now: str) -> LeaderElectionRecord:
        """The record that a leader leaves behind: free at once, also for those who wait for a change."""
        # One second and not zero: the API server takes nothing below.
        return replace(self, holder_identity="", lease_duration_seconds=1, acquire_time=now, renew_time=now)


class Lock(Protocol):
    """Where the record is kept (resourcelock.Interface). All methods raise ApiErrors; for one thread at a time."""

    @property
    def identity(self) -> str:
        """Who we are: different for every candidate."""
        ...

    def describe(self) -> str:
        """Say which lock this is, for the log."""
        ...

    def get(self) -> LeaderElectionRecord:
        """Return the present record and remember its version. NotFound when there is none."""
        ...

    def create(self, record: LeaderElectionRecord) -> None:
        """Make the record. AlreadyExists when another candidate was first."""
        ...

    def update(self, record: LeaderElectionRecord) -> None:
        """Replace the record that was last seen. Conflict when another candidate has replaced it meanwhile."""
        ...


class LeaseClient(Protocol):
    """What the lock needs of a client."""

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """Return the object."""
        ...

    def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        """Return the new object."""
        ...

    def update(self, resource: Resource, name: str, body: Object, namespace: str | None = None) -> Object:
        """Return the object after it was replaced."""
        ...


class LeaseLock:
    """A `Lock` in a coordination.k8s.io Lease."""

    def __init__(self, client: LeaseClient, *, namespace: str, name: str, identity: str) -> None:
        """The Lease need not exist; fields of it that are not ours are kept."""
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        # The Lease as last read or written: its resourceVersion is what makes an update without a read safe.
        self._lease: Object = {}

    @property
    def identity(self) -> str:
        """See `Lock`."""
        return self._identity

    def describe(self) -> str:
        """See `Lock`."""
        return f"{self._namespace}/{self._name}"

    def get(self) -> LeaderElectionRecord:
        """See `Lock`. CorruptAnswer for a Lease that makes no sense."""
        self._lease = self._client.get(LEASES, self._name, self._namespace)
        return record_of(self._lease)

    def create(self, record: LeaderElectionRecord) -> None:
        """See `Lock`."""
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec_of(record),
        }
        self._lease = self._client.create(LEASES, body, self._namespace)

    def update(self, record: LeaderElectionRecord) -> None:
        """See `Lock`."""
        spec = {**(self._lease.get("spec") or {}), **spec_of(record)}
        self._lease = self._client.update(LEASES, self._name, {**self._lease, "spec": spec}, self._namespace)


def record_of(lease: Object) -> LeaderElectionRecord:
    """Return what a Lease says (LeaseSpecToLeaderElectionRecord). CorruptAnswer when its fields are of no use."""
    spec: Any = lease.get("spec") or {}
    try:
        return LeaderElectionRecord(
            holder_identity=str(spec.get("holderIdentity") or ""),
            lease_duration_seconds=int(spec.get("leaseDurationSeconds") or 0),
            acquire_time=str(spec.get("acquireTime") or ""),
            renew_time=str(spec.get("renewTime") or ""),
            leader_transitions=int(spec.get("leaseTransitions") or 0),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise CorruptAnswer(f"the Lease makes no sense: {error}") from None


def spec_of(record: LeaderElectionRecord) -> Object:
    """Return the spec of a Lease (LeaderElectionRecordToLeaseSpec)."""
    return {
        "holderIdentity": record.holder_identity,
        "leaseDurationSeconds": record.lease_duration_seconds,
        "acquireTime": record.acquire_time or None,
        "renewTime": record.renew_time or None,
        "leaseTransitions": record.leader_transitions,
    }


def now_text(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """Return the wall clock's time as a Lease shows it."""
    return now().astimezone(UTC).strftime(_TIME)
