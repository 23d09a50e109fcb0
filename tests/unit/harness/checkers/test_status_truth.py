"""What a status has to say, case by case.

Left out: when it has to say it (test_o10_status_truth.py).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.histories import merged, pod_for
from twinloop.harness.checkers.status_truth import World, fine, untruth
from twinloop.harness.scenario import IMAGE, PORT

Object = dict[str, Any]
ALIVE = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def nginxpod(reason: str = "AllReady", *, stalled: bool = False, replicas: Any = 2, **status: Any) -> Object:
    conditions = [{"type": "Ready", "status": str(reason == "AllReady"), "reason": reason, "observedGeneration": 3}]
    conditions += [{"type": "Stalled", "status": "True", "reason": reason}] if stalled else []
    said = {"observedGeneration": 3, "replicas": 2, "readyReplicas": 2, "selector": "twinloop.dev/nginxpod=web"}
    return {
        "metadata": {"name": "web", "uid": "u", "generation": 3},
        "spec": {"replicas": replicas, "image": IMAGE, "port": PORT},
        "status": {**said, "conditions": conditions, **status},
    }


def pod(name: str, **changes: Any) -> Object:
    made = {**pod_for(nginxpod(), name), "status": ALIVE}
    made["metadata"] = {**made["metadata"], "uid": f"uid of {name}"}
    return dict(merged(made, changes))


def world(obj: Object, *pods: Object, refused: str = "") -> World:
    born = {each["metadata"]["uid"]: pod(each["metadata"]["name"]) for each in pods}
    return World(obj, pods, born, frozenset(refused.split()))


TWO = (pod("web-0"), pod("web-1"))
ENDED = {"status": {"phase": "Failed", "conditions": []}}
GOING = {"metadata": {"deletionTimestamp": "T"}}
STRANGER = {"metadata": {"name": "web-1", "uid": "s", "labels": {}}, "spec": {}, "status": ALIVE}
NAMESAKES = pod(
    "web-1", metadata={"ownerReferences": [{**pod("web-1")["metadata"]["ownerReferences"][0], "uid": "old"}]}
)


def test_all_is_well() -> None:
    assert untruth(world(nginxpod(), *TWO)) == ""
    assert fine(world(nginxpod(), *TWO))


@pytest.mark.parametrize(
    ("pods", "why"),
    [
        ((TWO[0],), "one is missing"),
        ((*TWO, pod("web-2")), "one is too many"),
        ((TWO[0], pod("web-1", status={"conditions": []})), "one is not ready"),
        ((TWO[0], pod("web-1", **GOING)), "one is going"),
        ((TWO[0], pod("web-1", **ENDED)), "one has ended"),
        ((TWO[0], pod("web-1", spec={"containers": [{"name": "nginx", "image": "old", "ports": [{"containerPort": PORT}]}]})), ""),
        ((TWO[0], pod("web-1", spec={"containers": [{"name": "nginx", "image": IMAGE, "ports": []}]})), "no port"),
        ((TWO[0], pod("web-1", metadata={"labels": {"twinloop.dev/nginxpod": "x"}})), "a label is wrong"),
        ((TWO[0], NAMESAKES), "one is a namesake's"),
    ],
)  # fmt: skip
def test_all_ready_of_what_is_not(pods: tuple[Object, ...], why: str) -> None:
    assert not fine(world(nginxpod(), *pods)), why
    assert untruth(world(nginxpod(), *pods)), why


@pytest.mark.parametrize(
    ("obj", "pods", "refused"),
    [
        (nginxpod("Progressing", replicas=3), TWO, ""),
        (nginxpod("PodCreateFailed", replicas=3), TWO, "create"),
        (nginxpod("Progressing", replicas=3), TWO, "create"),
        (nginxpod("PodDeleteFailed", replicas=1), TWO, "delete"),
        (nginxpod("NameConflict", stalled=True, replicas=3), (*TWO, {**STRANGER, "metadata": {"name": "web-2", "uid": "s"}}), ""),
        (nginxpod("InvalidSpec", stalled=True, replicas="two"), TWO, ""),
        (nginxpod("InvalidSpec", stalled=True, replicas=-1), TWO, ""),
        (nginxpod("InvalidSpec", stalled=True, replicas=True), TWO, ""),
        (nginxpod("Progressing", replicas=1, readyReplicas=1), (TWO[0], pod("web-1", status={"conditions": []})), ""),
        (nginxpod("Progressing", replicas=2, readyReplicas=1), (TWO[0], pod("web-1", **ENDED)), ""),
    ],
)  # fmt: skip
def test_reasons_that_are_true(obj: Object, pods: tuple[Object, ...], refused: str) -> None:
    told = copy.deepcopy(obj)
    living = [each for each in pods if each["status"]["phase"] != "Failed" and each["metadata"].get("labels")]
    told["status"]["replicas"] = len(living)
    told["status"]["readyReplicas"] = sum(bool(each["status"]["conditions"]) for each in living)
    assert untruth(world(told, *pods, refused=refused)) == ""


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (nginxpod("PodCreateFailed", replicas=3), "should be False (Progressing)"),
        (nginxpod("PodDeleteFailed", replicas=3), "should be False (Progressing)"),
        (nginxpod("NameConflict", stalled=True, replicas=3), "should be False (Progressing)"),
        (nginxpod("Sleepy", replicas=3), "should be False (Progressing)"),
        (nginxpod("AllReady", replicas=3), "Ready is True (AllReady) and should be False"),
        (nginxpod("Progressing"), "should be True (AllReady)"),
        (nginxpod("Progressing", stalled=True, replicas=3), "Stalled is there"),
        (nginxpod("InvalidSpec", replicas="two"), "Stalled is missing"),
        (nginxpod("Progressing", replicas="two"), "should be False (InvalidSpec)"),
    ],
)
def test_reasons_that_are_not(obj: Object, words: str) -> None:
    assert words in untruth(world(obj, *TWO))


def test_a_stranger_that_is_leaving_is_no_conflict_yet() -> None:
    going = merged(STRANGER, GOING)
    told = nginxpod("Progressing", replicas=2)
    told["status"].update(replicas=1, readyReplicas=1)
    assert untruth(world(told, TWO[0], going)) == ""


def test_the_garbage_of_a_namesake_is_waited_for() -> None:
    told = nginxpod("Progressing")
    told["status"].update(replicas=1, readyReplicas=1)
    assert untruth(world(told, TWO[0], NAMESAKES)) == ""


def test_a_condition_about_another_generation() -> None:
    told = nginxpod()
    told["status"]["conditions"][0]["observedGeneration"] = 2
    assert "Ready is about generation 2" in untruth(world(told, *TWO))


def test_a_stalled_that_is_false_should_not_be_there() -> None:
    told = nginxpod()
    told["status"]["conditions"].append({"type": "Stalled", "status": "False"})
    assert "Stalled is there and False" in untruth(world(told, *TWO))
