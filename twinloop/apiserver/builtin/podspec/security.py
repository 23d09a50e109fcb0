"""Security contexts of a pod and of its containers.

`spec.py` calls `pod`, `containers.py` calls `container`.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.builtin.checks import Errors, descending_path, one_of, shown_struct
from twinloop.apiserver.builtin.podspec import internal
from twinloop.apiserver.fielderrors import duplicate, invalid, not_supported, required

Object = dict[str, Any]

_LARGEST_ID = 2**31 - 1
_ID_RANGE = f"must be between 0 and {_LARGEST_ID}, inclusive"
_NOT_LOCAL = "can only be set when seccomp type is Localhost"
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def pod(path: str, context: Object, spec: Object) -> Errors:
    """PodSecurityContext."""
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from _identity(f"{path}.{name}", context.get(name))
    for index, group in enumerate(context.get("supplementalGroups", ())):
        yield from _identity(f"{path}.supplementalGroups[{index}]", group)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{path}.shareProcessNamespace", value=True, detail=why)
    yield from _sysctls(f"{path}.sysctls", context)
    if "fsGroupChangePolicy" in context:
        policy = context["fsGroupChangePolicy"]
        yield from one_of(f"{path}.fsGroupChangePolicy", policy, ("Always", "OnRootMismatch"))
    yield from _seccomp(f"{path}.seccompProfile", context.get("seccompProfile"))
    yield from _app_armor(f"{path}.appArmorProfile", context.get("appArmorProfile"))
    if "supplementalGroupsPolicy" in context:
        policy = context["supplementalGroupsPolicy"]
        yield from one_of(f"{path}.supplementalGroupsPolicy", policy, ("Merge", "Strict"))


def container(path: str, context: Object | None, *, host_users: bool) -> Errors:
    """SecurityContext."""
    if not context:
        return
    for name in ("runAsUser", "runAsGroup"):
        yield from _identity(f"{path}.{name}", context.get(name))
    if "procMount" in context:
        yield from _proc_mount(f"{path}.procMount", context["procMount"], host_users=host_users)
    yield from _seccomp(f"{path}.seccompProfile", context.get("seccompProfile"))
    yield from _escalation(path, context)
    yield from _app_armor(f"{path}.appArmorProfile", context.get("appArmorProfile"))


def _identity(path: str, number: int | None) -> Errors:
    if number is not None and not 0 <= number <= _LARGEST_ID:
        yield invalid(path, number, _ID_RANGE)


def _sysctls(path: str, context: Object) -> Errors:
    seen: set[str] = set()
    for index, sysctl in enumerate(context.get("sysctls", ())):
        if not sysctl["name"]:
            yield required(f"{path}[{index}].name")
        elif sysctl["name"] in seen:
            yield duplicate(f"{path}[{index}].name", sysctl["name"])
        seen.add(sysctl["name"])


def _proc_mount(path: str, value: str, *, host_users: bool) -> Errors:
    if value not in {"Default", "Unmasked"}:
        yield not_supported(path, value, ("Default", "Unmasked"))
    if host_users and value == "Unmasked":
        yield invalid(path, value, "`hostUsers` must be false to use `Unmasked`")


def _escalation(path: str, context: Object) -> Errors:
    if context.get("allowPrivilegeEscalation") is not False:
        return
    shown = internal.struct("SecurityContext", context)
    if context.get("privileged"):
        yield from shown_struct(path, shown, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    if "CAP_SYS_ADMIN" in context.get("capabilities", {}).get("add", ()):
        why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        yield from shown_struct(path, shown, why)


def _seccomp(path: str, profile: Object | None) -> Errors:
    if profile is None:
        return
    local = profile.get("localhostProfile")
    if not profile["type"]:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    elif profile["type"] not in _PROFILES:
        yield not_supported(f"{path}.type", profile["type"], _PROFILES)
    if profile["type"] != "Localhost":
        if local is not None:
            yield from shown_struct(f"{path}.localhostProfile", _go_profile(profile), _NOT_LOCAL)
    elif local is None:
        yield required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
    else:
        yield from descending_path(f"{path}.localhostProfile", local)


def _go_profile(profile: Object) -> Object:
    return {"Type": profile["type"], "LocalhostProfile": profile.get("localhostProfile")}


def _app_armor(path: str, profile: Object | None) -> Errors:
    if profile is None:
        return
    local = profile.get("localhostProfile")
    if not profile["type"]:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    elif profile["type"] not in _PROFILES:
        yield not_supported(f"{path}.type", profile["type"], _PROFILES)
    elif profile["type"] != "Localhost":
        if local is not None:
            yield invalid(f"{path}.localhostProfile", local, "can only be set when AppArmor type is Localhost")
    elif not local or not local.strip():
        yield required(f"{path}.localhostProfile", "must be set when AppArmor type is Localhost")
    elif local != local.strip():
        yield invalid(f"{path}.localhostProfile", local, "must not be padded with whitespace")
