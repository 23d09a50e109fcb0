"""What a schema makes of objects and lists: what it refuses and how it says so, and what it keeps of what it accepts.

One schema with a property for each keyword, and values that were made at random from it. kube-apiserver v1.34.4 got the
same definition and the same values: `REFUSED` holds its findings (sorted, its order being that of a map), `KEPT` what
it stored. Properties that were not given stay out of the way: they have defaults or are not required.

Left out: single values (test_validation_words.py), formats (test_validation_formats.py), rules
(test_cel_rules.py), what an update is forgiven (test_validation_updates.py).
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
        "nd": {
            "type": "object",
            "default": {"x": 1},
            "properties": {
                "x": {"type": "integer"},
                "y": {"type": "integer", "default": 2},
                "z": {"type": "object", "default": {}, "properties": {"w": {"type": "string", "default": "deep"}}},
            },
        },
        "pu": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"known": {"type": "object", "properties": {"k": {"type": "integer"}}}},
        },
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
    (
        "nd",
        {"x": [1], "y": "a.b"},
        [
            'spec.nd.x: Invalid value: "array": spec.nd.x in body must be of type integer: "array"',
            'spec.nd.y: Invalid value: "string": spec.nd.y in body must be of type integer: "string"',
        ],
    ),
    (
        "nd",
        {"x": 12, "y": 1000000.5, "unknown": [{}]},
        ['spec.nd.y: Invalid value: "number": spec.nd.y in body must be of type integer: "number"'],
    ),
    (
        "nd",
        {"x": 7, "y": [1], "z": {"w": "http://a/b"}},
        ['spec.nd.y: Invalid value: "array": spec.nd.y in body must be of type integer: "array"'],
    ),
    ("nd", '<b>&"q"', ['spec.nd: Invalid value: "string": spec.nd in body must be of type object: "string"']),
    (
        "nd",
        {"x": 9, "y": [{"a": None}], "z": {}, "unknown": True},
        ['spec.nd.y: Invalid value: "array": spec.nd.y in body must be of type integer: "array"'],
    ),
    (
        "nd",
        {"x": "é", "y": 9},
        ['spec.nd.x: Invalid value: "string": spec.nd.x in body must be of type integer: "string"'],
    ),
    ("nd", "::1", ['spec.nd: Invalid value: "string": spec.nd in body must be of type object: "string"']),
    ("pu", ["b", "a"], ['spec.pu: Invalid value: "array": spec.pu in body must be of type object: "array"']),
    ("pu", 101, ['spec.pu: Invalid value: "integer": spec.pu in body must be of type object: "integer"']),
    ("pu", 1e22, ['spec.pu: Invalid value: "number": spec.pu in body must be of type object: "number"']),
    (
        "pu",
        {"known": {"k": 0.25, "unknown": [{"k": "a", "v": 3}, {"k": "b", "p": 1, "v": 20}]}},
        ['spec.pu.known.k: Invalid value: "number": spec.pu.known.k in body must be of type integer: "number"'],
    ),
    ("pu", "5", ['spec.pu: Invalid value: "string": spec.pu in body must be of type object: "string"']),
    ("pu", "newx", ['spec.pu: Invalid value: "string": spec.pu in body must be of type object: "string"']),
    (
        "pu",
        {"known": "ab"},
        ['spec.pu.known: Invalid value: "string": spec.pu.known in body must be of type object: "string"'],
    ),
    ("emb", {}, ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"]),
    ("emb", {"unknown": {"kind": "z"}}, ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"]),
    ("emb", [1], ['spec.emb: Invalid value: "array": spec.emb in body must be of type object: "array"']),
    ("emb", 200, ['spec.emb: Invalid value: "integer": spec.emb in body must be of type object: "integer"']),
    ("emb", True, ['spec.emb: Invalid value: "boolean": spec.emb in body must be of type object: "boolean"']),
    (
        "emb",
        9007199254740993,
        ['spec.emb: Invalid value: "integer": spec.emb in body must be of type object: "integer"'],
    ),
    ("emb", ["one", "one"], ['spec.emb: Invalid value: "array": spec.emb in body must be of type object: "array"']),
    ("emb", 0, ['spec.emb: Invalid value: "integer": spec.emb in body must be of type object: "integer"']),
    ("emb", {"a": 1}, ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"]),
    (
        "emb",
        {"unknown": {"kind": "p q", "apiVersion": "a/b/c", "metadata": {"labels": {"a": "b c"}}}},
        ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"],
    ),
    ("emb", {"unknown": ["a"]}, ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"]),
    ("emb2", {}, ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"]),
    ("emb2", {"spec": {"a": 0}}, ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"]),
    (
        "emb2",
        {"unknown": "123e4567-e89b-12d3-a456-426614174000"},
        ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"],
    ),
    ("emb2", {"kind": "k", "lo": 1, "hi": 9}, ["spec.emb2.apiVersion: Required value"]),
    (
        "emb2",
        {"spec": {"a": 0}, "unknown": "2020-01-01T00:00:00Z"},
        ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"],
    ),
    ("emb2", {"spec": {}}, ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"]),
    (
        "emb2",
        {"spec": [1]},
        [
            "spec.emb2.apiVersion: Required value",
            "spec.emb2.kind: Required value",
            'spec.emb2.spec: Invalid value: "array": spec.emb2.spec in body must be of type object: "array"',
        ],
    ),
    ("emb2", ["a", "a"], ['spec.emb2: Invalid value: "array": spec.emb2 in body must be of type object: "array"']),
    (
        "emb2",
        {"spec": "2021-13-01"},
        [
            "spec.emb2.apiVersion: Required value",
            "spec.emb2.kind: Required value",
            'spec.emb2.spec: Invalid value: "string": spec.emb2.spec in body must be of type object: "string"',
        ],
    ),
    ("emb2", {"spec": {"unknown": 5}}, ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"]),
    (
        "emb2",
        {"spec": "newxx"},
        [
            "spec.emb2.apiVersion: Required value",
            "spec.emb2.kind: Required value",
            'spec.emb2.spec: Invalid value: "string": spec.emb2.spec in body must be of type object: "string"',
        ],
    ),
    (
        "emb2",
        {"known": {"k": 1, "u": 2}, "un": {"x": 1}},
        ["spec.emb2.apiVersion: Required value", "spec.emb2.kind: Required value"],
    ),
    ("m", [{}], ['spec.m: Invalid value: "array": spec.m in body must be of type object: "array"']),
    ("m", {"b": 0, "c.d": 5, "a": 6, "e/f": 5}, ["spec.m: Too many: 4: must have at most 3 items"]),
    ("m", "http://a/b", ['spec.m: Invalid value: "string": spec.m in body must be of type object: "string"']),
    (
        "m",
        {"known": {"k": 1, "u": 2}, "un": {"x": 1}},
        [
            'spec.m.known: Invalid value: "object": spec.m.known in body must be of type integer: "object"',
            'spec.m.un: Invalid value: "object": spec.m.un in body must be of type integer: "object"',
        ],
    ),
    ("m", "é", ['spec.m: Invalid value: "string": spec.m in body must be of type object: "string"']),
    (
        "m",
        {
            "c.d": 3,
            "b": 2,
            "e/f": 5,
            "a": {"kind": "p q", "apiVersion": "a/b/c", "metadata": {"labels": {"a": "b c"}}},
            "unknown": 101,
        },
        [
            'spec.m.a: Invalid value: "object": spec.m.a in body must be of type integer: "object"',
            "spec.m: Too many: 5: must have at most 3 items",
        ],
    ),
    (
        "m",
        {"a": 5, "c.d": 7, "e/f": 1, "b": "éé"},
        [
            'spec.m.b: Invalid value: "string": spec.m.b in body must be of type integer: "string"',
            "spec.m: Too many: 4: must have at most 3 items",
        ],
    ),
    ("m", {}, ["spec.m: Invalid value: 0: spec.m in body should have at least 1 properties"]),
    ("m", {"b": 3, "c.d": 12, "a": 3, "e/f": 12}, ["spec.m: Too many: 4: must have at most 3 items"]),
    (
        "mm",
        {"c.d": {}, "a": {"v": 3}, "e/f": {}},
        ['spec.mm.a.v: Invalid value: "integer": spec.mm.a.v in body must be of type string: "integer"'],
    ),
    ("mm", 1e22, ['spec.mm: Invalid value: "number": spec.mm in body must be of type object: "number"']),
    (
        "mm",
        {"a": {}, "b": {"v": "2021-13-01"}, "c.d": "new"},
        ['spec.mm.c.d: Invalid value: "string": spec.mm.c.d in body must be of type object: "string"'],
    ),
    (
        "mm",
        {"b": {"v": "2h"}, "e/f": {}, "c.d": "5", "a": {}},
        ['spec.mm.c.d: Invalid value: "string": spec.mm.c.d in body must be of type object: "string"'],
    ),
    (
        "mm",
        {"e/f": {"v": "a"}, "b": {}, "a": {"v": 10}, "c.d": {"v": "aé", "unknown": "a@b.c"}},
        ['spec.mm.a.v: Invalid value: "integer": spec.mm.a.v in body must be of type string: "integer"'],
    ),
    (
        "mm",
        {"c.d": "c d", "b": {}, "e/f": [1], "a": {"v": "/a"}, "unknown": 5},
        [
            'spec.mm.c.d: Invalid value: "string": spec.mm.c.d in body must be of type object: "string"',
            'spec.mm.e/f: Invalid value: "array": spec.mm.e/f in body must be of type object: "array"',
            'spec.mm.unknown: Invalid value: "integer": spec.mm.unknown in body must be of type object: "integer"',
        ],
    ),
    (
        "mm",
        {"a": {"v": "1Gi"}, "c.d": {}, "b": [{"k": "a", "v": 3}, {"k": "b", "p": 1, "v": 20}]},
        ['spec.mm.b: Invalid value: "array": spec.mm.b in body must be of type object: "array"'],
    ),
    ("mtrue", "na", ['spec.mtrue: Invalid value: "string": spec.mtrue in body must be of type object: "string"']),
    (
        "mtrue",
        9007199254740993,
        ['spec.mtrue: Invalid value: "integer": spec.mtrue in body must be of type object: "integer"'],
    ),
    (
        "mtrue",
        "2020-01-01",
        ['spec.mtrue: Invalid value: "string": spec.mtrue in body must be of type object: "string"'],
    ),
    (
        "mtrue",
        [{"k": "a"}, {"k": "a"}],
        ['spec.mtrue: Invalid value: "array": spec.mtrue in body must be of type object: "array"'],
    ),
    ("mtrue", "2h", ['spec.mtrue: Invalid value: "string": spec.mtrue in body must be of type object: "string"']),
    (
        "l",
        [[{"k": "a"}, {"k": "a"}]],
        ['spec.l[0]: Invalid value: "array": spec.l[0] in body must be of type string: "array"'],
    ),
    (
        "l",
        ["c d", {"kind": "z"}, "ab"],
        ['spec.l[1]: Invalid value: "object": spec.l[1] in body must be of type string: "object"'],
    ),
    ("l", "#fff", ['spec.l: Invalid value: "string": spec.l in body must be of type array: "string"']),
    ("l", [], ["spec.l: Invalid value: 0: spec.l in body should have at least 1 items"]),
    (
        "l",
        [99, "newx", "4"],
        [
            'spec.l[0]: Invalid value: "integer": spec.l[0] in body must be of type string: "integer"',
            "spec.l[1]: Too long: may not be more than 3 bytes",
        ],
    ),
    ("l", ['<b>&"q"', "10s", "12%"], ["spec.l[0]: Too long: may not be more than 3 bytes"]),
    (
        "l",
        ["#fff", "a@b.c"],
        ["spec.l[0]: Too long: may not be more than 3 bytes", "spec.l[1]: Too long: may not be more than 3 bytes"],
    ),
    ("l", ["12%", "http://a/b"], ["spec.l[1]: Too long: may not be more than 3 bytes"]),
    ("ls", True, ['spec.ls: Invalid value: "boolean": spec.ls in body must be of type array: "boolean"']),
    ("ls", "aé", ['spec.ls: Invalid value: "string": spec.ls in body must be of type array: "string"']),
    (
        "ls",
        [{"k": "a", "v": 5}],
        ['spec.ls[0]: Invalid value: "object": spec.ls[0] in body must be of type string: "object"'],
    ),
    ("ls", 5, ['spec.ls: Invalid value: "integer": spec.ls in body must be of type array: "integer"']),
    (
        "ls",
        ["123e4567-e89b-12d3-a456-426614174000", "2021-02-30T25:00:00Z", {"a": 1}],
        ['spec.ls[2]: Invalid value: "object": spec.ls[2] in body must be of type string: "object"'],
    ),
    ("lm", "a@b.c", ['spec.lm: Invalid value: "string": spec.lm in body must be of type array: "string"']),
    (
        "lm",
        [{"k": "new", "v": 6}, {"k": -6}],
        ['spec.lm[1].k: Invalid value: "integer": spec.lm[1].k in body must be of type string: "integer"'],
    ),
    ("lm", 1000000.5, ['spec.lm: Invalid value: "number": spec.lm in body must be of type array: "number"']),
    ("lm", "aGk=", ['spec.lm: Invalid value: "string": spec.lm in body must be of type array: "string"']),
    (
        "lm",
        ["5", {"p": 3, "v": 99}, "a@b.c"],
        [
            'spec.lm[0]: Invalid value: "5": must be an object for an array of list-type map',
            'spec.lm[0]: Invalid value: "string": spec.lm[0] in body must be of type object: "string"',
            "spec.lm[1].k: Required value",
            "spec.lm[1].v: Invalid value: 99: spec.lm[1].v in body should be less than or equal to 9",
            'spec.lm[2]: Invalid value: "string": spec.lm[2] in body must be of type object: "string"',
        ],
    ),
    ("lm", [{"unknown": "na"}], ["spec.lm[0].k: Required value"]),
    (
        "lm",
        [{"v": 7}, [{"k": "a", "v": 5}]],
        [
            "spec.lm[0].k: Required value",
            'spec.lm[1]: Invalid value: "array": spec.lm[1] in body must be of type object: "array"',
            "spec.lm[1]: Invalid value: [{}]: must be an object for an array of list-type map",
        ],
    ),
    (
        "lm",
        [{"unknown": {"known": {"k": 1, "u": 2}, "un": {"x": 1}}}, {}, {"p": 12}],
        [
            "spec.lm[0].k: Required value",
            "spec.lm[1].k: Required value",
            'spec.lm[1]: Duplicate value: {"p":80}',
            "spec.lm[2].k: Required value",
        ],
    ),
    ("lm", False, ['spec.lm: Invalid value: "boolean": spec.lm in body must be of type array: "boolean"']),
    ("lm", "é", ['spec.lm: Invalid value: "string": spec.lm in body must be of type array: "string"']),
    (
        "ln",
        [12, '<b>&"q"'],
        ['spec.ln[1]: Invalid value: "string": spec.ln[1] in body must be of type integer: "string"'],
    ),
    ("ln", "::1", ['spec.ln: Invalid value: "string": spec.ln in body must be of type array: "string"']),
    ("ln", [["one"]], ['spec.ln[0]: Invalid value: "array": spec.ln[0] in body must be of type integer: "array"']),
    ("ln", 7, ['spec.ln: Invalid value: "integer": spec.ln in body must be of type array: "integer"']),
    (
        "ln",
        [{"kind": "Pod", "metadata": 5}, 9, {"apiVersion": "v1", "kind": "Pod"}],
        [
            'spec.ln[0]: Invalid value: "object": spec.ln[0] in body must be of type integer: "object"',
            'spec.ln[2]: Invalid value: "object": spec.ln[2] in body must be of type integer: "object"',
        ],
    ),
    (
        "ln",
        [{"k": "a", "v": 3}, {"k": "b", "p": 1, "v": 20}],
        [
            'spec.ln[0]: Invalid value: "object": spec.ln[0] in body must be of type integer: "object"',
            'spec.ln[1]: Invalid value: "object": spec.ln[1] in body must be of type integer: "object"',
        ],
    ),
    ("lo", 1e22, ['spec.lo: Invalid value: "number": spec.lo in body must be of type array: "number"']),
    ("lo", "1.2.3.4", ['spec.lo: Invalid value: "string": spec.lo in body must be of type array: "string"']),
    (
        "lo",
        [{"a": 0.25}, {"a": 5, "unknown": "1.2.3.0/24"}, {"a": 3}],
        ['spec.lo[0].a: Invalid value: "number": spec.lo[0].a in body must be of type integer: "number"'],
    ),
    ("lo", "100", ['spec.lo: Invalid value: "string": spec.lo in body must be of type array: "string"']),
    (
        "lo",
        [
            {
                "a": {"a": 1, "b": 2},
                "unknown": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A b", "foo": 1}},
            },
            "c d",
        ],
        [
            'spec.lo[0].a: Invalid value: "object": spec.lo[0].a in body must be of type integer: "object"',
            'spec.lo[1]: Invalid value: "string": spec.lo[1] in body must be of type object: "string"',
        ],
    ),
    ("lo", "rgb(1,2,3)", ['spec.lo: Invalid value: "string": spec.lo in body must be of type array: "string"']),
    ("lo", 5, ['spec.lo: Invalid value: "integer": spec.lo in body must be of type array: "integer"']),
    (
        "lo",
        [{}, {"a": "abc"}],
        ['spec.lo[1].a: Invalid value: "string": spec.lo[1].a in body must be of type integer: "string"'],
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
        {"c": ""},
        [
            '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
            "spec.one.a: Required value",
        ],
    ),
    (
        "one",
        {"c": "one"},
        [
            '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
            "spec.one.a: Required value",
        ],
    ),
    (
        "one",
        "newx",
        [
            (
                '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            ),
            'spec.one: Invalid value: "string": spec.one in body must be of type object: "string"',
        ],
    ),
    (
        "one",
        "aGk=",
        [
            (
                '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            ),
            'spec.one: Invalid value: "string": spec.one in body must be of type object: "string"',
        ],
    ),
    (
        "one",
        {"c": "100"},
        [
            '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
            "spec.one.a: Required value",
        ],
    ),
    (
        "one",
        {"a": 3, "b": "abc"},
        [
            (
                '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            )
        ],
    ),
    (
        "one",
        1000000.5,
        [
            (
                '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            ),
            'spec.one: Invalid value: "number": spec.one in body must be of type object: "number"',
        ],
    ),
    (
        "one",
        {"unknown": "a"},
        [
            '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
            "spec.one.a: Required value",
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
    ("anyo", ["a"], ['spec.anyo: Invalid value: "array": spec.anyo in body must be of type object: "array"']),
    (
        "anyo",
        {"a": 1, "unknown": "rgb(1,2,3)"},
        [
            '<nil>: Invalid value: "": "spec.anyo" must validate at least one schema (anyOf)',
            "spec.anyo.a: Invalid value: 1: spec.anyo.a in body should be greater than or equal to 5",
        ],
    ),
    (
        "anyo",
        {"a": 0, "b": "5"},
        [
            '<nil>: Invalid value: "": "spec.anyo" must validate at least one schema (anyOf)',
            "spec.anyo.a: Invalid value: 0: spec.anyo.a in body should be greater than or equal to 5",
        ],
    ),
    ("anyo", False, ['spec.anyo: Invalid value: "boolean": spec.anyo in body must be of type object: "boolean"']),
    (
        "noto",
        {"a": "ab"},
        ['spec.noto.a: Invalid value: "string": spec.noto.a in body must be of type integer: "string"'],
    ),
    (
        "noto",
        "2h",
        [
            '<nil>: Invalid value: "": "spec.noto" must not validate the schema (not)',
            'spec.noto: Invalid value: "string": spec.noto in body must be of type object: "string"',
        ],
    ),
    ("noto", {"a": 9, "b": 6}, ['<nil>: Invalid value: "": "spec.noto" must not validate the schema (not)']),
    (
        "noto",
        "a",
        [
            '<nil>: Invalid value: "": "spec.noto" must not validate the schema (not)',
            'spec.noto: Invalid value: "string": spec.noto in body must be of type object: "string"',
        ],
    ),
    (
        "noto",
        "aé",
        [
            '<nil>: Invalid value: "": "spec.noto" must not validate the schema (not)',
            'spec.noto: Invalid value: "string": spec.noto in body must be of type object: "string"',
        ],
    ),
    (
        "noto",
        {"b": "éé"},
        ['spec.noto.b: Invalid value: "string": spec.noto.b in body must be of type integer: "string"'],
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
    ("nd", {"x": 3, "z": {"w": "2020-01-01"}}, {"x": 3, "y": 2, "z": {"w": "2020-01-01"}}),
    ("nd", {}, {"y": 2, "z": {"w": "deep"}}),
    ("nd", {"z": {}}, {"y": 2, "z": {"w": "deep"}}),
    ("nd", {"y": 7, "z": {}}, {"y": 7, "z": {"w": "deep"}}),
    ("nd", {"x": 3}, {"x": 3, "y": 2, "z": {"w": "deep"}}),
    ("pu", {"known": {}}, {"known": {}}),
    ("pu", {"known": {}, "unknown": "2021-13-01"}, {"known": {}, "unknown": "2021-13-01"}),
    ("pu", {}, {}),
    ("pu", {"known": {"k": 7}, "unknown": "éé"}, {"known": {"k": 7}, "unknown": "éé"}),
    ("pu", {"unknown": "c d"}, {"unknown": "c d"}),
    (
        "emb",
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A b", "foo": 1}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A b"}},
    ),
    ("m", {"c.d": 6}, {"c.d": 6}),
    ("m", {"c.d": 9}, {"c.d": 9}),
    ("m", {"a": 7, "e/f": None, "c.d": 99, "b": 6}, {"a": 7, "b": 6, "c.d": 99}),
    (
        "mm",
        {"b": {"v": "2021-02-30T25:00:00Z"}, "c.d": {}, "a": {}, "e/f": None},
        {"a": {"v": "dv"}, "b": {"v": "2021-02-30T25:00:00Z"}, "c.d": {"v": "dv"}},
    ),
    ("mm", {}, {}),
    ("mm", {"a": {"v": "abcdef"}}, {"a": {"v": "abcdef"}}),
    (
        "mm",
        {"b": {}, "e/f": {"v": "x%"}, "c.d": {}, "a": {}},
        {"a": {"v": "dv"}, "b": {"v": "dv"}, "c.d": {"v": "dv"}, "e/f": {"v": "x%"}},
    ),
    ("mm", {"c.d": {}, "b": {}, "a": {"v": "#fff"}}, {"a": {"v": "#fff"}, "b": {"v": "dv"}, "c.d": {"v": "dv"}}),
    ("mtrue", {"unknown": None}, {"unknown": None}),
    ("mtrue", {}, {}),
    ("mtrue", {"unknown": 99}, {"unknown": 99}),
    ("mtrue", {"unknown": 7}, {"unknown": 7}),
    ("mtrue", {"k": "a"}, {"k": "a"}),
    ("mtrue", {"unknown": [None]}, {"unknown": [None]}),
    ("mtrue", {"unknown": "1Gi"}, {"unknown": "1Gi"}),
    ("l", ["::1"], ["::1"]),
    ("l", [""], [""]),
    ("l", ["12%", "4"], ["12%", "4"]),
    ("l", ["aé"], ["aé"]),
    ("ls", [], []),
    (
        "ls",
        ["123e4567-e89b-12d3-a456-426614174000", "1Gi", "abc"],
        ["123e4567-e89b-12d3-a456-426614174000", "1Gi", "abc"],
    ),
    ("ls", ["1.2.3.0/24", "rgb(1,2,3)"], ["1.2.3.0/24", "rgb(1,2,3)"]),
    ("ls", ["1Gi", "kk"], ["1Gi", "kk"]),
    ("ls", ["rgb(1,2,3)"], ["rgb(1,2,3)"]),
    ("ls", ["a"], ["a"]),
    ("ls", ["na"], ["na"]),
    ("lm", [], []),
    ("lm", [{"k": "2021-02-30T25:00:00Z", "p": 12}], [{"k": "2021-02-30T25:00:00Z", "p": 12}]),
    ("ln", [1], [1]),
    ("ln", [7, 5], [7, 5]),
    ("ln", [1, 0, 12], [1, 0, 12]),
    ("ln", [], []),
    ("ln", [2], [2]),
    ("ln", [7], [7]),
    ("lo", [{}, {"a": 2147483648}], [{"a": 1}, {"a": 2147483648}]),
    ("lo", [], []),
    ("lo", [{"a": 99}, {"a": 7}], [{"a": 99}, {"a": 7}]),
    ("lo", [{"unknown": "1Gi"}, {}, {"unknown": [{"k": "a", "v": 5}]}], [{"a": 1}, {"a": 1}, {"a": 1}]),
    ("one", {"a": 12, "unknown": "newx"}, {"a": 12}),
    ("one", {"b": '<b>&"q"', "c": "c d"}, {"b": '<b>&"q"', "c": "c d"}),
    ("one", {"b": "12%", "c": "2020-01-01"}, {"b": "12%", "c": "2020-01-01"}),
    ("anyo", {"a": 7, "b": "a"}, {"a": 7, "b": "a"}),
    ("anyo", {"a": 3, "b": "1Gi"}, {"a": 3, "b": "1Gi"}),
    ("anyo", {"b": "#fff"}, {"b": "#fff"}),
    ("anyo", {"b": "http://a/b"}, {"b": "http://a/b"}),
    ("anyo", {"a": 9}, {"a": 9}),
    ("anyo", {"a": 6}, {"a": 6}),
    ("anyo", {"a": 1, "b": "1.2.3.4"}, {"a": 1, "b": "1.2.3.4"}),
    ("noto", {"b": 9}, {"b": 9}),
    ("noto", {"a": 1}, {"a": 1}),
    ("noto", {}, {}),
    ("noto", {"b": 7}, {"b": 7}),
    ("noto", {"a": 7}, {"a": 7}),
    ("noto", {"kind": "k", "lo": 1}, {}),
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
