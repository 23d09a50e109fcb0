"""What the demo tells of a watch event.

Left out: where the events come from (test_lane.py).
"""

from __future__ import annotations

import pytest

from support.builders import condition, finished, nginxpod, pod, terminating
from twinloop.demo.headlines import headline, image_tag, standing
from twinloop.nginxpod import Object

PARENT = nginxpod(image="nginx:stable")
READY = pod(PARENT, 0) | {"kind": "Pod"}
UNREADY = pod(PARENT, 0, ready=False) | {"kind": "Pod"}


def said(reason: str, ready: int) -> Object:
    status = {"conditions": [{**condition("Ready", value=False), "reason": reason}], "readyReplicas": ready}
    return {**PARENT, "status": status}


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        (None, UNREADY, "pod web-0 created, stable"),
        (UNREADY, READY, "pod web-0 ready"),
        (READY, UNREADY, "pod web-0 not ready"),
        (READY, terminating(READY), "pod web-0 terminating"),
        (READY, finished(READY) | {"kind": "Pod"}, "pod web-0 Failed"),
        (READY, None, "pod web-0 gone"),
        (PARENT, said("Progressing", 1), "NginxPod says Progressing 1/3"),
        (said("Progressing", 1), said("AllReady", 3), "NginxPod says AllReady 3/3"),
        (PARENT, None, "NginxPod web gone"),
    ],
)
def test_what_changed_is_told_in_a_line(before: Object | None, now: Object | None, line: str) -> None:
    assert headline(before, now) == line


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, None),
        (READY, READY),
        (terminating(READY), terminating(UNREADY)),
        (None, PARENT),
        (said("AllReady", 3), {**said("AllReady", 3), "spec": {"replicas": 4}}),
        (said("AllReady", 3), {**said("AllReady", 3), "metadata": {"name": "web", "labels": {"a": "b"}}}),
    ],
)
def test_what_is_no_news_is_not_told(before: Object | None, now: Object | None) -> None:
    assert headline(before, now) is None


def test_a_nginxpod_that_nobody_visited_stands_nowhere() -> None:
    assert not standing(PARENT)
    assert standing(said("Progressing", 0)) == "Progressing 0/3"


def test_the_tag_of_an_image() -> None:
    assert image_tag(READY) == "stable"
