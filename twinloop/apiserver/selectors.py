"""Label and field selectors: which objects of a collection a list, watch or deletecollection means.

`verbs/` parse them once for a request and ask them of every `Record`, which carries its labels and selectable fields.
Grammar and messages are those of apimachinery's labels and fields packages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twinloop.apiserver import failures, names
from twinloop.apiserver.fielderrors import FieldError, invalid

Matcher = Callable[[Mapping[str, str]], bool]

_SPECIAL = "=!(),><"
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_WORDS = re.compile(r"\s*(==|!=|[=!(),><]|[^\s=!(),><]+)")
_END = ""


class _Unparsable(Exception):
    """The text is no label selector."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a label selector. `operator` is one of exists, !, in, notin, =, ==, !=, gt, lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; a missing label meets the negative ones."""
        value = labels.get(self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "!":
                return value is None
            case "in" | "=" | "==":
                return value is not None and value in self.values
            case "notin" | "!=":
                return value is None or value not in self.values
        return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        if not _is_int64(value):
            return False
        bound = int(next(iter(self.values)))
        return int(value) > bound if self.operator == "gt" else int(value) < bound


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All of its requirements must be met; none of them: everything matches."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels are selected."""
        return all(each.matches(labels) for each in self.requirements)

    def __bool__(self) -> bool:
        return bool(self.requirements)


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Terms (field, equal, value), all of which must hold."""

    terms: tuple[tuple[str, bool, str], ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether an object's selectable fields are selected."""
        return all((fields.get(name, "") == value) is equal for name, equal, value in self.terms)

    def exact(self, field: str) -> str:
        """The value that a field must have, empty when it is free."""
        return next((value for name, equal, value in self.terms if name == field and equal), "")

    def __bool__(self) -> bool:
        return bool(self.terms)


def parse_labels(text: str) -> LabelSelector:
    """Parse a label selector; raises 400 in the words of labels.Parse."""
    try:
        return LabelSelector(tuple(_Parser(text).parse()))
    except _Unparsable as error:
        raise failures.bad_request(str(error)) from None


class _Parser:
    """Recursive descent over the words of a label selector."""

    def __init__(self, text: str) -> None:
        self._words = _WORDS.findall(text.strip(" \t\r\n"))
        self._next = 0

    def parse(self) -> list[Requirement]:
        found: list[Requirement] = []
        if self._peek() == _END:
            return found
        if not self._starts_requirement():
            raise _Unparsable(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        while True:
            found.append(self._located(self._requirement))
            word = self._take()
            if word == _END:
                return found
            if word != ",":
                raise _Unparsable(f"found '{word}', expected: ',' or 'end of string'")
            if not self._starts_requirement():
                raise _Unparsable(f"found '{self._peek()}', expected: identifier after ','")

    def _located(self, parse: Callable[[], Requirement]) -> Requirement:
        try:
            return parse()
        except _Unparsable as error:
            raise _Unparsable(f"unable to parse requirement: {error}") from None

    def _requirement(self) -> Requirement:
        absent = self._peek() == "!"
        if absent:
            self._take()
        key = self._take()
        if not _is_identifier(key):
            raise _Unparsable(f"found '{key}', expected: identifier")
        _check_key(key)
        if self._peek() in {_END, ","} or absent:
            return self._unary(key, absent)
        return self._binary(key)

    def _unary(self, key: str, absent: bool) -> Requirement:
        return Requirement(key, "!" if absent else "exists")

    def _binary(self, key: str) -> Requirement:
        operator = {">": "gt", "<": "lt"}.get(word := self._take(), word)
        if operator in {"in", "notin"}:
            values = self._values()
        elif operator in {"=", "==", "!=", "gt", "lt"}:
            values = self._exact_value()
        else:
            raise _Unparsable(f"found '{word}', expected: {_OPERATORS}")
        _check_values(key, operator, values)
        return Requirement(key, operator, values)

    def _values(self) -> frozenset[str]:
        word = self._take()
        if word != "(":
            raise _Unparsable(f"found '{word}' expected: '('")
        if self._peek() == ")":
            self._take()
            return frozenset([""])
        if not _is_identifier(self._peek()) and self._peek() != ",":
            raise _Unparsable(f"found '{word}', expected: ',', ')' or identifier")
        values = self._identifiers()
        self._take()  # the closing parenthesis: `_identifiers` stops at nothing else
        return values

    def _identifiers(self) -> frozenset[str]:
        """The words of a list in parentheses, where nothing between two commas is the empty value."""
        found: set[str] = set()
        while True:
            word = self._take()
            if _is_identifier(word):
                found.add(word)
                if self._peek() == ")":
                    return frozenset(found)
                if self._peek() != ",":
                    raise _Unparsable(f"found '{self._peek()}', expected: ',' or ')'")
            elif word == ",":
                if not found or self._peek() in {")", ","}:
                    found.add("")
                if self._peek() == ")":
                    return frozenset(found)
            else:
                raise _Unparsable(f"found '{word}', expected: ',', or identifier")

    def _exact_value(self) -> frozenset[str]:
        if self._peek() in {_END, ","}:
            return frozenset([""])
        word = self._take()
        if not _is_identifier(word):
            raise _Unparsable(f"found '{word}', expected: identifier")
        return frozenset([word])

    def _starts_requirement(self) -> bool:
        return self._peek() == "!" or _is_identifier(self._peek())

    def _peek(self) -> str:
        return self._words[self._next] if self._next < len(self._words) else _END

    def _take(self) -> str:
        word = self._peek()
        self._next += 1
        return word


def _is_identifier(word: str) -> bool:
    return bool(word) and word[0] not in _SPECIAL


def _check_key(key: str) -> None:
    found = names.qualified_name(key)
    if found:  # the parser hands no path to its checks, and Go prints that as <nil>
        raise _Unparsable(str(invalid("<nil>", key, "; ".join(found))))


def _check_values(key: str, operator: str, values: frozenset[str]) -> None:
    found = [each for index, value in enumerate(sorted(values)) for each in _value_errors(key, operator, index, value)]
    if found:
        texts = list(dict.fromkeys(map(str, found)))
        raise _Unparsable(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")


def _value_errors(key: str, operator: str, index: int, value: str) -> list[FieldError]:
    found = []
    if operator in {"gt", "lt"} and not _is_int64(value):
        found.append(invalid(f"values[{index}]", value, "for 'Gt', 'Lt' operators, the value must be an integer"))
    problems = names.label_value(value)
    if problems:
        found.append(invalid(f"values[{index}][{key}]", value, "; ".join(problems)))
    return found


def _is_int64(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d{1,19}", text))


# ---------------------------------------------------------------------------------------------- fields

_FIELD_OPERATORS = ("!=", "==", "=")


def parse_fields(text: str, allowed: Callable[[str], bool], unknown: Callable[[str], str]) -> FieldSelector:
    """Parse a field selector; raises 400 for what is none, or names a field that the kind does not offer."""
    terms = [_term(part, text) for part in _split_unescaped(text) if part]
    for name, _, _ in terms:
        if not allowed(name):
            raise failures.bad_request(unknown(name))
    return FieldSelector(tuple(terms))


def _term(part: str, text: str) -> tuple[str, bool, str]:
    found = _first_operator(part)
    if found is None:
        raise failures.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
    name, operator, value = found
    return name, operator != "!=", _unescape(value)


def _first_operator(part: str) -> tuple[str, str, str] | None:
    for index in range(len(part)):
        for operator in _FIELD_OPERATORS:
            if part.startswith(operator, index):
                return part[:index], operator, part[index + len(operator) :]
    return None


def _split_unescaped(text: str) -> list[str]:
    """Cut at commas that no backslash precedes."""
    return re.findall(r"(?:\\.|[^,\\]|\\$)+", text)


def _unescape(value: str) -> str:
    """Take out the backslashes before , = and backslash; anything else unescaped or escaped is refused."""
    if re.fullmatch(r"(?:\\[\\,=]|[^\\,=])*", value):
        return re.sub(r"\\(.)", r"\1", value)
    bad = re.search(r"\\([^\\,=])|\\$|[,=]", value)
    if bad is not None and bad[0][0] == "\\":
        raise failures.bad_request(f"invalid field selector: invalid escape sequence: {bad[0]}")
    rune = ord(bad[0]) if bad else 0  # Go prints the number of the character
    raise failures.bad_request(f"invalid field selector: unescaped character in value: {rune}")
