"""The check whether an expression makes sense, given the types of its variables.

`compiled` is what the rest of the server calls: text and types in, a program out, or `CompileError` with the words of
cel-go's checker. Each node of the tree gets its type; calls are resolved against `signatures.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twinloop.apiserver.schemas.cel import signatures
from twinloop.apiserver.schemas.cel.evaluator import Program, program
from twinloop.apiserver.schemas.cel.moments import parse_duration, parse_time
from twinloop.apiserver.schemas.cel.parser import parse
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
    located,
)
from twinloop.apiserver.schemas.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    TYPE,
    UINT,
    Bound,
    Type,
    assignable,
    list_of,
    map_of,
    optional_of,
    substituted,
)
from twinloop.apiserver.schemas.cel.values import UInt
from twinloop.apiserver.schemas.patterns import problem_of

_TYPE_NAMES = frozenset({"bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"})
_PREDICATES = frozenset({"all", "exists", "exists_one", "existsOne", "filter"})


def _unparsable(parse_text: Callable[[str], object]) -> Callable[[str], bool]:
    def fails(text: str) -> bool:
        try:
            parse_text(text)
        except ValueError:
            return True
        return False

    return fails


_PROBLEMS_OF_LITERALS: dict[str, Callable[[str], object]] = {
    "matches": problem_of,
    "duration": _unparsable(parse_duration),
    "timestamp": _unparsable(parse_time),
}


class CompileError(Exception):
    """The expression is wrong; the text is cel-go's, with the place marked."""


def compiled(text: str, variables: Mapping[str, Type]) -> Program:
    """A program, with its result type and the variables that it uses. Raises `CompileError`."""
    try:
        tree = parse(text)
    except CelSyntaxError as error:
        raise CompileError("\n".join(located(message, offset, text) for message, offset in error.problems)) from None
    checker = _Checker(text)
    checker.check(tree, variables)
    if checker.problems:
        raise CompileError("\n".join(text for _, text in sorted(checker.problems)))
    return program(tree, text, checker.used)


