"""Which built-in kinds are served, under which names and with which verbs: as the discovery of kube-apiserver v1.34.4.

Left out: the discovery documents themselves (where publish/ is tested), CustomResourceDefinitions, which register
themselves.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import kind_of, registry
from twinloop.apiserver.builtin.served import subresource
from twinloop.apiserver.kinds import VERBS

RBAC = "rbac.authorization.k8s.io"
# (group, kind): plural, namespaced, short names, categories, subresources
DISCOVERY = {
    ("", "Namespace"): ("namespaces", False, ("ns",), (), ("finalize", "status")),
    ("", "Pod"): ("pods", True, ("po",), ("all",), ("binding", "eviction", "log", "status")),
    ("", "Event"): ("events", True, ("ev",), (), ()),
    ("", "ConfigMap"): ("configmaps", True, ("cm",), (), ()),
    ("", "Secret"): ("secrets", True, (), (), ()),
    ("", "ServiceAccount"): ("serviceaccounts", True, ("sa",), (), ("token",)),
    ("", "Service"): ("services", True, ("svc",), ("all",), ("status",)),
    ("", "Node"): ("nodes", False, ("no",), (), ("status",)),
    ("", "ResourceQuota"): ("resourcequotas", True, ("quota",), (), ("status",)),
    ("", "LimitRange"): ("limitranges", True, ("limits",), (), ()),
    ("", "Binding"): ("bindings", True, (), (), ()),
    ("events.k8s.io", "Event"): ("events", True, ("ev",), (), ()),
    ("coordination.k8s.io", "Lease"): ("leases", True, (), (), ()),
    ("apps", "Deployment"): ("deployments", True, ("deploy",), ("all",), ("scale", "status")),
    (RBAC, "ClusterRole"): ("clusterroles", False, (), (), ()),
    (RBAC, "ClusterRoleBinding"): ("clusterrolebindings", False, (), (), ()),
    (RBAC, "Role"): ("roles", True, (), (), ()),
    (RBAC, "RoleBinding"): ("rolebindings", True, (), (), ()),
    ("authorization.k8s.io", "SelfSubjectAccessReview"): ("selfsubjectaccessreviews", False, (), (), ()),
    ("authorization.k8s.io", "SelfSubjectRulesReview"): ("selfsubjectrulesreviews", False, (), (), ()),
    ("authentication.k8s.io", "SelfSubjectReview"): ("selfsubjectreviews", False, (), (), ()),
}


def test_no_kind_is_served_that_is_not_listed_here() -> None:
    assert {(kind.group, kind.kind) for kind in registry()} == DISCOVERY.keys()


@pytest.mark.parametrize("which", DISCOVERY)
def test_a_kind_is_listed_as_the_real_discovery_does(which: Any) -> None:
    group, name = which
    kind = kind_of(name, group)
    listed = (kind.plural, kind.namespaced, kind.short_names, kind.categories, kind.subresources)
    assert listed == DISCOVERY[which]
    assert (kind.version, kind.singular) == ("v1", name.lower())


@pytest.mark.parametrize("name", ["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SelfSubjectReview", "Binding"])
def test_questions_and_bindings_are_only_created(name: Any) -> None:
    (kind,) = [each for each in registry() if each.kind == name]
    assert kind.verbs == ("create",)


def test_namespaces_are_not_deleted_by_the_dozen() -> None:
    assert set(VERBS) - set(kind_of("Namespace").verbs) == {"deletecollection"}
    assert kind_of("Pod").verbs == VERBS


def test_events_share_one_storage() -> None:
    core, new = kind_of("Event"), kind_of("Event", "events.k8s.io")
    assert core.storage == new.storage == ("", "events")
    assert (core.storage_version, new.storage_version) == (True, False)


@pytest.mark.parametrize(
    ("plural", "name", "expected"),
    [
        ("pods", "status", (("get", "patch", "update"), "", "", "")),
        ("pods", "binding", (("create",), "Binding", "", "")),
        ("pods", "eviction", (("create",), "Eviction", "policy", "v1")),
        ("pods", "log", (("get",), "Pod", "", "")),
        ("namespaces", "finalize", (("update",), "Namespace", "", "")),
        ("deployments", "scale", (("get", "patch", "update"), "Scale", "autoscaling", "v1")),
        ("serviceaccounts", "token", (("create",), "TokenRequest", "authentication.k8s.io", "v1")),
    ],
)
def test_a_subresource_has_verbs_and_a_kind(plural: Any, name: Any, expected: Any) -> None:
    found = subresource(plural, name)
    assert (found.verbs, found.kind, found.group, found.version) == expected


@pytest.mark.parametrize(
    ("name", "group", "answers"),
    [
        ("Pod", "", True),
        ("Service", "", True),
        ("Namespace", "", True),
        ("ServiceAccount", "", True),
        ("ResourceQuota", "", True),
        ("ConfigMap", "", False),
        ("Node", "", False),
        ("Deployment", "apps", False),
    ],
)
def test_a_delete_answers_with_the_object_where_the_real_one_does(name: Any, group: Any, answers: Any) -> None:
    assert kind_of(name, group).strategy.returns_deleted is answers


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("Service", ""),
        ("Event", ""),
        ("LimitRange", ""),
        ("Lease", "coordination.k8s.io"),
        ("Role", RBAC),
        ("ClusterRoleBinding", RBAC),
    ],
)
def test_an_update_may_create_some_kinds(name: Any, group: Any) -> None:
    assert kind_of(name, group).strategy.allow_create_on_update


@pytest.mark.parametrize("name", ["Pod", "ConfigMap", "Secret", "Namespace", "Node"])
def test_an_update_may_not_create_others(name: Any) -> None:
    assert not kind_of(name).strategy.allow_create_on_update


def test_only_pods_are_deleted_gracefully() -> None:
    assert {kind.kind for kind in registry() if kind.strategy.graceful} == {"Pod"}


def test_every_kind_merges_strategically_and_has_a_schema() -> None:
    for kind in registry():
        assert kind.strategy.merges_strategically()
        assert kind.strategy.typed() is not None


def test_every_kind_that_can_be_listed_has_columns() -> None:
    for kind in registry():
        assert bool(kind.strategy.columns) == ("list" in kind.verbs), kind
