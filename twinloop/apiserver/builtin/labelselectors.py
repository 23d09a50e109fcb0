"""LabelSelectors inside objects: whether they match, and how they are printed.

`deployments.py` checks a template's labels with `matches` and shows the selector in its Table; selectors in a query
are the business of the server's `selectors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether every label and every expression of a selector holds."""
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions", ()))


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", ())
    operator = expression["operator"]
    if operator in {"Exists", "DoesNotExist"}:
        return bool(key in labels) is (operator == "Exists")
    return bool(labels.get(key) in values) is (operator == "In")


def printed(selector: Object | None) -> str:
    """The selector as a query would ask for it; <none> for no selector at all, nothing for one that takes everything."""
    if selector is None:
        return "<none>"
    terms = [(key, f"{key}={value}") for key, value in selector.get("matchLabels", {}).items()]
    terms += [(each["key"], _term(each)) for each in selector.get("matchExpressions", ())]
    return ",".join(text for _, text in sorted(terms, key=lambda term: term[0]))


def _term(expression: Object) -> str:
    key, operator = expression["key"], expression["operator"]
    if operator == "Exists":
        return str(key)
    if operator == "DoesNotExist":
        return f"!{key}"
    word = "in" if operator == "In" else "notin"
    return f"{key} {word} ({','.join(sorted(expression.get('values', ())))})"


def printed_labels(labels: Mapping[str, str] | None) -> str:
    """A plain map of labels, as a Service selects with."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else "<none>"
