"""What can be done to a pod besides writing it: binding, eviction, log, each with the answers of a real API server.

Leaves out: what the kubelet does with the outcome (test_kubelet.py), and PodDisruptionBudgets, which are not modelled.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.live_server import LiveServer, pod

PODS = "/api/v1/namespaces/here/pods"
NODE = {"kind": "Node", "name": "n1"}
SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("serviceaccounts", "kubelet")
    found.namespace("here")
    found.create(PODS, pod("a"))
    return found


def bind(live: LiveServer, name: str = "a", target: Any = None, query: str = "", **metadata: Any) -> Any:
    body = {"metadata": {"name": name, **metadata}, "target": target or NODE}
    return json.loads(live.ask("POST", f"{PODS}/{name}/binding{query}", body).body)


def evict(live: LiveServer, name: str = "a", query: str = "", version: str = "policy/v1", **more: Any) -> Any:
    body = {"apiVersion": version, "kind": "Eviction", "metadata": {"name": name}, **more}
    return json.loads(live.ask("POST", f"{PODS}/{name}/eviction{query}", body).body)


# ------------------------------------------------------------------ binding


def test_binding_gives_the_pod_its_node(live: LiveServer) -> None:
    assert bind(live) == SUCCESS
    assert live.get(f"{PODS}/a")["spec"]["nodeName"] == "n1"


def test_a_pod_is_bound_once(live: LiveServer) -> None:
    bind(live)
    again = bind(live)
    assert (again["code"], again["reason"]) == (409, "Conflict")
    assert again["message"] == (
        'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"'
    )
    assert again["details"] == {"name": "a", "kind": "pods/binding"}


def test_a_pod_that_is_going_is_not_bound(live: LiveServer) -> None:
    live.create(PODS, pod("held") | {"metadata": {"name": "held", "finalizers": ["example.com/x"]}})
    live.delete(f"{PODS}/held")
    assert "is being deleted, cannot be assigned to a host" in bind(live, "held")["message"]


def test_a_gated_pod_is_not_bound(live: LiveServer) -> None:
    live.create(PODS, pod("gated", schedulingGates=[{"name": "example.com/gate"}]))
    assert bind(live, "gated")["message"].endswith("pod gated has non-empty .spec.schedulingGates")


def test_a_binding_can_carry_labels_and_annotations(live: LiveServer) -> None:
    bind(live, labels={"rack": "7"}, annotations={"why": "because"})
    meta = live.get(f"{PODS}/a")["metadata"]
    assert (meta["labels"], meta["annotations"]) == ({"rack": "7"}, {"why": "because"})


def test_a_dry_run_binds_nothing(live: LiveServer) -> None:
    assert bind(live, query="?dryRun=All") == SUCCESS
    assert "nodeName" not in live.get(f"{PODS}/a")["spec"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"kind": "Pod", "name": "x"}, 'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"'),
        ({"kind": "Node"}, "target.name: Required value"),
    ],
)
def test_a_target_that_is_no_node_is_refused(live: LiveServer, target: Any, message: str) -> None:
    answer = bind(live, target=target)
    assert (answer["code"], answer["message"]) == (500, message)


def test_a_binding_is_about_the_pod_in_the_path(live: LiveServer) -> None:
    answer = live.refused("POST", f"{PODS}/a/binding", {"metadata": {"name": "b"}, "target": NODE})
    assert answer == (400, "name in URL does not match name in Binding object")
    assert bind(live, "nobody")["message"] == 'pods "nobody" not found'


def test_a_binding_can_be_sent_to_the_collection(live: LiveServer) -> None:
    bindings = "/api/v1/namespaces/here/bindings"
    body = {"metadata": {"name": "a"}, "target": NODE}
    assert json.loads(live.ask("POST", bindings, body).body) == SUCCESS
    assert live.get(f"{PODS}/a")["spec"]["nodeName"] == "n1"
    assert live.refused("GET", bindings)[0] == 405
    assert live.refused("POST", bindings, {"target": NODE}) == (400, "Name parameter required.")


def test_a_binding_may_name_the_uid(live: LiveServer) -> None:
    uid = live.get(f"{PODS}/a")["metadata"]["uid"]
    wrong = bind(live, uid="abc")
    assert wrong["code"] == 409
    assert f"Precondition failed: UID in precondition: abc, UID in object meta: {uid}" in wrong["message"]
    assert bind(live, uid=uid) == SUCCESS


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_there_is_nothing_else_to_do_with_a_binding(live: LiveServer, method: str) -> None:
    assert live.refused(method, f"{PODS}/a/binding")[0] == 405


# ------------------------------------------------------------------ eviction


def test_an_evicted_pod_is_deleted_with_its_grace(live: LiveServer) -> None:
    live.patch(f"{PODS}/a", {"metadata": {"annotations": {"kubelet.twinloop.dev/stop-after": "5"}}})
    live.create(PODS, pod("b", nodeName="node-0"))
    live.settle(5)
    assert evict(live, "b") == SUCCESS
    assert live.get(f"{PODS}/b")["metadata"]["deletionGracePeriodSeconds"] == 30
    live.settle(5)
    assert not live.exists(f"{PODS}/b")


@pytest.mark.parametrize("version", ["policy/v1", "policy/v1beta1"])
def test_a_pod_that_does_not_run_goes_at_once(live: LiveServer, version: str) -> None:
    assert evict(live, version=version) == SUCCESS
    assert not live.exists(f"{PODS}/a")


def test_eviction_takes_the_options_of_a_delete(live: LiveServer) -> None:
    live.create(PODS, pod("b", nodeName="node-0"))
    live.settle(5)
    evict(live, "b", deleteOptions={"gracePeriodSeconds": 7})
    assert live.get(f"{PODS}/b")["metadata"]["deletionGracePeriodSeconds"] == 7
    wrong = evict(live, deleteOptions={"preconditions": {"uid": "xx"}})
    assert wrong["code"] == 409
    assert wrong["message"].startswith('Operation cannot be fulfilled on Pod "a": the UID in the precondition (xx)')


@pytest.mark.parametrize("how", [{"query": "?dryRun=All"}, {"deleteOptions": {"dryRun": ["All"]}}])
def test_a_dry_run_evicts_nobody(live: LiveServer, how: dict[str, Any]) -> None:
    assert evict(live, **how) == SUCCESS
    assert live.exists(f"{PODS}/a")


def test_an_eviction_is_about_the_pod_in_the_path(live: LiveServer) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}}
    assert live.refused("POST", f"{PODS}/a/eviction", body) == (
        400,
        "name in URL does not match name in Eviction object",
    )
    assert evict(live, "nobody")["message"] == 'pods "nobody" not found'


# ------------------------------------------------------------------ log


@pytest.fixture
def running(live: LiveServer) -> LiveServer:
    containers = [{"name": "one", "image": "web:1"}, {"name": "two", "image": "web:1"}]
    live.create(PODS, pod("web", nodeName="node-0"))
    live.create(PODS, pod("pair", nodeName="node-0", containers=containers))
    live.settle(5)
    return live


def log(live: LiveServer, name: str, query: str = "") -> str:
    answer = live.ask("GET", f"{PODS}/{name}/log{query}")
    assert (answer.code, answer.content_type) == (200, "text/plain"), answer.body
    return answer.body.decode()


def test_a_running_container_has_a_log(running: LiveServer) -> None:
    assert log(running, "web").startswith("main of web started\n")
    assert log(running, "pair", "?container=two").startswith("two of pair started\n")


def test_a_log_can_be_cut(running: LiveServer) -> None:
    assert log(running, "web", "?tailLines=1").count("\n") == 1
    assert log(running, "web", "?tailLines=0") == ""
    assert log(running, "web", "?limitBytes=4") == "main"


def test_a_pod_without_a_node_has_an_empty_log(running: LiveServer) -> None:
    assert log(running, "a") == ""


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("nobody/log", 404, 'pods "nobody" not found'),
        ("web/log?container=zz", 400, "container zz is not valid for pod web"),
        ("pair/log", 400, "a container name must be specified for pod pair, choose one of: [one two]"),
        ("web/log?previous=true", 400, 'previous terminated container "main" in pod "web" not found'),
        ("web/log?tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            "web/log?tailLines=-1",
            422,
            'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
        ),
        (
            "web/log?limitBytes=0",
            422,
            'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
        ),
        (
            "web/log?sinceSeconds=3&sinceTime=2020-01-01T00:00:00Z",
            422,
            'PodLogOptions "web" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
        ),
    ],
)
def test_a_log_that_cannot_be_had(running: LiveServer, path: str, code: int, message: str) -> None:
    assert running.refused("GET", f"{PODS}/{path}") == (code, message)


def test_a_container_that_waits_has_no_log(live: LiveServer) -> None:
    live.create(PODS, pod("new", nodeName="node-0"))
    live.settle()
    assert live.refused("GET", f"{PODS}/new/log") == (
        400,
        'container "main" in pod "new" is waiting to start: ContainerCreating',
    )


def test_an_image_that_cannot_be_pulled_is_the_reason_given(live: LiveServer) -> None:
    live.create(PODS, pod("bad", nodeName="node-0", containers=[{"name": "main", "image": "does-not-exist:1"}]))
    live.settle(5)
    _, message = live.refused("GET", f"{PODS}/bad/log")
    assert message == 'container "main" in pod "bad" is waiting to start: trying and failing to pull image'


def test_a_container_that_backs_off_has_the_log_of_its_last_run(live: LiveServer) -> None:
    live.create(PODS, pod("c", nodeName="node-0", annotations={"kubelet.twinloop.dev/crashes": "loop"}))
    live.settle(30)
    assert "CrashLoopBackOff" in str(live.get(f"{PODS}/c")["status"])
    assert log(live, "c").startswith("main of c started\n")


def test_a_crashed_container_has_a_previous_log(live: LiveServer) -> None:
    live.create(PODS, pod("c", nodeName="node-0", annotations={"kubelet.twinloop.dev/crashes": "1"}) | {})
    live.settle(10)
    assert "crashed" in log(live, "c", "?previous=true")