class _Checker:
    """Walks a tree once, collecting problems. A problem's node is dyn, so that it is told once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.problems: list[tuple[int, str]] = []
        self.used: set[str] = set()
        self._mixed = False

    def check(self, node: Node, variables: Mapping[str, Type]) -> Type:
        """Give a node and those below it their types."""
        match node:
            case Literal():
                node.type = _type_of_literal(node)
            case Name():
                node.type = self._name(node, variables)
            case Select():
                node.type = self._select(node, variables)
            case Call():
                node.type = self._call(node, variables)
            case ListOf():
                node.type = self._list(node, variables)
            case MapOf():
                node.type = self._map(node, variables)
            case Macro():
                node.type = self._macro(node, variables)
        return node.type

    def _problem(self, message: str, node: Node) -> Type:
        self.problems.append((node.offset, located(message, node.offset, self._text)))
        return DYN

    def _name(self, node: Name, variables: Mapping[str, Type]) -> Type:
        if node.name in variables:
            self.used.add(node.name)
            return variables[node.name]
        if node.name in _TYPE_NAMES:
            return TYPE
        return self._problem(f"undeclared reference to '{node.name}' (in container '')", node)

    def _select(self, node: Select, variables: Mapping[str, Type]) -> Type:
        operand = self.check(node.operand, variables)
        optional = operand.name == "optional_type"
        found = self._field(operand.params[0] if optional else operand, node)
        if node.test:
            return BOOL
        return optional_of(found) if (optional or node.optional) and found.name != "optional_type" else found

    def _field(self, operand: Type, node: Select) -> Type:
        if operand.name == "dyn" or operand.variable:
            return DYN
        if operand.name == "map":
            return operand.params[1]
        if operand.fields is None:
            return self._problem(f"type '{operand}' does not support field selection", node)
        if node.name not in operand.fields:
            return self._problem(f"undefined field '{node.name}'", node)
        return operand.fields[node.name]

    def _call(self, node: Call, variables: Mapping[str, Type]) -> Type:
        mixed, self._mixed = (
            self._mixed,
            self._mixed or node.function == "format",
        )  # what is formatted may be of any types
        args = [self.check(each, variables) for each in ([node.target] if node.target else []) + node.args]
        self._mixed = mixed
        known = signatures.overloads().get(node.function)
        if known is None:
            return self._problem(f"undeclared reference to '{node.function}' (in container '')", node)
        results = []
        for overload in known:
            bound: Bound = {}
            if _fits(overload, args, bound, member=node.target is not None):
                results.append(substituted(overload.result, bound))
        if not results:
            return self._no_overload(node, args)
        self._check_literal(node)
        return results[0] if all(each == results[0] for each in results) else DYN

    def _check_literal(self, node: Call) -> None:
        """A constant that can never be what the function asks for, which Kubernetes refuses at once."""
        problem = _PROBLEMS_OF_LITERALS.get(node.function)
        literal = node.args[-1] if node.args else None
        if problem and isinstance(literal, Literal) and isinstance(literal.value, str) and problem(literal.value):
            self._problem(f"invalid {node.function} argument", literal)

    def _no_overload(self, node: Call, args: list[Type]) -> Type:
        rest = args if node.target is None else args[1:]
        shown = f"({', '.join(map(str, rest))})"
        if node.target is not None:
            shown = f"{args[0]}.{shown}"
        return self._problem(f"found no matching overload for '{node.function}' applied to '{shown}'", node)

    def _list(self, node: ListOf, variables: Mapping[str, Type]) -> Type:
        found = DYN
        for index, each in enumerate(node.items):
            type_ = self.check(each, variables)
            if index in node.optional and type_.name == "optional_type":
                type_ = type_.params[0]
            found = self._joined(found, type_, each, first=index == 0)
        return list_of(found)

    def _map(self, node: MapOf, variables: Mapping[str, Type]) -> Type:
        keys, values = DYN, DYN
        for index, (key, value) in enumerate(node.entries):
            keys = self._joined(keys, self.check(key, variables), key, first=index == 0)
            type_ = self.check(value, variables)
            if index in node.optional and type_.name == "optional_type":
                type_ = type_.params[0]
            values = self._joined(values, type_, value, first=index == 0)
        return map_of(keys, values)

    def _joined(self, known: Type, new: Type, node: Node, *, first: bool) -> Type:
        """The type of items so far and one more: they must agree."""
        if first or assignable(known, new, {}):
            return new if first else known
        if self._mixed:
            return DYN
        return self._problem(f"expected type '{known}' but found '{new}'", node)

    def _macro(self, node: Macro, variables: Mapping[str, Type]) -> Type:
        over = self.check(node.over, variables)
        if node.name in {"optMap", "optFlatMap"}:
            return self._optional_macro(node, over, variables)
        names = self._bind_variables(node, over)
        bodies = [self.check(each, {**variables, **names}) for each in node.bodies]
        result = _macro_result(node, over, bodies)
        conditions = bodies if node.name in _PREDICATES else bodies[:-1]
        for type_, body in zip(conditions, node.bodies, strict=False):
            if not assignable(BOOL, type_, {}):
                self._no_condition(node, type_, body, result)
        return result

    def _no_condition(self, node: Macro, type_: Type, body: Node, result: Type) -> None:
        """A macro's condition is no bool; cel-go sees it where it has expanded the macro to."""
        if node.name in {"all", "exists"}:
            self._problem(f"expected type 'bool' but found '{type_}'", body)
            return
        step = INT if result == BOOL else result
        self._problem(f"found no matching overload for '_?_:_' applied to '({type_}, {step}, {step})'", node)

    def _bind_variables(self, node: Macro, over: Type) -> dict[str, Type]:
        """What the variables of a macro stand for: items, or keys; index and item, or key and value."""
        key, value = INT, DYN
        if over.name == "list":
            value = over.params[0]
        elif over.name == "map":
            key, value = over.params
        elif over.name != "dyn" and not over.variable:
            what = f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)"
            self._problem(what, node.over)
        if over.name == "dyn":
            key = DYN
        if len(node.variables) == 2:
            return dict(zip(node.variables, (key, value), strict=True))
        return {node.variables[0]: key if over.name == "map" else value}

    def _optional_macro(self, node: Macro, over: Type, variables: Mapping[str, Type]) -> Type:
        inner = over.params[0] if over.name == "optional_type" else DYN
        if over.name not in {"optional_type", "dyn"}:
            self._problem(f"found no matching overload for 'hasValue' applied to '{over}.()'", node)
        body = self.check(node.bodies[0], {**variables, node.variables[0]: inner})
        return optional_of(body) if node.name == "optMap" else body


def _fits(overload: signatures.Overload, args: list[Type], bound: Bound, *, member: bool) -> bool:
    if overload.member != member or len(overload.params) != len(args):
        return False
    return all(assignable(wanted, given, bound) for wanted, given in zip(overload.params, args, strict=True))


def _macro_result(node: Macro, over: Type, bodies: list[Type]) -> Type:
    if node.name in {"all", "exists", "exists_one", "existsOne"}:
        return BOOL
    if node.name == "filter":
        item = over.params[0] if over.name in {"list", "map"} else DYN
        return list_of(item)
    if node.name in {"map", "transformList"}:
        return list_of(bodies[-1])
    if node.name == "transformMap":
        return map_of(over.params[0] if over.name == "map" else INT, bodies[-1])
    return bodies[-1] if bodies[-1].name == "map" else map_of(DYN, DYN)


def _type_of_literal(node: Literal) -> Type:
    if node.value is None:
        return NULL
    if isinstance(node.value, UInt):
        return UINT
    found = {bool: BOOL, int: INT, float: DOUBLE, str: STRING, bytes: BYTES}
    return found[type(node.value)]
