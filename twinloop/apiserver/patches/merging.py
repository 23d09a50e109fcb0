"""Puts an applied configuration into a live object: its leaves win, and nothing is taken away.

The first step of `apply.py`; `removing.py` then takes out what the applier has given up. Lists with keys, and sets, are
merged item by item: items that both have follow the configuration's order, the live object's others stay where they
were between them. The rules are those of structured-merge-diff's merge walker.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.patches import elements
from twinloop.apiserver.patches.typed import DEDUCED, Typed

_NOTHING: Any = object()  # there is no value, which is not null


def merge(live: dict[str, Any], config: dict[str, Any], typed: Typed) -> dict[str, Any]:
    """The live object with the configuration's fields; neither argument is changed."""
    merged: dict[str, Any] = _merged(typed, live, config)
    return merged


def _merged(typed: Typed, live: Any, config: Any) -> Any:
    """What one field becomes; one of the two may be `_NOTHING`. Containers come out non-empty or not at all."""
    shape = _shape(live, config)
    if shape is None or not (_contents(live) or _contents(config)):
        return live if config is _NOTHING else config
    if typed.atomic_map if shape is dict else typed.atomic_list:
        return live if config is _NOTHING else config
    if shape is dict:
        return _merged_maps(typed, _contents(live) or {}, _contents(config) or {})
    return _merged_lists(typed, _contents(live) or [], _contents(config) or [])


def _shape(live: Any, config: Any) -> type | None:
    """dict or list when one of the values is such and the other allows it, None when it is a leaf."""
    value = config if config is not _NOTHING and config is not None else live
    if type(value) not in {dict, list}:
        return None
    return type(value) if live is _NOTHING or live is None or type(live) is type(value) else None


def _contents(value: Any) -> Any:
    return value if type(value) in {dict, list} else None


def _merged_maps(typed: Typed, live: dict[str, Any], config: dict[str, Any]) -> Any:
    found = {}
    for name in {**live, **config}:
        below = typed.fields.get(name) or typed.values or DEDUCED
        value = _merged(below, live.get(name, _NOTHING), config.get(name, _NOTHING))
        if value is not _NOTHING:
            found[name] = value
    return found or _NOTHING


def _merged_lists(typed: Typed, live: list[Any], config: list[Any]) -> Any:
    """Walk both lists at once, as far as possible in the order of each."""
    walk = _Walk(typed, live, config)
    return walk.run() or _NOTHING


class _Walk:
    """Two lists of items that are known by keys, on their way to becoming one."""

    def __init__(self, typed: Typed, live: list[Any], config: list[Any]) -> None:
        self._element = typed.element
        self._live, self._config = live, config
        self._live_keys = [elements.of_item(typed, item) for item in live]
        self._config_keys = [elements.of_item(typed, item) for item in config]
        self._by_live, self._by_config = (
            _first(self._live_keys, live),
            dict(zip(self._config_keys, config, strict=True)),
        )
        self._shared = [key for key in self._config_keys if key in self._by_live]
        self._done: set[str] = set()
        self._found: list[Any] = []

    def run(self) -> list[Any]:
        """The merged list."""
        left = right = 0
        while left < len(self._live_keys) or right < len(self._config_keys):
            left, right = self._step(left, right)
        return self._found

    def _step(self, left: int, right: int) -> tuple[int, int]:
        mine = self._live_keys[left] if left < len(self._live_keys) else None
        theirs = self._config_keys[right] if right < len(self._config_keys) else None
        if mine is not None and theirs is not None:
            if mine == theirs:
                self._take(mine)
                self._shared = self._shared[1:]
                return left + 1, right + 1
            if mine in self._by_config and self._shared and self._shared[0] != mine:
                return left + 1, right  # both have it, but another shared item comes first
        if mine is not None:
            if mine not in self._by_config:
                self._add(_merged(self._element, self._live[left], _NOTHING))
                return left + 1, right
            if mine in self._done:
                left += 1
        if theirs is not None:
            self._take(theirs)
            if self._shared and self._shared[0] == theirs:
                self._shared = self._shared[1:]
            right += 1
        return left, right

    def _take(self, key: str) -> None:
        """Add the configuration's item, merged into the live one if there is just one."""
        self._done.add(key)
        self._add(_merged(self._element, self._by_live.get(key, _NOTHING), self._by_config[key]))

    def _add(self, value: Any) -> None:
        if value is not _NOTHING:
            self._found.append(value)


def _first(keys: list[str], items: list[Any]) -> dict[str, Any]:
    """Items by key; one that comes more than once counts as null, for nobody can say which of them is meant."""
    found: dict[str, Any] = {}
    for key, item in zip(keys, items, strict=True):
        found[key] = None if key in found else item
    return found
