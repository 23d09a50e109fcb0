"""CEL from text to typed tree: precedence, literals, macros, and the type of every expression.

What an expression comes to is in test_cel.py. Here is what evaluation cannot show: how operators bind, which texts are
the same literal, and what the checker knows before anything is evaluated.

Left out: the words of errors (test_cel_refused.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.schemas.cel import moments
from twinloop.apiserver.schemas.cel.checker import CompileError, compiled
from twinloop.apiserver.schemas.cel.parser import parse
from twinloop.apiserver.schemas.cel.signatures import overloads
from twinloop.apiserver.schemas.cel.syntax import (
    Call,
    CelSyntaxError,
    ListOf,
    Literal,
    Macro,
    MapOf,
    Name,
    Node,
    Select,
)
from twinloop.apiserver.schemas.cel.types import (
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    Bound,
    Type,
    assignable,
    list_of,
    map_of,
    optional_of,
    substituted,
)
from twinloop.apiserver.schemas.cel.values import UInt, of_schema


def shown(node: Node) -> str:  # noqa: PLR0911 - one for each kind of node
    """A tree as text, every operation in parentheses."""
    match node:
        case Literal(value=value):
            return repr(value)
        case Name(name=name):
            return name
        case Select():
            mark = "?" if node.optional else ""
            return (
                f"has({shown(node.operand)}.{node.name})" if node.test else f"{shown(node.operand)}.{mark}{node.name}"
            )
        case Call():
            args = [*([node.target] if node.target else []), *node.args]
            return f"({node.function} {' '.join(map(shown, args))})"
        case ListOf():
            return f"[{', '.join(map(shown, node.items))}]"
        case MapOf():
            return f"{{{', '.join(f'{shown(key)}: {shown(value)}' for key, value in node.entries)}}}"
        case Macro():
            return f"<{node.name} {shown(node.over)} {','.join(node.variables)} {' '.join(map(shown, node.bodies))}>"
    raise TypeError(node)


# ------------------------------------------------------------------ binding


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", "(_+_ a (_*_ b c))"),
        ("(a + b) * c", "(_*_ (_+_ a b) c)"),
        ("a - b - c", "(_-_ (_-_ a b) c)"),
        ("a / b % c", "(_%_ (_/_ a b) c)"),
        ("a < b == c", "(_==_ (_<_ a b) c)"),
        ("a == b && c || d", "(_||_ (_&&_ (_==_ a b) c) d)"),
        ("a || b && c", "(_||_ a (_&&_ b c))"),
        ("a ? b : c ? d : e", "(_?_:_ a b (_?_:_ c d e))"),
        ("a || b ? c : d", "(_?_:_ (_||_ a b) c d)"),
        ("!a && b", "(_&&_ (!_ a) b)"),
        ("!!a", "(!_ (!_ a))"),
        ("-a.b", "(-_ a.b)"),
        ("- 5", "-5"),
        ("a in b", "(@in a b)"),
        ("a in b && c in d", "(_&&_ (@in a b) (@in c d))"),
        ("a.b.c", "a.b.c"),
        ("a.b[c].d", "(_[_] a.b c).d"),
        ("a.?b.c", "a.?b.c"),
        ("a[?b]", "(_[?_] a b)"),
        ("a.f(b, c).g()", "(g (f a b c))"),
        ("f(a)", "(f a)"),
        (".a", "a"),
        ("sets.contains(a, b)", "(sets.contains a b)"),
        ("optional.of(a)", "(optional.of a)"),
        ("ip.isCanonical(a)", "(ip.isCanonical a)"),
        ("has(a.b)", "has(a.b)"),
        ("has(a.b.c) && a.has(b)", "(_&&_ has(a.b.c) (has a b))"),
        ("[a, ?b, c,]", "[a, b, c]"),
        ("{a: b, ?c: d}", "{a: b, c: d}"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("a // the rest is a comment\n + b", "(_+_ a b)"),
        ("a\n\t&&\r\nb", "(_&&_ a b)"),
    ],
)
def test_operators_bind_as_the_language_says(text: str, tree: str) -> None:
    assert shown(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a.all(x, x)", "<all a x x>"),
        ("a.exists(i, x, x)", "<exists a i,x x>"),
        ("a.exists_one(x, x)", "<exists_one a x x>"),
        ("a.map(x, y)", "<map a x y>"),
        ("a.map(x, y, z)", "<map a x y z>"),
        ("a.filter(x, y)", "<filter a x y>"),
        ("a.transformList(i, x, y)", "<transformList a i,x y>"),
        ("a.transformMap(i, x, y, z)", "<transformMap a i,x y z>"),
        ("a.optMap(x, y)", "<optMap a x y>"),
        ("a.all(x)", "(all a x)"),
        ("a.existsOne(x, y)", "(existsOne a x y)"),
        ("all(a, x, y)", "(all a x y)"),
    ],
)
def test_a_macro_is_known_by_its_name_and_the_number_of_its_arguments(text: str, tree: str) -> None:
    assert shown(parse(text)) == tree


def test_the_variable_of_a_macro_is_a_plain_name() -> None:
    with pytest.raises(CelSyntaxError, match="argument must be a simple name"):
        parse("a.all(b.c, true)")


# ------------------------------------------------------------------ literals


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("0x1F", 31),
        ("-0x10", -16),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("7u", UInt(7)),
        ("0xFFu", UInt(255)),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5e-1", -0.15),
        ("true", True),
        ("false", False),
        ("null", None),
        ("'a'", "a"),
        ('"a"', "a"),
        ("'''a'b\nc'''", "a'b\nc"),
        ('"""a"b"""', 'a"b'),
        (r"'a\n\t\\\'\"'", "a\n\t\\'\""),
        (r"'\x41\u00e9\U0001F600\101'", "A\u00e9\U0001f600A"),
        (r"r'a\n'", "a\\n"),
        (r'R"\d"', "\\d"),
        ("b'abc'", b"abc"),
        (r"b'\xff\x00'", b"\xff\x00"),
        ("b'\u00e9'", b"\xc3\xa9"),
        (r"br'\x'", b"\\x"),
    ],
)
def test_a_literal_means_its_value(text: str, value: Any) -> None:
    node = parse(text)
    assert isinstance(node, Literal)
    assert (type(node.value), node.value) == (type(value), value)


