"""Many NginxPods, and an operator with nothing to do.

Numbers that depend on the machine are noted for the report; asserted is what must hold on any. Leaves out load
over time and API server faults.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from e2e import judges
from e2e.audit import counts
from e2e.case import Case
from e2e.objects import nginxpod
from e2e.record import Unchecked, condition_of
from twinloop.kube import NGINXPODS

MANY = 30
HUNDRED = 100
# 30 pods through one kubelet on two cores.
MANY_SECONDS = 180.0
HUNDRED_SECONDS = 90.0
IDLE_SECONDS = 60.0
# What the design allows the handwritten operator while nothing happens, as a part of one core.
IDLE_CPU = 0.01
MEBIBYTE = 1024 * 1024


def _create_at_once(case: Case, names: list[str], replicas: int) -> None:
    """Create NginxPods as fast as the API server takes them."""
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda name: case.cluster.client.create(NGINXPODS, nginxpod(name, replicas=replicas), case.namespace),
                names,
            )
        )


def _ready_count(case: Case) -> int:
    found = case.recorder.state("nginxpods").values()
    return sum(condition_of(each, "Ready").get("status") == "True" for each in found)


def test_thirty_nginxpods_at_once(case: Case) -> None:
    """R1, R14: each gets exactly its pod, once; none is deleted; all become Ready."""
    names = [f"web-{number:02}" for number in range(MANY)]
    with case.timed("all Ready after"):
        _create_at_once(case, names, replicas=1)
        case.until("all to be Ready", lambda: _ready_count(case) == MANY, MANY_SECONDS)
    assert sorted(judges.created(case.record())) == sorted(f"{name}-0" for name in names)
    assert judges.deleted(case.record()) == []
    case.until("an Event for each", lambda: _told(case, names) == {1}, timeout=20)


def _told(case: Case, names: list[str]) -> set[int]:
    """How often PodCreated was reported, over all names."""
    record = case.record()
    return {judges.event_count(record, "PodCreated", name) for name in names}


def test_hundred_nginxpods_without_pods(case: Case) -> None:
    """R10: 100 NginxPods that want nothing are Ready at once and cost no pod; the operator's memory is noted."""
    assert case.operator
    names = [f"empty-{number:03}" for number in range(HUNDRED)]
    with case.timed("all Ready after"):
        _create_at_once(case, names, replicas=0)
        case.until("all to be Ready", lambda: _ready_count(case) == HUNDRED, HUNDRED_SECONDS)
    assert case.pods() == {}
    memory = case.operator.metric("process_resident_memory_bytes")
    case.observe("memory at 100 NginxPods", memory / MEBIBYTE, "MiB")


def test_idle_operator_writes_nothing(case: Case) -> None:
    """R14: 60 s without a change bring no write; the handwritten one sends nothing but reopened watches, under 1 % CPU."""
    assert case.operator
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    case.wait_for_other_namespaces_to_be_gone()
    case.nothing_happens(5)

    mark, since, cpu = case.audit_log.mark(), time.monotonic(), case.operator.metric("process_cpu_seconds_total")
    case.nothing_happens(IDLE_SECONDS)
    used = (case.operator.metric("process_cpu_seconds_total") - cpu) / (time.monotonic() - since)
    requests = case.audit_log.since(mark)
    if requests is None:
        raise Unchecked("the API server of this cluster keeps no audit log")

    case.observe("idle CPU", used * 100, "% of a core")
    case.observe("requests in 60 s", ", ".join(f"{kind} {count}" for kind, count in counts(requests).items()) or "none")
    assert [str(request) for request in requests if request.is_write] == []
    assert judges.writes(case.record(), since) == []
    if case.operator.variant == "handwritten":
        assert counts(requests).keys() <= {"watch nginxpods", "watch pods"}
        assert used < IDLE_CPU
