"""x-kubernetes-validations on objects: when a rule is asked, of what, and what is said when it does not hold.

The rules are those of apiextensions' schema/cel. The same rules over the same objects were put to kube-apiserver v1.34.4.

Left out: the language (test_cel.py), and what is refused with a definition (test_cel_refused.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.schemas.rules import rules_of
from twinloop.apiserver.schemas.schema import Schema

Object = dict[str, Any]

NUMBER = {"type": "integer"}
TEXT = {"type": "string"}


def obj(properties: Object, **more: Any) -> Object:
    return {"type": "object", "properties": properties, **more}


def ruled(schema: Object, *rules: str | Object) -> Object:
    given = [{"rule": each} if isinstance(each, str) else each for each in rules]
    return {**schema, "x-kubernetes-validations": given}


def findings(spec: Object, new: Any, old: Any = None) -> list[str]:
    schema = Schema(obj({"spec": spec}))
    past = None if old is None else {"spec": old}
    return [str(each) for each in schema.validate({"spec": new}, past)]


# ------------------------------------------------------------------ where a rule applies


def test_a_rule_is_asked_of_the_value_that_it_stands_at() -> None:
    schema = obj(
        {
            "n": ruled(NUMBER, "self > 1"),
            "l": {"type": "array", "items": ruled(NUMBER, "self > 1")},
            "m": {"type": "object", "additionalProperties": ruled(NUMBER, "self > 1")},
        }
    )
    assert findings(schema, {"n": 1, "l": [2, 0], "m": {"a.b": 0, "c": 5}}) == [
        'spec.n: Invalid value: "integer": failed rule: self > 1',
        'spec.l[1]: Invalid value: "integer": failed rule: self > 1',
        'spec.m[a.b]: Invalid value: "integer": failed rule: self > 1',
    ]


def test_a_rule_at_the_root_sees_type_and_name() -> None:
    rules = rules_of(ruled(obj({}), "self.kind == 'K' && self.metadata.name != 'bad'"))
    assert rules is not None
    good = {"kind": "K", "metadata": {"name": "good"}}
    assert rules.check(good, None) == []
    (found,) = rules.check({**good, "metadata": {"name": "bad"}}, None)
    assert str(found).startswith('<nil>: Invalid value: "object": failed rule: ')


def test_a_rule_of_an_embedded_object_sees_its_type_and_name() -> None:
    embedded = ruled(
        {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"spec": obj({"a": NUMBER})},
        },
        "self.kind == 'Pod' && self.metadata.name == 'x'",
    )
    good = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}
    assert findings(obj({"e": embedded}), {"e": good}) == []
    assert len(findings(obj({"e": embedded}), {"e": {**good, "kind": "Job"}})) == 1


def test_a_null_is_asked_nothing() -> None:
    schema = obj({"n": ruled({**NUMBER, "nullable": True}, "self > 1")})
    assert findings(schema, {"n": None}) == []


def test_rules_wait_until_the_object_has_its_shape() -> None:
    schema = obj({"n": ruled(NUMBER, "self > 1"), "s": {**TEXT, "maxLength": 1}})
    blocked = (
        "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
        "existing errors to complete validation"
    )
    assert findings(schema, {"n": 0, "s": "long"}) == ["spec.s: Too long: may not be more than 1 byte", blocked]
    schema["properties"]["s"] = {**TEXT, "minLength": 2}
    assert len(findings(schema, {"n": 0, "s": "x"})) == 2, "a value out of range leaves the shape as it is"


# ------------------------------------------------------------------ what is said


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, 'spec: Invalid value: "object": failed rule: self.n > 1'),
        ({"message": " too small "}, 'spec: Invalid value: "object": too small'),
        ({"messageExpression": "'n is ' + string(self.n)"}, 'spec: Invalid value: "object": n is 0'),
        ({"message": "m", "messageExpression": "'e'"}, 'spec: Invalid value: "object": e'),
        ({"message": "m", "messageExpression": "string(1 / self.n)"}, 'spec: Invalid value: "object": m'),
        ({"message": "m", "messageExpression": "'a\\nb'"}, 'spec: Invalid value: "object": m'),
        ({"message": "m", "messageExpression": "' '"}, 'spec: Invalid value: "object": m'),
        ({"message": "m", "reason": "FieldValueInvalid"}, 'spec: Invalid value: "object": m'),
        ({"message": "m", "reason": "FieldValueForbidden"}, "spec: Forbidden: m"),
        ({"message": "m", "reason": "FieldValueRequired"}, "spec: Required value: m"),
        ({"message": "m", "reason": "FieldValueDuplicate"}, 'spec: Duplicate value: "object"'),
        ({"message": "m", "fieldPath": ".n"}, 'spec.n: Invalid value: "object": m'),
        ({"message": "m", "fieldPath": "['n']"}, 'spec.n: Invalid value: "object": m'),
    ],
    ids=repr,
)
def test_a_broken_rule_says_so_in_its_own_way(rule: Object, expected: str) -> None:
    schema = ruled(obj({"n": NUMBER}), {"rule": "self.n > 1", **rule})
    assert findings(schema, {"n": 0}) == [expected]


def test_a_long_message_gives_way_to_the_plain_one() -> None:
    schema = ruled(obj({"s": TEXT}), {"rule": "false", "message": "m", "messageExpression": "self.s"})
    assert findings(schema, {"s": "x" * 5120}) == [f'spec: Invalid value: "object": {"x" * 5120}']
    assert findings(schema, {"s": "x" * 5121}) == ['spec: Invalid value: "object": m']


def test_an_error_in_a_rule_is_a_finding() -> None:
    schema = ruled(obj({"n": NUMBER, "d": {"x-kubernetes-int-or-string": True}}), "self.n > 1", "self.d + 1 > 1")
    assert findings(schema, {"d": "x"}) == [
        'spec: Invalid value: "object": no such key: n evaluating rule: self.n > 1',
        (
            "spec: Invalid value: \"object\": 'no such overload': call arguments did not match a supported operator, function "
            "or macro signature for rule: self.d + 1 > 1"
        ),
    ]


# ------------------------------------------------------------------ rules about changes


def test_a_rule_about_a_change_says_nothing_about_a_new_value() -> None:
    schema = obj({"n": ruled(NUMBER, {"rule": "self >= oldSelf", "message": "shrinks"})})
    assert findings(schema, {"n": 1}) == []
    assert findings(schema, {"n": 1}, {}) == []
    assert findings(schema, {"n": 1}, {"n": 1}) == []
    assert findings(schema, {"n": 1}, {"n": 2}) == ['spec.n: Invalid value: "integer": shrinks']


def test_with_an_optional_old_self_it_does() -> None:
    rule = {"rule": "oldSelf.hasValue() || self == 1", "optionalOldSelf": True, "message": "starts at 1"}
    schema = obj({"n": ruled(NUMBER, rule)})
    assert findings(schema, {"n": 2}) == ['spec.n: Invalid value: "integer": starts at 1']
    assert findings(schema, {"n": 2}, {"n": 1}) == []
    back = {"rule": "self >= oldSelf.orValue(0)", "optionalOldSelf": True}
    assert len(findings(obj({"n": ruled(NUMBER, back)}), {"n": 1}, {"n": 2})) == 1


def test_items_are_compared_with_those_of_the_same_key() -> None:
    item = obj({"k": TEXT, "n": ruled(NUMBER, "self >= oldSelf")})
    keyed = {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}
    old = {"l": [{"k": "a", "n": 5}, {"k": "b", "n": 1}]}
    assert findings(obj({"l": keyed}), {"l": [{"k": "b", "n": 2}, {"k": "a", "n": 5}]}, old) == []
    found = findings(obj({"l": keyed}), {"l": [{"k": "b", "n": 2}, {"k": "a", "n": 4}]}, old)
    assert found == ['spec.l[1].n: Invalid value: "integer": failed rule: self >= oldSelf']


def test_an_unchanged_value_is_forgiven_a_broken_rule() -> None:
    schema = obj({"n": ruled(NUMBER, "self > 1"), "m": NUMBER})
    assert findings(schema, {"n": 0, "m": 2}, {"n": 0, "m": 1}) == []
    assert len(findings(schema, {"n": -1}, {"n": 0})) == 1
    whole = ruled(schema, "self.n > self.m")
    assert len(findings(whole, {"n": 0, "m": 2}, {"n": 0, "m": 1})) == 1, "the object as a whole has changed"


def test_a_rule_about_a_change_is_not_forgiven() -> None:
    schema = obj({"n": ruled(NUMBER, "self > oldSelf"), "m": NUMBER})
    assert len(findings(schema, {"n": 1, "m": 2}, {"n": 1, "m": 1})) == 1


# ------------------------------------------------------------------ no rules


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (obj({"a": NUMBER}), False),
        (ruled(obj({}), "true"), True),
        (obj({"a": ruled(NUMBER, "true")}), True),
        (obj({"l": {"type": "array", "items": ruled(NUMBER, "true")}}), True),
        (obj({"m": {"type": "object", "additionalProperties": ruled(NUMBER, "true")}}), True),
    ],
    ids=repr,
)
def test_schemas_without_rules_are_told_apart(schema: Object, expected: bool) -> None:
    assert (rules_of(schema) is not None) is expected
