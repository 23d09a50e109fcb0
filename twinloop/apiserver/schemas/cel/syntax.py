"""The tree that a CEL expression is parsed to.

Every node knows its offset in the text, for error messages, and after `checker.py` its type. Operators are calls of
functions with names such as `_==_`, and macros are kept as `Macro` instead of being expanded: their closures are
quicker than folds, and mean the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twinloop.apiserver.schemas.cel.types import DYN, Type


@dataclass(slots=True)
class Node:
    """Anything that has a value."""

    offset: int
    type: Type = field(default=DYN, init=False)


@dataclass(slots=True)
class Literal(Node):
    """A constant."""

    value: Any


@dataclass(slots=True)
class Name(Node):
    """A variable, or the name of a type."""

    name: str


@dataclass(slots=True)
class Select(Node):
    """`operand.field`; `test` for has(operand.field), `optional` for `operand.?field`."""

    operand: Node
    name: str
    test: bool = False
    optional: bool = False


@dataclass(slots=True)
class Call(Node):
    """A function or operator; `target` is what stands before its dot."""

    function: str
    target: Node | None
    args: list[Node]


@dataclass(slots=True)
class ListOf(Node):
    """`[a, ?b]`; `optional` holds the positions with a question mark."""

    items: list[Node]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True)
class MapOf(Node):
    """`{k: v, ?k: v}`."""

    entries: list[tuple[Node, Node]]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True)
class Macro(Node):
    """`range.name(variables..., bodies...)`: all, exists, exists_one, map, filter and their kin."""

    name: str
    over: Node
    variables: list[str]
    bodies: list[Node]


class CelSyntaxError(Exception):
    """The text is no expression. `problems` are messages and where they belong."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.problems = [(message, offset)]


def located(message: str, offset: int, text: str) -> str:
    """An error as cel-go prints it, with the line that it is about and a mark below."""
    line = text.count("\n", 0, offset)
    column = offset - (text.rfind("\n", 0, offset) + 1)
    shown = text.split("\n")[line].replace("\t", " ")
    return f"ERROR: <input>:{line + 1}:{column + 1}: {message}\n | {shown}\n | {'.' * column}^"
