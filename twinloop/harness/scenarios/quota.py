"""The namespace has no room."""

from twinloop.harness.props import CALM, QUOTAS, pod_quota
from twinloop.harness.scenario import Stage, View

DESCRIPTION = "A quota admits two pods; a user creates a NginxPod with four; later the quota is lifted."
EXPECTATION = (
    "Two pods come, the status says PodCreateFailed and tells of two; the rest is tried again with back-off and comes "
    "when there is room, without any event that would say so."
)
NEEDS = frozenset({"quota"})
# O9 counts refused attempts too, and how many there are is a matter of patience, which is O7's.
DECIDING = tuple(oracle for oracle in (*CALM, "O7") if oracle != "O9")


def story(stage: Stage) -> None:
    """Two of four, then all."""
    stage.make(QUOTAS, pod_quota(2))

    def counted(_: View) -> bool:
        # Until its use has been counted a quota refuses everything.
        return "used" in (stage.get(QUOTAS, "pods") or {}).get("status", {})

    stage.wait(counted)
    stage.create("web", replicas=4)
    stage.expect("web", pods=["web-0", "web-1"], ready=False, reason="PodCreateFailed")
    stage.settle()
    stage.delete("pods", QUOTAS)
    stage.expect("web", pods=4)
