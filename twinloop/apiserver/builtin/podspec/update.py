"""What may change in the spec of a pod that exists: next to nothing.

`pods.py` calls `check` on updates. The message shows what differs as a unified diff, as the original does.
"""

from __future__ import annotations

import copy
import difflib
from typing import Any

from twinloop.apiserver.builtin.checks import Errors
from twinloop.apiserver.builtin.podspec import internal
from twinloop.apiserver.builtin.podspec.spec import INT32_MAX
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, required

Object = dict[str, Any]

_MAY_CHANGE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_NO_CONTAINERS = "pod updates may not add or remove containers"


def check(spec: Object, old: Object) -> list[FieldError]:
    """What is wrong with a change of a pod's spec; the first grave error ends the list, as in the original."""
    for name in ("containers", "initContainers"):
        if len(spec.get(name) or ()) != len(old.get(name) or ()):
            return [forbidden(f"spec.{name}", _NO_CONTAINERS)]
    found = [*_images(spec), *_deadline(spec, old)]
    if any(each.path == "spec.activeDeadlineSeconds" and "nil" not in each.message for each in found):
        return found
    found += _tolerations(spec, old)
    found += _gates(spec, old)
    if spec != old:
        found += _rest(spec, old)
    return found


def _images(spec: Object) -> Errors:
    for name in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(name) or ()):
            image = container.get("image", "")
            if not image:
                yield required(f"spec.{name}[{index}].image")
            elif image != image.strip():
                why = "must not have leading or trailing whitespace"
                yield invalid(f"spec.{name}[{index}].image", image, why)


def _deadline(spec: Object, old: Object) -> Errors:
    path, seconds, before = (
        "spec.activeDeadlineSeconds",
        spec.get("activeDeadlineSeconds"),
        old.get("activeDeadlineSeconds"),
    )
    if seconds is None:
        if before is not None:
            yield invalid(path, None, "must not update from a positive integer to nil value")
    elif not 0 <= seconds <= INT32_MAX:
        yield invalid(path, seconds, f"must be between 0 and {INT32_MAX}, inclusive")
    elif before is not None and before < seconds:
        yield invalid(path, seconds, "must be less than or equal to previous value")


def _tolerations(spec: Object, old: Object) -> Errors:
    kept = [_without_seconds(each) for each in spec.get("tolerations", ())]
    if any(_without_seconds(each) not in kept for each in old.get("tolerations", ())):
        yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")


def _without_seconds(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _gates(spec: Object, old: Object) -> Errors:
    before = {each["name"] for each in old.get("schedulingGates", ())}
    for index, gate in enumerate(spec.get("schedulingGates", ())):
        if gate["name"] not in before:
            why = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield forbidden(f"spec.schedulingGates[{index}].name", why)


def _rest(spec: Object, old: Object) -> Errors:
    """Everything but what may change has to be the same."""
    same = _with_allowed_changes_undone(spec, old)
    yield from _gated_selector(same, old)
    if same != old:
        why = f"pod updates may not change fields other than {_MAY_CHANGE}\n{_difference(old, same)}"
        yield forbidden("spec", why)


def _with_allowed_changes_undone(spec: Object, old: Object) -> Object:
    same = copy.deepcopy(spec)
    for name in ("containers", "initContainers"):
        for container, before in zip(same.get(name) or (), old.get(name) or (), strict=True):
            container["image"] = before["image"]
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        same.pop(name, None)
        if name in old:
            same[name] = old[name]
    if old.get("terminationGracePeriodSeconds", 0) < 0 and same.get("terminationGracePeriodSeconds") == 1:
        same["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    return same


def _gated_selector(same: Object, old: Object) -> Errors:
    """A pod that is not released to the scheduler yet may be given a narrower node selector."""
    if not old.get("schedulingGates") or same.get("nodeSelector") == old.get("nodeSelector"):
        return
    wanted = same.get("nodeSelector", {})
    for key, value in old.get("nodeSelector", {}).items():
        if wanted.get(key) != value:
            yield invalid(
                "spec.nodeSelector",
                wanted,
                "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
            )
            break
    same.pop("nodeSelector", None)
    if "nodeSelector" in old:
        same["nodeSelector"] = old["nodeSelector"]


def _difference(old: Object, new: Object) -> str:
    """A unified diff of the two specs as Go prints its internal types."""
    before, after = internal.printed(old).splitlines(), internal.printed(new).splitlines()
    lines = list(difflib.unified_diff(before, after, n=3, lineterm=""))[2:]
    return "".join(f"{line}\n" for line in lines)
