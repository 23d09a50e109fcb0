"""Which names a CustomResourceDefinition gets, and what its conditions say about it.

`definitions.py` asks this once a definition is stored. Two definitions of one group cannot share a plural, a kind or a
short name: the one that came first keeps it, the other is told in NamesAccepted and not served. The rules follow
apiextensions' naming controller, and so do the reasons and messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twinloop.apiserver.clock import timestamp

Object = dict[str, Any]
Names = Mapping[str, Any]

_ESTABLISHED = ("True", "InitialNamesAccepted", "the initial names have been accepted")
_INSTALLING = ("False", "Installing", "the initial names have been accepted")
_NOT_ACCEPTED = ("False", "NotAccepted", "not all names are accepted")


@dataclass(slots=True)
class InUse:
    """The names that the definitions of a group have got."""

    resources: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, definitions: Iterable[Object], group: str) -> InUse:
        """Of all definitions of a group."""
        found = cls()
        for each in definitions:
            if each["spec"]["group"] == group:
                found._add((each.get("status") or {}).get("acceptedNames") or {})
        return found

    def _add(self, names: Names) -> None:
        self.resources.update((names.get("plural", ""), names.get("singular", ""), *(names.get("shortNames") or ())))
        self.kinds.update((names.get("kind", ""), names.get("listKind", "")))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The names that a definition has now, and why it has not all of them; no reason: it has."""

    names: Object
    reason: str = ""
    message: str = ""


def judge(definition: Object, in_use: InUse) -> Verdict:
    """Give a definition the names it asks for, as far as they are free or its own."""
    wanted, got = definition["spec"]["names"], (definition.get("status") or {}).get("acceptedNames") or {}
    names, reason, message = dict(got), "", ""
    for key, why, used in (
        ("plural", "PluralConflict", in_use.resources),
        ("singular", "SingularConflict", in_use.resources),
        ("shortNames", "ShortNamesConflict", in_use.resources),
        ("kind", "KindConflict", in_use.kinds),
        ("listKind", "ListKindConflict", in_use.kinds),
    ):
        taken = _taken(wanted.get(key) or "", got.get(key) or "", used)
        if taken:
            reason, message = why, taken
        else:
            _put(names, key, wanted.get(key))
    _put(names, "categories", wanted.get("categories"))
    return Verdict({key: names[key] for key in wanted if key in names} | names, reason, message)


def _taken(wanted: str | list[str], got: str | list[str], used: set[str]) -> str:
    """What is wrong with asking for a name or a list of names, or nothing."""
    if isinstance(wanted, str):
        return "" if wanted == got or wanted not in used else f'"{wanted}" is already in use'
    found = [f'"{name}" is already in use' for name in wanted if name not in got and name in used]
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]" * bool(found)


def _put(names: Object, key: str, value: Any) -> None:
    if value:
        names[key] = value
    else:
        names.pop(key, None)


def accept(definition: Object, verdict: Verdict, now: float) -> None:
    """Write a verdict into a definition's status; what was established stays so."""
    definition["status"]["acceptedNames"] = verdict.names
    named = (
        ("False", verdict.reason, verdict.message) if verdict.reason else ("True", "NoConflicts", "no conflicts found")
    )
    set_condition(definition, "NamesAccepted", *named, now)
    if not is_true(definition, "Established"):
        set_condition(definition, "Established", *(_NOT_ACCEPTED if verdict.reason else _INSTALLING), now)


def establish(definition: Object, now: float) -> bool:
    """The second step: what has its names is served. Says whether that is news."""
    if is_true(definition, "Established") or not is_true(definition, "NamesAccepted"):
        return False
    set_condition(definition, "Established", *_ESTABLISHED, now)
    return True


def set_condition(definition: Object, kind: str, status: str, reason: str, message: str, now: float) -> None:
    """Add or change a condition; its time is that of the last change of its status."""
    conditions: list[Object] = definition["status"].get("conditions") or []
    definition["status"]["conditions"] = conditions
    old = next((each for each in conditions if each["type"] == kind), None)
    when = old["lastTransitionTime"] if old and old["status"] == status else timestamp(now)
    new = {"type": kind, "status": status, "lastTransitionTime": when, "reason": reason, "message": message}
    if old is None:
        conditions.append(new)
    else:
        old.update(new)


def is_true(definition: Object, kind: str) -> bool:
    """Whether a condition is True."""
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)
