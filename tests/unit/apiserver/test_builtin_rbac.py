"""Roles and bindings: rules, defaults, and their rows in a Table.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: authorization, for this server has one user, who may do everything.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, created, kind_of, listed, update_errors

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = kind_of("Role", GROUP), kind_of("ClusterRole", GROUP)
BINDINGS, CLUSTER_BINDINGS = kind_of("RoleBinding", GROUP), kind_of("ClusterRoleBinding", GROUP)
VIEW = {"kind": "ClusterRole", "name": "view"}


def named(**fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "creationTimestamp": "2023-11-14T22:13:19Z"}, **fields}


RULES: dict[str, tuple[Any, list[str]]] = {
    "right": ({"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}, []),
    "no_rules": ({}, []),
    "no_verbs": (
        {"rules": [{"apiGroups": [""], "resources": ["pods"]}]},
        ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ),
    "no_groups": (
        {"rules": [{"verbs": ["get"], "resources": ["pods"]}]},
        ["rules[0].apiGroups: Required value: resource rules must supply at least one api group"],
    ),
    "no_resources": (
        {"rules": [{"verbs": ["get"], "apiGroups": [""]}]},
        ["rules[0].resources: Required value: resource rules must supply at least one resource"],
    ),
    "urls_in_a_namespace": (
        {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]},
        ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_a_role_is_checked(case: Any) -> None:
    given, expected = RULES[case]
    assert create_errors(ROLES, named(**given)) == expected


CLUSTER_RULES: dict[str, tuple[Any, list[str]]] = {
    "urls": ({"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}, []),
    "urls_and_resources": (
        {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}]},
        [
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs'
        ],
    ),
    "aggregation_of_nothing": (
        {"aggregationRule": {}},
        [
            "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"
        ],
    ),
    "aggregation_selector": (
        {"aggregationRule": {"clusterRoleSelectors": [{"matchExpressions": [{"key": "a", "operator": "In"}]}]}},
        [
            "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.",
        ],
    ),
    "aggregation": ({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}, []),
}


@pytest.mark.parametrize("case", CLUSTER_RULES)
def test_a_cluster_role_is_checked(case: Any) -> None:
    given, expected = CLUSTER_RULES[case]
    assert create_errors(CLUSTER_ROLES, named(**given)) == expected


REFERENCES: dict[str, tuple[Any, list[str]]] = {
    "right": (
        {
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [
                {"kind": "User", "name": "u"},
                {"kind": "Group", "name": "g"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
            ],
        },
        [],
    ),
    "role_kind": (
        {"roleRef": {"kind": "Rule", "name": "x"}},
        ['roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"'],
    ),
    "role_group": (
        {"roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": "x"}},
        ['roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"'],
    ),
    "role_name": ({"roleRef": {"kind": "ClusterRole", "name": ""}}, ["roleRef.name: Required value"]),
    "role_name_with_slash": (
        {"roleRef": {"kind": "ClusterRole", "name": "a/b"}},
        ["roleRef.name: Invalid value: \"a/b\": may not contain '/'"],
    ),
    "subject_kind": (
        {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "Robot", "name": "x"}]},
        ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
    ),
    "subject_name": (
        {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "User", "name": ""}]},
        ["subjects[0].name: Required value"],
    ),
    "account_name": (
        {
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "A_", "namespace": "n"}],
        },
        [
            "subjects[0].name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ],
    ),
    "account_group": (
        {
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "n", "apiGroup": "x"}],
        },
        ['subjects[0].apiGroup: Unsupported value: "x": supported values: ""'],
    ),
    "user_group": (
        {
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "User", "name": "a", "apiGroup": "x"}],
        },
        ['subjects[0].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"'],
    ),
}


@pytest.mark.parametrize("case", REFERENCES)
def test_a_binding_is_checked(case: Any) -> None:
    given, expected = REFERENCES[case]
    assert create_errors(BINDINGS, named(**given)) == expected


CLUSTER_REFERENCES: dict[str, tuple[Any, list[str]]] = {
    "role": (
        {"roleRef": {"kind": "Role", "name": "x"}},
        ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
    ),
    "account_without_namespace": (
        {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "ServiceAccount", "name": "a"}]},
        ["subjects[0].namespace: Required value"],
    ),
}


@pytest.mark.parametrize("case", CLUSTER_REFERENCES)
def test_a_cluster_binding_is_checked(case: Any) -> None:
    given, expected = CLUSTER_REFERENCES[case]
    assert create_errors(CLUSTER_BINDINGS, named(**given)) == expected


def test_a_role_without_rules_says_so() -> None:
    assert created(ROLES, named())["rules"] is None


def test_roles_and_subjects_belong_to_the_group() -> None:
    subjects = [{"kind": "User", "name": "u"}, {"kind": "Group", "name": "g"}, {"kind": "ServiceAccount", "name": "s"}]
    obj = created(BINDINGS, named(roleRef=VIEW, subjects=subjects))
    assert obj["roleRef"]["apiGroup"] == GROUP
    assert [each.get("apiGroup") for each in obj["subjects"]] == [GROUP, GROUP, None]


def test_the_role_of_a_binding_is_immutable() -> None:
    old = created(BINDINGS, named(roleRef=VIEW))
    assert update_errors(BINDINGS, old, named(roleRef={**VIEW, "name": "edit"})) == [
        f'roleRef: Invalid value: {{"APIGroup":"{GROUP}","Kind":"ClusterRole","Name":"edit"}}: cannot change roleRef'
    ]
    assert not update_errors(BINDINGS, old, named(roleRef=VIEW, subjects=[{"kind": "User", "name": "u"}]))


def test_a_role_may_have_any_name_that_fits_into_a_url() -> None:
    for kind in (ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS):
        assert not kind.strategy.validate_name("system:controller A", prefix=False)
        assert kind.strategy.validate_name("a/b", prefix=False)


def test_rows() -> None:
    assert listed(ROLES, created(ROLES, named())) == {"Name": "x", "Created At": "2023-11-14T22:13:19Z"}
    subjects = [
        {"kind": "User", "name": "u"},
        {"kind": "User", "name": "v"},
        {"kind": "Group", "name": "g"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
        {"kind": "ServiceAccount", "name": "t"},
    ]
    assert listed(BINDINGS, created(BINDINGS, named(roleRef=VIEW, subjects=subjects))) == {
        "Name": "x",
        "Role": "ClusterRole/view",
        "Age": "1s",
        "Users": "u, v",
        "Groups": "g",
        "ServiceAccounts": "n/s, /t",
    }
