"""The API server refuses what an operator wants, or holds what it should have refused.

A quota, missing rights, a spec that an older CRD let in. Leaves out an API server that is away and a namespace that
is going (`test_cluster`).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager

from e2e import judges
from e2e.case import RETRY_SECONDS, Case
from e2e.cluster import Cluster, CommandFailed
from e2e.objects import CRD, nginxpod, pod_quota
from e2e.record import Object, condition_of

# Longer than the longest back-off (15 s): who still retried would have done it in this time.
NO_RETRY_SECONDS = 17.0
# An operator that cannot list pods may end and be started again by the kubelet, with its own back-off.
RECOVERY_SECONDS = 120.0
# How much of a log line goes into the report, in characters.
SHOWN = 200


def test_quota_that_refuses_a_pod_is_reported_and_healed(case: Case) -> None:
    """R12: PodCreateFailed with the server's message; retried with back-off, so lifting the quota is enough."""
    case.apply(pod_quota(1))
    # Until its use has been counted, a quota refuses everything.
    case.until(
        "the quota to be counted",
        lambda: "used" in json.loads(case.kubectl("get", "quota", "pods", "-o", "json"))["status"],
    )
    case.apply(nginxpod("web", replicas=2))
    case.reason("web", "PodCreateFailed", "exceeded quota", timeout=RETRY_SECONDS)
    case.until("the one pod to be counted", lambda: case.seen("web")["status"].get("readyReplicas") == 1, RETRY_SECONDS)
    assert not case.condition("web", "Stalled")

    with case.timed("healed after"):
        case.kubectl("delete", "quota", "pods")
        case.settled("web", RETRY_SECONDS)
    assert judges.event_count(case.record(), "PodCreateFailed", "web") == 1
    assert judges.deleted(case.record()) == []


def test_missing_right_to_create_pods_is_reported_and_healed(case: Case) -> None:
    """R12: PodCreateFailed says what is forbidden, the log has a line for it; granting the right heals without a restart."""
    assert case.operator
    with _without_right(case, "pods", "create"):
        case.apply(nginxpod("web", replicas=1))
        case.reason("web", "PodCreateFailed", "forbidden", "pods", timeout=RETRY_SECONDS)
        line = case.until("a log line about it", lambda: _log_line(case, "forbidden", "web"), timeout=10)
        case.observe("the log says", _message(line), compared=False)
        assert "Traceback" not in line
    with case.timed("healed after"):
        case.settled("web", RETRY_SECONDS)
    assert judges.event_count(case.record(), "PodCreateFailed", "web") == 1


def test_missing_right_to_list_pods_is_reported_and_healed(case: Case) -> None:
    """Contract of a variant: an operator that cannot list pods says so, claims nothing, and works once it may."""
    assert case.operator
    with _without_right(case, "pods", "list"):
        case.operator.restart(wait=False)
        case.apply(nginxpod("web", replicas=1))
        line = case.until("a log line about it", lambda: _log_line(case, "pods", "forbidden", "list"), RETRY_SECONDS)
        case.observe("the log says", _message(line), compared=False)
        case.nothing_happens(3)
        assert condition_of(case.nginxpod("web"), "Ready").get("status") != "True"
        assert not case.operator.is_ready(), "an operator without its caches says that it is ready"
        case.observe("condition meanwhile", condition_of(case.nginxpod("web"), "Ready").get("reason", "none"))
    with case.timed("healed after"):
        case.settled("web", RECOVERY_SECONDS)
        case.operator.wait_ready()


@contextmanager
def _without_right(case: Case, resource: str, verb: str) -> Iterator[None]:
    """Take a verb from the operator's ClusterRole, and give it back at the end."""
    assert case.operator
    role = json.loads(case.kubectl("get", "clusterrole", case.operator.cluster_role, "-o", "json"))
    del role["metadata"]["resourceVersion"]
    weaker = copy.deepcopy(role)
    for rule in weaker["rules"]:
        if resource in rule["resources"]:
            rule["verbs"] = [each for each in rule["verbs"] if each != verb]
    _replace(case.cluster, weaker)
    try:
        yield
    finally:
        _replace(case.cluster, role)


def _replace(cluster: Cluster, obj: Object) -> None:
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(obj))


def _log_line(case: Case, *words: str) -> str | None:
    """The first line of the operator's log since the case began that has all these words."""
    assert case.operator
    lines = case.operator.logs(case.started).splitlines()
    return next((line for line in lines if all(word in line for word in words)), None)


def _message(line: str) -> str:
    """What a JSON log line says and its error, shortened; the line itself when it is none."""
    try:
        fields = json.loads(line)
    except ValueError:
        return line[:SHOWN]
    return ": ".join(str(fields[key]) for key in ("message", "failure", "error") if key in fields)[:SHOWN]


def test_spec_that_an_old_crd_let_in_is_reported_and_touches_no_pod(case: Case) -> None:
    """R13: InvalidSpec and Stalled, the pods stay as they are, nothing is retried until the spec changes."""
    case.apply(nginxpod("web", replicas=1))
    case.settled("web")
    old = case.uids()
    with _loosened_crd(case.cluster):
        _insist(case, "patch", "ngp", "web", "--type=merge", "-p", '{"spec":{"replicas":101}}')
        case.apply(nginxpod("fresh", port=70000))
        for name, field in (("web", "replicas"), ("fresh", "port")):
            case.reason(name, "InvalidSpec", field)
            assert case.condition(name, "Stalled")["status"] == "True"
        # kopf notes that it has handled a change only after the handler; that is no retry.
        case.nothing_happens(2)
        mark = case.audit_log.mark()
        case.nothing_happens(NO_RETRY_SECONDS)
        case.expect_no_writes(mark)
        assert case.uids() == old
        assert judges.event_count(case.record(), "InvalidSpec", "web") == 1
    case.set_spec("web", replicas=2)
    case.set_spec("fresh", port=8080)
    assert not condition_of(case.settled("web"), "Stalled")
    case.settled("fresh")
    assert case.uids()["web-0"] == old["web-0"]


@contextmanager
def _loosened_crd(cluster: Cluster) -> Iterator[None]:
    """The CRD as a forgetful version of it might have been: without the bounds of the numbers."""
    crd = json.loads(cluster.kubectl("get", "crd", CRD, "-o", "json"))
    cluster.kubectl("patch", "crd", CRD, "--type=json", "-p", json.dumps(list(_bounds(crd, "remove"))))
    try:
        yield
    finally:
        cluster.kubectl("patch", "crd", CRD, "--type=json", "-p", json.dumps(list(_bounds(crd, "add"))))


def _bounds(crd: Object, operation: str) -> Iterator[Object]:
    """JSON patch operations that take the numbers' bounds away, or put them back."""
    base = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
    fields = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    for field in ("replicas", "port"):
        for bound in ("minimum", "maximum"):
            path = {"op": operation, "path": f"{base}/{field}/{bound}"}
            yield {**path, "value": fields[field][bound]} if operation == "add" else path


def _insist(case: Case, *command: str) -> None:
    """Repeat a kubectl command until the API server has taken in the new schema."""

    def accepted() -> bool:
        try:
            case.kubectl(*command)
        except CommandFailed:
            return False
        return True

    case.until("the loosened schema to be in force", accepted, timeout=20)
