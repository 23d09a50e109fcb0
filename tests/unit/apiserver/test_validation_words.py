"""What a schema makes of single values: what it refuses and how it says so, and what it keeps of what it accepts.

One schema with a property for each keyword, and values that were made at random from it. kube-apiserver v1.34.4 got the
same definition and the same values: `REFUSED` holds its findings (sorted, its order being that of a map), `KEPT` what
it stored. Properties that were not given stay out of the way: they have defaults or are not required.

Left out: objects and lists (test_validation_structures.py), formats (test_validation_formats.py), rules
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
        "ios": {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": "^[0-9]+%?$",
        },
        "any": {"x-kubernetes-preserve-unknown-fields": True},
        "allo": {"type": "integer", "allOf": [{"minimum": 3}, {"maximum": 7}, {"not": {"enum": [5]}}]},
    },
}
SCHEMA = {"type": "object", "properties": {"spec": SPEC}}
STRATEGY = CustomStrategy("Torture", "test.dev/v1", {"schema": {"openAPIV3Schema": SCHEMA}})
GONE = "<gone>"
REFUSED: list[tuple[str, Any, list[str]]] = [
    ("i", {}, ['spec.i: Invalid value: "object": spec.i in body must be of type integer: "object"']),
    ("i", "a_b", ['spec.i: Invalid value: "string": spec.i in body must be of type integer: "string"']),
    ("i", ["a", "a"], ['spec.i: Invalid value: "array": spec.i in body must be of type integer: "array"']),
    (
        "i",
        "2020-01-01T00:00:00Z",
        ['spec.i: Invalid value: "string": spec.i in body must be of type integer: "string"'],
    ),
    ("iex", 12, ["spec.iex: Invalid value: 12: spec.iex in body should be less than 10"]),
    ("iex", 0, ["spec.iex: Invalid value: 0: spec.iex in body should be greater than 0"]),
    ("iex", -6, ["spec.iex: Invalid value: -6: spec.iex in body should be greater than 0"]),
    (
        "iex",
        {"kind": "k", "lo": 5, "hi": 1},
        ['spec.iex: Invalid value: "object": spec.iex in body must be of type integer: "object"'],
    ),
    ("iex", 10, ["spec.iex: Invalid value: 10: spec.iex in body should be less than 10"]),
    ("iex", ["one"], ['spec.iex: Invalid value: "array": spec.iex in body must be of type integer: "array"']),
    ("im", {}, ['spec.im: Invalid value: "object": spec.im in body must be of type integer: "object"']),
    ("im", 2147483648, ["spec.im: Invalid value: 2147483648: spec.im in body should be a multiple of 3"]),
    ("im", 7, ["spec.im: Invalid value: 7: spec.im in body should be a multiple of 3"]),
    ("im", "1Gi", ['spec.im: Invalid value: "string": spec.im in body must be of type integer: "string"']),
    ("im", 5, ["spec.im: Invalid value: 5: spec.im in body should be a multiple of 3"]),
    ("im", "kk", ['spec.im: Invalid value: "string": spec.im in body must be of type integer: "string"']),
    ("im", 1, ["spec.im: Invalid value: 1: spec.im in body should be a multiple of 3"]),
    ("im", "", ['spec.im: Invalid value: "string": spec.im in body must be of type integer: "string"']),
    ("im", "5 days", ['spec.im: Invalid value: "string": spec.im in body must be of type integer: "string"']),
    ("im", [{"k": "a", "v": 5}], ['spec.im: Invalid value: "array": spec.im in body must be of type integer: "array"']),
    ("im", {"b": "x"}, ['spec.im: Invalid value: "object": spec.im in body must be of type integer: "object"']),
    ("n", 1, ["spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0"]),
    ("n", 3, ["spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0"]),
    ("n", {}, ['spec.n: Invalid value: "object": spec.n in body must be of type number: "object"']),
    ("n", -1, ["spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0"]),
    ("n", "aGk=", ['spec.n: Invalid value: "string": spec.n in body must be of type number: "string"']),
    (
        "n",
        9007199254740993,
        [
            "spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0",
            "spec.n: Invalid value: 9007199254740993: spec.n in body should be less than or equal to 1000000",
        ],
    ),
    ("n", [{}], ['spec.n: Invalid value: "array": spec.n in body must be of type number: "array"']),
    ("n", 99, ["spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0"]),
    ("n", 101, ["spec.n: Invalid value: 0: factor MultipleOf declared for spec.n must be positive: 0"]),
    ("n", ["b", "a"], ['spec.n: Invalid value: "array": spec.n in body must be of type number: "array"']),
    ("nx", 1e22, ["spec.nx: Invalid value: 1e+22: spec.nx in body should be less than 10"]),
    ("nx", "\n", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    ("nx", "/a", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    ("nx", 9007199254740993, ["spec.nx: Invalid value: 9007199254740993: spec.nx in body should be less than 10"]),
    ("nx", "", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    ("nx", "newxx", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    ("nx", "1.2.3.4", ['spec.nx: Invalid value: "string": spec.nx in body must be of type number: "string"']),
    (
        "nx",
        {"kind": "k", "lo": 1, "hi": 9},
        ['spec.nx: Invalid value: "object": spec.nx in body must be of type number: "object"'],
    ),
    ("s", "rgb(1,2,3)", ["spec.s: Too long: may not be more than 5 bytes"]),
    ("s", "", ['spec.s: Invalid value: "": spec.s in body should be at least 2 chars long']),
    ("s", '<b>&"q"', ["spec.s: Too long: may not be more than 5 bytes"]),
    ("s", "http://a/b", ["spec.s: Too long: may not be more than 5 bytes"]),
    ("s", "a.b", ["spec.s: Invalid value: \"a.b\": spec.s in body should match '^[a-zé]+$'"]),
    ("s", "a_b", ["spec.s: Invalid value: \"a_b\": spec.s in body should match '^[a-zé]+$'"]),
    ("e", "5", ['spec.e: Unsupported value: "5": supported values: "a", "b", "c d"']),
    (
        "e",
        "2021-02-30T25:00:00Z",
        ['spec.e: Unsupported value: "2021-02-30T25:00:00Z": supported values: "a", "b", "c d"'],
    ),
    ("e", "", ['spec.e: Unsupported value: "": supported values: "a", "b", "c d"']),
    ("e", "aé", ['spec.e: Unsupported value: "aé": supported values: "a", "b", "c d"']),
    ("e", "one", ['spec.e: Unsupported value: "one": supported values: "a", "b", "c d"']),
    ("e", "ab", ['spec.e: Unsupported value: "ab": supported values: "a", "b", "c d"']),
    ("e", "2020-01-01", ['spec.e: Unsupported value: "2020-01-01": supported values: "a", "b", "c d"']),
    ("e", "1.2.3.0/24", ['spec.e: Unsupported value: "1.2.3.0/24": supported values: "a", "b", "c d"']),
    (
        "e",
        {},
        [
            'spec.e: Invalid value: "object": spec.e in body must be of type string: "object"',
            'spec.e: Unsupported value: {}: supported values: "a", "b", "c d"',
        ],
    ),
    ("en", 12, ['spec.en: Unsupported value: 12: supported values: "1", "2", "3"']),
    ("en", 1.5, ['spec.en: Invalid value: "number": spec.en in body must be of type integer: "number"']),
    (
        "en",
        ["one", "one"],
        [
            'spec.en: Invalid value: "array": spec.en in body must be of type integer: "array"',
            'spec.en: Unsupported value: ["one","one"]: supported values: "1", "2", "3"',
        ],
    ),
    ("en", 6, ['spec.en: Unsupported value: 6: supported values: "1", "2", "3"']),
    (
        "en",
        [],
        [
            'spec.en: Invalid value: "array": spec.en in body must be of type integer: "array"',
            'spec.en: Unsupported value: []: supported values: "1", "2", "3"',
        ],
    ),
    ("en", 9, ['spec.en: Unsupported value: 9: supported values: "1", "2", "3"']),
    ("en", 7, ['spec.en: Unsupported value: 7: supported values: "1", "2", "3"']),
    (
        "en",
        "ab",
        [
            'spec.en: Invalid value: "string": spec.en in body must be of type integer: "string"',
            'spec.en: Unsupported value: "ab": supported values: "1", "2", "3"',
        ],
    ),
    (
        "en",
        "new",
        [
            'spec.en: Invalid value: "string": spec.en in body must be of type integer: "string"',
            'spec.en: Unsupported value: "new": supported values: "1", "2", "3"',
        ],
    ),
    ("b", "AA:bb:cc:dd:ee:ff", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", "4", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", "#fff", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    (
        "b",
        {"kind": "p q", "apiVersion": "a/b/c", "metadata": {"labels": {"a": "b c"}}},
        ['spec.b: Invalid value: "object": spec.b in body must be of type boolean: "object"'],
    ),
    ("b", 1000000.5, ['spec.b: Invalid value: "number": spec.b in body must be of type boolean: "number"']),
    ("b", "5 days", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", "10s", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", "/a", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", "x%", ['spec.b: Invalid value: "string": spec.b in body must be of type boolean: "string"']),
    ("b", 0.25, ['spec.b: Invalid value: "number": spec.b in body must be of type boolean: "number"']),
    ("nul", 1e22, ['spec.nul: Invalid value: "number": spec.nul in body must be of type string: "number"']),
    ("nul2", "10s", ['spec.nul2: Invalid value: "string": spec.nul2 in body must be of type integer: "string"']),
    ("nul2", ["b", "a"], ['spec.nul2: Invalid value: "array": spec.nul2 in body must be of type integer: "array"']),
    ("nul2", "4", ['spec.nul2: Invalid value: "string": spec.nul2 in body must be of type integer: "string"']),
    ("nul2", "12%", ['spec.nul2: Invalid value: "string": spec.nul2 in body must be of type integer: "string"']),
    (
        "nonul",
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A b", "foo": 1}},
        ['spec.nonul: Invalid value: "object": spec.nonul in body must be of type string: "object"'],
    ),
    ("ios", "10s", ["spec.ios: Invalid value: \"10s\": spec.ios in body should match '^[0-9]+%?$'"]),
    (
        "ios",
        {"k": "a"},
        [
            '<nil>: Invalid value: "": "spec.ios" must validate at least one schema (anyOf)',
            'spec.ios: Invalid value: "object": spec.ios in body must be of type integer,string: "object"',
            'spec.ios: Invalid value: "object": spec.ios in body must be of type integer: "object"',
        ],
    ),
    ("ios", "1Gi", ["spec.ios: Invalid value: \"1Gi\": spec.ios in body should match '^[0-9]+%?$'"]),
    ("ios", "a@b.c", ["spec.ios: Invalid value: \"a@b.c\": spec.ios in body should match '^[0-9]+%?$'"]),
    (
        "ios",
        [1],
        [
            '<nil>: Invalid value: "": "spec.ios" must validate at least one schema (anyOf)',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer,string: "array"',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer: "array"',
        ],
    ),
    (
        "ios",
        [{"k": "a"}, {"k": "a"}],
        [
            '<nil>: Invalid value: "": "spec.ios" must validate at least one schema (anyOf)',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer,string: "array"',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer: "array"',
        ],
    ),
    (
        "ios",
        ["a", "a"],
        [
            '<nil>: Invalid value: "": "spec.ios" must validate at least one schema (anyOf)',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer,string: "array"',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer: "array"',
        ],
    ),
    (
        "ios",
        {"a": 1},
        [
            '<nil>: Invalid value: "": "spec.ios" must validate at least one schema (anyOf)',
            'spec.ios: Invalid value: "object": spec.ios in body must be of type integer,string: "object"',
            'spec.ios: Invalid value: "object": spec.ios in body must be of type integer: "object"',
        ],
    ),
    ("ios", "a", ["spec.ios: Invalid value: \"a\": spec.ios in body should match '^[0-9]+%?$'"]),
    (
        "ios",
        [{"k": "a", "v": 5}],
        [
            '<nil>: Invalid value: "": "spec.ios" must validate at least one schema (anyOf)',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer,string: "array"',
            'spec.ios: Invalid value: "array": spec.ios in body must be of type integer: "array"',
        ],
    ),
    (
        "allo",
        [{"k": "a"}, {"k": "a"}],
        ['spec.allo: Invalid value: "array": spec.allo in body must be of type integer: "array"'],
    ),
    (
        "allo",
        9007199254740993,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 9007199254740993: spec.allo in body should be less than or equal to 7",
        ],
    ),
    (
        "allo",
        0,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 0: spec.allo in body should be greater than or equal to 3",
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
    (
        "allo",
        1,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 1: spec.allo in body should be greater than or equal to 3",
        ],
    ),
    (
        "allo",
        200,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 200: spec.allo in body should be less than or equal to 7",
        ],
    ),
    (
        "allo",
        2,
        [
            '<nil>: Invalid value: "": "spec.allo" must validate all the schemas (allOf)',
            "spec.allo: Invalid value: 2: spec.allo in body should be greater than or equal to 3",
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
    ("allo", "12%", ['spec.allo: Invalid value: "string": spec.allo in body must be of type integer: "string"']),
    ("allo", "a@b.c", ['spec.allo: Invalid value: "string": spec.allo in body must be of type integer: "string"']),
]
KEPT: list[tuple[str, Any, Any]] = [
    ("i", 12, 12),
    ("i", 9, 9),
    ("i", 3, 3),
    ("i", 2, 2),
    ("i", 0, 0),
    ("i", 7, 7),
    ("i", 5, 5),
    ("i", 1, 1),
    ("iex", 5, 5),
    ("iex", 1, 1),
    ("iex", 6, 6),
    ("iex", 7, 7),
    ("iex", 3, 3),
    ("iex", 9, 9),
    ("im", 0, 0),
    ("n", 0.5, 0.5),
    ("n", 2.5, 2.5),
    ("nx", 0.5, 0.5),
    ("nx", 1, 1),
    ("nx", 2.5, 2.5),
    ("nx", 3, 3),
    ("s", "new", "new"),
    ("s", "kk", "kk"),
    ("s", "newx", "newx"),
    ("s", "éé", "éé"),
    ("s", "aé", "aé"),
    ("s", "na", "na"),
    ("e", "a", "a"),
    ("e", "b", "b"),
    ("e", "c d", "c d"),
    ("en", 3, 3),
    ("en", 1, 1),
    ("en", 2, 2),
    ("b", False, False),
    ("b", True, True),
    ("nul", "aGk=", "aGk="),
    ("nul", "10s", "10s"),
    ("nul", "aé", "aé"),
    ("nul", "1Gi", "1Gi"),
    ("nul", "/a", "/a"),
    ("nul", "c d", "c d"),
    ("nul", "new", "new"),
    ("nul", "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
    ("nul", "5", "5"),
    ("nul", "a.b", "a.b"),
    ("nul", "2021-02-30T25:00:00Z", "2021-02-30T25:00:00Z"),
    ("nul2", 5, 5),
    ("nul2", 3, 3),
    ("nul2", 0, 0),
    ("nul2", 7, 7),
    ("nul2", 1, 1),
    ("nul2", 2, 2),
    ("nul2", 6, 6),
    ("nul2", 9, 9),
    ("nonul", "2021-13-01", "2021-13-01"),
    ("nonul", "a_b", "a_b"),
    ("nonul", "12%", "12%"),
    ("nonul", "a@b.c", "a@b.c"),
    ("nonul", '<b>&"q"', '<b>&"q"'),
    ("nonul", "::1", "::1"),
    ("nonul", "a.b", "a.b"),
    ("nonul", "2h", "2h"),
    ("nonul", "5", "5"),
    ("nonul", "rgb(1,2,3)", "rgb(1,2,3)"),
    ("nonul", "a", "a"),
    ("ios", 0, 0),
    ("ios", 200, 200),
    ("any", {"known": {"k": 1, "u": 2}, "un": {"x": 1}}, {"known": {"k": 1, "u": 2}, "un": {"x": 1}}),
    ("any", "AA:bb:cc:dd:ee:ff", "AA:bb:cc:dd:ee:ff"),
    ("any", [{"k": "a"}, {"k": "a"}], [{"k": "a"}, {"k": "a"}]),
    ("any", "5", "5"),
    ("any", "/a", "/a"),
    ("any", "10s", "10s"),
    ("any", {"k": "a"}, {"k": "a"}),
    ("any", "5 days", "5 days"),
    ("any", "4", "4"),
    ("any", "2021-13-01", "2021-13-01"),
    ("any", "one", "one"),
    ("any", 1000000.5, 1000000.5),
    ("allo", 3, 3),
    ("allo", 6, 6),
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
