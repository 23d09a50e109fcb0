"""The end of a namespace, from its deletion to its disappearance, in the order that a watcher of a real cluster sees.

Runs the whole server with the namespace controller, service accounts, garbage collection and pods. Leaves out: failures
of discovery and deletion, which cannot happen in one process, and what admission says meanwhile (test_admission.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.live_server import THINGS, LiveServer, config_map, pod, thing
from twinloop.apiserver.controllers.namespaces import DELAY

SPACE = "/api/v1/namespaces/here"
ALL_DONE = {
    "NamespaceDeletionDiscoveryFailure": ("False", "ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "False",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "False",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("False", "ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": (
        "False",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
}


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("namespaces", "serviceaccounts", "garbage", "scheduler", "kubelet")
    found.namespace("here")
    return found


def conditions(namespace: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    found = namespace["status"].get("conditions", ())
    return {each["type"]: (each["status"], each["reason"], each["message"]) for each in found}


def test_an_empty_namespace_reports_and_goes(live: LiveServer) -> None:
    deleted = live.delete(SPACE)
    assert deleted["status"]["phase"] == "Terminating"
    assert deleted["spec"]["finalizers"] == ["kubernetes"]
    live.settle(10)
    assert live.seen("namespaces") == ["MODIFIED here", "MODIFIED here", "DELETED here"]
    last = live.states("here")[-1][1]
    assert conditions(last) == ALL_DONE


def test_everything_in_it_is_deleted(live: LiveServer) -> None:
    live.serve_things()
    live.create(f"{SPACE}/configmaps", config_map("plain"))
    live.create(f"{SPACE}/secrets", config_map("quiet"))
    live.create(THINGS.format("here"), thing("one"))
    live.delete(SPACE)
    live.settle(10)
    gone = {"DELETED plain", "DELETED quiet", "DELETED one", "DELETED default", "DELETED kube-root-ca.crt"}
    assert gone <= set(live.seen("configmaps", "secrets", "things", "serviceaccounts"))
    assert not live.exists(SPACE)


def test_another_namespace_is_left_alone(live: LiveServer) -> None:
    live.namespace("here-too")
    live.create("/api/v1/namespaces/here-too/configmaps", config_map("plain"))
    live.delete(SPACE)
    live.settle(10)
    assert live.exists("/api/v1/namespaces/here-too/configmaps/plain")


def test_pods_go_before_everything_else(live: LiveServer) -> None:
    live.create(f"{SPACE}/configmaps", config_map("plain"))
    live.create(f"{SPACE}/pods", pod("web"))
    live.settle(10)
    live.delete(SPACE)
    live.settle(20)
    seen = live.seen("configmaps", "pods")
    assert seen.index("DELETED web") < seen.index("DELETED plain")
    assert not live.exists(SPACE)


def test_what_remains_is_told_and_waited_for(live: LiveServer) -> None:
    live.serve_things()
    live.create(f"{SPACE}/configmaps", config_map("held", finalizers=["example.com/x"]))
    live.create(THINGS.format("here"), thing("slow", finalizers=["example.com/y"]))
    live.delete(SPACE)
    live.settle(60)
    found = conditions(live.get(SPACE))
    assert found["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: configmaps. has 1 resource instances, things.example.com has 1 resource instances",
    )
    assert found["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        (
            "Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances, "
            "example.com/y in 1 resource instances"
        ),
    )


def test_nothing_is_counted_while_pods_are_waited_for(live: LiveServer) -> None:
    """Odd, and what the real controller says."""
    live.create(f"{SPACE}/configmaps", config_map("plain"))
    live.create(f"{SPACE}/pods", pod("web") | {"metadata": {"name": "web", "finalizers": ["example.com/x"]}})
    live.delete(SPACE)
    live.settle(60)
    assert conditions(live.get(SPACE)) == ALL_DONE
    assert live.exists(f"{SPACE}/configmaps/plain")
    live.patch(f"{SPACE}/pods/web", {"metadata": {"finalizers": None}})
    live.settle(10)
    assert not live.exists(SPACE)


def test_it_goes_when_the_last_finalizer_does(live: LiveServer) -> None:
    live.create(f"{SPACE}/configmaps", config_map("held", finalizers=["example.com/x"]))
    live.delete(SPACE)
    live.settle(60)
    live.forget()
    live.patch(f"{SPACE}/configmaps/held", {"metadata": {"finalizers": None}})
    live.settle(10)
    assert live.seen("configmaps", "namespaces") == ["DELETED held", "MODIFIED here", "DELETED here"]


def test_waiting_writes_nothing(live: LiveServer) -> None:
    live.create(f"{SPACE}/configmaps", config_map("held", finalizers=["example.com/x"]))
    live.delete(SPACE)
    live.settle(60)
    live.forget()
    live.settle(3600)
    assert live.events == []


def test_a_second_delete_changes_nothing(live: LiveServer) -> None:
    live.create(f"{SPACE}/configmaps", config_map("held", finalizers=["example.com/x"]))
    live.delete(SPACE)
    live.settle(60)
    live.forget()
    live.delete(SPACE)
    live.settle(60)
    assert live.events == []


def test_a_finalizer_of_the_namespaces_own_is_waited_for(live: LiveServer) -> None:
    live.patch(SPACE, {"metadata": {"finalizers": ["example.com/mine"]}})
    live.delete(SPACE)
    live.settle(60)
    assert live.get(SPACE)["metadata"]["finalizers"] == ["example.com/mine"]
    assert "finalizers" not in live.get(SPACE)["spec"]
    live.patch(SPACE, {"metadata": {"finalizers": None}})
    assert not live.exists(SPACE)


def test_deletion_begins_after_the_delay(live: LiveServer) -> None:
    controller = next(each for each in live.server.controllers if each.name == "namespaces")
    controller.delay = 5.0  # type: ignore[attr-defined]
    live.create(f"{SPACE}/configmaps", config_map("plain"))
    live.delete(SPACE)
    live.settle(4.9)
    assert live.exists(f"{SPACE}/configmaps/plain")
    live.settle(1)
    assert not live.exists(SPACE)


def test_the_name_can_be_used_again(live: LiveServer) -> None:
    live.delete(SPACE)
    live.settle(10)
    live.namespace("here")
    assert live.exists(f"{SPACE}/serviceaccounts/default")
    live.settle(60)
    assert live.exists(SPACE)


def test_a_namespace_restored_while_it_was_going_goes_again(live: LiveServer) -> None:
    live.create(f"{SPACE}/configmaps", config_map("held", finalizers=["example.com/x"]))
    live.delete(SPACE)
    snapshot = live.server.storage.snapshot()
    live.settle(60)
    live.server.storage.restore(snapshot)
    live.patch(f"{SPACE}/configmaps/held", {"metadata": {"finalizers": None}})
    live.settle(60)
    assert not live.exists(SPACE)


def test_without_the_controller_it_stays_terminating() -> None:
    live = LiveServer()
    live.namespace("here")
    live.delete(SPACE)
    live.settle(60)
    assert live.get(SPACE)["status"]["phase"] == "Terminating"


def test_a_full_namespace_is_emptied_in_several_rounds(live: LiveServer) -> None:
    for number in range(250):
        live.create(f"{SPACE}/configmaps", config_map(f"map-{number}"))
    live.delete(SPACE)
    live.clock.advance(DELAY)
    live.server.tick()
    assert 0 < len(live.get(f"{SPACE}/configmaps")["items"]) < 250  # other requests get their turn in between
    live.settle(10)
    assert not live.exists(SPACE)
