"""Two replicas of the handwritten operator: who works, what a standby costs, and how long nobody works after a death.

Needs no variant beside it, so it deploys its own. kopf has no leader election by Lease. Leaves out an API server that is
away for longer than the renew deadline (`tests/unit/handwritten/test_leaderelection.py` plays that on a fake clock).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.case import Case
from e2e.cluster import Cluster
from e2e.deployment import Deployment
from e2e.objects import OPERATOR_NAMESPACE, nginxpod
from e2e.record import Object, is_ready, name_of
from twinloop.errors import NotFound
from twinloop.kube import LEASES

LEASE = "twinloop-handwritten"
START_SECONDS = 90.0
# A lease lasts 15 s from its last renewal, a candidate looks every 2 to 4.4 s; the rest is for a busy machine.
TAKE_OVER_SECONDS = 30.0
RELEASE_SECONDS = 10.0
# For a node's own shell, whatever container tools it has: every process of a pod has the pod's name in HOSTNAME.
KILL = """
for process in /proc/[0-9]*; do
  if tr '\\0' '\\n' <$process/environ | grep -qx "HOSTNAME=$1" && tr '\\0' ' ' <$process/cmdline | grep -q handwritten; then
    kill -9 ${process#/proc/} && echo ${process#/proc/}
  fi
done 2>/dev/null
true
"""


class Pair(Deployment):
    """The handwritten operator with its standby."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, "handwritten")

    def deploy(self) -> None:
        """`make deploy LEADER_ELECT=1`, then wait until both say that they are ready."""
        self.cluster.make("deploy", VARIANT=self.variant, LEADER_ELECT="1")
        self.wait_ready(START_SECONDS)

    def is_ready(self) -> bool:
        """Whether both replicas are ready, one leads, and nothing is left of earlier ones."""
        pods = self.pods()
        return len(pods) == 2 and all(map(is_ready, pods)) and self.leader() in {name_of(pod) for pod in pods}

    def lease(self) -> Object:
        """The spec of the Lease; {} while there is none."""
        try:
            return dict(self.cluster.client.get(LEASES, LEASE, OPERATOR_NAMESPACE)["spec"])
        except NotFound:
            return {}

    def holder(self) -> str:
        """Who the Lease names, "" for nobody: the pod's name and a suffix of the process's own."""
        return str(self.lease().get("holderIdentity") or "")

    def leader(self) -> str:
        """The name of the pod that leads, "" for none."""
        return self.holder().partition("_")[0]

    def kill_leader(self) -> str:
        """Let the leader die without a word. Returns its identity.

        With SIGKILL on the node: any way of deleting the pod lets the kubelet send SIGTERM first, and a leader that gets
        one gives the Lease back.
        """
        holder = self.holder()
        killed = self.cluster.on_node("sh", "-c", KILL, "sh", self.leader())
        assert killed.strip(), "no process of the leader was found on the node"
        return holder

    def end_leader(self) -> str:
        """Ask the leader to end, as a drained node does. Returns its identity."""
        holder = self.holder()
        self._kubectl("delete", "pod", self.leader(), "--wait=false")
        return holder


@pytest.fixture(scope="module")
def pair(cluster: Cluster) -> Iterator[Pair]:
    """Both replicas, deployed for the cases of this module."""
    found = Pair(cluster)
    try:
        found.deploy()
        yield found
    finally:
        found.undeploy()


def test_the_leader_works_and_the_standby_is_ready(bare_case: Case, pair: Pair) -> None:
    """One Lease, one worker, and both replicas answer their probes."""
    bare_case.apply(nginxpod("web", replicas=2))
    bare_case.settled("web")
    assert pair.lease()["leaseDurationSeconds"] == 15
    assert pair.is_ready()


def test_a_leader_that_dies_is_succeeded_within_its_lease(bare_case: Case, pair: Pair) -> None:
    """R1, R7: what is asked for while nobody leads is done as soon as somebody does, once and not twice."""
    bare_case.apply(nginxpod("before", replicas=1))
    bare_case.settled("before")
    old = bare_case.uids()
    transitions = pair.lease()["leaseTransitions"]

    dead = pair.kill_leader()
    bare_case.apply(nginxpod("after", replicas=1))
    with bare_case.timed("take-over after a death", compared=False):
        bare_case.until("somebody else to lead", lambda: pair.holder() not in {dead, ""}, TAKE_OVER_SECONDS)
    bare_case.settled("after")
    assert pair.lease()["leaseTransitions"] == transitions + 1
    assert bare_case.uids()["before-0"] == old["before-0"]
    pair.wait_ready(START_SECONDS)


def test_a_leader_that_is_asked_to_end_hands_over_at_once(bare_case: Case, pair: Pair) -> None:
    """It releases the Lease, so nobody waits for that to run out."""
    gone = pair.end_leader()
    bare_case.apply(nginxpod("web", replicas=1))
    with bare_case.timed("take-over after an orderly end", compared=False):
        bare_case.until("somebody else to lead", lambda: pair.holder() not in {gone, ""}, TAKE_OVER_SECONDS)
    seconds = next(each.value for each in bare_case.observations if each.name == "take-over after an orderly end")
    assert isinstance(seconds, float)
    assert seconds < RELEASE_SECONDS + 10  # up to 10 s for the process to end, then a look at the Lease
    bare_case.settled("web")
    pair.wait_ready(START_SECONDS)
