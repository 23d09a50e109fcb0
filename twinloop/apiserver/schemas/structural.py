"""The check whether a schema is structural: says the type of everything, outside anyOf, oneOf, allOf and not.

`definition_checks.py` asks this of every schema in a new CustomResourceDefinition. Only over a structural schema can
pruning, defaulting and server-side apply work. The checks and their words are those of apiextensions' schema package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, required
from twinloop.apiserver.schemas.patterns import problem_of

Schema = Mapping[str, Any]
Level = Literal["root", "item", "field"]

_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_NEEDS_TYPE: dict[Level, str] = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
# What a nested schema may not say, and the words for it.
_FORBIDDEN = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)
_IMPLICIT = "must not specify anything other than name and generateName, but metadata is implicitly specified"
_NO_PROPERTIES = (
    "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
)


def check(schema: Schema, path: str) -> list[FieldError]:
    """What keeps a schema from being structural, sorted by path."""
    return sorted([*_node(schema, "root", path), *_incomplete(schema, schema, path, path)], key=str)


# ---------------------------------------------------------------------- the schema itself


def _node(schema: Schema, level: Level, path: str) -> Iterator[FieldError]:
    if schema.get("type") == "array" and schema.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    if isinstance(schema.get("items"), Mapping):
        yield from _node(schema["items"], "item", f"{path}.items")
    for name, each in (schema.get("properties") or {}).items():
        yield from _node(each, "field", f"{path}.properties[{name}]")
    additional = schema.get("additionalProperties")
    if additional is not None and level == "root":
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if isinstance(additional, Mapping):
        yield from _node(additional, "field", f"{path}.additionalProperties")
    yield from _extensions(schema, path)
    yield from _values(schema, level, path)
    yield from _type(schema, level, path)
    if level == "root" or schema.get("x-kubernetes-embedded-resource"):
        yield from _type_meta(schema, path)
    metadata = (schema.get("properties") or {}).get("metadata")
    if metadata is not None:
        yield from _metadata(metadata, schema, level, f"{path}.properties[metadata]")


def _extensions(schema: Schema, path: str) -> Iterator[FieldError]:
    for name in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
        if schema.get("x-kubernetes-int-or-string") and schema.get(name):
            yield invalid(f"{path}.{name}", True, "must be false if x-kubernetes-int-or-string is true")


def _type(schema: Schema, level: Level, path: str) -> Iterator[FieldError]:
    kind, embedded = schema.get("type") or "", schema.get("x-kubernetes-embedded-resource")
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if embedded and kind != "object":
        what = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(f"{path}.type", kind, what) if kind else required(f"{path}.type", what)
    elif not kind and not free and not schema.get("$ref"):  # which is refused by itself
        yield required(f"{path}.type", _NEEDS_TYPE[level])
    if embedded and schema.get("additionalProperties") is not None:
        yield forbidden(f"{path}.additionalProperties", "must not be used if x-kubernetes-embedded-resource is set")
    if level == "root" and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")


def _type_meta(schema: Schema, path: str) -> Iterator[FieldError]:
    properties = schema.get("properties") or {}
    for name in ("kind", "apiVersion"):
        if name in properties and properties[name].get("type") != "string":
            yield invalid(f"{path}.properties[{name}].type", properties[name].get("type") or "", "must be string")
    preserves = schema.get("x-kubernetes-preserve-unknown-fields")
    if schema.get("x-kubernetes-embedded-resource") and not preserves and not properties:
        yield required(f"{path}.properties", _NO_PROPERTIES)


def _metadata(metadata: Schema, parent: Schema, level: Level, path: str) -> Iterator[FieldError]:
    checked = level == "root" or parent.get("x-kubernetes-embedded-resource")
    if checked and metadata.get("type") != "object":
        yield invalid(f"{path}.type", metadata.get("type") or "", "must be object")
    if level == "root" and _says_more(metadata):
        yield forbidden(path, _IMPLICIT)


def _says_more(metadata: Schema) -> bool:
    """Whether a schema of metadata restricts more than the name."""
    names = set(metadata.get("properties") or ())
    if names - {"name", "generateName"}:
        return True
    return any(
        value not in (None, "", False, [], {})
        for key, value in metadata.items()
        if key not in {"type", "default", "properties"}
    )


# ---------------------------------------------------------------------- what is nested in anyOf and the like


def _values(schema: Schema, level: Level, path: str) -> Iterator[FieldError]:
    """The nested schemas of one, except for the pattern that stands for an int-or-string."""
    yield from _nested_of(
        schema, level, path, skip_any=_is_int_or_string(schema), skip_first=_first_is_int_or_string(schema)
    )


def _is_int_or_string(schema: Schema) -> bool:
    return list(schema.get("anyOf") or ()) == _INT_OR_STRING


def _first_is_int_or_string(schema: Schema) -> bool:
    nested = list(schema.get("allOf") or ())
    return bool(nested) and _is_int_or_string(nested[0])


def _nested_of(schema: Schema, level: Level, path: str, *, skip_any: bool, skip_first: bool) -> Iterator[FieldError]:
    for index, each in enumerate(() if skip_any else schema.get("anyOf") or ()):
        yield from _nested(each, level, f"{path}.anyOf[{index}]")
    for index, each in enumerate(schema.get("allOf") or ()):
        yield from _nested(each, level, f"{path}.allOf[{index}]", skip_any=skip_first and index == 0)
    for index, each in enumerate(schema.get("oneOf") or ()):
        yield from _nested(each, level, f"{path}.oneOf[{index}]")
    if schema.get("not") is not None:
        yield from _nested(schema["not"], level, f"{path}.not")
    problem = problem_of(schema["pattern"]) if schema.get("pattern") else ""
    if problem:
        what = f"must be a valid regular expression, but isn't: {problem}"
        yield invalid(f"{path}.pattern", schema["pattern"], what)


def _nested(schema: Schema, level: Level, path: str, *, skip_any: bool = False) -> Iterator[FieldError]:
    yield from _nested_of(schema, level, path, skip_any=skip_any, skip_first=False)
    if isinstance(schema.get("items"), Mapping):
        yield from _nested(schema["items"], level, f"{path}.items")
    for name, each in (schema.get("properties") or {}).items():
        yield from _nested(each, "field", f"{path}.properties[{name}]")
    for name, what in _FORBIDDEN:
        if schema.get(name) not in (None, "", False, []):
            yield forbidden(f"{path}.{name}", what)
    if "metadata" in (schema.get("properties") or {}):
        yield forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


# ---------------------------------------------------------------------- nothing nested that is not outside too


def _incomplete(values: Schema, schema: Schema, path: str, where: str) -> Iterator[FieldError]:
    if values.get("not") is not None:
        yield from _incomplete_nested(values["not"], schema, path, f"{where}.not")
    for key in ("allOf", "anyOf", "oneOf"):
        for index, each in enumerate(values.get(key) or ()):
            yield from _incomplete_nested(each, schema, path, f"{where}.{key}[{index}]")


def _incomplete_nested(nested: Schema, schema: Schema | None, path: str, where: str) -> Iterator[FieldError]:
    if schema is None:
        yield required(path, f"because it is defined in {where}")
        return
    yield from _incomplete(nested, schema, path, where)
    if isinstance(nested.get("items"), Mapping):
        yield from _incomplete_nested(nested["items"], schema.get("items"), f"{path}.items", f"{where}.items")
    for name, each in (nested.get("properties") or {}).items():
        below, there = f"{path}.properties[{name}]", f"{where}.properties[{name}]"
        yield from _incomplete_nested(each, (schema.get("properties") or {}).get(name), below, there)
