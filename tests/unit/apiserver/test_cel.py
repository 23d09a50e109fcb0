"""CEL: what expressions come to.

`TRUE` holds expressions that are true of one object, `WRONG` those that are not, or have no value, with the words for
it; kube-apiserver v1.34.4 said so of each of them, in one CustomResourceDefinition with all of them as rules. What
follows tells the properties of the language that matter to whoever writes a rule.

Left out: what is refused before it is evaluated (test_cel_refused.py), which rules apply to which change of an object
(test_cel_rules.py).
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from twinloop.apiserver.schemas.cel.checker import compiled
from twinloop.apiserver.schemas.cel.types import DYN
from twinloop.apiserver.schemas.cel.values import CelError, UInt
from twinloop.apiserver.schemas.rules import Rule, rules_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "i": {"type": "integer"},
        "s": {"type": "string", "maxLength": 30},
        "b": {"type": "boolean"},
        "n": {"type": "number"},
        "li": {"type": "array", "maxItems": 10, "items": {"type": "integer"}},
        "ls": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 30}},
        "m": {"type": "object", "maxProperties": 10, "additionalProperties": {"type": "integer"}},
        "d": {"type": "string", "format": "duration"},
        "t": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "by": {"type": "string", "format": "byte", "maxLength": 30},
        "ios": {"x-kubernetes-int-or-string": True, "maxLength": 10},
        "set": {
            "type": "array",
            "maxItems": 10,
            "items": {"type": "string", "maxLength": 30},
            "x-kubernetes-list-type": "set",
        },
        "lm": {
            "type": "array",
            "maxItems": 5,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
            "items": {
                "type": "object",
                "required": ["k"],
                "properties": {"k": {"type": "string", "maxLength": 30}, "v": {"type": "integer"}},
            },
        },
        "o": {
            "type": "object",
            "properties": {
                "a": {"type": "integer"},
                "x-y": {"type": "string", "maxLength": 30},
                "namespace": {"type": "string", "maxLength": 30},
                "a__b": {"type": "string", "maxLength": 30},
                "a.b": {"type": "string", "maxLength": 30},
                "c/d": {"type": "string", "maxLength": 30},
            },
        },
        "nul": {"type": "integer", "nullable": True},
        "u": {"type": "string", "maxLength": 60},
    },
}
OBJECT: dict[str, Any] = {
    "i": 3,
    "s": "abc",
    "b": True,
    "n": 2.5,
    "li": [3, 1, 2],
    "ls": ["a", "b", "b"],
    "m": {"x": 1, "y": 2},
    "d": "90m",
    "t": "2020-02-29T12:34:56.789Z",
    "day": "2021-03-04",
    "by": "aGVsbG8=",
    "ios": "50%",
    "set": ["b", "a"],
    "lm": [{"k": "p", "v": 1}, {"k": "q", "v": 2}],
    "o": {"a": 1, "x-y": "z", "namespace": "ns", "a__b": "u", "a.b": "dot", "c/d": "slash"},
    "nul": None,
    "u": "https://user@example.com:8443/a%20b?x=1&x=2&y=#frag",
}
TRUE: list[str] = [
    "self.i + 1 == 4",
    "self.i - 5 == -2",
    "self.i * 2 == 6",
    "self.i / 2 == 1",
    "-7 / 2 == -3",
    "-7 % 3 == -1",
    "self.i % 2 == 1",
    "self.n * 2.0 == 5.0",
    "self.n / 2.0 == 1.25",
    "self.i < 3.5",
    "self.n > 2",
    "self.i >= 3 && self.i <= 3",
    "2u + 3u == 5u",
    "uint(self.i) == 3u",
    "double(self.i) == 3.0",
    "int(self.n) == 2",
    "int('42') == 42",
    "string(self.i) == '3'",
    "string(1000000.0) == '1e+06'",
    "string(self.n) == '2.5'",
    "string(self.b) == 'true'",
    "bool('true')",
    "self.s + 'd' == 'abcd'",
    "self.s < 'abd'",
    "size(self.s) == 3",
    "'ñandú'.size() == 5",
    "self.s.contains('bc') && self.s.startsWith('a') && self.s.endsWith('c')",
    "self.s.matches('^[a-c]+$')",
    "!self.s.matches('^b')",
    "self.s.charAt(1) == 'b'",
    "self.s.charAt(3) == ''",
    "self.s.indexOf('c') == 2",
    "self.s.indexOf('z') == -1",
    "'abab'.indexOf('a', 1) == 2",
    "'abab'.lastIndexOf('a') == 2",
    "'abab'.lastIndexOf('b', 2) == 1",
    "'AbC'.lowerAscii() == 'abc'",
    "'abc'.upperAscii() == 'ABC'",
    "'a-b-c'.replace('-', '+') == 'a+b+c'",
    "'a-b-c'.replace('-', '+', 1) == 'a+b-c'",
    "'a,b,c'.split(',') == ['a', 'b', 'c']",
    "'a,b,c'.split(',', 2) == ['a', 'b,c']",
    "'abc'.split('') == ['a', 'b', 'c']",
    "'abcd'.substring(1) == 'bcd'",
    "'abcd'.substring(1, 3) == 'bc'",
    "'  a '.trim() == 'a'",
    "strings.quote('a\"b') == '\"a\\\\\"b\"'",
    "'%s is %d'.format(['x', 5]) == 'x is 5'",
    "'%.2f|%x|%b|%o|%%'.format([1.5, 255, 5, 8]) == '1.50|ff|101|10|%'",
    "'%s %s %s'.format([[1, 2], {'a': 1}, 2.0]) == '[1, 2] {\"a\":1} 2'",
    "'%e'.format([1500.0]) == '1.500000\u00d710⁰³'",
    "'%s'.format([duration('90s')]) == '90s'",
    "'%s'.format([null]) == 'null'",
    "'%X'.format(['hi']) == '6869'",
    "'abc 123 45'.find('[0-9]+') == '123'",
    "'abc'.find('[0-9]+') == ''",
    "'1 22 333'.findAll('[0-9]+') == ['1', '22', '333']",
    "'1 22 333'.findAll('[0-9]+', 2) == ['1', '22']",
    "self.li.all(x, x > 0)",
    "self.li.exists(x, x == 2)",
    "self.li.exists_one(x, x > 2)",
    "self.li.exists_one(i, x, x > 2)",
    "self.li.map(x, x * 2) == [6, 2, 4]",
    "self.li.map(x, x > 1, x * 2) == [6, 4]",
    "self.li.filter(x, x > 1) == [3, 2]",
    "self.li.sum() == 6",
    "self.li.min() == 1 && self.li.max() == 3",
    "!self.li.isSorted() && [1, 2, 2].isSorted()",
    "self.li.indexOf(2) == 2 && self.li.lastIndexOf(9) == -1",
    "self.ls.indexOf('b') == 1 && self.ls.lastIndexOf('b') == 2",
    "self.li[0] == 3",
    "self.li + [4] == [3, 1, 2, 4]",
    "3 in self.li",
    "!(9 in self.li)",
    "size(self.li) == 3",
    "self.ls.join('-') == 'a-b-b'",
    "self.li.all(i, v, v > i || i > 0)",
    "self.li.exists(i, v, i == v)",
    "self.li.transformList(i, v, i * v) == [0, 1, 4]",
    "self.li.transformList(i, v, v > 1, i * v) == [0, 4]",
    "self.m.transformMap(k, v, v * 2) == {'x': 2, 'y': 4}",
    "self.m.transformMap(k, v, v > 1, v * 2) == {'y': 4}",
    "self.m.transformMapEntry(k, v, {v: k}) == {1: 'x', 2: 'y'}",
    "self.m.x == 1 && self.m['y'] == 2",
    "'x' in self.m && !('z' in self.m)",
    "self.m.all(k, self.m[k] > 0)",
    "self.m.exists(k, v, k == 'y' && v == 2)",
    "self.m.size() == 2",
    "self.m == {'y': 2, 'x': 1}",
    "has(self.m.x) && !has(self.m.z)",
    "has(self.o.a)",
    "self.o.x__dash__y == 'z'",
    "self.o.__namespace__ == 'ns'",
    "self.o.a__underscores__b == 'u'",
    "self.o.a__dot__b == 'dot'",
    "self.o.c__slash__d == 'slash'",
    "self.?o.?a.orValue(9) == 1",
    "self.o.?a.hasValue()",
    "self.m[?'z'].orValue(7) == 7",
    "self.li[?9].orValue(5) == 5",
    "self.li[?0].value() == 3",
    "optional.of(1).or(optional.of(2)).value() == 1",
    "optional.none().or(optional.of(2)).value() == 2",
    "optional.ofNonZeroValue(0).orValue(4) == 4",
    "optional.of(5).optMap(x, x + 1).value() == 6",
    "optional.of(5).optFlatMap(x, optional.of(x + 1)).value() == 6",
    "!optional.none().hasValue()",
    "self.li.first().value() == 3 && self.li.last().value() == 2",
    "[?self.m[?'z'], ?self.m[?'x']] == [1]",
    "{?'a': self.m[?'z'], 'b': 1} == {'b': 1}",
    "self.set == ['a', 'b']",
    "self.set + ['c', 'a'] == ['a', 'b', 'c']",
    "self.lm.exists(x, x.k == 'p' && x.v == 1)",
    "self.lm.map(x, x.k) == ['p', 'q']",
    "sets.contains([1, 2, 3], [2, 3])",
    "sets.equivalent([1, 2, 2], [2, 1])",
    "sets.intersects([1], [1, 2])",
    "self.d == duration('1h30m')",
    "self.d.getHours() == 1 && self.d.getMinutes() == 90",
    "string(self.d) == '5400s'",
    "duration('1.5s').getMilliseconds() == 1500",
    "duration('1h') + duration('30m') == self.d",
    "self.t < timestamp('2021-01-01T00:00:00Z')",
    "self.t.getFullYear() == 2020 && self.t.getMonth() == 1 && self.t.getDate() == 29",
    "self.t.getDayOfMonth() == 28 && self.t.getDayOfWeek() == 6 && self.t.getDayOfYear() == 59",
    (
        "self.t.getHours() == 12 && self.t.getMinutes() == 34 && self.t.getSeconds() == 56 && "
        "self.t.getMilliseconds() == 789"
    ),
    "self.t.getHours('+02:00') == 14",
    "self.t.getHours('America/New_York') == 7",
    "self.t + duration('1h') > self.t",
    "self.t - timestamp('2020-02-29T12:34:56Z') == duration('789ms')",
    "string(self.t) == '2020-02-29T12:34:56.789Z'",
    "int(timestamp('1970-01-01T00:01:00Z')) == 60",
    "timestamp(0) == timestamp('1970-01-01T00:00:00Z')",
    "self.day.getMonth() == 2",
    "self.by == b'hello'",
    "size(self.by) == 5",
    "string(self.by) == 'hello'",
    "bytes('hello') == self.by",
    "type(self.ios) == string && string(self.ios) == '50%'",
    "self.ios == '50%' || self.ios == 50",
    "type(self.i) == int && type(self.s) == string && type(1.0) == double",
    "dyn(1) == dyn(1.0)",
    "!(dyn(1) == dyn('1'))",
    "[1, 2] == [1, 2] && [1, 2] != [2, 1]",
    "true || self.li[9] == 1",
    "self.li[9] == 1 || true",
    "!(false && self.li[9] == 1)",
    "[1, 0].exists(x, 1 / x == 1)",
    "true ? true : 1 / 0 == 1",
    "!has(self.nul) || self.i == 3",
    "quantity('1Gi').isGreaterThan(quantity('1G'))",
    "quantity('500m').isLessThan(quantity('1'))",
    "quantity('1Ki').asInteger() == 1024",
    "quantity('1.5').asApproximateFloat() == 1.5",
    "quantity('2').add(quantity('3')).compareTo(quantity('5')) == 0",
    "quantity('2').sub(1).asInteger() == 1",
    "quantity('1k').isInteger() && !quantity('1.5').isInteger()",
    "sign(quantity('-1')) == -1",
    "isQuantity('10Mi') && !isQuantity('10Xi')",
    "quantity('1') == quantity('1000m')",
    "url(self.u).getScheme() == 'https'",
    "url(self.u).getHost() == 'example.com:8443'",
    "url(self.u).getHostname() == 'example.com'",
    "url(self.u).getPort() == '8443'",
    "url(self.u).getEscapedPath() == '/a%20b'",
    "url(self.u).getQuery() == {'x': ['1', '2'], 'y': ['']}",
    "isURL('/a/b') && !isURL('a b') && !isURL('../x')",
    "url('https://[::1]:80/').getHostname() == '::1'",
    "ip('192.168.0.1').family() == 4 && ip('::1').isLoopback()",
    "isIP('1.2.3.4') && !isIP('1.2.3') && !isIP('::ffff:1.2.3.4') && !isIP('01.2.3.4')",
    "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1')",
    "string(ip('2001:db8:0:0::1')) == '2001:db8::1'",
    "ip('169.254.1.1').isLinkLocalUnicast() && ip('224.0.0.1').isLinkLocalMulticast() && ip('0.0.0.0').isUnspecified()",
    "ip('8.8.8.8').isGlobalUnicast()",
    "cidr('192.168.0.0/24').containsIP('192.168.0.7') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.7'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
    "cidr('192.168.1.5/24').masked() == cidr('192.168.1.0/24')",
    "cidr('192.168.1.5/24').ip() == ip('192.168.1.5') && cidr('10.0.0.0/8').prefixLength() == 8",
    "string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
    "isCIDR('::/0') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0')",
    "format.dns1123Label().validate('ok-name').hasValue() == false",
    "format.dns1123Label().validate('Not_Ok').hasValue()",
    "format.named('uuid').value().validate('x').value() == ['does not match the UUID format']",
    "!format.named('nope').hasValue()",
    "format.dns1035LabelPrefix().validate('a-').hasValue() == false",
    "format.qualifiedName().validate('a.b/c').hasValue() == false",
    "format.labelValue().validate('a b').hasValue()",
    "format.uri().validate('http://a').hasValue() == false",
    "format.byte().validate('aGk=').hasValue() == false",
    "format.datetime().validate('x').hasValue()",
    "semver('1.2.3').major() == 1 && semver('1.2.3-rc.1').isLessThan(semver('1.2.3'))",
    "semver('v1.2', true).compareTo(semver('1.2.0')) == 0",
    "isSemver('1.0.0') && !isSemver('1.0') && isSemver('v1.0', true)",
    "semver('1.2.3').patch() == 3 && semver('1.2.3').minor() == 2",
    "r'a\\d'.size() == 3 && 'a\\x41\\u00e9\\n'.size() == 4",
    "'''multi''' == \"multi\" && '\\'' == \"'\"",
    "b'\\x00\\xff'.size() == 2",
    "0xff == 255 && 0x1Fu == 31u && 1e3 == 1000.0 && .5 == 0.5",
    "[1, 2, 3].map(x, [x].map(y, y + x)) == [[2], [4], [6]]",
    "{'a': {'b': [1]}}.a.b[0] == 1",
    "{1: 'a'}[1] == 'a'",
    "self.i == 3 ? self.s == 'abc' : false",
    "(1 + 2) * 3 == 9 && 1 + 2 * 3 == 7",
    "!false && !(!true)",
    "--3 == 3",
    "9223372036854775807 > 9223372036854775806",
]
# What a real server says of each, without `Invalid value: "object": `.
WRONG: list[str] = [
    (
        "'no such overload': call arguments did not match a supported operator, function or macro signature for rule: "
        "dyn(self.i) + dyn(self.s) == 1"
    ),
    (
        "'no such overload': call arguments did not match a supported operator, function or macro signature for rule: "
        "dyn(self.i) < dyn(self.s)"
    ),
    (
        'IP Address "abc" parse error during conversion from string: ParseAddr("abc"): unable to parse IP evaluating '
        "rule: ip(self.s).family() == 4"
    ),
    "No Major.Minor.Patch elements found evaluating rule: semver(self.s).major() == 1",
    (
        'URL parse error during conversion from string: parse "abc": invalid URI for request evaluating rule: '
        "url(self.s).getHost() == ''"
    ),
    "division by zero evaluating rule: 1 / (self.i - 3) == 1",
    "division by zero evaluating rule: self.li.exists(x, 1 / (x - x) == 1)",
    "error parsing regexp: missing closing ]: `[` evaluating rule: 'x'.matches(self.s + '[')",
    "failed rule: self.b ? dyn(1) == dyn('x') : true",
    "failed rule: self.i == 4",
    "index out of bounds: 9 evaluating rule: self.li[9] == 1",
    "index out of range: 9 evaluating rule: self.s.charAt(9) == ''",
    "index out of range: 9 evaluating rule: self.s.substring(9) == ''",
    "integer overflow evaluating rule: 9223372036854775807 + self.i > 0",
    "invalid substring range. start: 2, end: 1 evaluating rule: self.s.substring(2, 1) == ''",
    "min called on empty list evaluating rule: [].min() == 1 || self.i == 4",
    "modulus by zero evaluating rule: 1 % (self.i - 3) == 1",
    (
        "network address parse error during conversion from string: network address parse error during conversion "
        "from string: netip.ParsePrefix(\"abc\"): no '/' evaluating rule: cidr(self.s).ip() == ip('1.1.1.1')"
    ),
    "no such key: abc evaluating rule: {'a': 1}[self.s] == 1",
    "no such key: foo evaluating rule: dyn(self.s).foo == 1",
    "no such key: zz evaluating rule: self.m.zz == 1",
    "no such key: zz evaluating rule: self.m['zz'] == 1",
    "optional.none() dereference evaluating rule: optional.none().value() == 1",
    (
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' evaluating rule: "
        "quantity(self.s).isInteger()"
    ),
    (
        "type conversion error from 'string' to 'google.protobuf.Duration' evaluating rule: duration(self.s) == "
        "duration('1s')"
    ),
    (
        "type conversion error from 'string' to 'google.protobuf.Timestamp' evaluating rule: timestamp(self.s) == "
        "timestamp(0)"
    ),
    "unknown time zone Nowhere/City evaluating rule: self.t.getHours('Nowhere/City') == 1",
    "unsigned integer overflow evaluating rule: 0u - uint(self.i) > 0u",
    "unsigned integer overflow evaluating rule: uint(-self.i) == 1u",
]


@pytest.mark.parametrize("rule", TRUE)
def test_true_of_the_object(rule: str) -> None:
    assert Rule({"rule": rule}, SCHEMA, root=False).check(OBJECT, None, "spec") is None


@pytest.mark.parametrize("expected", WRONG)
def test_wrong_or_without_a_value(expected: str) -> None:
    rule = expected.rpartition("rule: ")[2]
    found = Rule({"rule": rule}, SCHEMA, root=False).check(OBJECT, None, "spec")
    assert str(found) == f'spec: Invalid value: "object": {expected}'


def value(expression: str, **variables: Any) -> Any:
    return compiled(expression, dict.fromkeys(variables, DYN)).evaluate(variables)


# ------------------------------------------------------------------ logic and errors


@pytest.mark.parametrize("expression", ["true || x.a", "x.a || true", "!(false && x.a)", "!(x.a && false)"])
def test_one_side_that_decides_makes_up_for_an_error_on_the_other(expression: str) -> None:
    assert value(expression, x={}) is True


@pytest.mark.parametrize("expression", ["false || x.a", "x.a || false", "true && x.a", "x.a && true"])
def test_an_error_stays_when_the_other_side_does_not_decide(expression: str) -> None:
    with pytest.raises(CelError, match="no such key: a"):
        value(expression, x={})


def test_of_two_errors_the_first_is_told() -> None:
    with pytest.raises(CelError, match="no such key: a"):
        value("x.a || x.b", x={})


def test_exists_and_all_are_decided_by_one_item_whatever_the_others_are() -> None:
    assert value("[0, 1].exists(i, 1 / i == 1)") is True
    assert value("[0, 2].all(i, 1 / i == 1)") is False
    with pytest.raises(CelError, match="division by zero"):
        value("[0, 1].all(i, 1 / i == 1)")


def test_a_conditional_evaluates_one_branch() -> None:
    assert value("true ? 1 : 1 / 0") == 1
    with pytest.raises(CelError, match="no such overload"):
        value("x ? 1 : 2", x="yes")


# ------------------------------------------------------------------ numbers


def test_integers_have_64_bits() -> None:
    assert value("9223372036854775806 + 1") == 2**63 - 1
    for expression in ("9223372036854775807 + 1", "-9223372036854775807 - 2", "9223372036854775807 * 2"):
        with pytest.raises(CelError, match="integer overflow"):
            value(expression)
    with pytest.raises(CelError, match="unsigned integer overflow"):
        value("1u - 2u")


def test_division_cuts_towards_zero() -> None:
    assert [value(each) for each in ("7 / 2", "-7 / 2", "7 / -2", "-7 % 2", "7 % -2")] == [3, -3, -3, -1, 1]


def test_numbers_of_different_types_compare_but_do_not_add() -> None:
    assert value("a < b && a == b - 0.5", a=1, b=1.5) is True
    assert value("a == b", a=1, b=UInt(1)) is True
    with pytest.raises(CelError, match="no such overload"):
        value("a + b", a=1, b=1.5)


def test_a_bool_is_no_number() -> None:
    assert value("a == b", a=True, b=1) is False
    for expression in ("a + b", "a < b", "-a"):
        with pytest.raises(CelError, match="no such overload"):
            value(expression, a=True, b=1)


# ------------------------------------------------------------------ what rules cost


def test_a_server_without_rules_never_loads_the_language() -> None:
    code = (
        "import sys; from twinloop.apiserver.schemas import definitions, custom; "
        "sys.exit(any('schemas.cel' in name or name == 're2' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_rule_over_a_small_object_takes_microseconds() -> None:
    schema = {"type": "object", "x-kubernetes-validations": [{"rule": "self.metadata.name.size() <= 57"}]}
    rules = rules_of(schema)
    assert rules is not None
    started = time.perf_counter()
    for _ in range(1000):
        assert not rules.check({"metadata": {"name": "a"}}, None)
    assert time.perf_counter() - started < 0.2
