"""The entries of `metadata.managedFields`: read from an object, kept as a table of managers, written back in order.

`managed_fields.update` and `apply.py` take the table apart and put it together again; this module knows what an entry
looks like, when two entries are the same manager's, in which order they stand, and how many there may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from twinloop.apiserver.patches import fieldset
from twinloop.apiserver.patches.fieldset import Fields

APPLY, UPDATE = "Apply", "Update"
# Entries of updates that an object keeps; the oldest beyond them are merged into one of this name.
MOST_UPDATERS = 10
ANCIENT = "ancient-changes"


@dataclass(frozen=True, slots=True, order=True)
class Manager:
    """Who an entry belongs to. All applies of one name are one manager, whatever version they used."""

    name: str
    operation: str
    api_version: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns, since when, and in which version's terms."""

    fields: Fields
    api_version: str
    time: str | None = None


Managers = dict[Manager, Owned]


def updater(name: str, api_version: str, subresource: str = "") -> Manager:
    """The manager that an update, create or patch is made by."""
    return Manager(name or "unknown", UPDATE, api_version, subresource)


def applier(name: str, subresource: str = "") -> Manager:
    """The manager that an apply is made by."""
    return Manager(name, APPLY, "", subresource)


def read(entries: Any, tidy: Callable[[Any], Fields] | None = None) -> Managers:
    """The table of an object's managedFields; `tidy` puts the sets of those that a client wrote into one form.

    Raises ValueError when an entry makes no sense.
    """
    found: Managers = {}
    for entry in entries or ():
        if not isinstance(entry, dict):
            raise ValueError("an entry is an object")  # noqa: TRY004 - one error for all that is wrong with one
        manager = _manager(entry)
        fields = entry.get("fieldsV1") or {}
        found[manager] = Owned(tidy(fields) if tidy else fields, entry["apiVersion"], entry.get("time"))
    return found


def written(managers: Managers) -> list[dict[str, Any]]:
    """The table as managedFields has it: applies first, then the oldest, then by name."""
    entries = [_entry(manager, owned) for manager, owned in managers.items()]
    return sorted(entries, key=_order)


def put(metadata: dict[str, Any], managers: Managers) -> None:
    """Write the table into an object's metadata, or nothing when there is none."""
    metadata.pop("managedFields", None)
    if managers:
        metadata["managedFields"] = written(managers)


def capped(managers: Managers) -> Managers:
    """The table with its oldest updaters merged when there are more than an object may keep."""
    updaters = sorted((each for each in managers if each.operation == UPDATE), key=lambda each: _age(managers, each))
    surplus, kept = len(updaters) - MOST_UPDATERS, dict(managers)
    first: dict[str, Manager] = {}
    for manager in updaters:
        if surplus <= 0:
            break
        version = kept[manager].api_version
        if version in first:
            _merge_ancient(kept, first[version], manager)
            surplus -= 1
        else:
            first[version] = manager
    return kept


def _age(managers: Managers, manager: Manager) -> tuple[str, str, str, str]:
    # kube-apiserver breaks ties by the manager's identity as JSON: name, then version, then subresource.
    return managers[manager].time or "", manager.name, manager.api_version, manager.subresource


def _merge_ancient(managers: Managers, first: Manager, manager: Manager) -> None:
    """Put a manager's fields into its version's bucket, which starts as the oldest manager's entry."""
    bucket = updater(ANCIENT, managers[manager].api_version)
    if bucket not in managers:
        managers[bucket] = managers.pop(first)
    merged = managers.pop(manager)
    fields = fieldset.union(merged.fields, managers[bucket].fields) if manager != bucket else merged.fields
    managers[bucket] = replace(merged, fields=fieldset.tidy(fields))


def _manager(entry: Mapping[str, Any]) -> Manager:
    operation, version = entry.get("operation"), entry.get("apiVersion")
    if operation not in {APPLY, UPDATE}:
        raise ValueError("operation must be `Apply` or `Update`")
    if not version:
        raise ValueError("apiVersion must not be empty")
    if entry.get("fieldsType") != "FieldsV1":
        raise ValueError("invalid fieldsType")
    known = "" if operation == APPLY else version
    return Manager(entry.get("manager") or "", operation, known, entry.get("subresource") or "")


def _entry(manager: Manager, owned: Owned) -> dict[str, Any]:
    """An entry with its fields in the order in which kube-apiserver writes them."""
    entry: dict[str, Any] = {"manager": manager.name} if manager.name else {}
    entry |= {"operation": manager.operation, "apiVersion": owned.api_version}
    if owned.time:
        entry["time"] = owned.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": owned.fields}
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def _order(entry: dict[str, Any]) -> tuple[str, str, str, str, str]:
    return (
        entry["operation"],
        entry.get("time", ""),
        entry.get("manager", ""),
        entry["apiVersion"],
        entry.get("subresource", ""),
    )
