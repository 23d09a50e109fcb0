"""What a schema in a CustomResourceDefinition may say, beyond being structural: list types, defaults, rules.

`definition_checks.py` asks `check` after `structural.py` and `default_values.py`. CEL rules are compiled here, and only
if the schema is sound otherwise: a rule is checked against the types that the schema declares. The checks and their
words are those of apiextensions' ValidateCustomResourceDefinitionOpenAPISchema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, not_supported, required
from twinloop.apiserver.schemas import rule_checks
from twinloop.apiserver.schemas.pruning import META_FIELDS

Schema = Mapping[str, Any]

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_QUADRATIC = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
_LIST_KEYS = "this property is in x-kubernetes-list-map-keys, so it "


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a definition a schema stands, as far as it matters for what it may say."""

    defaults: str | None = None  # why there may be none
    in_metadata: bool = False
    uncorrelatable: str = ""  # the path of a list or map whose items have no past, so that no rule may ask for oldSelf
    compile_rules: bool = True


@dataclass(slots=True)
class Findings:
    """Problems of schemas and, apart from them, of rules: those come last."""

    schema: list[FieldError]
    rules: list[FieldError]


def check(schema: Schema, path: str, *, compile_rules: bool) -> list[FieldError]:
    """Everything that is wrong with a schema by itself."""
    findings = Findings([], [])
    _check(schema, path, Place(compile_rules=compile_rules), findings, root=True)
    return [*findings.schema, *findings.rules]


def _check(schema: Schema, path: str, place: Place, findings: Findings, *, root: bool = False) -> None:
    before = len(findings.schema)
    findings.schema += _standard(schema, path, place)
    if schema.get("uniqueItems"):
        findings.schema.append(forbidden(f"{path}.uniqueItems", _QUADRATIC))
    _check_additional(schema, path, place, findings)
    for name, each in (schema.get("properties") or {}).items():
        below = _place_of(name, place, schema, root=root)
        _check(each, f"{path}.properties[{name}]", below, findings)
    _check_nested(schema, path, place, findings)
    if isinstance(schema.get("items"), Mapping):
        keyed = schema.get("x-kubernetes-list-type") == "map" or place.uncorrelatable
        _check(schema["items"], f"{path}.items", place if keyed else replace(place, uncorrelatable=path), findings)
    findings.schema += [*_extensions(schema, path), *_list_map(schema, path), *_list_keys(schema, path)]
    if schema.get("x-kubernetes-validations"):
        findings.schema += rule_checks.words(schema, path)
        if place.compile_rules and len(findings.schema) == before:
            whole = root or bool(schema.get("x-kubernetes-embedded-resource"))
            findings.rules += rule_checks.compile_all(schema, path, place.uncorrelatable, root=whole)


def _check_additional(schema: Schema, path: str, place: Place, findings: Findings) -> None:
    additional = schema.get("additionalProperties")
    if additional is None:
        return
    if schema.get("properties") and additional is not True:
        findings.schema.append(
            forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
        )
    if isinstance(additional, Mapping):
        why = "inside additionalProperties applying to object metadata"
        below = replace(place, defaults=why) if place.in_metadata else place
        _check(additional, f"{path}.additionalProperties", below, findings)


def _check_nested(schema: Schema, path: str, place: Place, findings: Findings) -> None:
    place = replace(place, compile_rules=False)
    if schema.get("not") is not None:
        _check(schema["not"], f"{path}.not", place, findings)
    for key in ("allOf", "oneOf", "anyOf"):
        for index, each in enumerate(schema.get(key) or ()):
            _check(each, f"{path}.{key}[{index}]", place, findings)


def _place_of(name: str, place: Place, schema: Schema, *, root: bool) -> Place:
    if name not in META_FIELDS or not (root or schema.get("x-kubernetes-embedded-resource")):
        return place
    return replace(place, in_metadata=True, defaults=f"in top-level {name}" if root else place.defaults)


def _standard(schema: Schema, path: str, place: Place) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if kind and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if schema.get("default") is not None and place.defaults:
        yield forbidden(f"{path}.default", f"must not be set {place.defaults}")
    for name in _UNSUPPORTED:
        if schema.get(name) not in (None, "", {}, []):
            yield forbidden(f"{path}.{name}", f"{name} is not supported")
    if kind == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if place.in_metadata and schema.get("x-kubernetes-embedded-resource"):
        yield forbidden(f"{path}.x-kubernetes-embedded-resource", "must not be used inside of resource meta")


