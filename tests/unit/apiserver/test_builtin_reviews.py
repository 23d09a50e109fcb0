"""Questions about oneself: what they may ask, and the answers of a server with one user.

Left out: that they are not stored (test_create).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, created, kind_of
from twinloop.apiserver.failures import Failure

ACCESS = kind_of("SelfSubjectAccessReview", "authorization.k8s.io")
RULES = kind_of("SelfSubjectRulesReview", "authorization.k8s.io")
SELF = kind_of("SelfSubjectReview", "authentication.k8s.io")
PODS, HEALTH = (
    {"resourceAttributes": {"verb": "get", "resource": "pods"}},
    {"nonResourceAttributes": {"path": "/", "verb": "get"}},
)


@pytest.mark.parametrize("spec", [PODS, HEALTH])
def test_everything_is_allowed(spec: Any) -> None:
    obj = created(ACCESS, {"spec": spec})
    assert (obj["status"], obj["spec"]) == ({"allowed": True}, spec)
    assert create_errors(ACCESS, {"spec": spec}) == []


def test_one_thing_is_asked() -> None:
    assert create_errors(ACCESS, {"spec": {}}) == [
        (
            "spec.resourceAttributes: Invalid value: null: "
            "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        )
    ]
    assert create_errors(ACCESS, {"spec": {**PODS, **HEALTH}}) == [
        (
            'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: '
            "cannot be specified in combination with resourceAttributes"
        )
    ]


@pytest.mark.parametrize("kind", [ACCESS, SELF])
def test_a_question_has_no_name(kind: Any) -> None:
    fields = {"spec": PODS} if kind is ACCESS else {}
    (found,) = [str(each) for each in kind.strategy.validate({"metadata": {"name": "x"}, **fields})]
    assert found == 'metadata: Invalid value: {"name":"x"}: must be empty'


def test_the_rules_are_one_that_allows_everything() -> None:
    obj = created(RULES, {"spec": {"namespace": "team"}})
    assert obj["spec"] == {}
    assert obj["status"]["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    assert obj["status"]["incomplete"] is False


def test_rules_are_asked_for_a_namespace() -> None:
    with pytest.raises(Failure, match="no namespace on request"):
        created(RULES, {"spec": {}})


def test_who_am_i() -> None:
    obj = created(SELF, {})
    assert obj["status"]["userInfo"]["username"] == "kubernetes-admin"
    assert "system:masters" in obj["status"]["userInfo"]["groups"]
    assert obj["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"


def test_questions_are_not_stored() -> None:
    assert not any(kind.strategy.stored for kind in (ACCESS, RULES, SELF))
