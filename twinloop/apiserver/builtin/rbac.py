"""Roles and bindings: stored and checked, without effect, for the one user of this server may do everything.

`served.py` registers these strategies.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.builtin.checks import Errors, label_selector, shown_struct, subdomain, words
from twinloop.apiserver.builtin.simple import age
from twinloop.apiserver.fielderrors import FieldError, invalid, not_supported, required
from twinloop.apiserver.strategy import Object

GROUP = "rbac.authorization.k8s.io"
_SUBJECT_KINDS = ("ServiceAccount", "User", "Group")


class RoleStrategy(BuiltinStrategy):
    """Roles and ClusterRoles."""

    allow_create_on_update = True
    checks_metadata_again = True

    def __init__(self, kind: str, *, namespaced: bool) -> None:
        super().__init__(GROUP, kind)
        self.namespaced = namespaced

    def prepare_create(self, obj: Object, now: float) -> None:
        """An empty list of rules is no list, in storage and so in every answer; who sent it has managed it all the same."""
        del now
        obj["rules"] = obj["rules"] or None

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """The same."""
        del old, subresource
        obj["rules"] = obj["rules"] or None

    def validate(self, obj: Object) -> list[FieldError]:
        """Rules, and what a ClusterRole gathers."""
        found = [
            error
            for index, rule in enumerate(obj["rules"] or ())
            for error in _rule(f"rules[{index}]", rule, namespaced=self.namespaced)
        ]
        return [*found, *_aggregation(obj)]

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        """Whatever can stand in a URL."""
        return names.any_segment(name, prefix=prefix)

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name and time of creation."""
        del now
        return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


def _rule(path: str, rule: Object, *, namespaced: bool) -> Errors:
    if not rule["verbs"]:
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        at = f"{path}.nonResourceURLs"
        if namespaced:
            yield invalid(at, urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            yield invalid(at, urls, "rules cannot apply to both regular resources and non-resource URLs")
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def _aggregation(obj: Object) -> Errors:
    if "aggregationRule" not in obj:
        return
    path, selectors = "aggregationRule.clusterRoleSelectors", obj["aggregationRule"].get("clusterRoleSelectors")
    if not selectors:
        yield required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
    for index, selector in enumerate(selectors or ()):
        problems = list(label_selector(f"{path}[{index}]", selector))
        yield from problems
        if problems:
            yield invalid(f"{path}[{index}]", None, "invalid label selector.")


class RoleBindingStrategy(BuiltinStrategy):
    """RoleBindings and ClusterRoleBindings."""

    allow_create_on_update = True
    checks_metadata_again = True

    def __init__(self, kind: str, *, namespaced: bool) -> None:
        super().__init__(GROUP, kind)
        self.namespaced = namespaced

    def default(self, obj: Object) -> None:
        """The API group of roles, users and groups."""
        if not obj["roleRef"]["apiGroup"]:
            obj["roleRef"]["apiGroup"] = GROUP
        for subject in obj.get("subjects", ()):
            if subject["kind"] in {"User", "Group"}:
                subject.setdefault("apiGroup", GROUP)

    def validate(self, obj: Object) -> list[FieldError]:
        """The role and the subjects."""
        found = list(_role_ref(obj["roleRef"], namespaced=self.namespaced))
        for index, subject in enumerate(obj.get("subjects", ())):
            found += _subject(f"subjects[{index}]", subject, namespaced=self.namespaced)
        return found

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """The role is immutable."""
        del subresource
        found = self.validate(obj)
        if obj["roleRef"] != old["roleRef"]:
            found += shown_struct("roleRef", _go_role_ref(obj["roleRef"]), "cannot change roleRef")
        return found

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        """Whatever can stand in a URL."""
        return names.any_segment(name, prefix=prefix)

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, role, age, and who."""
        reference = obj["roleRef"]
        subjects = obj.get("subjects", ())
        users, groups = (
            ", ".join(each["name"] for each in subjects if each["kind"] == kind) for kind in ("User", "Group")
        )
        accounts = ", ".join(_account(each) for each in subjects if each["kind"] == "ServiceAccount")
        role = f"{reference['kind']}/{reference['name']}"
        return [obj["metadata"]["name"], role, age(obj, now), users, groups, accounts]


def _account(subject: Object) -> str:
    return f"{subject.get('namespace', '')}/{subject['name']}"


def _go_role_ref(reference: Object) -> Object:
    """The internal type has no JSON names."""
    return {"APIGroup": reference["apiGroup"], "Kind": reference["kind"], "Name": reference["name"]}


def _role_ref(reference: Object, *, namespaced: bool) -> Errors:
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if reference["apiGroup"] != GROUP:
        yield not_supported("roleRef.apiGroup", reference["apiGroup"], (GROUP,))
    if reference["kind"] not in kinds:
        yield not_supported("roleRef.kind", reference["kind"], kinds)
    if not reference["name"]:
        yield required("roleRef.name")
    else:
        yield from words("roleRef.name", reference["name"], names.any_segment(reference["name"]))


def _subject(path: str, subject: Object, *, namespaced: bool) -> Errors:
    kind, name, group = subject["kind"], subject["name"], subject.get("apiGroup", "")
    if not name:
        yield required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            yield from subdomain(f"{path}.name", name)
        if group:
            yield not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif kind not in _SUBJECT_KINDS:
        yield not_supported(f"{path}.kind", kind, _SUBJECT_KINDS)
    elif group != GROUP:
        yield not_supported(f"{path}.apiGroup", group, (GROUP,))
