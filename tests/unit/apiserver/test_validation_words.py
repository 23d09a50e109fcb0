"""What a schema makes of values: what it refuses and how it says so, and what it keeps of what it accepts.

One schema with a property for each keyword, and values that were made at random from it. kube-apiserver v1.34.4 got the
same definition and the same values: `REFUSED` holds its findings (sorted, its order being that of a map), `KEPT` what
it stored. Properties that were not given stay out of the way: they have defaults or are not required.

Left out: formats (test_validation_formats.py), rules (test_cel_rules.py), what an update is forgiven
(test_validation_updates.py).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.schemas.custom import CustomStrategy

SPEC: dict[str, Any] = {
    "type": "object",
    "default": {"req": "dflt"},
    "required": ["req"],
    "properties": {
        "req": {"type": "string", "default": "here"},
        "i": {"type": "integer", "format": "int32", "minimum": -5, "maximum": 100, "default": 3},
        "iex": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 10, "exclusiveMaximum": True},
        "im": {"type": "integer", "multipleOf": 3},
        "n": {"type": "number", "minimum": -1.5, "maximum": 1000000.5, "multipleOf": 0.5},
        "nx": {"type": "number", "maximum": 10, "exclusiveMaximum": True},
        "s": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-zé]+$"},
        "e": {"type": "string", "enum": ["a", "b", "c d"]},
        "en": {"type": "integer", "enum": [1, 2, 3]},
        "b": {"type": "boolean", "default": False},
        "nul": {"type": "string", "nullable": True, "default": "d"},
        "nul2": {"type": "integer", "nullable": True},
        "nonul": {"type": "string"},
        "nd": {
            "type": "object",
            "default": {"x": 1},
            "properties": {
                "x": {"type": "integer"},
                "y": {"type": "integer", "default": 2},
                "z": {"type": "object", "default": {}, "properties": {"w": {"type": "string", "default": "deep"}}},
            },
        },
        "ios": {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": "^[0-9]+%?$",
        },
        "pu": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"known": {"type": "object", "properties": {"k": {"type": "integer"}}}},
        },
        "any": {"x-kubernetes-preserve-unknown-fields": True},
        "emb": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
        "emb2": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        },
        "m": {
            "type": "object",
            "additionalProperties": {"type": "integer", "minimum": 0},
            "maxProperties": 3,
            "minProperties": 1,
        },
        "mm": {
            "type": "object",
            "additionalProperties": {"type": "object", "properties": {"v": {"type": "string", "default": "dv"}}},
        },
        "mtrue": {"type": "object", "additionalProperties": True},
        "l": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 3, "minItems": 1},
        "ls": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "lm": {
            "type": "array",
            "maxItems": 10,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k", "p"],
            "items": {
                "type": "object",
                "required": ["k"],
                "properties": {
                    "k": {"type": "string", "maxLength": 20},
                    "p": {"type": "integer", "default": 80},
                    "v": {"type": "integer", "maximum": 9},
                },
            },
        },
        "ln": {"type": "array", "items": {"type": "integer", "nullable": True}},
        "lo": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}},
        "one": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        "anyo": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
            "anyOf": [
                {"required": ["a"], "properties": {"a": {"minimum": 5}}},
                {"required": ["b"], "properties": {"b": {"minLength": 3}}},
            ],
        },
        "allo": {"type": "integer", "allOf": [{"minimum": 3}, {"maximum": 7}, {"not": {"enum": [5]}}]},
        "noto": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "not": {"required": ["a", "b"]},
        },
        "f": {
            "type": "object",
            "properties": {
                "hostname": {"type": "string", "format": "hostname"},
                "date-time": {"type": "string", "format": "date-time"},
                "uuid": {"type": "string", "format": "uuid"},
                "int32": {"type": "string", "format": "int32"},
                "foo": {"type": "string", "format": "foo"},
            },
        },
    },
}
SCHEMA = {"type": "object", "properties": {"spec": SPEC}}
STRATEGY = CustomStrategy("Torture", "test.dev/v1", {"schema": {"openAPIV3Schema": SCHEMA}})
GONE = "<gone>"
REFUSED: list[tuple[str, Any, list[str]]] = [
    ("iex", 0, ["spec.iex: Invalid value: 0: spec.iex in body should be greater than 0"]),
    (
        "iex",
        {"apiVersion": "v1", "kind": "Pod"},
        ['spec.iex: Invalid value: "object": spec.iex in body must be of type integer: "object"'],
    ),
    ("iex", 12, ["spec.iex: Invalid value: 12: spec.iex in body should be less than 10"]),
    ("iex", "2021-13-01", ['spec.iex: Invalid value: "string": spec.iex in body must be of type integer: "string"']),
    ("iex", "2020-01-01", ['spec.iex: Invalid value: "string": spec.iex in body must be of type integer: "string"']),
    ("im", 1, ["spec.im: Invalid value: 1: spec.im in body should be a multiple of 3"]),
    (
        "im",
        {"kind": "k", "lo": 1, "hi": 9},
        ['spec.im: Invalid value: "object": spec.im in body must be of type integer: "object"'],
    ),
    ("im", 7, ["spec.im: Invalid value: 7: spec.im in body should be a multiple of 3"]),
    ("n", 3, ["spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0"]),
    ("n", 1, ["spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0"]),
    (
        "n",
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A b", "foo": 1}},
        ['spec.n: Invalid value: "object": spec.n in body must be of type number: "object"'],
    ),
    (
        "n",
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": 1}}},
        ['spec.n: Invalid value: "object": spec.n in body must be of type number: "object"'],
    ),
    (
        "n",
        1e22,
        [
            "spec.n: Invalid value: 1e+22: spec.n in body should be a multiple of 0.5",
            "spec.n: Invalid value: 1e+22: spec.n in body should be less than or equal to 1.0000005e+06",
        ],
    ),
    ("nx", "2h", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    ("nx", "na", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    ("nx", "kk", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    (
        "s",
        {"kind": "k", "lo": 1, "hi": 9},
        ['spec.s: Invalid value: "object": spec.s in body must be of type string: "object"'],
    ),
    ("s", "rgb(1,2,3)", ["spec.s: Too long: may not be more than 5 bytes"]),
    ("s", "#fff", ["spec.s: Invalid value: \"#fff\": spec.s in body should match '^[a-zé]+$'"]),
    ("s", "2h", ["spec.s: Invalid value: \"2h\": spec.s in body should match '^[a-zé]+$'"]),
    ("s", "5", ['spec.s: Invalid value: "5": spec.s in body should be at least 2 chars long']),
    ("s", "4", ['spec.s: Invalid value: "4": spec.s in body should be at least 2 chars long']),
    ("e", "newxx", ['spec.e: Unsupported value: "newxx": supported values: "a", "b", "c d"']),
    ("e", "12%", ['spec.e: Unsupported value: "12%": supported values: "a", "b", "c d"']),
    ("e", "x%", ['spec.e: Unsupported value: "x%": supported values: "a", "b", "c d"']),
    ("e", "\n", ['spec.e: Unsupported value: "\\n": supported values: "a", "b", "c d"']),
    ("e", '<b>&"q"', ['spec.e: Unsupported value: "<b>&\\"q\\"": supported values: "a", "b", "c d"']),
    ("en", 12, ['spec.en: Unsupported value: 12: supported values: "1", "2", "3"']),
    (
        "en",
        "aé",
        [
            'spec.en: Invalid value: "string": spec.en in body must be of type integer: "string"',
            'spec.en: Unsupported value: "aé": supported values: "1", "2", "3"',
        ],
    ),
    (
        "en",
        {"kind": "p q", "apiVersion": "a/b/c", "metadata": {"labels": {"a": "b c"}}},
        [
            'spec.en: Invalid value: "object": spec.en in body must be of type integer: "object"',
            'spec.en: Unsupported value: {}: supported values: "1", "2", "3"',
        ],
    ),
    ("en", 5, ['spec.en: Unsupported value: 5: supported values: "1", "2", "3"']),
    ("b", "aé", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", -1, ['spec.b: Invalid value: "integer": spec.b in body must be of type boolean: "integer"']),
    ("b", "abc", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", ["a", "a"], ['spec.b: Invalid value: "array": spec.b in body must be of type boolean: "array"']),
    ("b", "AA:bb:cc:dd:ee:ff", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("nul", [None], ['spec.nul: Invalid value: "array": spec.nul in body must be of type string: "array"']),
    (
        "nul2",
        {"a": 1, "b": 2},
        ['spec.nul2: Invalid value: "object": spec.nul2 in body must be of type integer: "object"'],
    ),
    ("nul2", [None], ['spec.nul2: Invalid value: "array": spec.nul2 in body must be of type integer: "array"']),
    ("nonul", -1, ['spec.nonul: Invalid value: "integer": spec.nonul in body must be of type string: "integer"']),
    ("nonul", 1e22, ['spec.nonul: Invalid value: "number": spec.nonul in body must be of type string: "number"']),
    (
        "nd",
        {"y": "/a", "z": "a.b"},
        [
            'spec.nd.y: Invalid value: "string": spec.nd.y in body must be of type integer: "string"',
            'spec.nd.z: Invalid value: "string": spec.nd.z in body must be of type object: "string"',
        ],
    ),
    ("nd", "12%", ['spec.nd: Invalid value: "string": spec.nd in body must be of type object: "string"']),
    (
        "nd",
        {"x": "aé", "y": "::1", "z": {"w": "http://a/b"}},
        [
            'spec.nd.x: Invalid value: "string": spec.nd.x in body must be of type integer: "string"',
            'spec.nd.y: Invalid value: "string": spec.nd.y in body must be of type integer: "string"',
        ],
    ),
    (
        "nd",
        {"x": 5, "y": [{"k": "a", "v": 5}]},
        ['spec.nd.y: Invalid value: "array": spec.nd.y in body must be of type integer: "array"'],
    ),
    (
        "ios",
        [None],
        [
            '<nil>: Invalid value: "": "spec.ios" must validate at least one schema (anyOf)',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer,string: "array"',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer: "array"',
        ],
    ),
    ("ios", "#fff", ["spec.ios: Invalid value: \"#fff\": spec.ios in body should match '^[0-9]+%?$'"]),
    ("ios", "a", ["spec.ios: Invalid value: \"a\": spec.ios in body should match '^[0-9]+%?$'"]),
    ("pu", "a@b.c", ['spec.pu: Invalid value: "string": spec.pu in body must be of type object: "string"']),
    ("pu", "a", ['spec.pu: Invalid value: "string": spec.pu in body must be of type object: "string"']),
    ("pu", "/a", ['spec.pu: Invalid value: "string": spec.pu in body must be of type object: "string"']),
    ("emb", {}, ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"]),
    ("emb", "4", ['spec.emb: Invalid value: "string": spec.emb in body must be of type object: "string"']),
    ("emb", False, ['spec.emb: Invalid value: "boolean": spec.emb in body must be of type object: "boolean"']),
    ("emb", [{"a": None}], ['spec.emb: Invalid value: "array": spec.emb in body must be of type object: "array"']),
    (
        "emb",
        {"known": {"k": 1, "u": 2}, "un": {"x": 1}},
        ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"],
    ),
    ("emb", {"unknown": 2147483648}, ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"]),
    ("emb", "::1", ['spec.emb: Invalid value: "string": spec.emb in body must be of type object: "string"']),
    ("emb2", {}, ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"]),
    ("emb2", 0, ['spec.emb2: Invalid value: "integer": spec.emb2 in body must be of type object: "integer"']),
    ("emb2", "/a", ['spec.emb2: Invalid value: "string": spec.emb2 in body must be of type object: "string"']),
    (
        "emb2",
        {"spec": {"a": {}}},
        [
            "spec.emb2.apiVersion: Required value",
            "spec.emb2.kind: Required value",
            'spec.emb2.spec.a: Invalid value: "object": spec.emb2.spec.a in body must be of type integer: "object"',
        ],
    ),
    ("emb2", {"spec": {"a": 9}}, ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"]),
    ("emb2", "2h", ['spec.emb2: Invalid value: "string": spec.emb2 in body must be of type object: "string"']),
    ("emb2", {"spec": {}}, ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"]),
    ("m", "2h", ['spec.m: Invalid value: "string": spec.m in body must be of type object: "string"']),
    ("m", "a.b", ['spec.m: Invalid value: "string": spec.m in body must be of type object: "string"']),
    ("m", "aé", ['spec.m: Invalid value: "string": spec.m in body must be of type object: "string"']),
    (
        "m",
        {"c.d": 9, "e/f": 1, "b": 7, "a": 1000000.5},
        [
            'spec.m.a: Invalid value: "number": spec.m.a in body must be of type integer: "number"',
            "spec.m: Too many: 4: must have at most 3 items",
        ],
    ),
    ("mm", ["one", "one"], ['spec.mm: Invalid value: "array": spec.mm in body must be of type object: "array"']),
    (
        "mm",
        {"c.d": {}, "e/f": {"v": "", "unknown": {"kind": "z"}}, "a": {"v": '<b>&"q"'}, "b": {"v": 0}},
        ['spec.mm.b.v: Invalid value: "integer": spec.mm.b.v in body must be of type string: "integer"'],
    ),
    (
        "mm",
        {"b": {}, "e/f": ["a"], "c.d": "na", "a": {}},
        [
            'spec.mm.c.d: Invalid value: "string": spec.mm.c.d in body must be of type object: "string"',
            'spec.mm.e/f: Invalid value: "array": spec.mm.e/f in body must be of type object: "array"',
        ],
    ),
    (
        "mm",
        {"e/f": {"v": "na"}, "c.d": {"v": {"a": 1, "b": 2}}},
        ['spec.mm.c.d.v: Invalid value: "object": spec.mm.c.d.v in body must be of type string: "object"'],
    ),
    (
        "mtrue",
        "AA:bb:cc:dd:ee:ff",
        ['spec.mtrue: Invalid value: "string": spec.mtrue in body must be of type object: "string"'],
    ),
    ("mtrue", "5 days", ['spec.mtrue: Invalid value: "string": spec.mtrue in body must be of type object: "string"']),
    (
        "l",
        [9007199254740993],
        ['spec.l[0]: Invalid value: "integer": spec.l[0] in body must be of type string: "integer"'],
    ),
    (
        "l",
        ["4", {"kind": "z"}, {"kind": "Pod", "metadata": 5}],
        [
            'spec.l[1]: Invalid value: "object": spec.l[1] in body must be of type string: "object"',
            'spec.l[2]: Invalid value: "object": spec.l[2] in body must be of type string: "object"',
        ],
    ),
    ("l", [], ["spec.l: Invalid value: 0: spec.l in body should have at least 1 items"]),
    ("l", "a@b.c", ['spec.l: Invalid value: "string": spec.l in body must be of type array: "string"']),
    ("l", {"x": None}, ['spec.l: Invalid value: "object": spec.l in body must be of type array: "object"']),
    ("l", "12%", ['spec.l: Invalid value: "string": spec.l in body must be of type array: "string"']),
    (
        "l",
        ["2021-02-30T25:00:00Z", "newxx", "aé"],
        ["spec.l[0]: Too long: may not be more than 3 bytes", "spec.l[1]: Too long: may not be more than 3 bytes"],
    ),
    (
        "ls",
        "2021-02-30T25:00:00Z",
        ['spec.ls: Invalid value: "string": spec.ls in body must be of type array: "string"'],
    ),
    (
        "ls",
        ["AA:bb:cc:dd:ee:ff", {"kind": "z"}, "na"],
        ['spec.ls[1]: Invalid value: "object": spec.ls[1] in body must be of type string: "object"'],
    ),
    ("ls", 0, ['spec.ls: Invalid value: "integer": spec.ls in body must be of type array: "integer"']),
    (
        "lm",
        {"apiVersion": "v1", "kind": "Pod"},
        ['spec.lm: Invalid value: "object": spec.lm in body must be of type array: "object"'],
    ),
    ("lm", 10, ['spec.lm: Invalid value: "integer": spec.lm in body must be of type array: "integer"']),
    (
        "lm",
        ["::1"],
        [
            'spec.lm[0]: Invalid value: "::1": must be an object for an array of list-type map',
            'spec.lm[0]: Invalid value: "string": spec.lm[0] in body must be of type object: "string"',
        ],
    ),
    (
        "lm",
        [5, {"k": "2020-01-01T00:00:00Z", "v": 5}, 10],
        [
            'spec.lm[0]: Invalid value: "integer": spec.lm[0] in body must be of type object: "integer"',
            "spec.lm[0]: Invalid value: 5: must be an object for an array of list-type map",
            'spec.lm[2]: Invalid value: "integer": spec.lm[2] in body must be of type object: "integer"',
        ],
    ),
    ("lm", [{"unknown": "#fff"}], ["spec.lm[0].k: Required value"]),
    ("ln", "c d", ['spec.ln: Invalid value: "string": spec.ln in body must be of type array: "string"']),
    ("ln", 1.5, ['spec.ln: Invalid value: "number": spec.ln in body must be of type array: "number"']),
    ("ln", ["a"], ['spec.ln[0]: Invalid value: "string": spec.ln[0] in body must be of type integer: "string"']),
    (
        "lo",
        [{"a": "na", "unknown": "5 days"}, {"a": 1}],
        ['spec.lo[0].a: Invalid value: "string": spec.lo[0].a in body must be of type integer: "string"'],
    ),
    (
        "lo",
        [{"a": 6, "unknown": "123e4567-e89b-12d3-a456-426614174000"}, 99],
        ['spec.lo[1]: Invalid value: "integer": spec.lo[1] in body must be of type object: "integer"'],
    ),
    (
        "lo",
        {"apiVersion": "v1", "kind": "Pod"},
        ['spec.lo: Invalid value: "object": spec.lo in body must be of type array: "object"'],
    ),
    (
        "one",
        ["a"],
        [
            (
                '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            ),
            'spec.one: Invalid value: "array": spec.one in body must be of type object: "array"',
        ],
    ),
    (
        "one",
        {"b": {"a": 1}},
        ['spec.one.b: Invalid value: "object": spec.one.b in body must be of type string: "object"'],
    ),
    (
        "one",
        {},
        [
            '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
            "spec.one.a: Required value",
        ],
    ),
    (
        "one",
        {"a": {"kind": "Pod", "metadata": 5}, "b": 1e22, "c": "2021-02-30T25:00:00Z", "unknown": 0.25},
        [
            (
                '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            ),
            'spec.one.a: Invalid value: "object": spec.one.a in body must be of type integer: "object"',
            'spec.one.b: Invalid value: "number": spec.one.b in body must be of type string: "number"',
        ],
    ),
    (
        "one",
        {"c": {"a": 1}},
        [
            '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
            "spec.one.a: Required value",
            'spec.one.c: Invalid value: "object": spec.one.c in body must be of type string: "object"',
        ],
    ),
    (
        "one",
        101,
        [
            (
                '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            ),
            'spec.one: Invalid value: "integer": spec.one in body must be of type object: "integer"',
        ],
    ),
    (
        "anyo",
        {},
        [
            '<nil>: Invalid value: "": "spec.anyo" must validate at least one schema (anyOf)',
            "spec.anyo.a: Required value",
        ],
    ),
    (
        "anyo",
        {"a": ["a", "a"]},
        ['spec.anyo.a: Invalid value: "array": spec.anyo.a in body must be of type integer: "array"'],
    ),
    (
        "anyo",
        {"unknown": "2021-13-01"},
        [
            '<nil>: Invalid value: "": "spec.anyo" must validate at least one schema (anyOf)',
            "spec.anyo.a: Required value",
        ],
    ),
    (
        "anyo",
        {"b": "aé"},
        [
            '<nil>: Invalid value: "": "spec.anyo" must validate at least one schema (anyOf)',
            'spec.anyo.b: Invalid value: "aé": spec.anyo.b in body should be at least 3 chars long',
        ],
    ),
    ("anyo", "", ['spec.anyo: Invalid value: "string": spec.anyo in body must be of type object: "string"']),
    ("anyo", "abcdef", ['spec.anyo: Invalid value: "string": spec.anyo in body must be of type object: "string"']),
    (
        "allo",
        5,
        [
            '<nil>: Invalid value: "": "spec.allo" must not validate the schema (not)',
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
        ],
    ),
    (
        "allo",
        12,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 12: spec.allo in body should be less than or equal to 7",
        ],
    ),
    (
        "allo",
        9,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 9: spec.allo in body should be less than or equal to 7",
        ],
    ),
    ("allo", False, ['spec.allo: Invalid value: "boolean": spec.allo in body must be of type integer: "boolean"']),
    (
        "allo",
        1,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 1: spec.allo in body should be greater than or equal to 3",
        ],
    ),
    (
        "noto",
        "c d",
        [
            '<nil>: Invalid value: "": "spec.noto" must not validate the schema (not)',
            'spec.noto: Invalid value: "string": spec.noto in body must be of type object: "string"',
        ],
    ),
    (
        "noto",
        {"a": "2h", "b": 1},
        [
            '<nil>: Invalid value: "": "spec.noto" must not validate the schema (not)',
            'spec.noto.a: Invalid value: "string": spec.noto.a in body must be of type integer: "string"',
        ],
    ),
    (
        "f",
        {"hostname": "a_b"},
        ['spec.f.hostname: Invalid value: "a_b": spec.f.hostname in body must be of type hostname: "a_b"'],
    ),
    (
        "f",
        {"date-time": "x", "uuid": "y"},
        [
            'spec.f.date-time: Invalid value: "x": spec.f.date-time in body must be of type date-time: "x"',
            'spec.f.uuid: Invalid value: "y": spec.f.uuid in body must be of type uuid: "y"',
        ],
    ),
]
KEPT: list[tuple[str, Any, Any]] = [
    ("i", 99, 99),
    ("i", 9, 9),
    ("i", 3, 3),
    ("i", 5, 5),
    ("i", 7, 7),
    ("i", 0, 0),
    ("i", 1, 1),
    ("iex", 7, 7),
    ("iex", 9, 9),
    ("im", 0, 0),
    ("im", 12, 12),
    ("im", 3, 3),
    ("im", 9, 9),
    ("n", 0.5, 0.5),
    ("n", 2.5, 2.5),
    ("nx", 1, 1),
    ("nx", 0.5, 0.5),
    ("nx", 2.5, 2.5),
    ("nx", 3, 3),
    ("s", "new", "new"),
    ("e", "b", "b"),
    ("e", "a", "a"),
    ("en", 3, 3),
    ("en", 2, 2),
    ("en", 1, 1),
    ("b", True, True),
    ("b", False, False),
    ("nul", "1.2.3.4", "1.2.3.4"),
    ("nul", "http://a/b", "http://a/b"),
    ("nul", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
    ("nul", "2021-13-01", "2021-13-01"),
    ("nul", "na", "na"),
    ("nul", "a_b", "a_b"),
    ("nul2", 101, 101),
    ("nul2", 2, 2),
    ("nul2", 6, 6),
    ("nul2", 7, 7),
    ("nul2", 200, 200),
    ("nonul", "a@b.c", "a@b.c"),
    ("nonul", '<b>&"q"', '<b>&"q"'),
    ("nonul", "aé", "aé"),
    ("nonul", "::1", "::1"),
    ("nonul", "", ""),
    ("nd", {"y": 7, "z": {}}, {"y": 7, "z": {"w": "deep"}}),
    ("nd", {}, {"y": 2, "z": {"w": "deep"}}),
    ("nd", {"x": 1}, {"x": 1, "y": 2, "z": {"w": "deep"}}),
    ("ios", 3, 3),
    ("ios", "5", "5"),
    ("ios", 101, 101),
    ("ios", 1, 1),
    (
        "pu",
        {"kind": "p q", "apiVersion": "a/b/c", "metadata": {"labels": {"a": "b c"}}},
        {"apiVersion": "a/b/c", "kind": "p q", "metadata": {"labels": {"a": "b c"}}},
    ),
    ("pu", {}, {}),
    ("pu", {"unknown": "c d"}, {"unknown": "c d"}),
    ("pu", {"kind": "k", "lo": 1, "hi": 9}, {"hi": 9, "kind": "k", "lo": 1}),
    ("any", [{"k": "a"}, {"k": "a"}], [{"k": "a"}, {"k": "a"}]),
    ("any", [None], [None]),
    ("any", {"known": {"k": 1, "u": 2}, "un": {"x": 1}}, {"known": {"k": 1, "u": 2}, "un": {"x": 1}}),
    ("any", "a_b", "a_b"),
    ("any", "ab", "ab"),
    (
        "any",
        {"kind": "p q", "apiVersion": "a/b/c", "metadata": {"labels": {"a": "b c"}}},
        {"apiVersion": "a/b/c", "kind": "p q", "metadata": {"labels": {"a": "b c"}}},
    ),
    ("any", 99, 99),
    ("m", {"a": 1, "e/f": 3}, {"a": 1, "e/f": 3}),
    ("m", {"e/f": 9, "a": 1, "b": 12}, {"a": 1, "b": 12, "e/f": 9}),
    ("m", {"a": 0, "e/f": 3, "b": 3}, {"a": 0, "b": 3, "e/f": 3}),
    ("mm", {}, {}),
    ("mm", {"a": {"v": "4"}, "b": {}}, {"a": {"v": "4"}, "b": {"v": "dv"}}),
    ("mm", {"a": {}}, {"a": {"v": "dv"}}),
    ("mtrue", {"unknown": [1]}, {"unknown": [1]}),
    ("mtrue", {}, {}),
    ("mtrue", {"unknown": "a_b"}, {"unknown": "a_b"}),
    ("mtrue", {"unknown": [{"k": "a"}, {"k": "a"}]}, {"unknown": [{}, {}]}),
    ("mtrue", {"unknown": "abc"}, {"unknown": "abc"}),
    ("ls", ["5"], ["5"]),
    ("ls", ["5 days"], ["5 days"]),
    ("ls", ["ab"], ["ab"]),
    ("ls", ["\n", "2020-01-01T00:00:00Z"], ["\n", "2020-01-01T00:00:00Z"]),
    ("lm", [{"k": "newxx"}], [{"k": "newxx", "p": 80}]),
    ("lm", [], []),
    ("ln", [12], [12]),
    ("ln", [], []),
    ("ln", [1, 0, 7], [1, 0, 7]),
    ("ln", [9], [9]),
    ("lo", [{}, {}, {"unknown": "2021-02-30T25:00:00Z"}], [{"a": 1}, {"a": 1}, {"a": 1}]),
    ("lo", [], []),
    ("lo", [{"a": 12}, {"a": 6}, {}], [{"a": 12}, {"a": 6}, {"a": 1}]),
    ("lo", [{}, {}], [{"a": 1}, {"a": 1}]),
    ("one", {"a": 12, "c": "na"}, {"a": 12, "c": "na"}),
    ("anyo", {"a": 9, "b": "newx", "unknown": -0.5}, {"a": 9, "b": "newx"}),
    ("allo", 6, 6),
    ("allo", 7, 7),
    ("noto", {"b": 0}, {"b": 0}),
    ("noto", {"a": 1}, {"a": 1}),
    ("noto", {}, {}),
    ("noto", {"kind": "k", "lo": 5, "hi": 1}, {}),
    ("noto", {"unknown": "na"}, {}),
    ("f", {"int32": "free", "foo": "free"}, {"foo": "free", "int32": "free"}),
]


def incoming(name: str, value: Any) -> dict[str, Any]:
    """An object with one field, as the verbs would hand it to validation."""
    obj = {
        "apiVersion": "test.dev/v1",
        "kind": "Torture",
        "metadata": {"name": "x"},
        "spec": {name: copy.deepcopy(value)},
    }
    STRATEGY.decode(obj)
    STRATEGY.default(obj)
    STRATEGY.prepare_create(obj, 0.0)
    return obj


@pytest.mark.parametrize(("name", "value", "expected"), REFUSED, ids=lambda each: repr(each)[:60])
def test_refused_in_the_words_of_a_real_server(name: str, value: Any, expected: list[str]) -> None:
    try:
        found = sorted(map(str, STRATEGY.validate(incoming(name, value))))
    except Failure as failure:
        found = [failure.message]
    assert found == expected


@pytest.mark.parametrize(("name", "value", "expected"), KEPT, ids=lambda each: repr(each)[:60])
def test_kept_as_a_real_server_keeps_it(name: str, value: Any, expected: Any) -> None:
    obj = incoming(name, value)
    assert STRATEGY.validate(obj) == []
    assert obj["spec"].get(name, GONE) == expected
