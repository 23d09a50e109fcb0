"""A CustomResourceDefinition as a Kubernetes API server holds it inside, because its messages speak of that form.

What all versions have in common moves out of them: a schema that every version shares is found at spec.validation and
not at spec.versions[0].schema. And where a message shows a bad value, it shows Go's struct, fields unset and all.
`definition_checks.py` turns a definition into this form before it looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinloop.apiserver.fielderrors import FieldError

Object = dict[str, Any]

_SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")

# The fields of apiextensions.JSONSchemaProps in order: its name, ours, and what it is when unset.
_SCHEMA_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("ID", "id", ""), ("Schema", "$schema", ""), ("Ref", "$ref", None), ("Description", "description", ""),
    ("Type", "type", ""), ("Nullable", "nullable", False), ("Format", "format", ""), ("Title", "title", ""),
    ("Default", "default", None), ("Maximum", "maximum", None), ("ExclusiveMaximum", "exclusiveMaximum", False),
    ("Minimum", "minimum", None), ("ExclusiveMinimum", "exclusiveMinimum", False), ("MaxLength", "maxLength", None),
    ("MinLength", "minLength", None), ("Pattern", "pattern", ""), ("MaxItems", "maxItems", None),
    ("MinItems", "minItems", None), ("UniqueItems", "uniqueItems", False), ("MultipleOf", "multipleOf", None),
    ("Enum", "enum", None), ("MaxProperties", "maxProperties", None), ("MinProperties", "minProperties", None),
    ("Required", "required", None), ("Items", "items", None), ("AllOf", "allOf", None), ("OneOf", "oneOf", None),
    ("AnyOf", "anyOf", None), ("Not", "not", None), ("Properties", "properties", None),
    ("AdditionalProperties", "additionalProperties", None), ("PatternProperties", "patternProperties", None),
    ("Dependencies", "dependencies", None), ("AdditionalItems", "additionalItems", None),
    ("Definitions", "definitions", None), ("ExternalDocs", "externalDocs", None), ("Example", "example", None),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", None),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", False),
    ("XIntOrString", "x-kubernetes-int-or-string", False), ("XListMapKeys", "x-kubernetes-list-map-keys", None),
    ("XListType", "x-kubernetes-list-type", None), ("XMapType", "x-kubernetes-map-type", None),
    ("XValidations", "x-kubernetes-validations", None),
)  # fmt: skip
_RULE_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("Rule", "rule", ""), ("Message", "message", ""), ("MessageExpression", "messageExpression", ""),
    ("Reason", "reason", None), ("FieldPath", "fieldPath", ""), ("OptionalOldSelf", "optionalOldSelf", None),
)  # fmt: skip
GO_NAMES = {ours: name for name, ours, _ in _SCHEMA_FIELDS}


@dataclass(frozen=True, slots=True)
class Shared:
    """What all versions have in common, out of the versions; `versions` keep what differs between them."""

    versions: list[Object]
    schema: Object | None
    subresources: Object | None
    columns: list[Object]
    selectable: list[Object]


def share(spec: Mapping[str, Any]) -> Shared:
    """Move what all versions have in common out of them."""
    versions = [dict(each) for each in spec.get("versions") or ()]
    common = {}
    for key in _SHARED:
        if versions and all(each.get(key) == versions[0].get(key) for each in versions):
            common[key] = versions[0].get(key)
            for each in versions:
                each.pop(key, None)
    return Shared(
        versions,
        common.get("schema"),
        common.get("subresources"),
        common.get("additionalPrinterColumns") or [],
        common.get("selectableFields") or [],
    )


def invalid_go(path: str, shown: str, detail: str) -> FieldError:
    """FieldValueInvalid about a value that is already text."""
    return FieldError("FieldValueInvalid", path, f"Invalid value: {shown}: {detail}")


def go_versions(versions: list[Object]) -> str:
    """spec.versions as Go's JSON of its own structs."""
    return _dumps([_version(each) for each in versions])


def go_schema(schema: Mapping[str, Any]) -> str:
    """The same for a schema."""
    return _dumps(_schema(schema))


def go_rule(rule: Mapping[str, Any]) -> str:
    """The same for a validation rule."""
    return _dumps(_struct(rule, _RULE_FIELDS))


def _version(version: Object) -> Object:
    schema, columns = version.get("schema"), version.get("additionalPrinterColumns")
    selectable = version.get("selectableFields")
    return {
        "Name": version.get("name", ""),
        "Served": bool(version.get("served")),
        "Storage": bool(version.get("storage")),
        "Deprecated": bool(version.get("deprecated")),
        "DeprecationWarning": version.get("deprecationWarning"),
        "Schema": {"OpenAPIV3Schema": _schema(schema.get("openAPIV3Schema"))} if schema else None,
        "Subresources": _subresources(version.get("subresources")),
        "AdditionalPrinterColumns": [_column(each) for each in columns] if columns else None,
        "SelectableFields": [{"JSONPath": each.get("jsonPath", "")} for each in selectable] if selectable else None,
    }


def _subresources(given: Object | None) -> Object | None:
    if given is None:
        return None
    scale = given.get("scale")
    shown = scale and {
        "SpecReplicasPath": scale.get("specReplicasPath", ""),
        "StatusReplicasPath": scale.get("statusReplicasPath", ""),
        "LabelSelectorPath": scale.get("labelSelectorPath"),
    }
    return {"Status": {} if given.get("status") is not None else None, "Scale": shown}


def _column(given: Object) -> Object:
    names = ("Name", "Type", "Format", "Description")
    found: Object = {name: given.get(name.lower(), "") for name in names}
    return {**found, "Priority": given.get("priority", 0), "JSONPath": given.get("jsonPath", "")}


def _schema(schema: Any) -> Any:
    if schema is None:
        return None
    shown = _struct(schema, _SCHEMA_FIELDS)
    for key in ("AllOf", "OneOf", "AnyOf"):
        shown[key] = [_schema(each) for each in shown[key]] if shown[key] else None
    if shown["Properties"]:
        shown["Properties"] = {name: _schema(each) for name, each in sorted(shown["Properties"].items())}
    if shown["Items"] is not None:
        several = isinstance(shown["Items"], list)
        items = shown["Items"] if several else []
        one = None if several else _schema(shown["Items"])
        shown["Items"] = {"Schema": one, "JSONSchemas": [_schema(each) for each in items] or None}
    if shown["AdditionalProperties"] is not None:
        allows, below = _or_bool(shown["AdditionalProperties"])
        shown["AdditionalProperties"] = {"Allows": allows, "Schema": below}
    shown["Not"] = _schema(shown["Not"])
    rules = shown["XValidations"]
    shown["XValidations"] = [_struct(each, _RULE_FIELDS) for each in rules] if rules else None
    return shown


def _or_bool(value: Any) -> tuple[bool, Any]:
    return (value, None) if isinstance(value, bool) else (True, _schema(value))


def _struct(value: Mapping[str, Any], fields: tuple[tuple[str, str, Any], ...]) -> Object:
    return {name: value.get(ours, unset) for name, ours, unset in fields}


def _dumps(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
