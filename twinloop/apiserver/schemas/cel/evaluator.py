"""From a checked tree to a program: closures that take the variables and return a value.

`checker.compiled` ends here. `&&`, `||`, `all` and `exists` are not stopped by an error on one side when the other side
decides, as the language asks; everything else raises `CelError` through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twinloop.apiserver.schemas.cel import functions
from twinloop.apiserver.schemas.cel.syntax import Call, ListOf, Literal, Macro, MapOf, Name, Node, Select
from twinloop.apiserver.schemas.cel.types import Type
from twinloop.apiserver.schemas.cel.values import NONE, CelError, Optional, TypeValue

Variables = dict[str, Any]
Closure = Callable[[Variables], Any]


class Program:
    """A compiled expression."""

    def __init__(self, run: Closure, type_: Type, text: str, used: set[str]) -> None:
        self._run, self.type, self.text, self.used = run, type_, text, used

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value of the expression; raises `CelError`."""
        try:
            return self._run(dict(variables))
        except RecursionError:
            raise CelError("expression is nested too deeply") from None


def program(tree: Node, text: str, used: set[str]) -> Program:
    """The program of a tree whose nodes have their types."""
    return Program(_closure(tree), tree.type, text, used)


def _closure(node: Node) -> Closure:  # noqa: PLR0911 - one for each kind of node
    match node:
        case Literal(value=value):
            return lambda _variables: value
        case Name():
            return _variable(node)
        case Select():
            return _select(node)
        case Call():
            return _call(node)
        case ListOf():
            return _list(node)
        case MapOf():
            return _map(node)
        case Macro():
            return _macro(node)
    raise TypeError(node)


def _variable(node: Name) -> Closure:
    name = node.name
    if node.type.name == "type":
        constant = TypeValue(name)
        return lambda variables: variables.get(name, constant)
    return lambda variables: variables[name]


# ---------------------------------------------------------------------- fields


def _select(node: Select) -> Closure:
    operand, name = _closure(node.operand), node.name
    if node.test:
        return lambda variables: _has(operand(variables), name)
    if node.optional:
        return lambda variables: _maybe_field(operand(variables), name)
    return lambda variables: _field(operand(variables), name)


