"""What a pod gets where it says nothing, at creation and from admission.

Expected values are what kube-apiserver v1.34.4 returned. Left out: the service account and its volume, which are
admission's (test_service_accounts); defaults of templates (test_builtin_deployments).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import NOW, created, decoded, kind_of, pod
from twinloop.apiserver.builtin.podspec import defaults

PODS = kind_of("Pod")


def spec_of(spec: Any = None, **container: Any) -> Any:
    return created(PODS, pod(spec, **container))["spec"]


def container_of(**container: Any) -> Any:
    return spec_of(**container)["containers"][0]


def test_a_pod_with_nothing_but_an_image() -> None:
    obj = created(PODS, pod())
    assert obj["spec"] == {
        "containers": [
            {
                "name": "app",
                "image": "nginx",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "imagePullPolicy": "Always",
            }
        ],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
        "tolerations": [
            {
                "key": "node.kubernetes.io/not-ready",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            },
            {
                "key": "node.kubernetes.io/unreachable",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            },
        ],
    }
    assert obj["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert obj["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("example.com:5000/nginx", "Always"),
        ("example.com:5000/nginx:1.27", "IfNotPresent"),
        ("a/b/c:latest", "Always"),
        ("nginx@sha256:" + "a" * 64, "IfNotPresent"),
        ("nginx:latest@sha256:" + "a" * 64, "Always"),
        ("nginx:1.27@sha256:" + "a" * 64, "IfNotPresent"),
        ("localhost/nginx", "Always"),
        ("EXAMPLE/nginx", "Always"),
        ("example.com/Nginx", "IfNotPresent"),
        ("Nginx", "IfNotPresent"),
        ("no image", "IfNotPresent"),
        ("", "IfNotPresent"),
    ],
)
def test_an_image_is_pulled_always_when_its_tag_is_latest(image: Any, policy: Any) -> None:
    assert container_of(image=image)["imagePullPolicy"] == policy


def test_a_policy_that_was_said_stays() -> None:
    assert container_of(imagePullPolicy="Never")["imagePullPolicy"] == "Never"


def test_ports_are_tcp() -> None:
    ports = container_of(ports=[{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}])["ports"]
    assert [port["protocol"] for port in ports] == ["TCP", "UDP"]


def test_on_the_hosts_network_ports_are_the_hosts() -> None:
    container = {"name": "app", "image": "x", "ports": [{"containerPort": 80}]}
    assert spec_of({"hostNetwork": True, "containers": [container]})["containers"][0]["ports"][0]["hostPort"] == 80


def test_requests_follow_from_limits() -> None:
    resources = container_of(resources={"limits": {"cpu": 0.5, "memory": "1Gi"}, "requests": {"cpu": "100m"}})[
        "resources"
    ]
    assert resources == {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "1Gi"}}


def test_amounts_finer_than_thousandths_are_rounded_up() -> None:
    assert container_of(resources={"requests": {"cpu": "100u", "memory": "1.5"}})["resources"]["requests"] == {
        "cpu": "1m",
        "memory": "1500m",
    }


def test_requests_of_the_pod_follow_from_its_limits() -> None:
    resources = spec_of({"resources": {"limits": {"cpu": "1", "example.com/x": "1"}}})["resources"]
    assert resources == {"limits": {"cpu": "1", "example.com/x": "1"}, "requests": {"cpu": "1"}}


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe", "startupProbe"])
def test_a_probe_gets_times_and_a_path(probe: Any) -> None:
    found = container_of(**{probe: {"httpGet": {"port": 80}}})[probe]
    assert found == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_what_a_probe_says_stays() -> None:
    found = container_of(
        readinessProbe={"grpc": {"port": 1, "service": "s"}, "periodSeconds": 2, "failureThreshold": 9}
    )
    assert found["readinessProbe"]["grpc"] == {"port": 1, "service": "s"}
    assert (found["readinessProbe"]["periodSeconds"], found["readinessProbe"]["failureThreshold"]) == (2, 9)


def test_a_grpc_probe_asks_for_no_service() -> None:
    assert container_of(livenessProbe={"grpc": {"port": 1}})["livenessProbe"]["grpc"] == {"port": 1, "service": ""}


def test_a_hook_gets_a_path() -> None:
    hook = container_of(lifecycle={"preStop": {"httpGet": {"port": 80}}})["lifecycle"]["preStop"]
    assert hook == {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}}


def test_a_reference_to_a_field_has_a_version() -> None:
    variable = container_of(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}])["env"][0]
    assert variable["valueFrom"]["fieldRef"]["apiVersion"] == "v1"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"emptyDir": {}}),
        ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s", "defaultMode": 420}}),
        ({"configMap": {"name": "c"}}, {"configMap": {"name": "c", "defaultMode": 420}}),
        ({"configMap": {"name": "c", "defaultMode": 256}}, {"configMap": {"name": "c", "defaultMode": 256}}),
        ({"hostPath": {"path": "/x"}}, {"hostPath": {"path": "/x", "type": ""}}),
        (
            {"downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {
                "downwardAPI": {
                    "items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}}],
                    "defaultMode": 420,
                }
            },
        ),
        (
            {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {
                "projected": {
                    "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
                    "defaultMode": 420,
                }
            },
        ),
    ],
)
def test_volumes_get_a_type_and_modes(given: Any, expected: Any) -> None:
    assert spec_of({"volumes": [{"name": "v", **given}]})["volumes"] == [{"name": "v", **expected}]


def test_a_claim_of_a_volume_is_a_file_system() -> None:
    claim = {"spec": {"accessModes": ["ReadWriteOnce"]}}
    (volume,) = spec_of({"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": claim}}]})["volumes"]
    assert volume["ephemeral"]["volumeClaimTemplate"]["spec"]["volumeMode"] == "Filesystem"


@pytest.mark.parametrize(("seconds", "kept"), [(0, 0), (5, 5), (-5, 1)])
def test_a_negative_grace_period_is_one_second(seconds: Any, kept: Any) -> None:
    assert spec_of({"terminationGracePeriodSeconds": seconds})["terminationGracePeriodSeconds"] == kept


def test_the_service_account_has_an_old_name_and_a_new_one() -> None:
    for name in ("serviceAccount", "serviceAccountName"):
        spec = spec_of({name: "robot"})
        assert (spec["serviceAccount"], spec["serviceAccountName"]) == ("robot", "robot")


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ([{"operator": "Exists"}], 0),
        ([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}], 1),
        ([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}], 2),
        ([{"key": "other", "operator": "Exists"}], 2),
    ],
)
def test_tolerations_are_added_unless_the_pod_has_its_own(given: Any, added: Any) -> None:
    found = spec_of({"tolerations": given})["tolerations"]
    assert found[: len(given)] == given
    assert len(found) == len(given) + added


def test_a_gated_pod_says_why_it_is_not_scheduled() -> None:
    (condition,) = created(PODS, pod({"schedulingGates": [{"name": "g"}]}))["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "SchedulingGated")
    assert condition["lastTransitionTime"] == "2023-11-14T22:13:20Z"
    assert NOW == 1_700_000_000


def test_a_client_cannot_set_the_status_of_a_new_pod() -> None:
    assert created(PODS, {**pod(), "status": {"phase": "Running", "podIP": "1.1.1.1"}})["status"]["phase"] == "Pending"


def test_fields_of_features_that_are_off_are_forgotten() -> None:
    env = [{"name": "A", "value": "x", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}}}]
    lifecycle = {"stopSignal": "SIGUSR1"}
    container = {
        "name": "app",
        "image": "x",
        "restartPolicy": "Never",
        "restartPolicyRules": [],
        "lifecycle": lifecycle,
        "env": env,
    }
    spec = spec_of({"hostnameOverride": "h", "containers": [container]})
    assert "hostnameOverride" not in spec
    assert not spec["containers"][0].keys() & {"restartPolicy", "restartPolicyRules", "lifecycle"}
    assert spec["containers"][0]["env"][0]["valueFrom"] == {}


def test_a_sidecar_keeps_its_restart_policy() -> None:
    spec = spec_of(
        {
            "initContainers": [
                {"name": "a", "image": "x", "restartPolicy": "Always"},
                {"name": "b", "image": "x", "restartPolicy": "Never"},
            ]
        }
    )
    assert [each.get("restartPolicy") for each in spec["initContainers"]] == ["Always", None]


def test_defaulting_twice_changes_nothing() -> None:
    once, _ = decoded(PODS, pod({"volumes": [{"name": "v"}]}, readinessProbe={"tcpSocket": {"port": 1}}))
    again, _ = decoded(PODS, once)
    assert again == once


def test_rounding_keeps_what_is_fine() -> None:
    assert defaults.round_up({"cpu": "250m", "memory": "1Gi"}) == {"cpu": "250m", "memory": "1Gi"}
