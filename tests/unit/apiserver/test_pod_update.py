"""What may change in a pod that exists. The messages, diffs included, are those of kube-apiserver v1.34.4.

Left out: metadata (test_metadata), the subresources binding and eviction (test_pod_subresources).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.builtin_kinds import created, kind_of, pod, update_errors, updated
from twinloop.apiserver.builtin.podspec import internal, update

PODS = kind_of("Pod")
INIT = {"name": "init", "image": "busybox"}
ALLOWED = (
    "spec: Forbidden: pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


@pytest.fixture
def old() -> Any:
    return created(
        PODS, pod({"initContainers": [INIT]}, env=[{"name": "A", "value": "b"}], ports=[{"containerPort": 80}])
    )


def errors(old: Any, change: Any) -> Any:
    body = copy.deepcopy(old)
    change(body["spec"])
    return update_errors(PODS, old, body)


def test_nothing_changed_is_nothing_wrong(old: Any) -> None:
    assert errors(old, lambda spec: None) == []


def test_images_may_change(old: Any) -> None:
    def change(spec: Any) -> None:
        spec["containers"][0]["image"] = spec["initContainers"][0]["image"] = "other"

    assert errors(old, change) == []


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("", ["spec.containers[0].image: Required value"] * 2),
        (" x", ['spec.containers[0].image: Invalid value: " x": must not have leading or trailing whitespace'] * 2),
    ],
)
def test_a_changed_image_is_checked_by_two_rules(old: Any, image: Any, expected: Any) -> None:
    assert errors(old, lambda spec: spec["containers"][0].update(image=image)) == expected


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_containers_come_and_go_with_the_pod(old: Any, kind: Any) -> None:
    expected = [f"spec.{kind}: Forbidden: pod updates may not add or remove containers"]
    assert errors(old, lambda spec: spec[kind].append({"name": "more", "image": "x"})) == expected


def difference(old: Any, change: Any) -> Any:
    (found,) = errors(old, change)
    assert found.startswith(ALLOWED)
    return found.removeprefix(ALLOWED)


def test_another_field_is_shown_as_a_difference(old: Any) -> None:
    assert (
        difference(old, lambda spec: spec.update(hostname="h"))
        == """\
@@ -110,7 +110,7 @@
   "SELinuxChangePolicy": null
  },
  "ImagePullSecrets": null,
- "Hostname": "",
+ "Hostname": "h",
  "Subdomain": "",
  "SetHostnameAsFQDN": null,
  "Affinity": null,
"""
    )


def test_every_difference_is_shown_where_it_is(old: Any) -> None:
    def change(spec: Any) -> None:
        spec["hostNetwork"] = True
        spec["containers"][0]["ports"][0]["hostPort"] = 80
        spec["containers"][0]["env"][0]["value"] = "<c>"

    assert (
        difference(old, change)
        == """\
