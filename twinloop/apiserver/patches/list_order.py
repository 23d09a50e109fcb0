"""In which order a strategic merge leaves the items of a list, and what may be said about that order.

`strategic.py` merges and then asks here. What the patch orders stands in the patch's order, what only the server has
keeps the server's, and the two are interleaved so that an item of the server's stays before what it stood before.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches.compare import same

List = list[Any]

_MISMATCH = "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n"


def ordered(merged: List, order: List, server_order: List, key: str, *, maps: bool) -> List:
    """`merged` with the items that `order` names in that order, the others as in `server_order`."""
    if maps:
        _need_keys(key, merged, order, server_order)
    named = [item for item in merged if index_of(order, item, key, maps=maps) >= 0]
    others = [item for item in merged if index_of(order, item, key, maps=maps) < 0]
    named, others = (_sorted(named, order, key, maps=maps), _sorted(others, server_order, key, maps=maps))
    return _interleaved(others, named, server_order, key, maps=maps)


def check(patch: List, order: List, key: str) -> None:
    """A patch's items must stand in the order that it asks for, and be named there. Raises `Failure` (500)."""
    items = [item for item in patch if not (key and isinstance(item, dict) and item.get("$patch") == "delete")]
    if not order:
        return
    at = 0
    for wanted in order:
        while at < len(items) and isinstance(items[at], dict) and "$patch" in items[at]:
            at += 1
        if at < len(items) and _equal(items[at], wanted, key):
            at += 1
    if at < len(items):
        raise Failure(500, "", _MISMATCH.format(gofmt.printed(patch), gofmt.printed(order)))


def index_of(items: List, wanted: Any, key: str, *, maps: bool) -> int:
    """Where an item stands, known by its key when items are maps; -1: nowhere."""
    value = wanted.get(key) if maps else wanted
    for at, item in enumerate(items):
        if same(item.get(key) if maps and isinstance(item, dict) else item, value):
            return at
    return -1


def deduplicated(items: List) -> List:
    """Each scalar once: a later equal one is overwritten by the last, as apimachinery does it."""
    found = list(items)
    at = 0
    while at < len(found):
        other = at + 1
        while other < len(found):
            if same(found[at], found[other]):
                found[other] = found[-1]
                found.pop()
            else:
                other += 1
        at += 1
    return found


def no_merge_key(item: Any, key: str) -> Failure:
    """500: an item lacks what it is known by."""
    return Failure(500, "", f"map: {gofmt.printed(item)} does not contain declared merge key: {key}")


def _need_keys(key: str, *lists: List) -> None:
    for item in (item for each in lists for item in each):
        if isinstance(item, dict) and key not in item:
            raise no_merge_key(item, key)


def _equal(one: Any, other: Any, key: str) -> bool:
    if not key:
        return same(one, other)
    _need_keys(key, [one], [other])
    return same(one[key], other[key])


def _sorted(items: List, order: List, key: str, *, maps: bool) -> List:
    """Sorted by an order that need not name every item, the way Go's insertion sort ends when one is not named.

    An item that the order does not name, or whose neighbour it does not name, goes ahead of its neighbour.
    """
    places = [index_of(order, item, key, maps=maps) for item in items]
    found: list[int] = []
    for at in range(len(items)):
        found.append(at)
        back = at
        while back and (
            min(places[found[back]], places[found[back - 1]]) < 0 or places[found[back]] < places[found[back - 1]]
        ):
            found[back], found[back - 1] = found[back - 1], found[back]
            back -= 1
    return [items[at] for at in found]


def _interleaved(left: List, right: List, server_order: List, key: str, *, maps: bool) -> List:
    found: List = []
    left, right = list(left), list(right)
    while left and right:
        ahead = index_of(server_order, left[0], key, maps=maps)
        behind = index_of(server_order, right[0], key, maps=maps)
        found.append(left.pop(0) if 0 <= ahead < behind else right.pop(0))
    return found + left + right
