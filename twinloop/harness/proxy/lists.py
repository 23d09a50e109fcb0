"""Lists as they were: what a rule with Act.STALE answers.

`proxy.py` fetches a list when the story says `remember`, `acts.py` answers with it later. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twinloop.harness.proxy.answer import JSON, Answer
from twinloop.harness.proxy.request_info import RequestInfo


def stale(kept: Mapping[str, Any], info: RequestInfo) -> Answer | None:
    """The answer to a list request from a list that was kept; None for a selector that is more than equalities."""
    wanted = _equalities(info.query.get("labelSelector", ""))
    if wanted is None or info.query.get("fieldSelector"):
        return None
    items = [each for each in kept.get("items") or [] if _in(each, info.namespace) and _has(each, wanted)]
    body = json.dumps({**kept, "items": items}).encode()
    return Answer(200, (("Content-Type", JSON),), body)


def _equalities(selector: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for term in filter(None, selector.split(",")):
        name, equals, value = term.replace("==", "=").partition("=")
        if not equals or name.endswith("!") or "(" in term:
            return None
        found[name.strip()] = value.strip()
    return found


def _in(each: Mapping[str, Any], namespace: str) -> bool:
    return not namespace or each["metadata"].get("namespace") == namespace


def _has(each: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    labels = each["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in wanted.items())