@pytest.mark.parametrize(
    "text", ["9223372036854775808", "-9223372036854775809", "18446744073709551616u", r"'\q'", "if", "a.b(", "{a}"]
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(CelSyntaxError):
        parse(text)


def test_every_problem_with_the_characters_is_told_together_with_what_the_rest_lacks() -> None:
    with pytest.raises(CelSyntaxError) as caught:
        parse("a # b @")
    assert [offset for _, offset in caught.value.problems] == [2, 4, 6]


# ------------------------------------------------------------------ types

OBJECT = Type(
    "o", fields={"n": INT, "s": STRING, "l": list_of(INT), "m": map_of(STRING, INT), "t": TIMESTAMP, "d": DYN}
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("o.n", "int"),
        ("o.l", "list(int)"),
        ("o.l[0]", "int"),
        ("o.m.x", "int"),
        ("o.m['x']", "int"),
        ("o.?n", "optional_type(int)"),
        ("o.m[?'x']", "optional_type(int)"),
        ("o.?n.orValue(1)", "int"),
        ("has(o.n)", "bool"),
        ("o.l.map(x, string(x))", "list(string)"),
        ("o.l.filter(x, x > 1)", "list(int)"),
        ("o.l.all(x, x > 1)", "bool"),
        ("o.m.map(k, k)", "list(string)"),
        ("o.m.transformMap(k, v, string(v))", "map(string, string)"),
        ("o.l.transformList(i, v, i + v)", "list(int)"),
        ("o.l + [1]", "list(int)"),
        ("[o.n, 1]", "list(int)"),
        ("[]", "list(dyn)"),
        ("{'a': o.n}", "map(string, int)"),
        ("o.t - o.t", "duration"),
        ("o.t + duration('1s')", "timestamp"),
        ("o.n < 1.5", "bool"),
        ("o.n == 1 ? o.s : 'x'", "string"),
        ("o.d", "dyn"),
        ("o.d.anything[0].at_all", "dyn"),
        ("o.d + 1", "int"),
        ("o.d + o.d", "dyn"),
        ("quantity('1').add(1)", "kubernetes.Quantity"),
        ("optional.of(o.n).optMap(x, string(x))", "optional_type(string)"),
        ("optional.of(o.n).optFlatMap(x, optional.of(string(x)))", "optional_type(string)"),
        ("type(o.n)", "type"),
        ("int", "type"),
        ("null", "null"),
    ],
)
def test_the_checker_knows_the_type_beforehand(text: str, kind: str) -> None:
    assert str(compiled(text, {"o": OBJECT}).type) == kind


