"""The table of built-in kinds: paths, short names, categories, subresources and verbs as the real discovery lists them.

`register` (in the package) adds them to the registry, `publish/discovery.py` lists them; what a subresource is called
there is in `SUBRESOURCES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinloop.apiserver.builtin import rbac
from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.builtin.deployments import DeploymentStrategy
from twinloop.apiserver.builtin.events import EventStrategy, NewEventStrategy
from twinloop.apiserver.builtin.limitranges import LimitRangeStrategy
from twinloop.apiserver.builtin.namespaces import NamespaceStrategy, NodeStrategy
from twinloop.apiserver.builtin.pods import PodStrategy
from twinloop.apiserver.builtin.quotas import ResourceQuotaStrategy
from twinloop.apiserver.builtin.rbac import RoleBindingStrategy, RoleStrategy
from twinloop.apiserver.builtin.reviews import AccessReviewStrategy, RulesReviewStrategy, SelfReviewStrategy
from twinloop.apiserver.builtin.services import ServiceStrategy
from twinloop.apiserver.builtin.simple import ConfigMapStrategy, LeaseStrategy, SecretStrategy, ServiceAccountStrategy
from twinloop.apiserver.kinds import VERBS, Kind
from twinloop.apiserver.strategy import Strategy

ONLY_CREATE = ("create",)
STATUS_VERBS = ("get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Subresource:
    """How discovery lists a subresource; group, version and kind are those of its body where it is not the parent's."""

    verbs: tuple[str, ...]
    kind: str = ""
    group: str = ""
    version: str = ""


SUBRESOURCES: dict[tuple[str, str], Subresource] = {
    ("pods", "binding"): Subresource(ONLY_CREATE, "Binding"),
    ("pods", "eviction"): Subresource(ONLY_CREATE, "Eviction", "policy", "v1"),
    ("pods", "log"): Subresource(("get",), "Pod"),
    ("namespaces", "finalize"): Subresource(("update",), "Namespace"),
    ("deployments", "scale"): Subresource(STATUS_VERBS, "Scale", "autoscaling", "v1"),
    ("serviceaccounts", "token"): Subresource(ONLY_CREATE, "TokenRequest", "authentication.k8s.io", "v1"),
}


def subresource(plural: str, name: str) -> Subresource:
    """A subresource's entry in discovery; status is the same everywhere."""
    return SUBRESOURCES.get((plural, name), Subresource(STATUS_VERBS))


def core_kinds() -> Iterator[Kind]:
    """The kinds of the core group."""
    yield Kind(
        "", "v1", "Namespace", "namespaces", NamespaceStrategy("", "Namespace"), namespaced=False,
        singular="namespace", short_names=("ns",), subresources=("finalize", "status"),
        verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
    )  # fmt: skip
    yield Kind(
        "", "v1", "Pod", "pods", PodStrategy("", "Pod"), singular="pod", short_names=("po",),
        categories=("all",), subresources=("binding", "eviction", "log", "status"),
    )  # fmt: skip
    yield Kind(
        "", "v1", "Event", "events", EventStrategy("", "Event"), singular="event", short_names=("ev",),
    )  # fmt: skip
    yield Kind(
        "",
        "v1",
        "ConfigMap",
        "configmaps",
        ConfigMapStrategy("", "ConfigMap"),
        singular="configmap",
        short_names=("cm",),
    )
    yield Kind("", "v1", "Secret", "secrets", SecretStrategy("", "Secret"), singular="secret")
    yield Kind(
        "", "v1", "ServiceAccount", "serviceaccounts", ServiceAccountStrategy("", "ServiceAccount"),
        singular="serviceaccount", short_names=("sa",), subresources=("token",),
    )  # fmt: skip
    yield Kind(
        "", "v1", "Service", "services", ServiceStrategy("", "Service"), singular="service",
        short_names=("svc",), categories=("all",), subresources=("status",),
    )  # fmt: skip
    yield Kind(
        "", "v1", "Node", "nodes", NodeStrategy("", "Node"), namespaced=False, singular="node",
        short_names=("no",), subresources=("status",),
    )  # fmt: skip
    yield Kind(
        "", "v1", "ResourceQuota", "resourcequotas", ResourceQuotaStrategy("", "ResourceQuota"),
        singular="resourcequota", short_names=("quota",), subresources=("status",),
    )  # fmt: skip
    yield Kind(
        "", "v1", "LimitRange", "limitranges", LimitRangeStrategy("", "LimitRange"), singular="limitrange",
        short_names=("limits",),
    )  # fmt: skip
    yield Kind("", "v1", "Binding", "bindings", BuiltinStrategy("", "Binding"), singular="binding", verbs=ONLY_CREATE)


def group_kinds() -> Iterator[Kind]:
    """The kinds of named groups."""
    yield Kind(
        "events.k8s.io", "v1", "Event", "events", NewEventStrategy("events.k8s.io", "Event"), singular="event",
        short_names=("ev",), storage=("", "events"), storage_version=False,
    )  # fmt: skip
    yield Kind(
        "coordination.k8s.io", "v1", "Lease", "leases", LeaseStrategy("coordination.k8s.io", "Lease"), singular="lease",
    )  # fmt: skip
    yield Kind(
        "apps", "v1", "Deployment", "deployments", DeploymentStrategy("apps", "Deployment"), singular="deployment",
        short_names=("deploy",), categories=("all",), subresources=("scale", "status"),
    )  # fmt: skip
    for kind, namespaced in (("ClusterRole", False), ("Role", True)):
        yield _rbac(kind, RoleStrategy(kind, namespaced=namespaced), namespaced=namespaced)
    for kind, namespaced in (("ClusterRoleBinding", False), ("RoleBinding", True)):
        yield _rbac(kind, RoleBindingStrategy(kind, namespaced=namespaced), namespaced=namespaced)


def _rbac(kind: str, strategy: Strategy, *, namespaced: bool) -> Kind:
    name = kind.lower()
    return Kind(rbac.GROUP, "v1", kind, f"{name}s", strategy, namespaced=namespaced, singular=name)


def review_kinds() -> Iterator[Kind]:
    """Questions: created, answered, never stored."""
    for group, kind, strategy in (
        ("authorization.k8s.io", "SelfSubjectAccessReview", AccessReviewStrategy),
        ("authorization.k8s.io", "SelfSubjectRulesReview", RulesReviewStrategy),
        ("authentication.k8s.io", "SelfSubjectReview", SelfReviewStrategy),
    ):
        name = kind.lower()
        yield Kind(
            group, "v1", kind, f"{name}s", strategy(group, kind), namespaced=False, singular=name, verbs=ONLY_CREATE,
        )  # fmt: skip


def all_kinds() -> Iterator[Kind]:
    """Every built-in kind but CustomResourceDefinition, which `schemas/` registers."""
    yield from core_kinds()
    yield from group_kinds()
    yield from review_kinds()