@@ -43,7 +43,7 @@
    "Ports": [
     {
      "Name": "",
-     "HostPort": 0,
+     "HostPort": 80,
      "ContainerPort": 80,
      "Protocol": "TCP",
      "HostIP": ""
@@ -53,7 +53,7 @@
    "Env": [
     {
      "Name": "A",
-     "Value": "b",
+     "Value": "\\u003cc\\u003e",
      "ValueFrom": null
     }
    ],
@@ -90,7 +90,7 @@
  "AutomountServiceAccountToken": null,
  "NodeName": "",
  "SecurityContext": {
-  "HostNetwork": false,
+  "HostNetwork": true,
   "HostPID": false,
   "HostIPC": false,
   "ShareProcessNamespace": null,
"""
    )


def test_what_may_change_is_not_shown(old: Any) -> None:
    def change(spec: Any) -> None:
        spec["hostname"], spec["activeDeadlineSeconds"], spec["containers"][0]["image"] = "h", 5, "other"

    assert "ActiveDeadlineSeconds" not in difference(old, change)


def test_amounts_are_compared_by_value(old: Any) -> None:
    old["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    assert errors(old, lambda spec: spec["containers"][0].update(resources={"requests": {"cpu": "1000m"}})) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, 5, []),
        (10, 5, []),
        (10, 10, []),
        (5, 10, ["Invalid value: 10: must be less than or equal to previous value"]),
        (5, None, ["Invalid value: null: must not update from a positive integer to nil value"]),
    ],
)
def test_a_deadline_only_comes_nearer(old: Any, before: Any, after: Any, expected: Any) -> None:
    if before is not None:
        old["spec"]["activeDeadlineSeconds"] = before

    def change(spec: Any) -> None:
        spec.pop("activeDeadlineSeconds", None)
        if after is not None:
            spec["activeDeadlineSeconds"] = after

    assert errors(old, change) == [f"spec.activeDeadlineSeconds: {each}" for each in expected]


def test_tolerations_may_be_added_and_last_longer(old: Any) -> None:
    def change(spec: Any) -> None:
        spec["tolerations"][0]["tolerationSeconds"] = 5
        spec["tolerations"].append({"key": "a", "operator": "Exists"})

    assert errors(old, change) == []


def test_tolerations_may_not_go(old: Any) -> None:
    old["spec"]["tolerations"].append({"key": "a", "operator": "Exists"})
    expected = ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]
    assert errors(old, lambda spec: spec["tolerations"].pop()) == expected


def test_gates_only_go() -> None:
    gated = created(PODS, pod({"schedulingGates": [{"name": "a"}, {"name": "b"}]}))
    assert errors(gated, lambda spec: spec["schedulingGates"].pop()) == []
    assert errors(gated, lambda spec: spec["schedulingGates"].append({"name": "c"})) == [
        "spec.schedulingGates[2].name: Forbidden: only deletion is allowed, but found new scheduling gate 'c'"
    ]


def test_a_gated_pod_may_be_given_a_narrower_selector() -> None:
    gated = created(PODS, pod({"schedulingGates": [{"name": "a"}], "nodeSelector": {"a": "b"}}))
    assert errors(gated, lambda spec: spec.update(nodeSelector={"a": "b", "c": "d"})) == []
    (found,) = errors(gated, lambda spec: spec.update(nodeSelector={"c": "d"}))
    assert found == (
        'spec.nodeSelector: Invalid value: {"c":"d"}: '
        "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
    )


def test_another_pod_may_not() -> None:
    plain = created(PODS, pod())
    assert "NodeSelector" in difference(plain, lambda spec: spec.update(nodeSelector={"a": "b"}))


def test_the_grace_period_may_stop_being_negative() -> None:
    assert (
        update.check(
            {"containers": [], "terminationGracePeriodSeconds": 1},
            {"containers": [], "terminationGracePeriodSeconds": -1},
        )
        == []
    )


def test_priority_and_tolerations_that_a_client_leaves_out_are_put_back(old: Any) -> None:
    body = copy.deepcopy(old)
    for name in ("priority", "preemptionPolicy", "tolerations"):
        del body["spec"][name]
    assert updated(PODS, old, body)["spec"] == old["spec"]


@pytest.mark.parametrize(("image", "generation"), [("nginx", 1), ("other", 2)])
def test_a_changed_spec_is_a_new_generation(old: Any, image: Any, generation: Any) -> None:
    body = copy.deepcopy(old)
    body["spec"]["containers"][0]["image"] = image
    assert updated(PODS, old, body)["metadata"]["generation"] == generation


def test_the_status_stays(old: Any) -> None:
    body = {**copy.deepcopy(old), "status": {"phase": "Failed"}}
    assert updated(PODS, old, body)["status"] == old["status"]


def test_internal_types_show_every_field_in_order() -> None:
    text = internal.printed({"containers": [], "volumes": [{"name": "v", "emptyDir": {}}]})
    lines = text.splitlines()
    assert lines[:4] == ["{", ' "Volumes": [', "  {", '   "Name": "v",']
    assert '   "EmptyDir": {' in lines
    assert lines[-2].startswith(' "HostnameOverride"')
