"""Which kinds of object are served: `Kind` describes one, `Registry` finds it by path or by apiVersion and kind.

Built-in kinds are registered at start (`builtin/`), those of CustomResourceDefinitions come and go at run time
(`schemas/`). `request.py` looks up a path's kind here, `publish/` lists all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from twinloop.apiserver.strategy import Strategy

_VERSION = re.compile(r"v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?")
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One served version of one resource. `storage` is what it is stored under: versions of one resource share it."""

    group: str
    version: str
    kind: str
    plural: str
    strategy: Strategy
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()  # status, scale, binding, eviction, log
    verbs: tuple[str, ...] = VERBS
    storage: tuple[str, str] = field(default=("", ""))  # (group, plural); the default is this kind's own
    storage_version: bool = True
    since: int = 0  # the revision from which on objects are stored as this schema has them
    deprecation: str = ""  # the warning that comes with every answer of an old version

    def __post_init__(self) -> None:
        if not any(self.storage):
            object.__setattr__(self, "storage", (self.group, self.plural))

    @property
    def api_version(self) -> str:
        """What stands in an object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def custom(self) -> bool:
        """Whether a CustomResourceDefinition made it: its list items carry kind and apiVersion, it has no strategic merge."""
        return not self.strategy.merges_strategically()

    @property
    def go_package(self) -> str:
        """The package of the internal type, which some messages name."""
        first = self.group.split(".")[0]
        return "core" if first in {"", "events"} else first

    @property
    def list_kind(self) -> str:
        """The kind of a list of them."""
        return f"{self.kind}List"


class Registry:
    """The kinds served now. `generation` counts changes, so that published documents can be cached."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self.generation = 0
        self.on_change: list[Callable[[], None]] = []

    def add(self, kind: Kind) -> None:
        """Serve a kind from now on, in place of one with the same path."""
        self._kinds[kind.group, kind.version, kind.plural] = kind
        self._changed()

    def remove(self, group: str, version: str, plural: str) -> None:
        """Stop serving it."""
        if self._kinds.pop((group, version, plural), None):
            self._changed()

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind /apis/<group>/<version>/.../<plural>."""
        return self._kinds.get((group, version, plural))

    def stored(self, group: str, plural: str) -> Kind | None:
        """The version of a resource that is stored, for whoever works on objects whatever version was asked for."""
        found = [kind for kind in self._kinds.values() if (kind.group, kind.plural) == (group, plural)]
        return next((kind for kind in found if kind.storage_version), found[0] if found else None)

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind that an owner reference or an object names."""
        return next((each for each in self if (each.api_version, each.kind) == (api_version, kind)), None)

    def has_group(self, group: str) -> bool:
        """Whether any version of a group is served."""
        return any(kind.group == group for kind in self._kinds.values())

    def custom_group(self, group: str) -> bool:
        """Whether a group consists of custom resources."""
        return any(kind.custom for kind in self._kinds.values() if kind.group == group)

    def __iter__(self) -> Iterator[Kind]:
        return iter(tuple(self._kinds.values()))

    def _changed(self) -> None:
        self.generation += 1
        for changed in self.on_change:
            changed()


def version_priority(version: str) -> tuple[int, int, int, str]:
    """The order of a group's versions, as apimachinery's version.CompareKubeAwareVersionStrings has it: v2, v1, v1beta1."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return 3, 0, 0, version
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return stage, -int(match[1]), -int(match[3] or 0), ""
