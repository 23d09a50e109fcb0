"""What a pod is told to do: the annotations by which a test makes a pretend pod misbehave.

`kubelet.py` reads them at every visit, so that changing one changes the pod. A command given to the kubelet itself
(`Kubelet.order`) wins over the annotation of the same name.

    kubelet.twinloop.dev/ready: "false"          the pod runs and never becomes ready, until this goes or says something else
    kubelet.twinloop.dev/ready-after: "2.5"      seconds from running to ready
    kubelet.twinloop.dev/stop-after: "2.5"       seconds from its deletion to its end, at most its grace period
    kubelet.twinloop.dev/phase: Failed           its containers exit with 1, for good; Succeeded: with 0
    kubelet.twinloop.dev/crashes: "3"            its containers crash until their restartCount is 3; "loop": without end
    kubelet.twinloop.dev/image: missing          its images cannot be pulled
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "kubelet.twinloop.dev/"
NAMES = ("ready", "ready-after", "stop-after", "phase", "crashes", "image")


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders for one pod; None where nothing was ordered. Times in seconds."""

    held: bool = False
    ready_after: float | None = None
    stop_after: float | None = None
    phase: str = ""  # Failed or Succeeded
    crashes: float = 0  # infinity: without end
    image_missing: bool = False


def orders(pod: Mapping[str, Any], commands: Mapping[str, str]) -> Orders:
    """What a pod's annotations and the commands about it say; nonsense is taken for nothing."""
    annotations = pod["metadata"].get("annotations") or {}
    said = {name: annotations.get(PREFIX + name, "") for name in NAMES} | dict(commands)
    return Orders(
        held=said["ready"].lower() == "false",
        ready_after=_seconds(said["ready-after"]),
        stop_after=_seconds(said["stop-after"]),
        phase=said["phase"] if said["phase"] in {"Failed", "Succeeded"} else "",
        crashes=math.inf if said["crashes"] == "loop" else _seconds(said["crashes"]) or 0,
        image_missing=said["image"] == "missing",
    )


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None
