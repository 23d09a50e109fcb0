"""The story: what a user does to one NginxPod, and how one sees that it came true.

Data for `run.py`: each step is a title, an act on a lane, and a question to the lane's objects. None of it knows
which operator works there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.demo.headlines import image_tag
from twinloop.demo.lane import Lane
from twinloop.kube import NGINXPODS, PODS
from twinloop.nginxpod import Object, is_ready, uid_of

NAME = "web"
FIRST, SECOND = "nginxinc/nginx-unprivileged:stable", "nginxinc/nginx-unprivileged:mainline"


@dataclass(frozen=True)
class Step:
    """`act` returns what `done` wants to remember of the moment before."""

    title: str
    act: Callable[[Lane], str]
    done: Callable[[Lane, str], bool]


def _create(lane: Lane) -> str:
    body = {"apiVersion": NGINXPODS.api_version, "kind": "NginxPod", "metadata": {"name": NAME}}
    lane.client.create(NGINXPODS, {**body, "spec": {"replicas": 2, "image": FIRST}}, lane.namespace)
    return ""


def _patch(spec: Object) -> Callable[[Lane], str]:
    def act(lane: Lane) -> str:
        lane.client.merge_patch(NGINXPODS, NAME, {"spec": spec}, lane.namespace)
        return ""

    return act


def _delete_pod(lane: Lane) -> str:
    victim = lane.pods()[f"{NAME}-1"]
    lane.client.delete(PODS, f"{NAME}-1", lane.namespace)
    return uid_of(victim)


def _delete(lane: Lane) -> str:
    lane.client.delete(NGINXPODS, NAME, lane.namespace)
    return ""


def _settled(replicas: int, image: str) -> Callable[[Lane, str], bool]:
    """All wanted pods are there, ready and of the image; none is the one remembered; the NginxPod says so itself."""

    def done(lane: Lane, gone: str) -> bool:
        pods = lane.pods().values()
        right = [pod for pod in pods if is_ready(pod) and image_tag(pod) == image.rpartition(":")[2]]
        return len(right) == len(pods) == replicas and gone not in map(uid_of, pods) and _says_so(lane)

    return done


def _says_so(lane: Lane) -> bool:
    nginxpod = lane.nginxpod(NAME) or {}
    status = nginxpod.get("status") or {}
    ready = [each for each in status.get("conditions") or [] if each["type"] == "Ready" and each["status"] == "True"]
    return bool(ready) and status.get("observedGeneration") == nginxpod["metadata"]["generation"]


def _nothing_left(lane: Lane, _: str) -> bool:
    return not lane.pods() and lane.nginxpod(NAME) is None


STORY = (
    Step("create a NginxPod with 2 replicas", _create, _settled(2, FIRST)),
    Step("scale it to 3", _patch({"replicas": 3}), _settled(3, FIRST)),
    Step("delete pod web-1 by hand", _delete_pod, _settled(3, FIRST)),
    Step("change the image to :mainline", _patch({"image": SECOND}), _settled(3, SECOND)),
    Step("delete the NginxPod", _delete, _nothing_left),
)
