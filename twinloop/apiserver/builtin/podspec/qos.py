"""The quality of service class of a pod: what its requests and limits say about it.

`pods.py` writes it into the status of a new pod, where it stays.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from twinloop.apiserver.builtin import quantities

Object = dict[str, Any]

_COMPUTE = ("cpu", "memory")


def qos_class(spec: Object) -> str:
    """Guaranteed when cpu and memory of everything are limited and asked for alike, BestEffort when nothing is said."""
    parts = _resources(spec)
    if not any("requests" in each or "limits" in each for each in parts):
        return "BestEffort"
    requests, limits = _sums(parts, "requests"), _sums(parts, "limits")
    if not requests and not limits:
        return "BestEffort"
    complete = all(_sums([each], "limits").keys() == set(_COMPUTE) for each in parts)
    return "Guaranteed" if complete and requests == limits else "Burstable"


def _resources(spec: Object) -> list[Object]:
    if "resources" in spec:
        return [spec["resources"]]
    return [each["resources"] for key in ("containers", "initContainers") for each in spec.get(key) or ()]


def _sums(parts: list[Object], kind: str) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for each in parts:
        for name, value in each.get(kind, {}).items():
            if name in _COMPUTE and quantities.amount(value) > 0:
                total[name] = total.get(name, Decimal(0)) + quantities.amount(value)
    return total
