"""RFC 7386 as kube-apiserver applies it.

Left out: which bodies are merge patches at all (test_patch_bodies).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twinloop.apiserver.patches import merge_patch

# The appendix of RFC 7386, less the examples in which target or patch is no object.
RFC: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("doc", "patch", "expected"), RFC)
def test_the_examples_of_the_rfc_hold(doc: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge_patch.apply(doc, patch) == expected


def test_a_null_in_an_added_list_stays_and_one_in_its_objects_goes() -> None:
    assert merge_patch.apply({}, {"a": [None, {"b": None, "c": 1}]}) == {"a": [None, {"c": 1}]}


def test_null_for_what_is_not_there_is_fine() -> None:
    assert merge_patch.apply({"a": 1}, {"b": None, "c": {"d": None}}) == {"a": 1, "c": {}}


def test_an_object_replaces_null() -> None:
    assert merge_patch.apply({"a": None}, {"a": {"b": 1}}) == {"a": {"b": 1}}


def test_neither_argument_is_changed() -> None:
    doc, patch = {"a": {"b": [1], "c": 2}}, {"a": {"b": [2, {"x": None}], "c": None}, "d": {"e": None}}
    kept = copy.deepcopy((doc, patch))
    merge_patch.apply(doc, patch)
    assert (doc, patch) == kept
