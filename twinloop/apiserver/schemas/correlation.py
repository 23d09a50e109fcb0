"""A value beside what it was before an update, so that an update is not refused for what it did not touch.

`validation.py` and `rules.py` walk down an object and take the `Correlation` along; apiserver calls this ratcheting.
Values are matched by field name, and list items by the keys of a list map: items of other lists have no past.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


class Correlation:
    """A value, the old one, and the schema that both follow."""

    __slots__ = ("_old_items", "_schema", "_unchanged", "new", "old")

    def __init__(self, new: Any, old: Any, schema: Schema) -> None:
        self.new, self.old, self._schema = new, old, schema
        self._unchanged: bool | None = None
        self._old_items: MapList | None = None

    @property
    def unchanged(self) -> bool:
        """Equal to what it was, list maps in any order."""
        if self._unchanged is None:
            self._unchanged = self._compare()
        return self._unchanged

    def key(self, name: str) -> Correlation | None:
        """The same for a field, or nothing if it has no past."""
        if not isinstance(self.new, dict) or not isinstance(self.old, dict):
            return None
        schema = field_schema(self._schema, name)
        if name not in self.new or name not in self.old or schema is None:
            return None
        return Correlation(self.new[name], self.old[name], schema)

    def index(self, index: int) -> Correlation | None:
        """The same for an item of a list map."""
        items = self._schema.get("items")
        if not isinstance(self.old, list) or self._schema.get("x-kubernetes-list-type") != "map" or items is None:
            return None
        if self._old_items is None:
            self._old_items = MapList(self._schema, self.old)
        found = self._old_items.get(self.new[index])
        return None if found is None else Correlation(self.new[index], found, items)

    def _compare(self) -> bool:
        if self.new is None or self.old is None:
            return self.new is self.old
        if isinstance(self.new, list) and isinstance(self.old, list):
            return self._compare_lists()
        if isinstance(self.new, dict) and isinstance(self.old, dict):
            below = [self.key(name) for name in self.new]
            return len(self.new) == len(self.old) and all(each is not None and each.unchanged for each in below)
        return type(self.new) is type(self.old) and bool(self.new == self.old)

    def _compare_lists(self) -> bool:
        if len(self.new) != len(self.old):
            return False
        below = [self.index(index) for index in range(len(self.new))]
        if self._old_items is None:
            return bool(self.new == self.old)
        return all(each is not None and each.unchanged for each in below)


class MapList:
    """The items of a list map by the values of its keys."""

    def __init__(self, schema: Schema, items: list[Any]) -> None:
        self._keys: tuple[str, ...] = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        self._items: dict[Any, Any] = {}
        for item in items:
            key = self._key(item)
            if key is not None:
                self._items.setdefault(key, item)

    def get(self, item: Any) -> Any:
        """The item with the same keys; None if there is none."""
        key = self._key(item)
        return None if key is None else self._items.get(key)

    def _key(self, item: Any) -> Any:
        if not isinstance(item, dict) or any(isinstance(item.get(key), dict | list | None) for key in self._keys):
            return None
        return tuple((type(item[key]), item[key]) for key in self._keys)


def field_schema(schema: Schema, name: str) -> Schema | None:
    """The schema of a field: a declared one, or that of undeclared ones."""
    found = (schema.get("properties") or {}).get(name)
    if found is None and isinstance(schema.get("additionalProperties"), Mapping):
        found = schema["additionalProperties"]
    return found
