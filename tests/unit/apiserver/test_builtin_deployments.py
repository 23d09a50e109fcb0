"""Deployments: defaults, rules, generation, and their row in a Table.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: what a deployment makes, for no controller acts on it here.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, created, decoded, kind_of, listed, update_errors, updated

DEPLOYMENTS = kind_of("Deployment", "apps")
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "nginx"}]}}


def deployment(**spec: Any) -> dict[str, Any]:
    whole = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": whole}


SPECS: dict[str, tuple[Any, list[str]]] = {
    "negative_replicas": ({"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
    "no_selector": (
        {"selector": None},
        [
            "spec.selector: Required value",
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ],
    ),
    "empty_selector": (
        {"selector": {}},
        ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    ),
    "selector_operator": (
        {"selector": {"matchExpressions": [{"key": "app", "operator": "Like"}]}},
        [
            'spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
            'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Like"}]}: invalid label selector',
        ],
    ),
    "selector_value": (
        {"selector": {"matchLabels": {"app": "a b"}}},
        [
            "spec.selector.matchLabels: Invalid value: \"a b\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            'spec.selector: Invalid value: {"matchLabels":{"app":"a b"}}: invalid label selector',
        ],
    ),
    "selector_misses_template": (
        {"selector": {"matchLabels": {"app": "other"}}},
        ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ),
    "expression_misses_template": (
        {"selector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}},
        ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ),
    "no_containers": (
        {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}},
        ["spec.template.spec.containers: Required value"],
    ),
    "restart_policy": (
        {
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "nginx"}], "restartPolicy": "Never"},
            }
        },
        ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ),
    "restart_policy_unknown": (
        {
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "nginx"}], "restartPolicy": "Some"},
            }
        },
        [
            'spec.template.spec.restartPolicy: Unsupported value: "Some": supported values: "Always", "OnFailure", "Never"',
            'spec.template.spec.restartPolicy: Unsupported value: "Some": supported values: "Always"',
        ],
    ),
    "deadline": (
        {
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "nginx"}], "activeDeadlineSeconds": 5},
            }
        },
        ["spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"],
    ),
    "ephemeral": (
        {
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "nginx"}], "ephemeralContainers": []},
            }
        },
        [],
    ),
    "template_label": (
        {
            "template": {
                "metadata": {"labels": {"app": "web", "a b": "c"}},
                "spec": {"containers": [{"name": "app", "image": "nginx"}]},
            }
        },
        [
            "spec.template.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        ],
    ),
    "template_annotation": (
        {
            "template": {
                "metadata": {"labels": {"app": "web"}, "annotations": {"A b": "c"}},
                "spec": {"containers": [{"name": "app", "image": "nginx"}]},
            }
        },
        [
            "spec.template.annotations: Invalid value: \"A b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        ],
    ),
    "strategy": (
        {"strategy": {"type": "BlueGreen"}},
        [
            'spec.strategy: Unsupported value: {"Type":"BlueGreen","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"'
        ],
    ),
    "recreate_with_rolling": (
        {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
        ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ),
    "both_zero": (
        {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
        ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ),
    "both_zero_percent": (
        {"strategy": {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 0}}},
        ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ),
    "more_than_everything": (
        {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}},
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ),
    "no_percent": (
        {"strategy": {"rollingUpdate": {"maxSurge": "many"}}},
        [
            "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"many\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        ],
    ),
    "negative_surge": (
        {"strategy": {"rollingUpdate": {"maxSurge": -1}}},
        ["spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "min_ready": (
        {"minReadySeconds": -1},
        ["spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "history": (
        {"revisionHistoryLimit": -1},
        ["spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "progress": (
        {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
        ["spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
    ),
    "negative_progress": (
        {"progressDeadlineSeconds": -1},
        [
            "spec.progressDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
            "spec.progressDeadlineSeconds: Invalid value: -1: must be greater than minReadySeconds",
        ],
    ),
    "recreate": ({"strategy": {"type": "Recreate"}, "replicas": 0, "paused": True}, []),
    "image_with_spaces_is_let_through": (
        {
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": " nginx"}]},
            }
        },
        [],
    ),
}


@pytest.mark.parametrize("case", SPECS)
def test_a_deployment_is_checked(case: Any) -> None:
    given, expected = SPECS[case]
    assert create_errors(DEPLOYMENTS, deployment(**given)) == expected


def test_a_deployment_gets_defaults() -> None:
    spec = created(DEPLOYMENTS, deployment())["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)


def test_a_template_gets_the_defaults_of_pods_but_those_that_only_pods_get() -> None:
    limited = {"name": "app", "image": "nginx", "resources": {"limits": {"cpu": "1"}}, "ports": [{"containerPort": 80}]}
    template = {**TEMPLATE, "spec": {"containers": [limited], "hostNetwork": True, "terminationGracePeriodSeconds": -5}}
    spec = created(DEPLOYMENTS, deployment(template=template))["spec"]["template"]["spec"]
    assert spec["restartPolicy"] == "Always"
    assert "enableServiceLinks" not in spec
    assert "tolerations" not in spec
    assert spec["terminationGracePeriodSeconds"] == -5
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert "hostPort" not in spec["containers"][0]["ports"][0]


def test_a_new_deployment_has_generation_one_and_no_status() -> None:
    obj = created(DEPLOYMENTS, {**deployment(), "status": {"replicas": 3}})
    assert (obj["metadata"]["generation"], obj["status"]) == (1, {})


@pytest.mark.parametrize(
    ("change", "generation"),
    [
        (lambda obj: None, 1),
        (lambda obj: obj["spec"].update(replicas=2), 2),
        (lambda obj: obj["metadata"].update(annotations={"a": "b"}), 2),
        (lambda obj: obj["metadata"].update(labels={"a": "b"}), 1),
        (lambda obj: obj.update(status={"replicas": 1}), 1),
    ],
)
def test_spec_and_annotations_make_a_new_generation(change: Any, generation: Any) -> None:
    old = created(DEPLOYMENTS, deployment())
    body, _ = decoded(DEPLOYMENTS, old)
    change(body)
    assert updated(DEPLOYMENTS, old, body)["metadata"]["generation"] == generation


def test_a_status_update_changes_neither_spec_nor_labels_nor_generation() -> None:
    old = created(DEPLOYMENTS, deployment())
    body, _ = decoded(DEPLOYMENTS, old)
    body["spec"]["replicas"], body["metadata"]["labels"], body["status"] = 5, {"a": "b"}, {"replicas": 1}
    new = updated(DEPLOYMENTS, old, body, "status")
    assert (new["spec"], new["status"], new["metadata"]) == (old["spec"], {"replicas": 1}, old["metadata"])


def test_the_selector_is_immutable() -> None:
    old = created(DEPLOYMENTS, deployment())
    template = {**TEMPLATE, "metadata": {"labels": {"app": "other"}}}
    body = deployment(selector={"matchLabels": {"app": "other"}}, template=template)
    assert update_errors(DEPLOYMENTS, old, body) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable'
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"replicas": -1}, ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"]),
        ({"readyReplicas": 2, "replicas": 1}, ["readyReplicas"]),
        ({"availableReplicas": 1, "replicas": 1}, ["availableReplicas"]),
        ({"readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1, "replicas": 1}, []),
    ],
)
def test_the_numbers_of_a_status_go_together(status: Any, expected: Any) -> None:
    old = created(DEPLOYMENTS, deployment())
    found = update_errors(DEPLOYMENTS, old, {**old, "status": status}, "status")
    assert [each.partition(":")[0] for each in found] == [f"status.{name}" for name in expected]


def test_a_row_shows_replicas_containers_and_selector() -> None:
    obj = created(DEPLOYMENTS, deployment(replicas=3))
    obj["metadata"]["creationTimestamp"] = "2023-11-14T22:13:15Z"
    obj["status"] = {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}
    assert listed(DEPLOYMENTS, obj) == {
        "Name": "web",
        "Ready": "2/3",
        "Up-to-date": 3,
        "Available": 1,
        "Age": "5s",
        "Containers": "app",
        "Images": "nginx",
        "Selector": "app=web",
    }


def test_scale_finds_replicas_and_selector() -> None:
    paths = DEPLOYMENTS.strategy.scale()
    assert paths is not None
    assert (paths.replicas, paths.status, paths.selector) == (
        ("spec", "replicas"),
        ("status", "replicas"),
        ("spec", "selector"),
    )


def test_a_name_that_is_no_host_name_is_warned_of_once() -> None:
    body = deployment()
    body["metadata"]["name"] = "a.b"
    old = created(DEPLOYMENTS, body)
    (found,) = DEPLOYMENTS.strategy.warnings(old, None)
    assert found.startswith("metadata.name: this is used in Pod names and hostnames")
    assert DEPLOYMENTS.strategy.warnings(old, old) == []


def test_what_is_odd_about_the_template_is_warned_of_when_it_changes() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    template = {**TEMPLATE, "spec": {"containers": [{"name": "app", "image": "nginx", "env": twice}]}}
    old = created(DEPLOYMENTS, deployment())
    new = updated(DEPLOYMENTS, old, deployment(template=template))
    assert DEPLOYMENTS.strategy.warnings(new, old) == [
        'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'
    ]
