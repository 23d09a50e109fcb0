"""Structural schemas, paths into them, and the form in which messages show them.

The checks of whole definitions, with a real server's words, are in test_definitions_refused.py; here are the parts that
one definition cannot show, and the paths that rules and selectable fields use.

Left out: rules (test_cel_refused.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinloop.apiserver import gofmt
from twinloop.apiserver.schemas import field_paths, internal_form, patterns, structural

Schema = dict[str, Any]


def obj(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


def problems(schema: Schema) -> list[str]:
    return [str(each) for each in structural.check(schema, "$")]


# ------------------------------------------------------------------ structural or not


def test_findings_come_sorted_by_path() -> None:
    found = problems(obj({"z": {}, "a": {}, "m": {"type": "array"}}))
    assert found == [
        "$.properties[a].type: Required value: must not be empty for specified object fields",
        "$.properties[m].items: Required value: must be specified",
        "$.properties[z].type: Required value: must not be empty for specified object fields",
    ]


@pytest.mark.parametrize(
    "schema",
    [
        obj({}),
        obj({"a": {"x-kubernetes-preserve-unknown-fields": True}}),
        obj({"a": {"x-kubernetes-int-or-string": True}}),
        obj({"a": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}}),
        obj({"a": {"type": "integer"}}, anyOf=[{"required": ["a"]}, {"properties": {"a": {"minimum": 1}}}]),
        obj({"a": {"type": "array", "items": {"type": "string"}, "not": {"items": {"pattern": "^a"}}}}),
        obj({"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}),
    ],
    ids=repr,
)
def test_structural(schema: Schema) -> None:
    assert problems(schema) == []


def test_nested_schemas_may_not_declare() -> None:
    nested = {
        "type": "integer",
        "default": 1,
        "title": "t",
        "description": "d",
        "nullable": True,
        "additionalProperties": True,
        "x-kubernetes-list-type": "set",
        "x-kubernetes-validations": [{"rule": "true"}],
    }
    found = problems(obj({"a": {"type": "integer", "oneOf": [nested]}}))
    assert [each.partition(": ")[0].removeprefix("$.properties[a].oneOf[0].") for each in found] == sorted(nested)
    assert all(": Forbidden: must be" in each for each in found)


def test_what_is_nested_at_the_root_must_be_declared_outside() -> None:
    """A real server looks at the root only, so this one does too."""
    nested = [{"properties": {"b": {"minimum": 1}}}]
    (found,) = problems(obj({}, anyOf=nested))
    assert found == "$.properties[b]: Required value: because it is defined in $.anyOf[0].properties[b]"
    assert problems(obj({"a": obj({}, anyOf=nested)})) == []
    schema = obj({"a": {"type": "string"}}, **{"not": {"properties": {"a": {"items": {"minimum": 1}}}}})
    (found,) = problems(schema)
    assert found == ("$.properties[a].items: Required value: because it is defined in $.not.properties[a].items")


def test_a_pattern_must_be_one_of_re2() -> None:
    (found,) = problems(obj({"a": {"type": "string", "pattern": "a(?!b)"}}))
    assert found == (
        '$.properties[a].pattern: Invalid value: "a(?!b)": must be a valid regular expression, but isn\'t: '
        "error parsing regexp: invalid or unsupported Perl syntax: `(?!`"
    )


# ------------------------------------------------------------------ patterns


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^a$", "a\n", False),
        (r"^\d$", "\u0664", False),
        (r"^\pL+$", "\u00e9a", True),
        ("(?i)^ABC$", "abc", True),
        (r"^\Qa.b\E$", "a.b", True),
        ("b", "abc", True),
    ],
)
def test_patterns_match_as_go_matches(pattern: str, text: str, found: bool) -> None:
    assert (patterns.compiled(pattern).search(text) is not None) is found


def test_a_pattern_that_would_take_python_for_ever_takes_no_time() -> None:
    assert patterns.compiled("^(a+)+$").search("a" * 5000 + "b") is None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a", ""),
        ("[a", "error parsing regexp: missing closing ]: `[a`"),
        ("(a", "error parsing regexp: missing closing ): `(a`"),
        ("a**", "error parsing regexp: invalid nested repetition operator: `**`"),
        ("*a", "error parsing regexp: missing argument to repetition operator: `*`"),
        ("a{2,1}", "error parsing regexp: invalid repeat count: `{2,1}`"),
        (r"\8", r"error parsing regexp: invalid escape sequence: `\8`"),
    ],
)
def test_problems_of_patterns_have_the_words_of_go(pattern: str, problem: str) -> None:
    assert patterns.problem_of(pattern) == problem


# ------------------------------------------------------------------ paths into schemas

TREE = obj(
    {
        "spec": obj({"a": {"type": "integer"}, "a.b": {"type": "string"}, "it's": {"type": "string"}}),
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    }
)


@pytest.mark.parametrize(
    ("path", "shown", "kind"),
    [
        (".spec", "spec", "object"),
        (".spec.a", "spec.a", "integer"),
        (".spec['a.b']", "spec.a.b", "string"),
        ("['spec'].a", "spec.a", "integer"),
        (r".spec['it\'s']", "spec.it's", "string"),
        (".labels['x/y']", "labels[x/y]", "string"),
        (".labels.x", "labels[x]", "string"),
    ],
)
def test_a_path_leads_to_a_schema(path: str, shown: str, kind: str) -> None:
    where, schema = field_paths.resolve(path, TREE)
    assert (where, schema["type"]) == (shown, kind)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("spec", "expected [ or . but got: spec"),
        (".spec.b", "does not refer to a valid field"),
        (".spec.a.b", "does not refer to a valid field"),
        (".spec.", "unexpected end of JSON path"),
        (".spec[0]", "expected single quoted string but got 0"),
        (".spec['a'", "unexpected end of JSON path"),
        (".spec['a'.", "expected ] but got ."),
        (r".spec['\q']", r"invalid string literal: invalid escape char \q"),
    ],
)
def test_a_path_that_leads_nowhere_says_why(path: str, problem: str) -> None:
    with pytest.raises(field_paths.BadFieldPath) as caught:
        field_paths.resolve(path, TREE)
    assert str(caught.value) == problem


def test_selectable_fields_know_no_brackets() -> None:
    with pytest.raises(field_paths.BadFieldPath, match="array notation is not allowed"):
        field_paths.resolve(".spec['a']", TREE, brackets=False)


# ------------------------------------------------------------------ the inner form


def version(name: str, **fields: Any) -> Schema:
    return {"name": name, "served": True, "storage": name == "v1", **fields}


def test_what_all_versions_share_moves_out_of_them() -> None:
    schema, columns = {"openAPIV3Schema": {"type": "object"}}, [{"name": "A"}]
    both = [version("v1", schema=schema, additionalPrinterColumns=columns), version("v2", schema=schema)]
    shared = internal_form.share({"versions": both})
    assert shared.schema == schema
    assert (shared.subresources, shared.columns, shared.selectable) == (None, [], [])
    assert shared.versions == [version("v1", additionalPrinterColumns=columns), version("v2")]
    assert both[0]["schema"] == schema, "what was given is left alone"


def test_values_are_shown_as_go_holds_them() -> None:
    rule = json.loads(internal_form.go_rule({"rule": "a < b", "reason": "FieldValueInvalid"}))
    assert rule == {
        "Rule": "a < b",
        "Message": "",
        "MessageExpression": "",
        "Reason": "FieldValueInvalid",
        "FieldPath": "",
        "OptionalOldSelf": None,
    }
    assert "\\u003c" in internal_form.go_rule({"rule": "a < b"})
    schema = {
        "type": "array",
        "items": obj({"a": {"type": "string"}}),
        "allOf": [{"minItems": 1}],
        "not": {"maxItems": 9},
    }
    shown = json.loads(internal_form.go_schema(schema))
    assert shown["Items"]["JSONSchemas"] is None
    assert shown["Items"]["Schema"]["Properties"]["a"]["Type"] == "string"
    assert (shown["AllOf"][0]["MinItems"], shown["Not"]["MaxItems"], shown["Default"]) == (1, 9, None)
    assert list(shown)[:5] == ["ID", "Schema", "Ref", "Description", "Type"]


def test_versions_are_shown_with_all_that_differs_between_them() -> None:
    given = version(
        "v1",
        schema={"openAPIV3Schema": {"type": "object", "additionalProperties": True}},
        subresources={"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}},
        additionalPrinterColumns=[{"name": "A", "type": "string", "jsonPath": ".a"}],
        selectableFields=[{"jsonPath": ".spec.a"}],
    )
    (shown,) = json.loads(internal_form.go_versions([given]))
    assert shown["Schema"]["OpenAPIV3Schema"]["AdditionalProperties"] == {"Allows": True, "Schema": None}
    assert shown["Subresources"]["Scale"]["LabelSelectorPath"] is None
    assert shown["AdditionalPrinterColumns"][0]["JSONPath"] == ".a"
    assert shown["SelectableFields"] == [{"JSONPath": ".spec.a"}]


# ------------------------------------------------------------------ how Go prints


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", '"a"'), ('a"b\\', r'"a\"b\\"'), ("a\n\x00\x7f", r'"a\n\x00\x7f"'), ("\u00e9\u200b", '"\u00e9\\u200b"'), (True, "true"), (None, "null"),
        (3, "3"), (1.0, "1"), (2.5, "2.5"), (1e6, "1e+06"), (999999.5, "999999.5"), (1e-5, "1e-05"), (0.0001, "0.0001"),
        (1e22, "1e+22"), (-1.5e7, "-1.5e+07"), ({"b": 1, "a": [None, 1.0]}, '{"a":[null,1],"b":1}'), ("<&>", '"<&>"'), (["<&>"], r'["\u003c\u0026\u003e"]'),
    ],
)  # fmt: skip
def test_bad_values_look_as_in_go(value: Any, shown: str) -> None:
    assert gofmt.shown(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "<nil>"), (True, "true"), ("a", "a"), ([1, "b"], "[1 b]"), ({"b": 1, "a": None}, "map[a:<nil> b:1]"), (1e21, "1e+21")],
)  # fmt: skip
def test_values_inside_words_look_as_in_go(value: Any, shown: str) -> None:
    assert gofmt.printed(value) == shown
