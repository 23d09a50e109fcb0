"""What happens while no operator runs, and what an operator does when it comes (back).

Both loops are level-triggered by design: it must not matter which changes they missed. Leaves out an API server
that is away (`test_cluster`).
"""

from __future__ import annotations

import time

from e2e import judges
from e2e.case import Case
from e2e.objects import MAINLINE, nginxpod

# After the operator says that it is ready: the time in which a loop that writes needlessly would have done it.
# kopf holds back writes for up to 5 s (its consistency time-out), so this is twice as long.
QUIET_SECONDS = 10.0


def test_nginxpod_deleted_while_the_operator_is_down(case: Case) -> None:
    """R9: no finalizer, so nobody has to be there: NginxPod and pods go, and nothing comes back with the operator."""
    assert case.operator
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    case.operator.stop()
    with case.timed("gone after"):
        case.kubectl("delete", "ngp/web", "--timeout=20s")
        case.until("its pods to be gone", lambda: not case.pods())
    mark = case.audit_log.mark()
    case.operator.start()
    case.nothing_happens(3)
    assert not case.pods()
    case.expect_no_writes(mark)


def test_changes_made_while_the_operator_is_down_are_caught_up(case: Case) -> None:
    """R1, R5, R7: one NginxPod scaled and changed, one robbed of a pod, one made: all right soon after the start."""
    assert case.operator
    case.apply(nginxpod("changed", replicas=2), nginxpod("robbed", replicas=2))
    case.settled("changed")
    case.settled("robbed")
    old = case.uids()

    case.operator.stop()
    case.set_spec("changed", replicas=3, image=MAINLINE)
    case.kubectl("delete", "pod", "robbed-1")
    case.apply(nginxpod("new", replicas=1))
    started = time.monotonic()
    case.operator.start()
    with case.timed("caught up after its start in"):
        for name in ("new", "robbed", "changed"):
            case.settled(name, timeout=90)

    assert case.uids()["robbed-0"] == old["robbed-0"]
    assert {case.pod(f"changed-{i}")["spec"]["containers"][0]["image"] for i in range(3)} == {MAINLINE}
    # changed-2 is new and empty at first; of the two that serve, one is taken at a time.
    assert judges.most_down(case.record(), ["changed-0", "changed-1"], since=started).count == 1


def test_restarted_operator_writes_nothing(case: Case) -> None:
    """R14, R15: after a restart everything is looked at again and found right: no write, no Event, no new pod."""
    assert case.operator
    case.apply(nginxpod("web", replicas=2), nginxpod("empty", replicas=0))
    case.settled("web")
    case.settled("empty")
    case.wait_for_other_namespaces_to_be_gone()
    case.nothing_happens(2)

    mark, since = case.audit_log.mark(), time.monotonic()
    with case.timed("operator ready again after"):
        case.operator.restart()
    case.nothing_happens(QUIET_SECONDS)
    case.expect_no_writes(mark, everywhere=True)
    assert judges.writes(case.record(), since) == []
