"""The table of expectations: it holds for what is right, and each single thing that is wrong keeps it from holding.

Left out: when it is asked (test_stage).
"""

import copy
from typing import Any

import pytest

from twinloop.harness.history import Expect
from twinloop.harness.table import mismatch

IMAGE = "nginx:1"


def nginxpod(**metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "uid": "u1", "generation": 2, **metadata},
        "status": {
            "observedGeneration": 2,
            "conditions": [{"type": "Ready", "status": "True", "reason": "AllReady"}],
        },
    }


def pod(name: str, *, uid: str = "u1") -> dict[str, Any]:
    owner = {"kind": "NginxPod", "name": "web", "uid": uid, "controller": True}
    return {
        "metadata": {"name": name, "labels": {"twinloop.dev/nginxpod": "web"}, "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "nginx", "image": IMAGE, "ports": [{"containerPort": 8080}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


EXPECT = Expect(name="web", pods=["web-0", "web-1"], image=IMAGE, port=8080)
RIGHT = [pod("web-0"), pod("web-1")]


def test_it_holds_for_what_is_right() -> None:
    assert mismatch(EXPECT, nginxpod(), RIGHT) == ""


def test_pods_of_others_are_nobodys_business() -> None:
    foreign = {**pod("web-7"), "metadata": {"name": "web-7"}}
    assert mismatch(EXPECT, nginxpod(), [*RIGHT, foreign, pod("web-8", uid="another")]) == ""


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("metadata", "deletionTimestamp"), "2026-01-01T00:00:00Z", "terminating"),
        (("status", "phase"), "Failed", "has ended"),
        (("status", "phase"), "Succeeded", "has ended"),
        (("spec", "containers", 0, "image"), "nginx:2", "runs nginx:2"),
        (("spec", "containers", 0, "ports"), [{"containerPort": 80}], "ports"),
        (("spec", "containers", 0, "ports"), None, "ports"),
        (("metadata", "labels"), {}, "label"),
        (("status", "conditions"), [], "not ready"),
        (("metadata", "ownerReferences"), [], "has the pods web-1"),
    ],
)
def test_a_pod_that_is_wrong_is_named(path: tuple[Any, ...], value: Any, words: str) -> None:
    pods = copy.deepcopy(RIGHT)
    target: Any = pods[0]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert words in mismatch(EXPECT, nginxpod(), pods)


def test_a_pod_too_few_or_too_many_is_named() -> None:
    assert "should have web-0, web-1" in mismatch(EXPECT, nginxpod(), RIGHT[:1])
    assert "has the pods web-0, web-1, web-2" in mismatch(EXPECT, nginxpod(), [*RIGHT, pod("web-2")])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({}, "about generation None"),
        ({"observedGeneration": 1}, "about generation 1 and not 2"),
        ({"observedGeneration": 2}, "Ready=None"),
        (
            {"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "False", "reason": "No"}]},
            "Ready=False",
        ),
    ],
)
def test_a_status_that_is_not_there_yet(status: dict[str, Any], words: str) -> None:
    assert words in mismatch(EXPECT, {**nginxpod(), "status": status}, RIGHT)


def test_ready_false_and_its_reason_can_be_expected() -> None:
    status = {"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "False", "reason": "NameConflict"}]}
    expect = Expect(name="web", pods=["web-1"], image=IMAGE, port=8080, ready=False, reason="NameConflict")
    assert mismatch(expect, {**nginxpod(), "status": status}, [pod("web-1")]) == ""
    other = Expect(name="web", pods=["web-1"], image=IMAGE, port=8080, ready=False, reason="PodCreateFailed")
    assert "should give PodCreateFailed" in mismatch(other, {**nginxpod(), "status": status}, [pod("web-1")])


def test_readiness_that_nobody_asked_for_is_not_checked() -> None:
    expect = Expect(name="web", pods=["web-0"], image=IMAGE, port=8080, ready=None)
    unready = {**pod("web-0"), "status": {"phase": "Pending"}}
    assert mismatch(expect, {**nginxpod(), "status": {"observedGeneration": 2}}, [unready]) == ""


def test_a_missing_nginxpod() -> None:
    assert "not there" in mismatch(EXPECT, None, RIGHT)


def test_what_should_be_gone() -> None:
    gone = Expect(name="web", gone=True)
    assert mismatch(gone, None, []) == ""
    assert "still there" in mismatch(gone, nginxpod(), [])
    assert "web-0, web-1" in mismatch(gone, None, RIGHT)


def test_a_foreign_pod_of_the_name_need_not_go() -> None:
    assert mismatch(Expect(name="web", gone=True), None, [{**pod("web-0"), "metadata": {"name": "web-0"}}]) == ""
