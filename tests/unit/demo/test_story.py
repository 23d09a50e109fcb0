"""When a step of the story counts as done, and what is waited for.

Left out: what the steps send to a server; the demo itself is run by tests/demo against the embedded one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from support.builders import nginxpod, pod, terminating
from twinloop.demo.lane import Lane
from twinloop.demo.story import FIRST, STORY
from twinloop.nginxpod import Object

CREATE, SCALE, HAND, IMAGE, DELETE = STORY


@dataclass
class Seen:
    """A lane as far as a step asks it."""

    parent: Object | None
    children: list[Object] = field(default_factory=list)

    def nginxpod(self, name: str) -> Object | None:
        return self.parent

    def pods(self) -> dict[str, Object]:
        return {each["metadata"]["name"]: each for each in self.children}


def parent(*, ready: bool = True, observed: int = 2) -> Object:
    made = nginxpod(generation=2, image=FIRST)
    conditions = [{"type": "Ready", "status": "True" if ready else "False", "reason": "AllReady"}]
    return {**made, "status": {"observedGeneration": observed, "conditions": conditions}}


def lane(seen: Seen) -> Lane:
    return cast("Lane", seen)


def two(**change: object) -> list[Object]:
    return [pod(nginxpod(image=FIRST), 0), pod(nginxpod(image=FIRST), 1) | change]


def test_created_is_done_when_both_pods_are_ready_and_the_nginxpod_says_so() -> None:
    assert CREATE.done(lane(Seen(parent(), two())), "")


@pytest.mark.parametrize(
    "seen",
    [
        Seen(parent(), two()[:1]),
        Seen(parent(), [*two(), pod(nginxpod(image=FIRST), 2)]),
        Seen(parent(), [two()[0], pod(nginxpod(image=FIRST), 1, ready=False)]),
        Seen(parent(), [two()[0], pod(nginxpod(image="other:mainline"), 1)]),
        Seen(parent(), [two()[0], terminating(two()[1])]),
        Seen(parent(ready=False), two()),
        Seen(parent(observed=1), two()),
        Seen(None, two()),
    ],
)
def test_created_is_not_done_before(seen: Seen) -> None:
    assert not CREATE.done(lane(seen), "")


def test_a_pod_deleted_by_hand_must_be_another_one_afterwards() -> None:
    pods = [*two(), pod(nginxpod(image=FIRST), 2)]
    assert not HAND.done(lane(Seen(parent(), pods)), "uid-web-1")
    assert HAND.done(lane(Seen(parent(), pods)), "uid of the one before")


def test_an_image_change_is_done_when_no_pod_has_the_old_image() -> None:
    assert not IMAGE.done(lane(Seen(parent(), [*two(), pod(nginxpod(image=FIRST), 2)])), "")
    new = [pod(nginxpod(image="nginx:mainline"), ordinal) for ordinal in range(3)]
    assert IMAGE.done(lane(Seen(parent(), new)), "")


def test_deleted_is_done_when_nothing_is_left() -> None:
    assert not DELETE.done(lane(Seen(None, two())), "")
    assert not DELETE.done(lane(Seen(parent())), "")
    assert DELETE.done(lane(Seen(None)), "")
