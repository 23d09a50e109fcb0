"""The defaults in a schema: each must be a value that the schema itself would accept.

`definition_checks.py` asks this of structural schemas only. Rules are evaluated too: a default that breaks one would
make every object that relies on it invalid.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from twinloop.apiserver.fielderrors import FieldError, invalid
from twinloop.apiserver.schemas import embedded, pruning, rules
from twinloop.apiserver.schemas.validation import Validator

Schema = Mapping[str, Any]


def check(schema: Schema, path: str, *, root: bool = True, in_metadata: bool = False) -> Iterator[FieldError]:
    """What is wrong with the defaults in a schema. In metadata, what a schema does not describe is not unknown."""
    whole = root or bool(schema.get("x-kubernetes-embedded-resource"))
    if schema.get("default") is not None:
        yield from _check_one(schema, f"{path}.default", in_metadata=in_metadata)
    if isinstance(schema.get("items"), Mapping):
        yield from check(schema["items"], f"{path}.items", root=False, in_metadata=in_metadata)
    for name, each in (schema.get("properties") or {}).items():
        inside = (in_metadata and not whole) or (whole and name in pruning.META_FIELDS)
        yield from check(each, f"{path}.properties[{name}]", root=False, in_metadata=inside)


def _check_one(schema: Schema, path: str, *, in_metadata: bool) -> Iterator[FieldError]:
    default, whole = schema["default"], bool(schema.get("x-kubernetes-embedded-resource"))
    pruned = copy.deepcopy(default)
    if isinstance(pruned, dict) and not in_metadata:
        pruning.prune(pruned, schema, root=whole)
    if pruned != default:
        yield invalid(path, default, "must not have unknown fields")
    try:
        embedded.coerce(copy.deepcopy(default), schema, path)
    except embedded.Malformed as error:
        yield FieldError("FieldValueInvalid", path, str(error))
        return
    errors = list(embedded.check(default, schema, path)) or Validator(schema, path).check(default)
    yield from errors
    found = rules.rules_of(schema) if not errors else None
    if found is not None:
        yield from found.check_default(default, path)
