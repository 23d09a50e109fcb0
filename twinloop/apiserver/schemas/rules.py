"""x-kubernetes-validations evaluated on objects: which rules hold, and what to say of those that do not.

The last step of `schema.py`. Rules are compiled with the schema, by `cel/`, which is imported with the first rule. How a
rule sees its value, when it is skipped and what an unchanged value is forgiven follows apiextensions' schema/cel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from twinloop.apiserver.fielderrors import FieldError, duplicate, forbidden, invalid, required
from twinloop.apiserver.schemas import field_paths
from twinloop.apiserver.schemas.correlation import Correlation, MapList

if TYPE_CHECKING:
    from twinloop.apiserver.schemas.cel.evaluator import Program

Schema = Mapping[str, Any]

_LONGEST_MESSAGE = 5 * 1024
_NO_OVERLOAD = "call arguments did not match a supported operator, function or macro signature"


def rules_of(schema: Schema, *, root: bool = True) -> RuleTree | None:
    """The rules of a schema and of everything below it; None when there are none. `root`: of a whole object."""
    return RuleTree(schema, root=root) if _has_rules(schema) else None


def _has_rules(schema: Schema) -> bool:
    if schema.get("x-kubernetes-validations"):
        return True
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, Mapping) and _has_rules(each) for each in below)


class Rule:
    """One rule, compiled for the values of one schema."""

    def __init__(self, rule: Mapping[str, Any], schema: Schema, *, root: bool) -> None:
        from twinloop.apiserver.schemas.cel import checker, types, values  # noqa: PLC0415 - most servers see no rule

        self._rule, self._type = rule, schema.get("type") or ""
        self._optional = bool(rule.get("optionalOldSelf"))
        self_type = types.of_schema(schema, root=root) or types.DYN
        variables = {"self": self_type, "oldSelf": types.optional_of(self_type) if self._optional else self_type}
        self._program = checker.compiled(rule["rule"], variables)
        self._message = (
            checker.compiled(rule["messageExpression"], variables) if rule.get("messageExpression") else None
        )
        self._convert = values.of_schema(schema)
        self._below = field_paths.resolve(rule["fieldPath"], schema)[0] if rule.get("fieldPath") else ""

    @property
    def compares(self) -> bool:
        """Whether the rule is about a change."""
        return "oldSelf" in self._program.used

    def check(self, value: Any, old: Any, path: str) -> FieldError | None:
        """What is wrong, if anything. A rule about a change has nothing to say about a new value."""
        from twinloop.apiserver.schemas.cel.values import CelError  # noqa: PLC0415 - see above

        if self.compares and old is None and not self._optional:
            return None
        variables = self._variables(value, old)
        try:
            holds = self._program.evaluate(variables)
        except CelError as error:
            return invalid(path or "<nil>", self._type, self._failed(str(error)))
        return None if holds is True else self._broken(path, variables)

    def _variables(self, value: Any, old: Any) -> dict[str, Any]:
        from twinloop.apiserver.schemas.cel.values import NONE, Optional  # noqa: PLC0415 - see above

        convert = self._convert or _as_it_is
        variables = {"self": convert(value)}
        if self._optional:
            variables["oldSelf"] = NONE if old is None else Optional(convert(old))
        elif old is not None:
            variables["oldSelf"] = convert(old)
        return variables

    def _broken(self, path: str, variables: dict[str, Any]) -> FieldError:
        where = ".".join(filter(None, (path, self._below))) or "<nil>"
        message, reason = self._text(variables), self._rule.get("reason")
        if reason == "FieldValueForbidden":
            return forbidden(where, message)
        if reason == "FieldValueRequired":
            return required(where, message)
        return duplicate(where, self._type) if reason == "FieldValueDuplicate" else invalid(where, self._type, message)

    def _text(self, variables: dict[str, Any]) -> str:
        """The message: computed, given, or the rule itself."""
        computed = _computed(self._message, variables) if self._message else ""
        given = (self._rule.get("message") or "").strip()
        return computed or given or f"failed rule: {self._shown}"

    @property
    def _shown(self) -> str:
        return ((self._rule.get("message") or "") or self._rule["rule"]).strip()

    def _failed(self, error: str) -> str:
        if error.startswith("no such overload"):
            return f"'{error}': {_NO_OVERLOAD} for rule: {self._shown}"
        return f"{error} evaluating rule: {self._shown}"


def _as_it_is(value: Any) -> Any:
    return value


def _computed(message: Program, variables: dict[str, Any]) -> str:
    """What a messageExpression says; nothing if it says nothing fit for a message."""
    from twinloop.apiserver.schemas.cel.values import CelError  # noqa: PLC0415 - see above

    try:
        text = message.evaluate(variables)
    except CelError:
        return ""
    text = text.strip() if isinstance(text, str) else ""
    return "" if "\n" in text or len(text.encode()) > _LONGEST_MESSAGE else text


class RuleTree:
    """The rules of a schema node, and the trees below it."""

    def __init__(self, schema: Schema, *, root: bool = False) -> None:
        self._schema = schema
        whole = root or bool(schema.get("x-kubernetes-embedded-resource"))
        self._rules = [Rule(each, schema, root=whole) for each in schema.get("x-kubernetes-validations") or ()]
        self._items, self._values = _tree_of(schema.get("items")), _tree_of(schema.get("additionalProperties"))
        found = ((name, _tree_of(each)) for name, each in (schema.get("properties") or {}).items())
        self._properties = {name: tree for name, tree in found if tree is not None}

    def check(self, value: Any, past: Correlation | None) -> list[FieldError]:
        """The findings about a whole object; with `past`, of an update."""
        return list(self._check(value, past.old if past else None, "", past, None))

    def check_default(self, value: Any, path: str) -> Iterator[FieldError]:
        """The findings about a default, which must hold for an object that never changes and for a new one."""
        found = list(self._check(value, value, path, None, None))
        yield from found or self._check(value, None, path, None, None)

    def _check(
        self, value: Any, old: Any, path: str, past: Correlation | None, parent: Correlation | None
    ) -> Iterator[FieldError]:
        if value is None:
            return
        nearest = past or parent
        for rule in self._rules:
            error = rule.check(value, old, path)
            if error and (rule.compares or nearest is None or not nearest.unchanged):
                yield error
        if isinstance(value, list) and self._items:
            yield from self._check_items(value, old, path, past)
        elif isinstance(value, dict):
            yield from self._check_fields(value, old, path, past)

    def _check_items(self, value: list[Any], old: Any, path: str, past: Correlation | None) -> Iterator[FieldError]:
        keyed = isinstance(old, list) and self._schema.get("x-kubernetes-list-type") == "map"
        before = MapList(self._schema, old if keyed else [])
        for index, each in enumerate(value):
            below = past.index(index) if past else None
            assert self._items is not None  # noqa: S101 - the caller has looked
            yield from self._items._check(each, before.get(each), f"{path}[{index}]", below, past)  # noqa: SLF001 - the same class

    def _check_fields(
        self, value: dict[str, Any], old: Any, path: str, past: Correlation | None
    ) -> Iterator[FieldError]:
        before = old if isinstance(old, dict) else {}
        for name, each in value.items():
            tree = self._properties.get(name) or (
                None if name in (self._schema.get("properties") or {}) else self._values
            )
            if tree is None:
                continue
            declared = name in self._properties
            where = (f"{path}.{name}" if path else name) if declared else f"{path}[{name}]"
            below = past.key(name) if past else None
            yield from tree._check(each, before.get(name), where, below, past)  # noqa: SLF001 - the same class


def _tree_of(schema: Any) -> RuleTree | None:
    return rules_of(schema, root=False) if isinstance(schema, Mapping) else None