def _field(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        if name in value:
            return value[name]
        raise CelError(f"no such key: {name}")
    if isinstance(value, Optional):
        return _maybe_field(value, name)
    raise CelError(f"no such key: {name}" if isinstance(value, str | int | float | bytes) else "no such overload")


def _maybe_field(value: Any, name: str) -> Optional:
    if isinstance(value, Optional):
        return _maybe_field(value.value, name) if value.present else NONE
    return Optional(value[name]) if isinstance(value, dict) and name in value else NONE


def _has(value: Any, name: str) -> bool:
    if isinstance(value, Optional):
        return value.present and _has(value.value, name)
    if not isinstance(value, dict):
        raise CelError("no such overload")
    return name in value


# ---------------------------------------------------------------------- calls


def _call(node: Call) -> Closure:
    args = [_closure(each) for each in ([node.target] if node.target else []) + node.args]
    if node.function in {"_&&_", "_||_"}:
        return _logic(args[0], args[1], decisive=node.function == "_||_")
    if node.function == "_?_:_":
        return _conditional(*args)
    function = functions.by_name(node.function)
    if len(args) == 2:  # by far the most frequent
        left, right = args
        return lambda variables: function(left(variables), right(variables))
    return lambda variables: function(*[each(variables) for each in args])


def _logic(left: Closure, right: Closure, *, decisive: bool) -> Closure:
    def run(variables: Variables) -> bool:
        try:
            first = _as_bool(left(variables))
        except CelError as error:
            return _rescued(right, variables, decisive, error)
        return decisive if first is decisive else _as_bool(right(variables))

    return run


def _rescued(right: Closure, variables: Variables, decisive: bool, error: CelError) -> bool:
    """The left side came to no value: the right side decides, or the error stays."""
    try:
        decided = right(variables) is decisive
    except CelError:
        decided = False
    if not decided:
        raise error
    return decisive


def _as_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise CelError("no such overload")


def _conditional(condition: Closure, then: Closure, otherwise: Closure) -> Closure:
    return lambda variables: (then if _as_bool(condition(variables)) else otherwise)(variables)


# ---------------------------------------------------------------------- literals


def _list(node: ListOf) -> Closure:
    items = [(_closure(each), index in node.optional) for index, each in enumerate(node.items)]

    def run(variables: Variables) -> list[Any]:
        values = [(each(variables), optional) for each, optional in items]
        return [value.value if optional else value for value, optional in values if not optional or value.present]

    return run


def _map(node: MapOf) -> Closure:
    entries = [
        (_closure(key), _closure(value), index in node.optional) for index, (key, value) in enumerate(node.entries)
    ]

    def run(variables: Variables) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value, optional in entries:
            found = value(variables)
            if not optional or found.present:
                result[key(variables)] = found.value if optional else found
        return result

    return run


# ---------------------------------------------------------------------- macros


def _macro(node: Macro) -> Closure:
    over, bodies = _closure(node.over), [_closure(each) for each in node.bodies]
    if node.name in {"optMap", "optFlatMap"}:
        return _optional_macro(node, over, bodies[0])
    run = _MACROS[node.name]
    variables = tuple(node.variables)
    return lambda outer: run(_scopes(over(outer), variables, dict(outer)), bodies)


# Each step of a macro: the variables with the items bound, the key or index, and the item.
Scopes = Iterator[tuple[Variables, Any, Any]]


def _scopes(over: Any, names: tuple[str, ...], inner: Variables) -> Scopes:
    if isinstance(over, dict):
        pairs: Iterator[tuple[Any, Any]] = iter(over.items())
    elif isinstance(over, list):
        pairs = enumerate(over)
    else:
        raise CelError("no such overload")
    for key, value in pairs:
        item = key if isinstance(over, dict) else value
        if len(names) == 2:
            inner[names[0]], inner[names[1]] = key, value
        else:
            inner[names[0]] = item
        yield inner, key, item


def _quantified(scopes: Scopes, bodies: list[Closure], *, decisive: bool) -> bool:
    error: CelError | None = None
    for inner, _, _ in scopes:
        try:
            if _as_bool(bodies[0](inner)) is decisive:
                return decisive
        except CelError as found:
            error = error or found
    if error:
        raise error
    return not decisive


def _all(scopes: Scopes, bodies: list[Closure]) -> bool:
    return _quantified(scopes, bodies, decisive=False)


def _exists(scopes: Scopes, bodies: list[Closure]) -> bool:
    return _quantified(scopes, bodies, decisive=True)


def _exists_one(scopes: Scopes, bodies: list[Closure]) -> bool:
    return sum(_as_bool(bodies[0](inner)) for inner, _, _ in scopes) == 1


def _filter(scopes: Scopes, bodies: list[Closure]) -> list[Any]:
    return [item for inner, _, item in scopes if _as_bool(bodies[0](inner))]


def _transformed(scopes: Scopes, bodies: list[Closure]) -> Iterator[tuple[Any, Any]]:
    """The key and the transformed item of each step that the condition, if there is one, lets through."""
    for inner, key, _ in scopes:
        if len(bodies) == 1 or _as_bool(bodies[0](inner)):
            yield key, bodies[-1](inner)


def _map_list(scopes: Scopes, bodies: list[Closure]) -> list[Any]:
    return [value for _, value in _transformed(scopes, bodies)]


def _map_entries(scopes: Scopes, bodies: list[Closure]) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for _, entry in _transformed(scopes, bodies):
        result.update(entry)
    return result


_MACROS: dict[str, Callable[[Scopes, list[Closure]], Any]] = {
    "all": _all,
    "exists": _exists,
    "exists_one": _exists_one,
    "existsOne": _exists_one,
    "filter": _filter,
    "map": _map_list,
    "transformList": _map_list,
    "transformMap": lambda scopes, bodies: dict(_transformed(scopes, bodies)),
    "transformMapEntry": _map_entries,
}


def _optional_macro(node: Macro, over: Closure, body: Closure) -> Closure:
    name, flat = node.variables[0], node.name == "optFlatMap"

    def run(variables: Variables) -> Any:
        value = over(variables)
        if not isinstance(value, Optional):
            raise CelError("no such overload")
        if not value.present:
            return NONE
        result = body({**variables, name: value.value})
        return result if flat else Optional(result)

    return run
