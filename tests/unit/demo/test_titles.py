"""What a user's operation is called.

Left out: who records it (tests/unit/harness/test_stage.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.demo.titles import title
from twinloop.harness.history import User
from twinloop.kube import NGINXPODS, PODS, Resource


def user(op: str, resource: Resource = NGINXPODS, name: str = "web", body: Any = None) -> User:
    return User(op=op, resource=str(resource), namespace="ns", name=name, body=body)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (user("create", body={"kind": "NginxPod", "spec": {"replicas": 2}}), "create NginxPod web with 2 pods"),
        (user("create", body={"kind": "NginxPod"}), "create NginxPod web"),
        (user("scale", body={"spec": {"replicas": 0}}), "scale NginxPod web to 0 pods"),
        (user("edit", body={"spec": {"image": "nginx:1.27"}}), "edit NginxPod web to image :1.27"),
        (user("delete", PODS, "web-1"), "delete pod web-1"),
        (user("delete"), "delete NginxPod web"),
    ],
)
def test_an_operation_has_its_words(said: User, words: str) -> None:
    assert title(said) == words
