"""Who wrote a pod's status: the kubelet's entry in managedFields, made directly.

`kubelet.py` writes three times for every pod that starts, so its writes go past the general machinery of `patches/`
where the outcome is known: when nobody else has ever written this status. A test holds both ways side by side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

MANAGER = "kubelet"
_OWN: dict[str, Any] = {}  # as FieldsV1 says it: this field, and nothing below


def only_ours(metadata: Mapping[str, Any]) -> bool:
    """Whether no one but the kubelet owns a part of the status."""
    entries = metadata.get("managedFields") or ()
    return all(each["manager"] == MANAGER for each in entries if each.get("subresource") == "status")


def credit(metadata: Object, before: Object, after: Object, now: str) -> None:
    """Name the kubelet as the owner of what differs between two states of the status, besides what it owns already."""
    entries = metadata.setdefault("managedFields", [])
    entry = next((each for each in entries if each.get("subresource") == "status"), None)
    if entry is None:
        entry = _entry()
        entries.append(entry)
    entry["time"] = now
    owned = (entry["fieldsV1"].get("f:status") or {}) if entry["fieldsV1"] else {}
    entry["fieldsV1"] = {"f:status": _status(owned, before, after)}
    entries.sort(key=lambda each: (each["operation"], each.get("time", ""), each["manager"]))  # as patches/ order them


def _entry() -> Object:
    fields = {"apiVersion": "v1", "time": "", "fieldsType": "FieldsV1", "fieldsV1": {}}
    return {"manager": MANAGER, "operation": "Update", **fields, "subresource": "status"}


def _status(owned: Object, before: Object, after: Object) -> Object:
    fields: Object = {}
    for name in sorted(after):
        key = f"f:{name}"
        if name == "conditions":
            fields[key] = _conditions(owned.get(key, {}), before.get(name) or [], after[name])
        elif name == "podIPs":
            ips = [f'k:{{"ip":{json.dumps(each["ip"])}}}' for each in after[name]]
            fields[key] = {".": _OWN, **{ip: {".": _OWN, "f:ip": _OWN} for ip in ips}}
        elif key in owned or before.get(name) != after[name]:
            fields[key] = _OWN
    return fields


def _conditions(owned: Object, before: list[Object], after: list[Object]) -> Object:
    old = {each["type"]: each for each in before}
    fields: Object = {".": _OWN} if not before or "." in owned else {}
    for condition in sorted(after, key=lambda each: str(each["type"])):
        key = f'k:{{"type":{json.dumps(condition["type"])}}}'
        found = _condition(owned.get(key, {}), old.get(condition["type"]), condition)
        if found:
            fields[key] = found
    return fields


def _condition(owned: Object, before: Object | None, after: Object) -> Object:
    fields: Object = {".": _OWN} if before is None or "." in owned else {}
    for name in sorted(after):
        changed = before is None or name not in before or before[name] != after[name]
        if changed or f"f:{name}" in owned:
            fields[f"f:{name}"] = _OWN
    return fields
