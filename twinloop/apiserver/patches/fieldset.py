"""Sets of fields as FieldsV1 writes them, and what may be done with them: union, difference, intersection.

A set is a dict from path elements (`f:name`, `k:{"name":"c"}`, `v:"a"`) to what is below them. Below stands `{}` for a
member with nothing below it, `{".": {}, ...}` for a member with members below, and `{...}` without the dot for an
element that is no member itself. A set has no dot at its top. Sets are values: no function changes one, and results
share what did not change with their arguments. `compare.py` makes sets, `managed_fields.py` and `apply.py` reckon with
them; the operations are those of structured-merge-diff's fieldpath.Set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinloop.apiserver.patches import elements

Fields = dict[str, Any]

EMPTY: Fields = {}
LEAF: Fields = {}  # a member with nothing below it
MEMBER = "."


def union(one: Fields, other: Fields) -> Fields:
    """What is in either."""
    if not one or one is other:
        return other
    found = dict(one)
    for element, below in other.items():
        found[element] = _joined(found[element], below) if element in found else below
    return found


def difference(one: Fields, other: Fields) -> Fields:
    """What is in the first and not in the second; a field in the second takes nothing below it away."""
    return _each(one, other, _without)


def recursive_difference(one: Fields, other: Fields) -> Fields:
    """What is in the first and neither in the second nor below a field in the second."""
    return _each(one, other, _without_all)


def intersection(one: Fields, other: Fields) -> Fields:
    """What is in both."""
    found = {element: _common(below, other[element]) for element, below in one.items() if element in other}
    return {element: below for element, below in found.items() if below is not None}


def is_member(below: Fields) -> bool:
    """Whether the element above what is given is in the set itself."""
    return not below or MEMBER in below


def inner(below: Fields) -> Fields:
    """What is below an element, as a set of its own."""
    if MEMBER not in below:
        return below
    return {element: deeper for element, deeper in below.items() if element != MEMBER}


def node(member: bool, contents: Fields) -> Fields | None:
    """What to write below an element; None: nothing, not even the element."""
    if not contents:
        return LEAF if member else None
    return {MEMBER: LEAF, **contents} if member else contents


def paths(fields: Fields, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every member as a tuple of path elements: at each level the members first, then what is below them."""
    ordered = sorted(fields.items(), key=lambda item: elements.order(item[0]))
    yield from ((*above, element) for element, below in ordered if is_member(below))
    for element, below in ordered:
        yield from paths(inner(below), (*above, element))


def has(fields: Fields, path: tuple[str, ...]) -> bool:
    """Whether a path is a member."""
    for element in path:
        if element not in fields:
            return False
        fields = fields[element]
    return is_member(fields)


def of(*members: tuple[str, ...]) -> Fields:
    """The set of some paths."""
    found: Fields = EMPTY
    for path in members:
        below: Fields = LEAF
        for element in reversed(path):
            below = {element: below}
        found = union(found, below)
    return found


def tidy(fields: Fields) -> Fields:
    """The set in the order in which kube-apiserver writes it; elements of a kind that nobody knows are left out.

    Raises ValueError when it is no set at all.
    """
    known = {elements.canonical(element): below for element, below in fields.items() if elements.is_known(element)}
    found = {element: _tidy_node(known[element]) for element in sorted(known, key=elements.order)}
    return {element: below for element, below in found.items() if below is not None}


def _tidy_node(below: Any) -> Fields | None:
    if not isinstance(below, dict):
        raise ValueError("a set of fields holds objects and nothing else")  # noqa: TRY004 - one error for all of it
    return node(is_member(below), tidy(inner(below)))


def _each(one: Fields, other: Fields, reckon: Any) -> Fields:
    if not other:
        return one
    found = {element: reckon(below, other[element]) if element in other else below for element, below in one.items()}
    return {element: below for element, below in found.items() if below is not None}


def _joined(one: Fields, other: Fields) -> Fields:
    member = is_member(one) or is_member(other)
    contents = union(inner(one), inner(other))
    return node(member, contents) or LEAF


def _without(one: Fields, other: Fields) -> Fields | None:
    member = is_member(one) and not is_member(other)
    return node(member, difference(inner(one), inner(other)))


def _without_all(one: Fields, other: Fields) -> Fields | None:
    if is_member(other):
        return None
    return node(is_member(one), recursive_difference(inner(one), inner(other)))


def _common(one: Fields, other: Fields) -> Fields | None:
    member = is_member(one) and is_member(other)
    return node(member, intersection(inner(one), inner(other)))
