"""The operator of one variant, as `make deploy` put it into the cluster.

Stops, starts and restarts it, reads its logs and metrics. Both variants are a Deployment with one pod, so all of
this is the same for each; only the names in `Deployment` differ.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from e2e.cluster import Cluster, CommandFailed
from e2e.objects import OPERATOR_NAMESPACE
from e2e.record import Object, is_ready, is_terminating, name_of
from twinloop.kube import PODS

METRICS_PORT = 8080
# Python, its imports, the first lists, and a readiness probe, on a busy machine.
START_SECONDS = 60.0
# The contract is 10 s for SIGTERM; the kubelet needs a moment more to report it.
STOP_SECONDS = 40.0
POLL_SECONDS = 0.2


class Deployment:
    """One variant's operator in the cluster."""

    def __init__(self, cluster: Cluster, variant: str) -> None:
        self.cluster = cluster
        self.variant = variant
        self.name = f"twinloop-{variant}"
        self.cluster_role = self.name

    # --- to and fro ---------------------------------------------------------------------------------------------------

    def deploy(self) -> None:
        """`make deploy`, then wait until the operator says that it is ready."""
        self.cluster.make("deploy", VARIANT=self.variant)
        self.wait_ready()

    def undeploy(self) -> None:
        """`make undeploy`; nothing to do is no error."""
        self.cluster.make("undeploy", VARIANT=self.variant)

    def stop(self) -> None:
        """Scale to 0 and wait until its process is gone."""
        self._kubectl("scale", f"deployment/{self.name}", "--replicas=0")
        _until("the operator to be gone", STOP_SECONDS, lambda: not self.pods())

    def start(self) -> None:
        """Scale to 1 and wait until it is ready."""
        self._kubectl("scale", f"deployment/{self.name}", "--replicas=1")
        self.wait_ready()

    def restart(self, wait: bool = True) -> None:
        """Delete its pod; the Deployment makes another. With `wait`, until that one is ready."""
        old = {name_of(pod) for pod in self.pods()}
        self._kubectl("delete", "pod", *sorted(old), "--wait=false")
        _until("the old operator to be gone", STOP_SECONDS, lambda: not old & {name_of(pod) for pod in self.pods()})
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout: float = START_SECONDS) -> None:
        """Until one pod of it is ready and no other is there."""
        _until(f"operator {self.variant} to be ready", timeout, self.is_ready)

    def is_ready(self) -> bool:
        """Whether exactly one operator runs and its probe says ready."""
        pods = self.pods()
        return len(pods) == 1 and is_ready(pods[0])

    # --- looking at it ------------------------------------------------------------------------------------------------

    def pods(self) -> list[Object]:
        """Its pods, also those that are on their way out."""
        found = self.cluster.client.list_all(
            PODS, OPERATOR_NAMESPACE, label_selector=f"twinloop.dev/variant={self.variant}"
        )
        return list(found["items"])

    def running_pod(self) -> Object:
        """The pod that is not on its way out."""
        return next(pod for pod in self.pods() if not is_terminating(pod))

    def restarts(self) -> int:
        """How often the kubelet has started its container again."""
        statuses = (self.running_pod().get("status") or {}).get("containerStatuses") or []
        return sum(int(status.get("restartCount", 0)) for status in statuses)

    def logs(self, since: datetime | None = None) -> str:
        """What it logged since then, the previous container of the same pod included; "" when it has no pod."""
        start = [f"--since-time={since.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}"] if since else []
        texts = []
        for pod in self.pods():
            for previous in ("--previous=true", "--previous=false"):
                try:
                    texts.append(self._kubectl("logs", name_of(pod), previous, *start))
                except CommandFailed:
                    # No previous container, or none that has started yet.
                    continue
        return "".join(texts)

    def metric(self, name: str) -> float:
        """One sample without labels of its /metrics, read through the API server's proxy."""
        page = self.cluster.page(OPERATOR_NAMESPACE, name_of(self.running_pod()), METRICS_PORT, "/metrics")
        match = re.search(rf"^{name} ([0-9.e+-]+)$", page.body, re.MULTILINE)
        if not match:
            raise LookupError(f"{self.variant} shows no {name} on /metrics (HTTP {page.status})")
        return float(match[1])

    def _kubectl(self, *args: str) -> str:
        return self.cluster.kubectl("-n", OPERATOR_NAMESPACE, *args)


def _until(what: str, timeout: float, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s for {what}")
        time.sleep(POLL_SECONDS)
