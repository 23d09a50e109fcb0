"""From the text of a CEL expression to its tree.

The first step of `checker.compiled`. Recursive descent over the grammar of the language definition; where the text is
wrong, the message has the words of cel-go's parser as far as they do not depend on how that one is built.
"""

from __future__ import annotations

from collections.abc import Callable

from twinloop.apiserver.schemas.cel import signatures
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
from twinloop.apiserver.schemas.cel.tokens import Token, string_value, tokens_of
from twinloop.apiserver.schemas.cel.types import RESERVED
from twinloop.apiserver.schemas.cel.values import UInt

_LITERALS = {"true": True, "false": False, "null": None}
_RESERVED = RESERVED - {"true", "false", "null", "in"}
_RELATIONS = ("<=", ">=", "<", ">", "==", "!=", "in")
_EXPECTED = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)

# Macros by the number of variables that their arguments begin with, then the number of expressions that may follow.
_MACROS = {
    "all": {(1, 1), (2, 1)}, "exists": {(1, 1), (2, 1)}, "exists_one": {(1, 1), (2, 1)}, "existsOne": {(2, 1)},
    "filter": {(1, 1)}, "map": {(1, 1), (1, 2)}, "transformList": {(2, 1), (2, 2)}, "transformMap": {(2, 1), (2, 2)},
    "transformMapEntry": {(2, 1), (2, 2)}, "optMap": {(1, 1)}, "optFlatMap": {(1, 1)},
}  # fmt: skip


