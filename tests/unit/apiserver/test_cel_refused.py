"""Which rules are refused when their definition is created, and how that is said.

The words after `compilation failed: ` are those of kube-apiserver v1.34.4 for the same rule over the same schema: a rule
that misspells a field must not get into a cluster through a test that used this server.

Left out: the estimated cost of a rule, for which a real server refuses many more; and the few functions whose constant
arguments a real server evaluates while it compiles, such as int("x").
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.schemas import rule_checks
from twinloop.apiserver.schemas.cel.checker import CompileError, compiled
from twinloop.apiserver.schemas.cel.types import DYN, INT, STRING, of_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer", "default": 3}}}},
}
REFUSED: list[tuple[str, str]] = [
    (
        "self.spec.foo > 1",
        "compilation failed: ERROR: <input>:1:10: undefined field 'foo'\n | self.spec.foo > 1\n | .........^",
    ),
    (
        "self.spec.a == 'x'",
        (
            "compilation failed: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, string)'\n"
            " | self.spec.a == 'x'\n"
            " | ............^"
        ),
    ),
    ("self.foo", "compilation failed: ERROR: <input>:1:5: undefined field 'foo'\n | self.foo\n | ....^"),
    (
        "spec.a",
        "compilation failed: ERROR: <input>:1:1: undeclared reference to 'spec' (in container '')\n | spec.a\n | ^",
    ),
    ("self.spec.a", "cel expression must evaluate to a bool"),
    (
        "self.spec.a >",
        (
            "compilation failed: ERROR: <input>:1:14: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', "
            "'.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n"
            " | self.spec.a >\n"
            " | .............^"
        ),
    ),
    (
        "self.spec.a > 1 &&",
        (
            "compilation failed: ERROR: <input>:1:19: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', "
            "'.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n"
            " | self.spec.a > 1 &&\n"
            " | ..................^"
        ),
    ),
    (
        "foo(self)",
        (
            "compilation failed: ERROR: <input>:1:4: undeclared reference to 'foo' (in container '')\n"
            " | foo(self)\n"
            " | ...^"
        ),
    ),
    (
        "self.spec.a.startsWith('x')",
        (
            "compilation failed: ERROR: <input>:1:23: found no matching overload for 'startsWith' applied to "
            "'int.(string)'\n"
            " | self.spec.a.startsWith('x')\n"
            " | ......................^"
        ),
    ),
    ("has(1)", "compilation failed: ERROR: <input>:1:5: invalid argument to has() macro\n | has(1)\n | ....^"),
    (
        "self.spec.all(x, true)",
        (
            "compilation failed: ERROR: <input>:1:5: expression of type 'selfType.spec' cannot be range of a "
            "comprehension (must be list, map, or dynamic)\n"
            " | self.spec.all(x, true)\n"
            " | ....^"
        ),
    ),
    (
        "self.spec.a in ['x']",
        (
            "compilation failed: ERROR: <input>:1:13: found no matching overload for '@in' applied to '(int, "
            "list(string))'\n"
            " | self.spec.a in ['x']\n"
            " | ............^"
        ),
    ),
    (
        "self.metadata.labels == 'x'",
        (
            "compilation failed: ERROR: <input>:1:14: undefined field 'labels'\n"
            " | self.metadata.labels == 'x'\n"
            " | .............^"
        ),
    ),
    (
        "self.spec.a == 1.0",
        (
            "compilation failed: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, double)'\n"
            " | self.spec.a == 1.0\n"
            " | ............^"
        ),
    ),
    (
        "size(self.spec) > 1",
        (
            "compilation failed: ERROR: <input>:1:5: found no matching overload for 'size' applied to '(selfType.spec)'\n"
            " | size(self.spec) > 1\n"
            " | ....^"
        ),
    ),
    (
        "self.metadata.name.matches('[a')",
        (
            "compilation failed: ERROR: <input>:1:28: invalid matches argument\n"
            " | self.metadata.name.matches('[a')\n"
            " | ...........................^"
        ),
    ),
    (
        "!self.spec.a",
        (
            "compilation failed: ERROR: <input>:1:1: found no matching overload for '!_' applied to '(int)'\n"
            " | !self.spec.a\n"
            " | ^"
        ),
    ),
    (
        "-self.metadata.name",
        (
            "compilation failed: ERROR: <input>:1:1: found no matching overload for '-_' applied to '(string)'\n"
            " | -self.metadata.name\n"
            " | ^"
        ),
    ),
    (
        "self.spec.?b.orValue(3) > 1",
        "compilation failed: ERROR: <input>:1:10: undefined field 'b'\n | self.spec.?b.orValue(3) > 1\n | .........^",
    ),
    (
        "self.spec.a == null",
        (
            "compilation failed: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, null)'\n"
            " | self.spec.a == null\n"
            " | ............^"
        ),
    ),
    (
        "[1,'a'] == [1]",
        "compilation failed: ERROR: <input>:1:4: expected type 'int' but found 'string'\n | [1,'a'] == [1]\n | ...^",
    ),
    (
        "self.spec.a ? true : false",
        (
            "compilation failed: ERROR: <input>:1:13: found no matching overload for '_?_:_' applied to '(int, bool, "
            "bool)'\n"
            " | self.spec.a ? true : false\n"
            " | ............^"
        ),
    ),
    (
        "true ? 1 : 'a'",
        (
            "compilation failed: ERROR: <input>:1:6: found no matching overload for '_?_:_' applied to '(bool, int, "
            "string)'\n"
            " | true ? 1 : 'a'\n"
            " | .....^"
        ),
    ),
    (
        "1 + 'a' == 2",
        (
            "compilation failed: ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n"
            " | 1 + 'a' == 2\n"
            " | ..^"
        ),
    ),
    (
        "duration('x') > duration('1s')",
        (
            "compilation failed: ERROR: <input>:1:10: invalid duration argument\n"
            " | duration('x') > duration('1s')\n"
            " | .........^"
        ),
    ),
    (
        "timestamp('x') > timestamp('y')",
        (
            "compilation failed: ERROR: <input>:1:11: invalid timestamp argument\n"
            " | timestamp('x') > timestamp('y')\n"
            " | ..........^\n"
            "ERROR: <input>:1:28: invalid timestamp argument\n"
            " | timestamp('x') > timestamp('y')\n"
            " | ...........................^"
        ),
    ),
    ("self", "cel expression must evaluate to a bool"),
    (
        "'a' 'b'",
        (
            "compilation failed: ERROR: <input>:1:5: Syntax error: extraneous input ''b'' expecting <EOF>\n"
            " | 'a' 'b'\n"
            " | ....^"
        ),
    ),
    ("(true", "compilation failed: ERROR: <input>:1:6: Syntax error: missing ')' at '<EOF>'\n | (true\n | .....^"),
    (
        "true)",
        (
            "compilation failed: ERROR: <input>:1:5: Syntax error: extraneous input ')' expecting <EOF>\n"
            " | true)\n"
            " | ....^"
        ),
    ),
    (
        "self.spec.a > 1 || self.spec.b > 2 || self.c",
        (
            "compilation failed: ERROR: <input>:1:29: undefined field 'b'\n"
            " | self.spec.a > 1 || self.spec.b > 2 || self.c\n"
            " | ............................^\n"
            "ERROR: <input>:1:43: undefined field 'c'\n"
            " | self.spec.a > 1 || self.spec.b > 2 || self.c\n"
            " | ..........................................^"
        ),
    ),
    (
        "quantity('1') > quantity('2')",
        (
            "compilation failed: ERROR: <input>:1:15: found no matching overload for '_>_' applied to "
            "'(kubernetes.Quantity, kubernetes.Quantity)'\n"
            " | quantity('1') > quantity('2')\n"
            " | ..............^"
        ),
    ),
    (
        "self.spec['a'] == 1",
        (
            "compilation failed: ERROR: <input>:1:10: found no matching overload for '_[_]' applied to '(selfType.spec, "
            "string)'\n"
            " | self.spec['a'] == 1\n"
            " | .........^"
        ),
    ),
    (
        "self[0]",
        (
            "compilation failed: ERROR: <input>:1:5: found no matching overload for '_[_]' applied to '(selfType, int)'\n"
            " | self[0]\n"
            " | ....^"
        ),
    ),
    (
        "self.spec.a == 1u",
        (
            "compilation failed: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, uint)'\n"
            " | self.spec.a == 1u\n"
            " | ............^"
        ),
    ),
    (
        "self.spec.a.exists(x, x)",
        (
            "compilation failed: ERROR: <input>:1:10: expression of type 'int' cannot be range of a comprehension (must "
            "be list, map, or dynamic)\n"
            " | self.spec.a.exists(x, x)\n"
            " | .........^"
        ),
    ),
    (
        "[1].filter(x, x) == [1]",
        (
            "compilation failed: ERROR: <input>:1:11: found no matching overload for '_?_:_' applied to '(int, "
            "list(int), list(int))'\n"
            " | [1].filter(x, x) == [1]\n"
            " | ..........^"
        ),
    ),
    (
        "[1].all(x, x)",
        (
            "compilation failed: ERROR: <input>:1:12: expected type 'bool' but found 'int'\n"
            " | [1].all(x, x)\n"
            " | ...........^"
        ),
    ),
    (
        "[1].exists(x, x > 0 ? 1 : 2)",
        (
            "compilation failed: ERROR: <input>:1:21: expected type 'bool' but found 'int'\n"
            " | [1].exists(x, x > 0 ? 1 : 2)\n"
            " | ....................^"
        ),
    ),
    ("x", "compilation failed: ERROR: <input>:1:1: undeclared reference to 'x' (in container '')\n | x\n | ^"),
    (
        "@",
        (
            "compilation failed: ERROR: <input>:1:1: Syntax error: token recognition error at: '@'\n"
            " | @\n"
            " | ^\n"
            "ERROR: <input>:1:2: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', "
            "'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n"
            " | @\n"
            " | .^"
        ),
    ),
    (
        "self.spec.a # 1",
        (
            "compilation failed: ERROR: <input>:1:13: Syntax error: token recognition error at: '#'\n"
            " | self.spec.a # 1\n"
            " | ............^\n"
            "ERROR: <input>:1:15: Syntax error: extraneous input '1' expecting <EOF>\n"
            " | self.spec.a # 1\n"
            " | ..............^"
        ),
    ),
    (
        "'abc",
        (
            "compilation failed: ERROR: <input>:1:1: Syntax error: token recognition error at: ''abc'\n"
            " | 'abc\n"
            " | ^\n"
            "ERROR: <input>:1:5: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', "
            "'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n"
            " | 'abc\n"
            " | ....^"
        ),
    ),
    (
        "[1,2",
        (
            "compilation failed: ERROR: <input>:1:5: Syntax error: mismatched input '<EOF>' expecting {']', ','}\n"
            " | [1,2\n"
            " | ....^"
        ),
    ),
    (
        "{'a':1,'b':'x'}.a == 1",
        (
            "compilation failed: ERROR: <input>:1:12: expected type 'int' but found 'string'\n"
            " | {'a':1,'b':'x'}.a == 1\n"
            " | ...........^"
        ),
    ),
    ("self.if", "compilation failed: ERROR: <input>:1:5: undefined field 'if'\n | self.if\n | ....^"),
    (
        "self.__if__ == 1",
        "compilation failed: ERROR: <input>:1:5: undefined field '__if__'\n | self.__if__ == 1\n | ....^",
    ),
    (
        "self.spec.a.foo()",
        (
            "compilation failed: ERROR: <input>:1:16: undeclared reference to 'foo' (in container '')\n"
            " | self.spec.a.foo()\n"
            " | ...............^"
        ),
    ),
    (
        "self.spec.a.b",
        (
            "compilation failed: ERROR: <input>:1:12: type 'int' does not support field selection\n"
            " | self.spec.a.b\n"
            " | ...........^"
        ),
    ),
    (
        "lists.range(3) == [0,1,2]",
        (
            "compilation failed: ERROR: <input>:1:1: undeclared reference to 'lists' (in container '')\n"
            " | lists.range(3) == [0,1,2]\n"
            " | ^\n"
            "ERROR: <input>:1:12: undeclared reference to 'range' (in container '')\n"
            " | lists.range(3) == [0,1,2]\n"
            " | ...........^"
        ),
    ),
    (
        "[3,1].sort() == [1,3]",
        (
            "compilation failed: ERROR: <input>:1:11: undeclared reference to 'sort' (in container '')\n"
            " | [3,1].sort() == [1,3]\n"
            " | ..........^"
        ),
    ),
    (
        "'a'.reverse() == 'a'",
        (
            "compilation failed: ERROR: <input>:1:12: undeclared reference to 'reverse' (in container '')\n"
            " | 'a'.reverse() == 'a'\n"
            " | ...........^"
        ),
    ),
]
ACCEPTED: list[str] = [
    "self.spec.a > 1",
    "has(self.spec.a)",
    "has(self.spec)",
    "self.spec.a in [1,2]",
    "self.metadata.name == 'x'",
    "oldSelf.spec.a == self.spec.a",
    "self.spec == oldSelf.spec",
    "self.spec.a < 1.5",
    "self.kind == 'x'",
    "self.metadata.name.matches('^a$')",
    "self.spec.?a.orValue(3) > 1",
    "self.spec == null",
    "quantity('1').isGreaterThan(quantity('x'))",
    "isQuantity('1')",
    "true",
    "type(self.spec.a) == int",
    "self.spec.a / 2 > 1 && self.spec.a % 2 == 1",
    "\"abc\".charAt(1) == 'b'",
    "[1,2].sum() == 3",
    "[].sum() == 0",
    "[1].map(x, x+1) == [2]",
    "{'a': 1}.a == 1",
    "dyn(self.spec.a) == 'x'",
    "[1].all(i, v, i < v)",
    "[1,2].transformList(i,v,i+v) == [1,3]",
    "optional.of(1).hasValue()",
    "optional.none().hasValue()",
    "format.dns1123Label().validate('x').hasValue()",
    "ip('1.2.3.4').family() == 4",
    "cidr('1.2.3.0/24').containsIP('1.2.3.4')",
    "url('https://a').getHost() == 'a'",
    "sets.contains([1],[1])",
    "semver('1.2.3').major() == 1",
    "string(self.spec.a) == 'x'",
    "int('1') == 1",
    "b'a' == b'a'",
    "0x1F == 31",
    "1e3 == 1000.0",
    "-1 < 0",
    "!true",
    "!!true",
    "--1 == 1",
]


def findings(rule: dict[str, Any], **schema: Any) -> list[str]:
    given = {**SCHEMA, **schema, "x-kubernetes-validations": [rule]}
    return [error.message for error in rule_checks.compile_all(given, "$", "", root=True)]


@pytest.mark.parametrize(("rule", "expected"), REFUSED, ids=lambda each: each.partition("\n")[0])
def test_a_rule_that_makes_no_sense_is_refused_in_the_words_of_a_real_server(rule: str, expected: str) -> None:
    (message,) = findings({"rule": rule})
    assert message.partition('"OptionalOldSelf":null}: ')[2] == expected


@pytest.mark.parametrize("rule", ACCEPTED)
def test_a_rule_that_makes_sense_is_accepted(rule: str) -> None:
    assert findings({"rule": rule}) == []


def test_a_message_expression_has_to_compile_and_be_a_string() -> None:
    (unknown,) = findings({"rule": "true", "messageExpression": "'a' + b"})
    assert "messageExpression compilation failed: ERROR: <input>:1:7: undeclared reference to 'b'" in unknown
    (number,) = findings({"rule": "true", "messageExpression": "1"})
    assert number.endswith("messageExpression must evaluate to a string")


def test_optional_old_self_is_for_rules_that_look_back() -> None:
    assert findings({"rule": "oldSelf.hasValue()", "optionalOldSelf": True}) == []
    assert findings({"rule": "true", "optionalOldSelf": True}) == [
        "Invalid value: true: may not be set if oldSelf is not used in rule"
    ]


def test_a_rule_about_items_without_keys_cannot_look_back() -> None:
    given = {"type": "integer", "x-kubernetes-validations": [{"rule": "self > oldSelf"}]}
    (found,) = rule_checks.compile_all(given, "$.items", "$", root=False)
    assert str(found) == (
        '$.items.x-kubernetes-validations[0].rule: Invalid value: "self > oldSelf": '
        "oldSelf cannot be used on the uncorrelatable portion of the schema within $"
    )


def test_words_of_a_rule_are_checked_before_it_is_compiled() -> None:
    rules = [
        {"rule": " "},
        {"rule": "true", "message": " "},
        {"rule": "true", "message": "a\nb"},
        {"rule": "true\n&& true"},
        {"rule": "true", "messageExpression": " "},
        {"rule": "true", "reason": "Foo"},
        {"rule": "true", "fieldPath": " "},
        {"rule": "true", "fieldPath": ".spec.b"},
        {"rule": "true", "fieldPath": ".spec.a"},
    ]
    found = [str(each) for each in rule_checks.words({**SCHEMA, "x-kubernetes-validations": rules}, "$")]
    assert [each.removeprefix("$.x-kubernetes-validations") for each in found] == [
        "[0].rule: Required value: rule is not specified",
        '[1].message: Invalid value: " ": must be non-empty if specified',
        '[2].message: Invalid value: "a\\nb": must not contain line breaks',
        "[3].message: Required value: message must be specified if rule contains line breaks",
        "[4].messageExpression: Required value: messageExpression must be non-empty if specified",
        (
            '[5].reason: Unsupported value: "Foo": supported values: "FieldValueDuplicate", "FieldValueForbidden", '
            '"FieldValueInvalid", "FieldValueRequired"'
        ),
        '[6].fieldPath: Invalid value: " ": must be non-empty if specified',
        '[6].fieldPath: Invalid value: " ": must be a valid path',
        '[7].fieldPath: Invalid value: ".spec.b": must be a valid path',
    ]


# ------------------------------------------------------------------ types of schemas


def test_rules_see_names_and_no_other_metadata() -> None:
    whole = of_schema(SCHEMA, root=True)
    assert whole is not None
    names = compiled("self.metadata.name + self.metadata.generateName + self.kind + self.apiVersion", {"self": whole})
    assert names.type == STRING
    with pytest.raises(CompileError, match="undefined field 'labels'"):
        compiled("self.metadata.labels", {"self": whole})


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "integer"}, "int"),
        ({"type": "number"}, "double"),
        ({"type": "string", "format": "date-time"}, "timestamp"),
        ({"type": "string", "format": "duration"}, "duration"),
        ({"type": "string", "format": "byte"}, "bytes"),
        ({"type": "string", "format": "uuid"}, "string"),
        ({"x-kubernetes-int-or-string": True}, "dyn"),
        ({"type": "array", "items": {"type": "boolean"}}, "list(bool)"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map(string, string)"),
        ({"x-kubernetes-preserve-unknown-fields": True}, "None"),
        ({"type": "array", "items": {"x-kubernetes-preserve-unknown-fields": True}}, "None"),
    ],
    ids=str,
)
def test_a_schema_has_the_type_that_kubernetes_gives_it(schema: dict[str, Any], shown: str) -> None:
    assert str(of_schema(schema)) == shown


def test_properties_that_cel_cannot_name_are_escaped_or_out_of_reach() -> None:
    names = ["a-b", "a.b", "a/b", "a__b", "namespace", "1a", "ä", "ok"]
    found = of_schema({"type": "object", "properties": {name: {"type": "string"} for name in names}})
    assert found is not None
    assert found.fields is not None
    assert sorted(found.fields) == [
        "__namespace__", "a__dash__b", "a__dot__b", "a__slash__b", "a__underscores__b", "ok",
    ]  # fmt: skip


def test_dyn_fits_everywhere_and_leaves_errors_to_evaluation() -> None:
    assert compiled("self.a + self.b > 1 || self.c.d[0].startsWith('x')", {"self": DYN}).type.name == "bool"
    with pytest.raises(CompileError, match=r"applied to '\(string, int\)'"):
        compiled("a + b", {"a": STRING, "b": INT})
