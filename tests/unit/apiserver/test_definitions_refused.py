"""Which CustomResourceDefinitions are refused, and in what words.

Each case changes one thing in a good definition. What is expected is what kube-apiserver v1.34.4 answered to the same
definition: `$` stands for the path of the schema there, `$l` for that of its property spec.l.

Left out: rules (test_cel_refused.py), several versions and everything that happens after a definition is stored
(test_definitions.py), and the estimated cost of rules, which this server does not know.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twinloop.apiserver.schemas.definition import DefinitionStrategy

BASE: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.test.dev"},
    "spec": {
        "group": "test.dev",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing", "shortNames": ["th"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"a": {"type": "integer", "default": 3}}}
                        },
                    }
                },
            }
        ],
    },
}
SCHEMA: list[Any] = ["spec", "versions", 0, "schema", "openAPIV3Schema"]
SPEC = [*SCHEMA, "properties", "spec"]
PATHS = {"$l": "spec.validation.openAPIV3Schema.properties[spec].properties[l]", "$": "spec.validation.openAPIV3Schema"}


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    """The definition with one value put in, or with None taken out."""
    definition = copy.deepcopy(BASE)
    place: Any = definition
    for step in path[:-1]:
        place = place[step]
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return definition


def findings(definition: dict[str, Any]) -> list[str]:
    """What is wrong with a definition, sorted: a real server's order is that of a map."""
    strategy = DefinitionStrategy()
    strategy.decode(definition)
    strategy.default(definition)
    strategy.prepare_create(definition, 0.0)
    return sorted(map(str, strategy.validate(definition)))


def long(expected: list[str]) -> list[str]:
    """The expected findings with their paths written out."""
    for short, path in PATHS.items():
        expected = [each.replace(short, path, 1) if each.startswith(short) else each for each in expected]
    return sorted(expected)


