"""Questions about oneself: what they may ask, and the answers of a server with one user.

Left out: the names of other users, for there is none.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from support.builtin_kinds import create_errors, created, kind_of
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.request import Request
from twinloop.apiserver.server import ApiServer

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


def asked(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    server = ApiServer(clock=ManualClock(), rng=random.Random(1), controllers=False)
    request = Request("POST", path, (), {"content-type": "application/json"}, json.dumps(body).encode())
    answer = server.handle(request)
    assert isinstance(answer, Answer)
    assert server.storage.list((path.split("/")[2], path.rpartition("/")[2])) == []
    return answer.code, json.loads(answer.body)


def test_a_server_answers_a_question_and_forgets_it() -> None:
    code, body = asked("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": PODS})
    assert (code, body["status"], body["kind"]) == (201, {"allowed": True}, "SelfSubjectAccessReview")
    code, body = asked("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert (code, body["status"]["userInfo"]["username"]) == (201, "kubernetes-admin")


def test_a_question_that_asks_nothing_is_invalid_without_a_name_or_kind() -> None:
    code, body = asked("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}})
    assert (code, body["details"].get("kind")) == (422, None)
    assert body["message"].startswith('.authorization.k8s.io "" is invalid: spec.resourceAttributes: ')