@pytest.mark.parametrize(
    "text", ["o.n + o.s", "o.n == o.s", "o.s in o.l", "o.l[o.s]", "o.l + o.m", "o.n && true", "o.t < o.n", "size(o.n)", "o.s.sum()"]
)  # fmt: skip
def test_what_cannot_go_together_is_refused_beforehand(text: str) -> None:
    with pytest.raises(CompileError, match="found no matching overload"):
        compiled(text, {"o": OBJECT})


def test_a_program_says_which_variables_it_uses() -> None:
    variables = {"self": INT, "oldSelf": INT}
    assert compiled("self > 1", variables).used == {"self"}
    assert compiled("self > oldSelf", variables).used == {"self", "oldSelf"}
    assert compiled("[1].all(oldSelf, oldSelf > 0)", {"self": INT}).used == {"oldSelf"}


def test_null_stands_for_objects_and_moments_only() -> None:
    assert assignable(OBJECT, NULL, {})
    assert assignable(TIMESTAMP, NULL, {})
    assert assignable(optional_of(INT), NULL, {})
    assert not assignable(INT, NULL, {})
    assert not assignable(list_of(INT), NULL, {})


def test_a_type_parameter_is_what_it_first_met() -> None:
    bound: Bound = {}
    assert assignable(Type("A"), INT, bound)
    assert assignable(Type("A"), INT, bound)
    assert not assignable(Type("A"), STRING, bound)
    assert substituted(map_of(Type("A"), Type("B")), bound) == map_of(INT, DYN)
    assert assignable(Type("A"), DYN, bound)
    assert substituted(Type("A"), bound) == DYN, "the less specific of the two is what is known"


def test_every_declared_function_exists() -> None:
    from twinloop.apiserver.schemas.cel import functions  # noqa: PLC0415 - all of them, once

    special = {"_&&_", "_||_", "_?_:_"}
    for name in set(overloads()) - special:
        assert callable(functions.by_name(name)), name


# ------------------------------------------------------------------ values of schemas


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "number"}, 3, 3.0),
        ({"type": "string", "format": "byte"}, "aGk=", b"hi"),
        ({"type": "string", "format": "date"}, "1970-01-02", moments.Timestamp(86400 * moments.SECOND)),
        ({"type": "string", "format": "date-time"}, "1970-01-01T00:00:01.5Z", moments.Timestamp(1_500_000_000)),
        ({"type": "string", "format": "duration"}, "1m", moments.Duration(60 * moments.SECOND)),
        ({"type": "string", "format": "duration"}, "2 days", moments.Duration(172_800 * moments.SECOND)),
        ({"type": "array", "items": {"type": "number"}}, [1, 2], [1.0, 2.0]),
        ({"type": "object", "additionalProperties": {"type": "number"}}, {"a": 1}, {"a": 1.0}),
        ({"type": "object", "properties": {"a-b": {"type": "string"}, "c": {}}}, {"a-b": "x", "c": 1, "d": 2}, {"a__dash__b": "x", "c": 1, "d": 2}),
    ],
    ids=repr,
)  # fmt: skip
def test_values_become_those_of_their_schema(schema: dict[str, Any], value: Any, expected: Any) -> None:
    convert = of_schema(schema)
    assert convert is not None
    assert convert(value) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": "string", "format": "uuid"},
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "array", "items": {"type": "integer"}},
        {"x-kubernetes-int-or-string": True},
    ],
    ids=repr,
)
def test_values_that_are_the_same_in_both_worlds_are_not_touched(schema: dict[str, Any]) -> None:
    assert of_schema(schema) is None


# ------------------------------------------------------------------ moments


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1s", 1),
        ("1h2m3s", 3723),
        ("-1.5m", -90),
        ("+2s", 2),
        ("1ms", 0.001),
        ("1us1ns", 0.000001001),
        (".5s", 0.5),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, seconds: float) -> None:
    assert moments.parse_duration(text).nanoseconds == round(seconds * moments.SECOND)


@pytest.mark.parametrize("text", ["", "1", "s", "1x", "1s ", "--1s", "1s2"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        moments.parse_duration(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (moments.Duration(90 * moments.SECOND), "90s"),
        (moments.Duration(-1_500_000_000), "-1.5s"),
        (moments.Duration(0), "0s"),
        (moments.Timestamp(0), "1970-01-01T00:00:00Z"),
        (moments.Timestamp(1_001_000_000), "1970-01-01T00:00:01.001Z"),
        (moments.parse_time("2020-02-29T23:59:59+02:00"), "2020-02-29T21:59:59Z"),
    ],
    ids=str,
)
def test_a_moment_is_written_as_go_writes_it(moment: object, text: str) -> None:
    assert str(moment) == text
