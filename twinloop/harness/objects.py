"""Looking into raw objects: the two questions that the truth, the table and the oracles all ask."""

from __future__ import annotations

from twinloop.kube.resources import Object


def controller(obj: Object) -> Object:
    """The controller among the owner references, {} when there is none."""
    owners = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), {})


def condition(obj: Object, kind: str) -> Object:
    """A condition of the status by its type, {} when it is not there."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == kind), {})
