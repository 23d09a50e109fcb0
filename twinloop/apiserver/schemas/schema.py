"""A structural schema at work on objects: fills in, drops, reads embedded objects and judges.

`custom.py` holds one `Schema` for each served version of a resource and asks it at each step of a write. What the steps
do is in the modules named after them; their order here is that of apiextensions' custom resource strategy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twinloop.apiserver.fielderrors import FieldError, invalid
from twinloop.apiserver.schemas import defaulting, embedded, lists, pruning, rules
from twinloop.apiserver.schemas.correlation import Correlation
from twinloop.apiserver.schemas.validation import Validator

Object = dict[str, Any]

# With one of these findings the object's shape is in doubt, and CEL rules are written for objects of the right shape.
_BLOCKING = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)
_BLOCKED = invalid(
    "<nil>",
    None,
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
)


class Schema:
    """One openAPIV3Schema of a CustomResourceDefinition that has passed its checks."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self._validator = Validator(schema)
        status = (schema.get("properties") or {}).get("status")
        self._status = Validator(status, "status") if status is not None else None
        self._rules = rules.rules_of(schema)
        self._lists = lists.has_list_types(schema)
        self._embedded = embedded.has_embedded(schema)

    def default(self, obj: Object) -> None:
        """Fill in defaults in place."""
        defaulting.fill(obj, self.schema)

    def prune(self, obj: Object) -> list[str]:
        """Drop unknown fields and misplaced nulls in place; returns the paths of unknown fields, sorted."""
        dropped = pruning.prune(obj, self.schema)
        defaulting.drop_nulls(obj, self.schema)
        return dropped

    def coerce(self, obj: Object) -> list[str]:
        """Read embedded objects' metadata in place; returns the paths of unknown fields. Raises `embedded.Malformed`."""
        return embedded.coerce(obj, self.schema) if self._embedded else []

    def validate(
        self, obj: Object, old: Object | None = None, *, scale: Iterable[FieldError] = (), nameless: bool = False
    ) -> list[FieldError]:
        """Everything that is wrong with an object; with `old`, everything that an update is held to.

        `scale` is what the scale subresource found, whose place is before the rules; an object that is `nameless` will be
        refused for that, so its rules are not checked.
        """
        past = None if old is None else Correlation(obj, old, self.schema)
        errors = [*self._validator.check(obj, past), *scale]
        if self._embedded:
            errors += embedded.check(obj, self.schema)
        return self._and_rules([*errors, *self._duplicates(obj, old)], obj, past, blocked=nameless)

    def validate_status(self, obj: Object, old: Object, *, scale: Iterable[FieldError] = ()) -> list[FieldError]:
        """The same for a write to the status alone."""
        errors: list[FieldError] = []
        past = Correlation(obj, old, self.schema)
        if self._status is not None and "status" in obj:
            errors += self._status.check(obj["status"], past.key("status"))
        errors += scale
        return self._and_rules([*errors, *self._duplicates(obj, old)], obj, past)

    def _duplicates(self, obj: Object, old: Object | None) -> list[FieldError]:
        """Duplicates in lists, unless there were some before."""
        if not self._lists or (old is not None and list(lists.duplicates(old, self.schema))):
            return []
        return list(lists.duplicates(obj, self.schema))

    def _and_rules(
        self, errors: list[FieldError], obj: Object, past: Correlation | None, *, blocked: bool = False
    ) -> list[FieldError]:
        if self._rules is None:
            return errors
        if blocked or any(error.type in _BLOCKING for error in errors):
            return [*errors, _BLOCKED]
        return [*errors, *self._rules.check(obj, past)]
