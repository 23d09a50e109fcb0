"""JSONPath as kubectl and the API server know it: what printer columns and selectable fields lead to.

A path such as `.status.conditions[?(@.type=="Ready")].reason` is compiled once and then asked of every object. The
dialect is client-go's util/jsonpath, without `range` and `end`, which a column has no use for. An error while walking
means the same as nothing found: the cell stays empty.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[list[Any]], list[Any]]

_WORD = re.compile(r"(?:\\.|[^\s.,\[\]$@{}])*")
_NUMBER = re.compile(r"[+-]?[0-9.]*")
_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class BadPath(Exception):
    """Not a JSONPath."""


class _Lost(Exception):
    """The path makes no sense on this object."""


class Path:
    """A compiled path."""

    def __init__(self, text: str) -> None:
        self._steps = tuple(_steps(text))

    def values(self, obj: Any) -> list[Any]:
        """Everything that the path leads to; nothing if it leads nowhere or astray."""
        try:
            return self.walk([obj])
        except _Lost:
            return []

    def walk(self, found: list[Any]) -> list[Any]:
        """The same from several values at once; raises `_Lost`."""
        for step in self._steps:
            found = step(found)
        return found


@lru_cache(maxsize=1024)
def compiled(text: str) -> Path:
    """The compiled path; raises `BadPath`."""
    return Path(text)


def _steps(text: str) -> Iterator[Step]:
    position = 0
    while position < len(text):
        step, position = _step(text, position)
        if step:
            yield step


def _step(text: str, start: int) -> tuple[Step | None, int]:
    """The step that begins at `start`, and where the next one begins."""
    if text.startswith("[?(", start):
        return _filter(text, start)
    if text.startswith("..", start):
        return _recurse, start + (2 if text[start + 2 : start + 3] in {"[", "", "."} else 1)
    char = text[start]
    if char in " @$":
        return None, start + 1
    if char == "[":
        end = _end(text, "]", start, "unterminated array")
        return _brackets(text[start + 1 : end]), end + 1
    if char == ".":
        word = _match(_WORD, text, start + 1)
        return (_all if word == "*" else _field(word.replace("\\", ""))), start + 1 + len(word)
    return _literal(text, start)


def _literal(text: str, start: int) -> tuple[Step, int]:
    """A constant, on the right side of a filter."""
    char = text[start]
    if char in "\"'":
        end = _end(text, char, start + 1, "unterminated quoted string")
        return _constant(text[start + 1 : end]), end + 1
    if char in "+-" or char.isdigit():
        number = _match(_NUMBER, text, start)
        try:
            return _constant(float(number) if "." in number else int(number)), start + len(number)
        except ValueError:
            raise BadPath(f"cannot parse number {number}") from None
    word = _match(_WORD, text, start)
    if word in {"true", "false"}:
        return _constant(word == "true"), start + len(word)
    if word:
        raise BadPath(f"unrecognized identifier {word}")
    raise BadPath(f"unrecognized character in action: U+{ord(char):04X} '{char}'")


def _match(pattern: re.Pattern[str], text: str, start: int) -> str:
    found = pattern.match(text, start)
    return found[0] if found else ""


def _end(text: str, mark: str, start: int, problem: str) -> int:
    end = text.find(mark, start)
    if end < 0:
        raise BadPath(problem)
    return end


def _brackets(text: str) -> Step:
    """What stands in [..]: a key, an index, a slice, or several of these."""
    parts = text.split(",")
    if len(parts) > 1:
        alternatives = [_brackets(part.strip(" ")) for part in parts]
        return lambda found: [value for each in alternatives for value in each(found)]
    key = _KEY.fullmatch(text)
    if key:
        return _field(key[1].replace("\\", ""))
    bounds = _SLICE.fullmatch(":" if text == "*" else text)
    if not bounds or not text:
        raise BadPath(f"invalid array index {text}")
    numbers = [int(part.lstrip(":")) if part and part != ":" else None for part in bounds.groups()]
    return _slice(numbers[0], numbers[1], numbers[2], single=bounds[2] is None)


def _field(name: str) -> Step:
    def step(found: list[Any]) -> list[Any]:
        return [each[name] for each in found if isinstance(each, dict) and name in each]

    return step


def _slice(start: int | None, stop: int | None, by: int | None, *, single: bool) -> Step:
    def step(found: list[Any]) -> list[Any]:
        return [value for each in found if each is not None for value in cut(each)]

    def cut(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _Lost
        first = _from_end(start or 0, len(value))
        last = first + 1 if single else _from_end(len(value) if stop is None else stop, len(value))
        if first == last:
            return []
        if not (0 <= first < len(value) and first <= last <= len(value)) or (by is not None and by <= 0):
            raise _Lost
        return value[first : last : by or 1]

    return step


def _from_end(index: int, size: int) -> int:
    return index + size if index < 0 else index


def _all(found: list[Any]) -> list[Any]:
    return [value for each in found for value in _below(each)]


def _recurse(found: list[Any]) -> list[Any]:
    result: list[Any] = []
    for each in found:
        below = list(_below(each))
        if below:
            result += [each, *_recurse(below)]
    return result


def _below(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _constant(value: Any) -> Step:
    return lambda found: [value] * bool(found)


def _filter(text: str, start: int) -> tuple[Step, int]:
    end = _closing(text, start + 3)
    if text[end + 1 : end + 2] != "]":
        raise BadPath("unclosed array expect ]")
    inner = text[start + 3 : end]
    found = _COMPARISON.fullmatch(inner)
    if not found:
        return _existing(Path(inner)), end + 2
    if found[2] not in _OPERATORS:
        raise BadPath(f"unrecognized filter operator {found[2]}")
    return _comparing(Path(found[1]), _OPERATORS[found[2]], Path(found[3])), end + 2


def _closing(text: str, start: int) -> int:
    """The position of the parenthesis that ends a filter, quotes set aside."""
    quoted = ""
    for index in range(start, len(text)):
        char = text[index]
        if quoted:
            quoted = "" if char == quoted and text[index - 1] != "\\" else quoted
        elif char in "\"'":
            quoted = char
        elif char == ")":
            return index
    raise BadPath("unterminated filter")


def _items(found: list[Any]) -> Iterator[Any]:
    for each in found:
        if not isinstance(each, list):
            raise _Lost
        yield from each


def _existing(path: Path) -> Step:
    return lambda found: [item for item in _items(found) if path.values(item)]


def _comparing(left: Path, compare: Callable[[Any, Any], bool], right: Path) -> Step:
    def holds(item: Any) -> bool:
        lefts, rights = left.walk([item]), right.walk([item])
        if len(lefts) > 1 or len(rights) > 1:
            raise _Lost
        if not lefts or not rights:
            return False
        if not _comparable(lefts[0], rights[0]):
            raise _Lost
        return compare(lefts[0], rights[0])

    return lambda found: [item for item in _items(found) if holds(item)]


def _comparable(left: Any, right: Any) -> bool:
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    return type(left) is type(right) or (numbers and not isinstance(left, bool) and not isinstance(right, bool))
