"""One case: a namespace of its own, a record of all that happens there, and the words that tests are written in.

`conftest` opens a case around each test and gives its findings to `report`. Waiting is done on what the recorder has
seen, so a condition is met within milliseconds of its watch event and costs no request.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from e2e import audit
from e2e.cluster import Cluster, Page
from e2e.deployment import Deployment
from e2e.findings import Observation
from e2e.record import Object, Record, Unchecked, condition_of, is_ready, is_terminating, name_of
from e2e.recorder import Recorder
from twinloop.errors import NotFound
from twinloop.kube import NAMESPACES, NGINXPODS, PODS

T = TypeVar("T")

# A pod is ready after 2 to 4 s on an idle machine; the rest is for a busy one.
READY_SECONDS = 45.0
# Where a failed attempt comes first, the back-off (at most 15 s in both variants) comes on top of the pod's own time.
RETRY_SECONDS = 60.0
# At the end of a case its requests are counted when none has come for QUIET_SECONDS, or after TRAIL_SECONDS.
QUIET_SECONDS = 0.5
TRAIL_SECONDS = 5.0


@dataclass
class Case:
    """What a test acts and looks through. `operator` is None where the case needs no variant."""

    cluster: Cluster
    namespace: str
    recorder: Recorder
    audit_log: audit.AuditLog
    operator: Deployment | None = None
    observations: list[Observation] = field(default_factory=list)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    audit_mark: int | None = None

    # --- what users do ------------------------------------------------------------------------------------------------

    def kubectl(self, *args: str, timeout: float = 120.0) -> str:
        """kubectl in the case's namespace."""
        return self.cluster.kubectl("-n", self.namespace, *args, timeout=timeout)

    def apply(self, *objects: Object) -> None:
        """`kubectl apply` of these objects into the case's namespace."""
        self.cluster.apply(*objects, namespace=self.namespace)

    def patch(self, resource: str, name: str, patch: Object) -> None:
        """`kubectl patch` with a strategic (pods) or merge (NginxPods) patch."""
        kind = "strategic" if resource == "pod" else "merge"
        self.kubectl("patch", resource, name, f"--type={kind}", "-p", json.dumps(patch))

    def set_spec(self, name: str, **spec: object) -> None:
        """Change fields of a NginxPod's spec."""
        self.patch("ngp", name, {"spec": spec})

    # --- what there is ------------------------------------------------------------------------------------------------

    def nginxpod(self, name: str) -> Object:
        """The NginxPod, fresh from the API server."""
        return self.cluster.client.get(NGINXPODS, name, self.namespace)

    def pod(self, name: str) -> Object:
        """A pod, fresh from the API server."""
        return self.cluster.client.get(PODS, name, self.namespace)

    def exists(self, name: str) -> bool:
        """Whether there is a NginxPod of this name, asked freshly."""
        try:
            self.nginxpod(name)
        except NotFound:
            return False
        return True

    def pods(self) -> dict[str, Object]:
        """All pods of the namespace by name, as last seen by the recorder."""
        return self.recorder.state("pods")

    def seen(self, name: str) -> Object:
        """A NginxPod as last seen by the recorder; {} while it has not been seen."""
        return self.recorder.state("nginxpods").get(name, {})

    def condition(self, name: str, type_: str = "Ready") -> Object:
        """A condition of a NginxPod as last seen; {} while it is absent."""
        return condition_of(self.seen(name), type_)

    def uids(self) -> dict[str, str]:
        """Pod name -> uid of all pods as last seen."""
        return {name: str(pod["metadata"]["uid"]) for name, pod in self.pods().items()}

    def page(self, pod: str, port: int = 8080) -> Page:
        """What nginx in a pod answers."""
        return self.cluster.page(self.namespace, pod, port)

    def record(self) -> Record:
        """All that was recorded so far, for the judges."""
        return self.recorder.record()

    # --- waiting ------------------------------------------------------------------------------------------------------

    def until(self, what: str, condition: Callable[[], T | None], timeout: float = READY_SECONDS) -> T:
        """Wait for a condition over the latest state; fails with what there was instead."""
        answer = self.recorder.wait(condition, timeout)
        if not answer:
            raise AssertionError(f"waited {timeout:.0f} s for {what}; there is\n{self.describe()}")
        return answer

    def settled(self, name: str, timeout: float = READY_SECONDS) -> Object:
        """Wait until the NginxPod is Ready for its present generation, and check R10 and R2 of that state.

        The generation is read first: a Ready that stands from before the last change of the spec is not believed.
        """
        generation = self.nginxpod(name)["metadata"]["generation"]
        found = self.until(f"{name} to be Ready", lambda: self._ready_for(name, generation), timeout)
        self._check_status(name, found)
        return found

    def _ready_for(self, name: str, generation: int) -> Object | None:
        found = self.seen(name)
        status = found.get("status") or {}
        ready = condition_of(found, "Ready").get("status") == "True"
        return found if ready and status.get("observedGeneration", -1) >= generation else None

    def _check_status(self, name: str, found: Object) -> None:
        status, wanted = found["status"], found["spec"].get("replicas", 1)
        assert condition_of(found, "Ready")["reason"] == "AllReady"
        assert not condition_of(found, "Stalled"), "Stalled is only there while it is True"
        assert (status.get("replicas"), status.get("readyReplicas")) == (wanted, wanted)
        # The pods' watch may be a moment behind the NginxPod's.
        names = [f"{name}-{ordinal}" for ordinal in range(wanted)]
        self.until(f"exactly {names} to exist and be ready", lambda: self._ready_pods(name) == sorted(names), timeout=5)

    def _ready_pods(self, name: str) -> list[str]:
        """The names of the NginxPod's pods, in order; an unready or terminating one spoils the list."""
        pods = self.owned(name)
        return sorted(name_of(pod) if is_ready(pod) else f"{name_of(pod)} (not ready)" for pod in pods)

    def owned(self, name: str) -> list[Object]:
        """The pods whose controller is this NginxPod, as last seen, those that terminate included."""
        uid = self.seen(name).get("metadata", {}).get("uid")
        return [
            pod
            for pod in self.pods().values()
            for owner in pod["metadata"].get("ownerReferences") or []
            if owner["uid"] == uid
        ]

    def reason(self, name: str, reason: str, *fragments: str, timeout: float = READY_SECONDS) -> Object:
        """Wait until Ready is False for this reason with all fragments in its message; gives the condition."""

        def shown() -> Object | None:
            condition = self.condition(name)
            fits = condition.get("status") == "False" and condition.get("reason") == reason
            return condition if fits and all(text in condition.get("message", "") for text in fragments) else None

        return self.until(f"{name} to be not Ready: {reason} {list(fragments)}", shown, timeout)

    def nothing_happens(self, seconds: float) -> tuple[float, float]:
        """Let time pass; gives the window to judge. For statements about what does *not* happen, and only those."""
        since = time.monotonic()
        time.sleep(seconds)
        return since, time.monotonic()

    # --- findings -----------------------------------------------------------------------------------------------------

    def observe(self, name: str, value: float | str, unit: str = "", *, compared: bool = True) -> None:
        """Note a finding for the report."""
        self.observations.append(Observation(name, value, unit, compared))

    @contextmanager
    def timed(self, name: str, *, compared: bool = True) -> Iterator[None]:
        """Note how many seconds the block took, if it came to its end."""
        start = time.monotonic()
        yield
        self.observe(name, time.monotonic() - start, "s", compared=compared)

    def requests(self, mark: int | None = None) -> list[audit.Request] | None:
        """The operator's requests about this namespace since the mark (default: all of the case); None = no audit log."""
        found = self.audit_log.since(self.audit_mark if mark is None else mark)
        return None if found is None else [request for request in found if request.namespace == self.namespace]

    def all_requests(self) -> list[audit.Request] | None:
        """The requests of the whole case, once no more come: Events and a last status may trail behind."""
        deadline = time.monotonic() + TRAIL_SECONDS
        found = self.requests()
        while found is not None and time.monotonic() < deadline:
            time.sleep(QUIET_SECONDS)
            before, found = len(found), self.requests()
            if found is not None and len(found) == before:
                break
        return found

    def expect_no_writes(self, mark: int | None, *, everywhere: bool = False) -> None:
        """Fail if the operator wrote about this namespace (or `everywhere`) since the mark; Leases do not count.

        Raises:
            Unchecked: there is no audit log, so nobody knows.
        """
        found = self.audit_log.since(mark)
        if found is None:
            raise Unchecked("the API server of this cluster keeps no audit log")
        writes = [each for each in found if each.is_write and (everywhere or each.namespace == self.namespace)]
        assert not writes, (
            f"the operator wrote: {[f'{each} {each.namespace}/{each.name} ({each.code})' for each in writes]}"
        )

    def wait_for_other_namespaces_to_be_gone(self) -> None:
        """Until the namespaces of earlier cases are deleted, so that what an operator does is done for this case."""

        def others() -> list[str]:
            found = self.cluster.client.list_all(NAMESPACES, label_selector="twinloop.dev/e2e=case")["items"]
            return [name_of(each) for each in found if name_of(each) != self.namespace]

        self.until("earlier namespaces to be gone", lambda: not others(), timeout=120)

    def describe(self) -> str:
        """The state as last seen, in a few lines for a failure's message."""
        lines = [f"  nginxpod {name}: {_status_line(obj)}" for name, obj in self.recorder.state("nginxpods").items()]
        lines += [f"  pod {name}: {_pod_line(pod)}" for name, pod in sorted(self.pods().items())]
        return "\n".join(lines[:40]) or "  nothing"


def _status_line(nginxpod: Object) -> str:
    status = nginxpod.get("status") or {}
    conditions = [
        f"{each['type']}={each['status']} ({each['reason']}: {each.get('message', '')})"
        for each in status.get("conditions") or []
    ]
    generation = nginxpod["metadata"].get("generation")
    return (
        f"generation {generation}, observed {status.get('observedGeneration')}, replicas {status.get('replicas')}, "
        f"ready {status.get('readyReplicas')}, {'; '.join(conditions) or 'no condition'}"
    )


def _pod_line(pod: Object) -> str:
    phase = (pod.get("status") or {}).get("phase")
    words = ["terminating"] if is_terminating(pod) else []
    return ", ".join([f"{phase}", "ready" if is_ready(pod) else "not ready", *words])
