"""What kube-apiserver v1.34.4 made of random writes: applies, patches, updates, and whose fields they became.

`recorded/patches.jsonl` holds one write a line, with the object before and after it or the failure. Its first line is
the schema of the custom resource (Thing); ConfigMaps and Things are compared whole, of other kinds only the owners.

Left out: what a real server does after the patch (defaults, pruning, validation), so no case where that shows;
times of entries, which the recorded seconds cannot tell apart (see test_managed_fields).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from twinloop.apiserver.builtin import documents
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import apply, json_patch, managed_fields, merge_patch, strategic, typed
from twinloop.apiserver.patches.typed import Typed

NOW = 1_900_000_000.0
LINES = (Path(__file__).parent / "recorded/patches.jsonl").read_text(encoding="utf-8").splitlines()
SCHEMA = json.loads(LINES[0])["schema"]
CASES: list[dict[str, Any]] = [json.loads(line) for line in LINES[1:]]
SYSTEM = ("uid", "resourceVersion", "generation", "creationTimestamp", "namespace", "managedFields")


@cache
def view(api_version: str, kind: str) -> Typed:
    if kind == "Thing":
        return typed.custom(SCHEMA)
    return documents.typed(api_version.rpartition("/")[0], kind)


def name(case: dict[str, Any]) -> str:
    through = f"-{case['subresource']}" if "subresource" in case else ""
    return f"{case['kind']}-{case['verb']}{through}-{case['code']}"


def api_version(case: dict[str, Any]) -> str:
    known = {"Thing": "example.dev/v1"}
    found: str = known.get(case["kind"]) or (case["old"] or case["body"])["apiVersion"]
    return found


def written(case: dict[str, Any]) -> dict[str, Any]:
    """The write, done by this package."""
    version, kind = api_version(case), case["kind"]
    old, body, schema = case["old"], case["body"], view(version, kind)
    through = case.get("subresource", "")
    if case["verb"] == "apply":
        by = apply.Applier(case["manager"], version, kind, NOW, force=case.get("force", False), subresource=through)
        return apply.apply(old, body, by, schema)
    made: dict[str, Any]
    if case["verb"] == "json":
        made = json_patch.apply(old, body)
    elif case["verb"] == "merge":
        made = merge_patch.apply(old, body)
    elif case["verb"] == "strategic":
        made = strategic.apply(old, body, schema)
    else:
        made = dict(body)
    made = as_go_keeps_it(made, kind)
    managed_fields.update(made, old, case["manager"], api_version=version, now=NOW, typed=schema, subresource=through)
    return made


def as_go_keeps_it(obj: Any, kind: str) -> Any:
    """Empty and null optional fields vanish when a real server decodes them; here that is the kind's business."""
    if kind != "Thing" and isinstance(obj, dict):
        found = {
            key: value for key, value in obj.items() if value not in ({}, None) or key not in {"data", "binaryData"}
        }
    else:
        found = dict(obj)
    metadata = {
        key: value for key, value in found["metadata"].items() if value not in ({}, None) or key == "managedFields"
    }
    metadata = {key: value for key, value in metadata.items() if value != [] or key == "managedFields"}
    return {**found, "metadata": metadata}


def content(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        key: value for key, value in obj["metadata"].items() if key not in SYSTEM and value not in ({}, [], None)
    }
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "status"} and value is not None}
    return {**{key: value for key, value in rest.items() if key == "spec" or value != {}}, "metadata": metadata}


def owners(obj: dict[str, Any]) -> list[dict[str, Any]]:
    entries = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in obj["metadata"].get("managedFields", [])
    ]
    return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_write_comes_to_what_a_real_server_made_of_it(case: dict[str, Any]) -> None:
    before = json.dumps([case["old"], case["body"]])
    if case["code"] >= 300:
        with pytest.raises(Failure) as refused:
            written(case)
        assert (refused.value.code, refused.value.message) == (case["code"], case["message"])
        assert by_field(refused.value.details) == by_field(case["details"])
        return
    made = written(case)
    assert owners(made) == owners(case["new"])
    if case["verb"] != "track" and case["kind"] in {"ConfigMap", "Thing"} and "subresource" not in case:
        assert content(made) == content(case["new"])
    assert json.dumps([case["old"], case["body"]]) == before, "neither the stored object nor the body may change"


def by_field(details: dict[str, Any] | None) -> Any:
    """Causes in an order of our own: a real server lists managers in whatever order its map has."""
    if details is None or "causes" not in details:
        return details
    return {**details, "causes": sorted(details["causes"], key=lambda cause: (cause["message"], cause["field"]))}
