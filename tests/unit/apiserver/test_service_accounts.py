"""What a namespace is born with, and that it comes back.

Leaves out: what pods get from their account (test_admission.py), and tokens, which nobody here would check.
"""

from __future__ import annotations

import pytest

from support.live_server import LiveServer

SPACE = "/api/v1/namespaces/here"


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("serviceaccounts")
    found.create("/api/v1/namespaces", {"metadata": {"name": "here"}})
    found.settle()
    return found


def test_a_namespace_gets_its_account_and_then_its_certificates(live: LiveServer) -> None:
    assert live.seen("namespaces", "serviceaccounts", "configmaps") == [
        "ADDED here",
        "ADDED default",
        "ADDED kube-root-ca.crt",
    ]


def test_the_namespaces_that_every_cluster_has_are_furnished_too(live: LiveServer) -> None:
    for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
        assert live.exists(f"/api/v1/namespaces/{name}/serviceaccounts/default")
        assert live.exists(f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt")


def test_both_are_written_as_the_real_controllers_write_them(live: LiveServer) -> None:
    account = live.get(f"{SPACE}/serviceaccounts/default")
    assert set(account) == {"kind", "apiVersion", "metadata"}
    assert "managedFields" not in account["metadata"]
    found = live.get(f"{SPACE}/configmaps/kube-root-ca.crt")
    assert list(found["data"]) == ["ca.crt"]
    assert list(found["metadata"]["annotations"]) == ["kubernetes.io/description"]
    assert [each["manager"] for each in found["metadata"]["managedFields"]] == ["kube-controller-manager"]


@pytest.mark.parametrize("path", ["serviceaccounts/default", "configmaps/kube-root-ca.crt"])
def test_what_is_deleted_comes_back(live: LiveServer, path: str) -> None:
    before = live.get(f"{SPACE}/{path}")["metadata"]["uid"]
    live.delete(f"{SPACE}/{path}")
    live.settle()
    assert live.get(f"{SPACE}/{path}")["metadata"]["uid"] != before


def test_what_is_changed_is_put_back(live: LiveServer) -> None:
    path = f"{SPACE}/configmaps/kube-root-ca.crt"
    before = live.get(path)["data"]
    live.patch(path, {"data": {"ca.crt": "mine", "more": "yes"}})
    live.settle()
    assert live.get(path)["data"] == before
    live.forget()
    live.patch(path, {"metadata": {"labels": {"mine": "yes"}}})
    live.settle()
    assert live.seen("configmaps") == ["MODIFIED kube-root-ca.crt"]


def test_a_namespace_that_is_going_is_not_furnished_again(live: LiveServer) -> None:
    live.delete(SPACE)
    live.delete(f"{SPACE}/serviceaccounts/default")
    live.settle(60)
    assert not live.exists(f"{SPACE}/serviceaccounts/default")


def test_without_the_controller_a_namespace_is_born_bare() -> None:
    live = LiveServer()
    live.namespace("here")
    assert live.get(f"{SPACE}/serviceaccounts")["items"] == []
