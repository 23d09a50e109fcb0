"""How a schema looks to merges: which values are maps, lists with keys, sets or one piece, and what lies below them.

A `Typed` is a view of one OpenAPI v3 schema, of a built-in kind (with $refs) or of a structural schema (without). It
is made once for a kind and then asked by `compare.py`, `merging.py`, `removing.py` and `strategic.py` at each step down
an object. What it answers follows kube-openapi's schemaconv, which prepares schemas for structured-merge-diff.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

from twinloop.apiserver.patches import object_meta

Schema = Mapping[str, Any]
Resolve = Callable[[str], Schema]
Shape = Literal["map", "struct", "list", "scalar", "untyped"]

_SCALARS = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}
_PLAIN_STRINGS = ("", "byte")
# These two say less in OpenAPI than they mean: a quantity is a string or a number, a raw extension is any one value.
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_SPECIAL: dict[str, Schema] = {
    _QUANTITY: {"type": "string", "format": "quantity"},
    _RAW_EXTENSION: {"x-kubernetes-map-type": "atomic"},
}


class Typed:
    """A view of one schema. `resolve` turns a $ref into a schema; `shared` keeps one view for each name it resolved.

    A schema with a `resolve` is taken for a Go struct: `zero` is then what an empty one looks like as JSON.
    """

    def __init__(
        self,
        schema: Schema,
        resolve: Resolve | None = None,
        *,
        shared: dict[str, Typed] | None = None,
        name: str = "",
        preserve: bool = False,
    ) -> None:
        self.schema, self.name, self.native = schema, name, resolve is not None
        self._given, self._resolve = resolve, resolve or object_meta.resolve
        self._shared: dict[str, Typed] = {} if shared is None else shared
        self._preserve = preserve or schema.get("x-kubernetes-preserve-unknown-fields") is True
        self.type: str = schema.get("type", "")
        self.has_map, self.has_list = self.type in {"", "object"}, self.type in {"", "array"}
        self.map_type: str = schema.get("x-kubernetes-map-type", "granular")
        self.list_type, self.list_keys = _list_type(schema)
        self.atomic_map, self.atomic_list = self.map_type == "atomic", self.list_type == "atomic"
        self.merge_key: str = schema.get("x-kubernetes-patch-merge-key", "")
        strategies: str = schema.get("x-kubernetes-patch-strategy", "")
        self.patch_strategies: list[str] = strategies.split(",") if strategies else []

    @cached_property
    def kind(self) -> Shape:
        """What values of this schema are; "untyped" takes any."""
        if self.type == "object":
            return "struct" if self.schema.get("properties") else "map"
        return {"array": "list", "": "untyped"}.get(self.type, "scalar")  # type: ignore[return-value]

    @cached_property
    def scalar(self) -> str:
        """numeric, string, boolean or untyped; empty when a scalar has no place here."""
        if self.type in {"object", "array"}:
            return ""
        plain = self.type == "string" and self.schema.get("format", "") in _PLAIN_STRINGS
        return "string" if plain else _SCALARS.get(self.type, "untyped")

    @cached_property
    def fields(self) -> dict[str, Typed]:
        """The declared properties."""
        return {name: self._view(schema) for name, schema in self.schema.get("properties", {}).items()}

    @cached_property
    def values(self) -> Typed | None:
        """What stands under an undeclared name; None: nothing may."""
        additional = self.schema.get("additionalProperties")
        if isinstance(additional, Mapping):
            return self._view(additional)
        free = self._preserve or not self.schema.get("properties")
        return DEDUCED if additional or (additional is None and free) else None

    @cached_property
    def element(self) -> Typed:
        """What stands in a list."""
        items = self.schema.get("items")
        return self._view(items) if items else UNTYPED

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Defaults of properties, which count for list keys that an item leaves out."""
        properties: Mapping[str, Schema] = self.schema.get("properties", {})
        return {name: schema["default"] for name, schema in properties.items() if schema.get("default") is not None}

    @cached_property
    def zero(self) -> dict[str, Any]:
        """An empty object as kube-apiserver compares a new one with: struct fields that are always there."""
        if not self.native:
            return {}
        required = frozenset(self.schema.get("required", ()))
        properties: Mapping[str, Schema] = self.schema.get("properties", {})
        found = {name: self._zero_field(name, schema, name in required) for name, schema in properties.items()}
        return {name: value for name, value in found.items() if value is not _ABSENT}

    def field(self, name: str) -> Typed | None:
        """What stands under a name; None: nothing may."""
        return self.fields.get(name) or self.values

    def _zero_field(self, name: str, schema: Schema, required: bool) -> Any:
        default = schema.get("default", _ABSENT)
        if default == {} and isinstance(default, dict):
            return self.fields[name].zero
        if default in ("", 0, False):
            return default
        return None if required and default is _ABSENT and schema.get("type") not in _SCALARS else _ABSENT

    def _view(self, schema: Schema) -> Typed:
        """The view of a schema below this one: of what it refers to, or its own."""
        reference = _reference(schema)
        if not reference:
            return Typed(schema, self._given, shared=self._shared, preserve=self._preserve)
        view = self._named(reference)
        own = {key: value for key, value in schema.items() if key.startswith("x-kubernetes-")}
        if not own:
            return view
        return Typed({**view.schema, **own}, self._given, shared=self._shared, name=view.name)

    def _named(self, reference: str) -> Typed:
        name = reference.rpartition("/")[2]
        if name not in self._shared:
            schema = _SPECIAL.get(name) or self._resolve(reference)
            self._shared[name] = Typed(schema, self._given, shared=self._shared, name=name)
        return self._shared[name]


def custom(schema: Schema) -> Typed:
    """The view of a custom resource's structural schema: its metadata, and that of embedded objects, is ObjectMeta."""
    return Typed(object_meta.with_metadata(schema))


def _reference(schema: Schema) -> str:
    """A schema's $ref, which OpenAPI v3 wraps into a single allOf when something stands beside it."""
    wrapped = schema.get("allOf", ())
    found: str = schema.get("$ref", "") or (wrapped[0].get("$ref", "") if len(wrapped) == 1 else "")
    return found


def _list_type(schema: Schema) -> tuple[str, tuple[str, ...]]:
    """atomic, set or map with its keys: said outright, or by the older patch strategy."""
    said = schema.get("x-kubernetes-list-type")
    if said:
        return said, tuple(schema.get("x-kubernetes-list-map-keys", ())) if said == "map" else ()
    if not schema.get("x-kubernetes-patch-strategy", "").startswith("merge"):
        return "atomic", ()
    key = schema.get("x-kubernetes-patch-merge-key")
    return ("map", (key,)) if key else ("set", ())


_ABSENT: Any = object()
# What no schema describes: maps merge key by key, lists are one piece. And what is one piece as a whole.
DEDUCED = Typed({})
UNTYPED = Typed({"x-kubernetes-map-type": "atomic"})
