"""What a terminating namespace says about itself: its five conditions, as a plain function of what remains.

`namespaces.py` writes them. Wording and order are those of kube-controller-manager's namespace conditions; the failures
that three of them are for (discovery, parsing, deletion) do not happen here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Remaining:
    """How many objects are left of each resource, (group, plural), and how many objects have each finalizer."""

    resources: Counter[tuple[str, str]]
    finalizers: Counter[str]


def conditions(before: Sequence[Object], remaining: Remaining, now: str) -> list[Object]:
    """The conditions after a look at the namespace; times of transition are kept while the status is."""
    old = {each["type"]: each for each in before}
    return [
        _condition(old.get(kind), kind, status, reason, message, now)
        for kind, status, reason, message in _facts(remaining)
    ]


def _facts(remaining: Remaining) -> list[tuple[str, str, str, str]]:
    return [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", *_content(remaining.resources)),
        ("NamespaceFinalizersRemaining", *_finalizers(remaining.finalizers)),
    ]


def _content(resources: Counter[tuple[str, str]]) -> tuple[str, str, str]:
    if not resources:
        return "False", "ContentRemoved", "All content successfully removed"
    # The core group leaves its dot behind: the original joins resource and group whether there is one or not.
    counted = sorted(
        f"{plural}.{group} has {number} resource instances" for (group, plural), number in resources.items()
    )
    return "True", "SomeResourcesRemain", f"Some resources are remaining: {', '.join(counted)}"


def _finalizers(finalizers: Counter[str]) -> tuple[str, str, str]:
    if not finalizers:
        return "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"
    counted = sorted(f"{name} in {number} resource instances" for name, number in finalizers.items())
    message = f"Some content in the namespace has finalizers remaining: {', '.join(counted)}"
    return "True", "SomeFinalizersRemain", message


def _condition(old: Object | None, kind: str, status: str, reason: str, message: str, now: str) -> Object:
    since = old["lastTransitionTime"] if old and old["status"] == status else now
    return {"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
