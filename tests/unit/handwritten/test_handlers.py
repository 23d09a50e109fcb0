"""Covers what handlers are made of: functions, a filter. Left out: who calls them (test_informer.py)."""

from __future__ import annotations

import pytest

from handwritten.fifo import DeletedFinalStateUnknown
from handwritten.handlers import FilteringResourceEventHandler, ResourceEventHandlerFuncs
from handwritten.store import Object

IN: Object = {"metadata": {"name": "in"}, "mine": True}
OUT: Object = {"metadata": {"name": "out"}, "mine": False}


class Heard:
    def __init__(self) -> None:
        self.words: list[object] = []
        funcs = ResourceEventHandlerFuncs(
            add=lambda obj, initial: self.words.append(("add", obj, initial)),
            update=lambda old, new: self.words.append(("update", old, new)),
            delete=lambda obj: self.words.append(("delete", obj)),
        )
        self.handler = FilteringResourceEventHandler(lambda obj: bool(obj["mine"]), funcs)


@pytest.mark.statement("SI-17")
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (IN, IN, [("update", IN, IN)]),
        (OUT, IN, [("add", IN, False)]),
        (IN, OUT, [("delete", IN)]),
        (OUT, OUT, []),
    ],
)
def test_an_update_across_the_filter_is_an_add_or_a_deletion(old: Object, new: Object, expected: list[object]) -> None:
    heard = Heard()
    heard.handler.on_update(old, new)
    assert heard.words == expected


@pytest.mark.statement("SI-17")
def test_adds_and_deletions_pass_if_their_object_does() -> None:
    heard = Heard()
    for obj in (IN, OUT):
        heard.handler.on_add(obj, True)
        heard.handler.on_delete(obj)
        heard.handler.on_delete(DeletedFinalStateUnknown("x", obj))
    assert heard.words == [("add", IN, True), ("delete", IN), ("delete", DeletedFinalStateUnknown("x", IN))]


def test_a_tombstone_without_an_object_is_passed_on() -> None:
    heard = Heard()
    nothing = DeletedFinalStateUnknown("x", None)
    heard.handler.on_delete(nothing)
    assert heard.words == [("delete", nothing)]


def test_functions_that_are_not_given_are_not_called() -> None:
    silent = ResourceEventHandlerFuncs()
    silent.on_add(IN, True)
    silent.on_update(IN, OUT)
    silent.on_delete(OUT)