def parse(text: str) -> Node:
    """The tree of an expression; raises `CelSyntaxError`."""
    tokens, unreadable = tokens_of(text)
    try:
        parser = _Parser(tokens)
        node = parser.expression()
        parser.expect_end()
    except CelSyntaxError as error:
        error.problems = sorted([*unreadable, *error.problems], key=lambda problem: problem[1])
        raise
    if unreadable:
        failure = CelSyntaxError(*unreadable[0])
        failure.problems = unreadable
        raise failure
    return node


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    # ------------------------------------------------------------------ tokens

    @property
    def _kind(self) -> str:
        return self._tokens[self._next][0]

    @property
    def _word(self) -> str:
        return self._tokens[self._next][1]

    @property
    def _offset(self) -> int:
        return self._tokens[self._next][2]

    def _take(self) -> tuple[str, str, int]:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _accept(self, *marks: str) -> str:
        """Go past one of these marks, if one is there."""
        if self._kind in {"mark", "word"} and self._word in marks:
            return self._take()[1]
        return ""

    def _expect(self, mark: str, expected: str = "") -> None:
        if self._accept(mark):
            return
        if expected or self._kind != "end":
            raise self._unexpected(expected or f"'{mark}'", "mismatched")
        raise CelSyntaxError(f"Syntax error: missing '{mark}' at '<EOF>'", self._offset)

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self._kind != "end":
            raise self._unexpected("<EOF>", "extraneous")

    def _unexpected(self, expected: str, how: str) -> CelSyntaxError:
        found = "<EOF>" if self._kind == "end" else self._word
        return CelSyntaxError(f"Syntax error: {how} input '{found}' expecting {expected}", self._offset)

    # ------------------------------------------------------------------ operators, weakest first

    def expression(self) -> Node:
        """A conditional, or what is in one."""
        condition = self._binary(self._and, ("||",), "_||_")
        offset = self._offset
        if not self._accept("?"):
            return condition
        then = self._binary(self._and, ("||",), "_||_")
        self._expect(":")
        return Call(offset, "_?_:_", None, [condition, then, self.expression()])

    def _and(self) -> Node:
        return self._binary(self._relation, ("&&",), "_&&_")

    def _relation(self) -> Node:
        return self._binary(self._sum, _RELATIONS)

    def _sum(self) -> Node:
        return self._binary(self._product, ("+", "-"))

    def _product(self) -> Node:
        return self._binary(self._unary, ("*", "/", "%"))

    def _binary(self, operand: Callable[[], Node], operators: tuple[str, ...], function: str = "") -> Node:
        left = operand()
        while True:
            offset = self._offset
            operator = self._accept(*operators)
            if not operator:
                return left
            name = function or ("@in" if operator == "in" else f"_{operator}_")
            left = Call(offset, name, None, [left, operand()])

    def _unary(self) -> Node:
        offset = self._offset
        operator = self._accept("!", "-")
        if not operator:
            return self._member(self._primary())
        if operator == "-" and self._kind in {"int", "double"}:
            return self._member(self._number(offset, negative=True))
        return Call(offset, "!_" if operator == "!" else "-_", None, [self._unary()])

    # ------------------------------------------------------------------ what stands after an operand

    def _member(self, node: Node) -> Node:
        while True:
            offset = self._offset
            if self._accept("."):
                node = self._selected(node, offset)
            elif self._accept("["):
                optional = bool(self._accept("?"))
                index = self.expression()
                self._expect("]")
                node = Call(offset, "_[?_]" if optional else "_[_]", None, [node, index])
            else:
                return node

    def _selected(self, node: Node, offset: int) -> Node:
        optional = bool(self._accept("?"))
        if self._kind != "word":
            raise self._unexpected("IDENTIFIER", "no viable alternative at" if optional else "mismatched")
        name, open_at = self._take()[1], self._offset
        if not optional and self._accept("("):
            return self._called(node, name, open_at)
        return Select(offset, node, name, optional=optional)

    def _called(self, target: Node, name: str, offset: int) -> Node:
        args = self._arguments()
        if isinstance(target, Name) and f"{target.name}.{name}" in signatures.overloads():
            return Call(offset, f"{target.name}.{name}", None, args)
        return _macro(offset, name, target, args) or Call(offset, name, target, args)

    def _arguments(self) -> list[Node]:
        args: list[Node] = []
        if self._accept(")"):
            return args
        while True:
            args.append(self.expression())
            if self._accept(")"):
                return args
            self._expect(",", "{')', ','}")

    # ------------------------------------------------------------------ operands

    def _primary(self) -> Node:  # noqa: PLR0911 - one for each kind of operand
        kind, word, offset = self._kind, self._word, self._offset
        if kind in {"int", "double"}:
            return self._number(offset)
        if kind == "string":
            return Literal(offset, string_value(self._take()[1], offset))
        if self._accept("("):
            node = self.expression()
            self._expect(")")
            return node
        if self._accept("["):
            return self._list(offset)
        if self._accept("{"):
            return self._map(offset)
        if kind == "word" and word != "in":
            return self._word_or_call()
        if self._accept("."):
            return self._primary()
        raise self._unexpected(_EXPECTED, "mismatched" if kind == "end" else "extraneous")

    def _word_or_call(self) -> Node:
        _, word, offset = self._take()
        if word in _LITERALS:
            return Literal(offset, _LITERALS[word])
        if word in _RESERVED:
            raise CelSyntaxError(f"reserved identifier: {word}", offset)
        open_at = self._offset
        if not self._accept("("):
            return Name(offset, word)
        args = self._arguments()
        if word == "has":
            return _has(open_at, args)
        return Call(open_at, word, None, args)

    def _number(self, offset: int, *, negative: bool = False) -> Node:
        kind, word, _ = self._take()
        sign = -1 if negative else 1
        if kind == "double":
            return Literal(offset, sign * float(word))
        unsigned = word[-1] in "uU"
        value = sign * int(word.rstrip("uU"), 16 if word[:2].lower() == "0x" else 10)
        if unsigned and 0 <= value < 1 << 64:
            return Literal(offset, UInt(value))
        if unsigned or not -(1 << 63) <= value < 1 << 63:
            raise CelSyntaxError(f"invalid {'u' * unsigned}int literal", offset)
        return Literal(offset, value)

    def _list(self, offset: int) -> Node:
        items: list[Node] = []
        optional: set[int] = set()
        while not self._accept("]"):
            if self._accept("?"):
                optional.add(len(items))
            items.append(self.expression())
            if not self._accept(","):
                self._expect("]", "{']', ','}")
                break
        return ListOf(offset, items, frozenset(optional))

    def _map(self, offset: int) -> Node:
        entries: list[tuple[Node, Node]] = []
        optional: set[int] = set()
        while not self._accept("}"):
            if self._accept("?"):
                optional.add(len(entries))
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression()))
            if not self._accept(","):
                self._expect("}", "{'}', ','}")
                break
        return MapOf(offset, entries, frozenset(optional))


def _has(offset: int, args: list[Node]) -> Node:
    if len(args) != 1 or not isinstance(args[0], Select):
        raise CelSyntaxError("invalid argument to has() macro", args[0].offset if args else offset)
    selected = args[0]
    return Select(offset, selected.operand, selected.name, test=True)


def _macro(offset: int, name: str, target: Node, args: list[Node]) -> Node | None:
    """A call that is a macro; None for one that is not."""
    for variables, bodies in _MACROS.get(name, ()):
        if len(args) == variables + bodies:
            names = [each.name for each in args[:variables] if isinstance(each, Name)]
            if len(names) != variables:
                raise CelSyntaxError("argument must be a simple name", args[0].offset)
            return Macro(offset, name, target, names, args[variables:])
    return None