DEFINITIONS: list[tuple[list[Any], Any, list[str]]] = [
    (
        ["metadata", "name"],
        "foo.bar.dev",
        ['metadata.name: Invalid value: "foo.bar.dev": must be spec.names.plural+"."+spec.group'],
    ),
    (
        ["spec", "group"],
        "nodots",
        [
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
            'spec.group: Invalid value: "nodots": should be a domain with at least one dot',
        ],
    ),
    (
        ["spec", "group"],
        "",
        [
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
            "spec.group: Required value",
        ],
    ),
    (
        ["spec", "group"],
        "Bad.Group",
        [
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
            (
                'spec.group: Invalid value: "Bad.Group": a lowercase RFC 1123 subdomain must consist of lower case '
                "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
                "'example.com', regex used for validation is "
                "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ),
        ],
    ),
    (["spec", "scope"], "Foo", ['spec.scope: Unsupported value: "Foo": supported values: "Cluster", "Namespaced"']),
    (["spec", "scope"], None, ["spec.scope: Required value"]),
    (
        ["spec", "names", "kind"],
        "th ing",
        [
            (
                'spec.names.kind: Invalid value: "th ing": may have mixed case, but should otherwise match: a DNS-1035 '
                "label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and "
                "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
                "'[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
            (
                'spec.names.listKind: Invalid value: "th ingList": may have mixed case, but should otherwise match: a '
                "DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
                "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
            (
                'spec.names.singular: Invalid value: "th ing": a DNS-1035 label must consist of lower case alphanumeric '
                "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
                "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
        ],
    ),
    (
        ["spec", "names", "kind"],
        None,
        [
            "spec.names.kind: Required value",
            "spec.names.listKind: Required value",
            "spec.names.singular: Required value",
        ],
    ),
    (
        ["spec", "names", "plural"],
        None,
        [
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
            "spec.names.plural: Required value",
        ],
    ),
    (
        ["spec", "names", "plural"],
        "Things",
        [
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
            (
                'spec.names.plural: Invalid value: "Things": a DNS-1035 label must consist of lower case alphanumeric '
                "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
                "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
        ],
    ),
    (
        ["spec", "names", "listKind"],
        "Thing",
        ['spec.names.listKind: Invalid value: "Thing": kind and listKind may not be the same'],
    ),
    (
        ["spec", "names", "shortNames"],
        ["A", "b"],
        [
            (
                'spec.names.shortNames[0]: Invalid value: "A": a DNS-1035 label must consist of lower case alphanumeric '
                "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
                "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            )
        ],
    ),
    (
        ["spec", "names", "categories"],
        ["All"],
        [
            (
                'spec.names.categories[0]: Invalid value: "All": a DNS-1035 label must consist of lower case alphanumeric '
                "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
                "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            )
        ],
    ),
    (
        ["spec", "names", "singular"],
        "T",
        [
            (
                'spec.names.singular: Invalid value: "T": a DNS-1035 label must consist of lower case alphanumeric '
                "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
                "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            )
        ],
    ),
    (
        ["spec", "versions"],
        [],
        [
            "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
            "status.storedVersions: Invalid value: null: must have at least one stored version",
        ],
    ),
    (
        ["spec", "conversion"],
        {"strategy": "Webhook"},
        [
            "spec.conversion.conversionReviewVersions: Required value",
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        ],
    ),
    (
        ["spec", "conversion"],
        {"strategy": "Foo"},
        ['spec.conversion.strategy: Unsupported value: "Foo": supported values: "None", "Webhook"'],
    ),
    (
        ["spec", "conversion"],
        {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}},
        ["spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook"],
    ),
    (
        ["spec", "preserveUnknownFields"],
        True,
        [
            (
                "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
                "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
            ),
            "spec.preserveUnknownFields: Invalid value: true: must be false in order to use defaults in the schema",
        ],
    ),
    (["metadata", "finalizers"], ["foo"], []),
    (
        ["spec"],
        None,
        [
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
            "spec.group: Required value",
            "spec.names.kind: Required value",
            "spec.names.listKind: Required value",
            "spec.names.plural: Required value",
            "spec.names.singular: Required value",
            "spec.scope: Required value",
            "spec.versions: Invalid value: null: must have exactly one version marked as storage version",
            "status.storedVersions: Invalid value: null: must have at least one stored version",
        ],
    ),
    (
        ["spec", "names"],
        None,
        [
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
            "spec.names.kind: Required value",
            "spec.names.listKind: Required value",
            "spec.names.plural: Required value",
            "spec.names.singular: Required value",
        ],
    ),
    (
        ["spec", "versions"],
        None,
        [
            "spec.versions: Invalid value: null: must have exactly one version marked as storage version",
            "status.storedVersions: Invalid value: null: must have at least one stored version",
        ],
    ),
    (["foo"], 1, []),
    (["spec", "names", "foo"], "x", []),
    (
        ["spec", "group"],
        "foo.k8s.io",
        [
            (
                "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval "
                'annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111'
            ),
            'metadata.name: Invalid value: "things.test.dev": must be spec.names.plural+"."+spec.group',
        ],
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), DEFINITIONS, ids=repr)
def test_a_definition_says_in_the_words_of_a_real_server_what_is_wrong_with_it(
    path: list[Any], value: Any, expected: list[str]
) -> None:
    assert findings(changed([*[], *path], value)) == long(expected)


VERSIONS: list[tuple[list[Any], Any, list[str]]] = [
    (
        ["storage"],
        False,
        [
            (
                "spec.versions: Invalid value: "
                '[{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: '
                "must have exactly one version marked as storage version"
            ),
            "status.storedVersions: Invalid value: null: must have at least one stored version",
        ],
    ),
    (
        ["name"],
        "V1",
        [
            (
                'spec.version: Invalid value: "V1": a DNS-1035 label must consist of lower case alphanumeric characters or '
                "'-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
                "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
            (
                'spec.versions[0].name: Invalid value: "V1": a DNS-1035 label must consist of lower case alphanumeric '
                "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
                "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
        ],
    ),
    (["schema"], None, ["spec.versions[0].schema.openAPIV3Schema: Required value"]),
    (["served"], False, []),
    (
        ["deprecationWarning"],
        "x",
        ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
    ),
    (["subresources"], {"status": {}}, []),
    (["subresources"], {"scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.a"}}, []),
    (
        ["subresources"],
        {"scale": {"specReplicasPath": "spec.a", "statusReplicasPath": ".spec.a", "labelSelectorPath": ".metadata.x"}},
        [
            (
                'spec.subresources.scale.labelSelectorPath: Invalid value: ".metadata.x": should be a json path under '
                "either .spec or .status"
            ),
            (
                'spec.subresources.scale.specReplicasPath: Invalid value: "spec.a": must be a simple json path starting '
                "with ."
            ),
            'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.a": should be a json path under .status',
        ],
    ),
    (
        ["subresources"],
        {"scale": {}},
        [
            "spec.subresources.scale.specReplicasPath: Required value",
            "spec.subresources.scale.statusReplicasPath: Required value",
        ],
    ),
    (
        ["subresources"],
        {"scale": {"specReplicasPath": ".a", "statusReplicasPath": "a", "labelSelectorPath": "x"}},
        [
            'spec.subresources.scale.labelSelectorPath: Invalid value: "x": must be a simple json path starting with .',
            'spec.subresources.scale.specReplicasPath: Invalid value: ".a": should be a json path under .spec',
            (
                'spec.subresources.scale.statusReplicasPath: Invalid value: "a": must be a simple json path starting with '
                "."
            ),
        ],
    ),
    (["subresources"], {"foo": {}}, []),
    (["additionalPrinterColumns"], [{"name": "a", "type": "string", "jsonPath": ".spec.a"}], []),
    (
        ["additionalPrinterColumns"],
        [{"name": "a", "type": "foo", "jsonPath": "spec.a"}, {"name": "", "type": "", "jsonPath": "", "format": "x"}],
        [
            (
                'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": must be a simple json path starting '
                "with ."
            ),
            (
                'spec.additionalPrinterColumns[0].type: Invalid value: "foo": must be one of '
                "boolean,date,integer,number,string"
            ),
            "spec.additionalPrinterColumns[1].JSONPath: Required value",
            (
                'spec.additionalPrinterColumns[1].format: Invalid value: "x": must be one of '
                "byte,date,date-time,double,float,int32,int64,password"
            ),
            "spec.additionalPrinterColumns[1].name: Required value",
            "spec.additionalPrinterColumns[1].type: Required value: must be one of boolean,date,integer,number,string",
        ],
    ),
    (["additionalPrinterColumns"], [{"name": "a", "type": "string", "jsonPath": ".spec[?(@.a"}], []),
    (["selectableFields"], [{"jsonPath": ".spec.a"}], []),
    (
        ["selectableFields"],
        [
            {"jsonPath": ".spec.b"},
            {"jsonPath": ".spec"},
            {"jsonPath": ".metadata.name"},
            {"jsonPath": ""},
            {"jsonPath": ".spec.a"},
            {"jsonPath": ".spec.a"},
            {"jsonPath": "spec.a"},
            {"jsonPath": ".spec['a']"},
        ],
        [
            (
                'spec.selectableFields[0].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid '
                "field"
            ),
            (
                'spec.selectableFields[1].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean '
                "or integer. Enum string fields and strings with formats are allowed."
            ),
            (
                'spec.selectableFields[2].jsonPath: Invalid value: ".metadata.name": is an invalid path: does not refer to '
                "a valid field"
            ),
            "spec.selectableFields[3].jsonPath: Required value",
            'spec.selectableFields[5].jsonPath: Duplicate value: ".spec.a"',
            (
                'spec.selectableFields[6].jsonPath: Invalid value: "spec.a": is an invalid path: expected [ or . but got: '
                "spec"
            ),
            (
                "spec.selectableFields[7].jsonPath: Invalid value: \".spec['a']\": is an invalid path: array notation is "
                "not allowed"
            ),
        ],
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), VERSIONS, ids=repr)
def test_a_version_does(path: list[Any], value: Any, expected: list[str]) -> None:
    assert findings(changed([*["spec", "versions", 0], *path], value)) == long(expected)


SCHEMAS: list[tuple[list[Any], Any, list[str]]] = [
    (["type"], None, ["$.type: Required value: must not be empty at the root"]),
    (
        ["type"],
        "array",
        ["$.items: Required value: must be specified", '$.type: Invalid value: "array": must be object at the root'],
    ),
    (["type"], "string", ['$.type: Invalid value: "string": must be object at the root']),
    (["nullable"], True, ["$.nullable: Forbidden: nullable cannot be true at the root"]),
    (["additionalProperties"], True, ["$.additionalProperties: Forbidden: must not be used at the root"]),
    (["description"], "x", []),
    (["$schema"], "x", ["$: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported"]),
    (["properties", "metadata"], {"type": "object", "properties": {"name": {"type": "string", "pattern": "^a"}}}, []),
    (
        ["properties", "metadata"],
        {"type": "object", "properties": {"labels": {"type": "object"}}},
        [
            (
                "$.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but "
                "metadata is implicitly specified"
            )
        ],
    ),
    (
        ["properties", "metadata"],
        {"type": "object", "description": "x"},
        [
            (
                "$.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but "
                "metadata is implicitly specified"
            )
        ],
    ),
    (
        ["properties", "metadata"],
        {"type": "string"},
        ['$.properties[metadata].type: Invalid value: "string": must be object'],
    ),
    (
        ["properties", "metadata"],
        {"type": "object", "default": {"name": "a"}},
        ["$.properties[metadata].default: Forbidden: must not be set in top-level metadata"],
    ),
    (
        ["properties", "kind"],
        {"type": "integer"},
        ['$.properties[kind].type: Invalid value: "integer": must be string'],
    ),
    (
        ["properties", "apiVersion"],
        {"type": "string", "default": "x"},
        ["$.properties[apiVersion].default: Forbidden: must not be set in top-level apiVersion"],
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), SCHEMAS, ids=repr)
def test_a_schema_does(path: list[Any], value: Any, expected: list[str]) -> None:
    assert findings(changed([*SCHEMA, *path], value)) == long(expected)


BELOW: list[tuple[list[Any], Any, list[str]]] = [
    (["type"], None, ["$.properties[spec].type: Required value: must not be empty for specified object fields"]),
    (
        ["type"],
        "foo",
        [
            (
                '$.properties[spec].type: Unsupported value: "foo": supported values: "array", "boolean", "integer", '
                '"number", "object", "string"'
            )
        ],
    ),
    (
        ["type"],
        "null",
        [
            "$.properties[spec].type: Forbidden: type cannot be set to null, use nullable as an alternative",
            (
                '$.properties[spec].type: Unsupported value: "null": supported values: "array", "boolean", "integer", '
                '"number", "object", "string"'
            ),
        ],
    ),
    (["items"], {"type": "string"}, []),
    (["additionalProperties"], True, []),
    (
        ["additionalProperties"],
        {"type": "string"},
        [
            (
                "$.properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual "
                "exclusive"
            )
        ],
    ),
    (
        ["additionalProperties"],
        False,
        [
            (
                "$.properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual "
                "exclusive"
            )
        ],
    ),
    (["foo"], 1, []),
]


@pytest.mark.parametrize(("path", "value", "expected"), BELOW, ids=repr)
def test_what_is_below_a_schema_does(path: list[Any], value: Any, expected: list[str]) -> None:
    assert findings(changed([*SPEC, *path], value)) == long(expected)


PROPERTIES: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "array"}, ["$l.items: Required value: must be specified"]),
    ({"type": "array", "items": {}}, ["$l.items.type: Required value: must not be empty for specified array items"]),
    (
        {"type": "array", "items": [{"type": "string"}]},
        ["$l.items: Forbidden: items must be a schema object and not an array"],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        ["$l.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "map"},
        [
            '$l.items.type: Invalid value: "string": must be object if parent array\'s x-kubernetes-list-type is map',
            "$l.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ],
    ),
    (
        {
            "type": "array",
            "items": {"type": "object", "properties": {"a": {"type": "string"}}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["a"],
        },
        [
            (
                "$l.items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must "
                "have a default or be a required property"
            )
        ],
    ),
    (
        {
            "type": "array",
            "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "object"}}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["a", "b", "a"],
        },
        [
            (
                '$l.items.properties[a].type: Invalid value: "object": must be a scalar type if parent array\'s '
                "x-kubernetes-list-type is map"
            ),
            (
                '$l.items.properties[a].type: Invalid value: "object": must be a scalar type if parent array\'s '
                "x-kubernetes-list-type is map"
            ),
            '$l.x-kubernetes-list-map-keys: Invalid value: ["a","b","a"]: entries must all be names of item properties',
            '$l.x-kubernetes-list-map-keys: Invalid value: ["a","b","a"]: must not contain duplicate entries',
        ],
    ),
    (
        {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"},
        [
            (
                "$l.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with "
                "x-kubernetes-list-type=set"
            )
        ],
    ),
    (
        {"type": "array", "items": {"type": "string", "nullable": True}, "x-kubernetes-list-type": "set"},
        ["$l.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set"],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "foo"},
        ['$l.x-kubernetes-list-type: Unsupported value: "foo": supported values: "atomic", "set", "map"'],
    ),
    (
        {"type": "string", "x-kubernetes-list-type": "set"},
        ['$l.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified'],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-map-keys": ["a"]},
        ["$l.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty"],
    ),
    (
        {"type": "string", "x-kubernetes-map-type": "atomic"},
        ['$l.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified'],
    ),
    (
        {"type": "object", "x-kubernetes-map-type": "foo"},
        ['$l.x-kubernetes-map-type: Unsupported value: "foo": supported values: "atomic", "granular"'],
    ),
    (
        {"type": "string", "pattern": "[a"},
        [
            (
                '$l.pattern: Invalid value: "[a": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "missing closing ]: `[a`"
            )
        ],
    ),
    (
        {"type": "string", "pattern": "(?=x)"},
        [
            (
                '$l.pattern: Invalid value: "(?=x)": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "invalid or unsupported Perl syntax: `(?=`"
            )
        ],
    ),
    (
        {"type": "string", "pattern": "a**"},
        [
            (
                '$l.pattern: Invalid value: "a**": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "invalid nested repetition operator: `**`"
            )
        ],
    ),
    (
        {"type": "string", "pattern": "(a"},
        [
            (
                '$l.pattern: Invalid value: "(a": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "missing closing ): `(a`"
            )
        ],
    ),
    (
        {"type": "string", "pattern": "\\8"},
        [
            (
                '$l.pattern: Invalid value: "\\\\8": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "invalid escape sequence: `\\8`"
            )
        ],
    ),
    (
        {"type": "string", "pattern": "*a"},
        [
            (
                '$l.pattern: Invalid value: "*a": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "missing argument to repetition operator: `*`"
            )
        ],
    ),
    (
        {"type": "string", "pattern": "a{2,1}"},
        [
            (
                '$l.pattern: Invalid value: "a{2,1}": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "invalid repeat count: `{2,1}`"
            )
        ],
    ),
    (
        {"type": "string", "pattern": "a)"},
        [
            (
                '$l.pattern: Invalid value: "a)": must be a valid regular expression, but isn\'t: error parsing regexp: '
                "unexpected ): `a)`"
            )
        ],
    ),
    ({"type": "string", "format": "foo"}, []),
    ({"type": "string", "format": "date-time"}, []),
    ({"type": "integer", "format": "foo"}, []),
    (
        {"type": "integer", "default": "a"},
        ['$l.default: Invalid value: "string":  in body must be of type integer: "string"'],
    ),
    (
        {"type": "integer", "default": 5, "maximum": 3},
        ["$l.default: Invalid value: 5:  in body should be less than or equal to 3"],
    ),
    (
        {"type": "object", "default": {"b": 1}, "properties": {"a": {"type": "integer"}}},
        ['$l.default: Invalid value: {"b":1}: must not have unknown fields'],
    ),
    (
        {"type": "object", "default": {"a": "x"}, "properties": {"a": {"type": "integer"}}},
        ['$l.default.a: Invalid value: "string": a in body must be of type integer: "string"'],
    ),
    (
        {"type": "array", "items": {"type": "integer"}, "default": ["x", 1]},
        ['$l.default.[0]: Invalid value: "string": [0] in body must be of type integer: "string"'],
    ),
    (
        {"type": "string", "enum": ["a", "b"], "default": "c"},
        ['$l.default: Unsupported value: "c": supported values: "a", "b"'],
    ),
    ({"type": "string", "default": None}, []),
    (
        {"x-kubernetes-preserve-unknown-fields": False, "type": "object"},
        ["$l.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"],
    ),
    ({"x-kubernetes-preserve-unknown-fields": True}, []),
    (
        {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
        [
            (
                "$l.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string "
                "is true"
            )
        ],
    ),
    ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, []),
    ({"x-kubernetes-int-or-string": True, "type": "string"}, []),
    (
        {
            "x-kubernetes-int-or-string": True,
            "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"anyOf": [{"type": "integer"}]}],
        },
        ["$l.allOf[1].anyOf[0].type: Forbidden: must be empty to be structural"],
    ),
    (
        {"type": "object", "x-kubernetes-embedded-resource": True},
        [
            (
                "$l.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            )
        ],
    ),
    (
        {"type": "string", "x-kubernetes-embedded-resource": True},
        [
            (
                "$l.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            ),
            '$l.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true',
        ],
    ),
    (
        {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "properties": {"kind": {"type": "integer"}, "metadata": {"type": "string"}},
        },
        [
            '$l.properties[kind].type: Invalid value: "integer": must be string',
            '$l.properties[metadata].type: Invalid value: "string": must be object',
        ],
    ),
    ({"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}, []),
    (
        {"x-kubernetes-embedded-resource": True, "additionalProperties": {"type": "string"}, "type": "object"},
        [
            "$l.additionalProperties: Forbidden: must not be used if x-kubernetes-embedded-resource is set",
            (
                "$l.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            ),
        ],
    ),
    (
        {"type": "object", "anyOf": [{"type": "object"}]},
        ["$l.anyOf[0].type: Forbidden: must be empty to be structural"],
    ),
    ({"type": "object", "anyOf": [{"properties": {"a": {"minimum": 1}}}]}, []),
    (
        {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "anyOf": [{"properties": {"a": {"minimum": 1}}}, {"required": ["a"]}],
        },
        [],
    ),
    (
        {
            "type": "object",
            "not": {
                "properties": {
                    "a": {"type": "string", "description": "x", "default": 1, "nullable": True, "title": "x"}
                }
            },
        },
        [
            "$l.not.properties[a].default: Forbidden: must be undefined to be structural",
            "$l.not.properties[a].description: Forbidden: must be empty to be structural",
            "$l.not.properties[a].nullable: Forbidden: must be false to be structural",
            "$l.not.properties[a].title: Forbidden: must be empty to be structural",
            "$l.not.properties[a].type: Forbidden: must be empty to be structural",
        ],
    ),
    (
        {"type": "object", "oneOf": [{"additionalProperties": {"minimum": 1}}]},
        ["$l.oneOf[0].additionalProperties: Forbidden: must be undefined to be structural"],
    ),
    (
        {"type": "object", "allOf": [{"properties": {"metadata": {}}}]},
        ["$l.allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context"],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "allOf": [{"items": {"pattern": "[a"}}]},
        [
            (
                '$l.allOf[0].items.pattern: Invalid value: "[a": must be a valid regular expression, but isn\'t: error '
                "parsing regexp: missing closing ]: `[a`"
            )
        ],
    ),
    ({"type": "string", "$ref": "x"}, ["$l.$ref: Forbidden: $ref is not supported"]),
    (
        {"type": "object", "patternProperties": {"a": {"type": "string"}}},
        ["$l.patternProperties: Forbidden: patternProperties is not supported"],
    ),
    ({"type": "object", "dependencies": {"a": ["b"]}}, ["$l.dependencies: Forbidden: dependencies is not supported"]),
    (
        {"type": "object", "definitions": {"a": {"type": "string"}}},
        ["$l.definitions: Forbidden: definitions is not supported"],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "additionalItems": True},
        ["$l.additionalItems: Forbidden: additionalItems is not supported"],
    ),
    ({"type": "string", "id": "x"}, ["$l.id: Forbidden: id is not supported"]),
]


@pytest.mark.parametrize(("value", "expected"), PROPERTIES, ids=repr)
def test_a_property_does(value: dict[str, Any], expected: list[str]) -> None:
    assert findings(changed([*SPEC, "properties", "l"], value)) == long(expected)