def _extensions(schema: Schema, path: str) -> Iterator[FieldError]:
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        yield invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    yield from _typed_extension(schema, path, "map", "object", ("atomic", "granular"))
    yield from _typed_extension(schema, path, "list", "array", ("atomic", "set", "map"))


def _typed_extension(schema: Schema, path: str, what: str, kind: str, allowed: tuple[str, ...]) -> Iterator[FieldError]:
    """x-kubernetes-map-type or x-kubernetes-list-type."""
    name = f"x-kubernetes-{what}-type"
    value, found = schema.get(name), schema.get("type") or ""
    if value is None:
        return
    if found != kind:
        words = f"must be {kind} if {name} is specified"
        yield invalid(f"{path}.type", found, words) if found else required(f"{path}.type", words)
    elif what == "list" and value == "set":
        yield from _set_items(schema.get("items"), f"{path}.items")
    if value not in allowed:
        yield not_supported(f"{path}.{name}", value, allowed)


def _set_items(items: Any, path: str) -> Iterator[FieldError]:
    """The items of a set are compared as one piece."""
    words = "must be atomic as item of a list with x-kubernetes-list-type=set"
    kind = items.get("type") if isinstance(items, Mapping) else ""
    if kind == "array" and items.get("x-kubernetes-list-type") not in {None, "atomic"}:
        yield invalid(f"{path}.x-kubernetes-list-type", items["x-kubernetes-list-type"], words)
    if kind == "object" and items.get("x-kubernetes-map-type") != "atomic":
        yield invalid(f"{path}.x-kubernetes-map-type", items.get("x-kubernetes-list-type"), words)


def _list_map(schema: Schema, path: str) -> Iterator[FieldError]:
    keys, kind, items = (
        schema.get("x-kubernetes-list-map-keys") or [],
        schema.get("x-kubernetes-list-type"),
        schema.get("items"),
    )
    if keys and kind != "map":
        words = "must be map if x-kubernetes-list-map-keys is non-empty"
        where = f"{path}.x-kubernetes-list-type"
        yield required(where, words) if kind is None else invalid(where, kind, words)
    if kind != "map":
        return
    if not keys:
        yield required(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    if items is None:
        yield required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map")
    elif isinstance(items, Mapping) and items.get("type") != "object":
        words = "must be object if parent array's x-kubernetes-list-type is map"
        yield invalid(f"{path}.items.type", items.get("type") or "", words)
    elif isinstance(items, Mapping):
        yield from _keys_are_scalars(keys, items, path)


def _keys_are_scalars(keys: list[str], items: Schema, path: str) -> Iterator[FieldError]:
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        if key not in properties:
            yield invalid(f"{path}.x-kubernetes-list-map-keys", keys, "entries must all be names of item properties")
        elif properties[key].get("type") in {"array", "object"}:
            words = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield invalid(f"{path}.items.properties[{key}].type", items.get("type"), words)
        if key in keys[:index]:
            yield invalid(f"{path}.x-kubernetes-list-map-keys", keys, "must not contain duplicate entries")


def _list_keys(schema: Schema, path: str) -> Iterator[FieldError]:
    """Keys that may be missing or null are no keys."""
    items, kind = schema.get("items"), schema.get("x-kubernetes-list-type")
    if not isinstance(items, Mapping) or kind not in {"set", "map"}:
        return
    if items.get("nullable"):
        yield forbidden(f"{path}.items.nullable", f"cannot be nullable when x-kubernetes-list-type is {kind}")
    for key in schema.get("x-kubernetes-list-map-keys") or () if kind == "map" else ():
        below = (items.get("properties") or {}).get(key)
        if below is None:
            continue
        where = f"{path}.items.properties[{key}]"
        if key not in (items.get("required") or ()) and below.get("default") is None:
            yield required(f"{where}.default", f"{_LIST_KEYS}must have a default or be a required property")
        if below.get("nullable"):
            yield forbidden(f"{where}.nullable", f"{_LIST_KEYS}cannot be nullable")
