"""What a user does, in words: the headline of a step.

`lane.py` tells it when the step begins, `steps.py` has it in its table.
"""

from __future__ import annotations

from typing import Any

from twinloop.harness.history import User
from twinloop.kube import NGINXPODS


def title(user: User) -> str:
    """As in "scale web to 3 pods"; an operation without words of its own is named as it was recorded."""
    kind = "NginxPod" if user.resource == str(NGINXPODS) else user.resource.partition(".")[0].removesuffix("s")
    spec: dict[str, Any] = (user.body or {}).get("spec") or {} if user.op != "delete" else {}
    told = []
    if "replicas" in spec:
        told.append(f"{'with' if user.op == 'create' else 'to'} {spec['replicas']} pods")
    if "image" in spec:
        told.append(f"to image :{str(spec['image']).rpartition(':')[2]}")
    return " ".join([f"{user.op} {kind} {user.name}", *told])
