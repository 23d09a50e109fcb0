"""The check of the rules in a new definition: well-formed, and compiled against the types of their schema.

`openapi.py` asks `words` for every schema with rules, and `compile_all` for those that are sound. A rule that misspells a
field is refused here, together with its definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from twinloop.apiserver.fielderrors import FieldError, invalid, not_supported, required
from twinloop.apiserver.schemas import field_paths
from twinloop.apiserver.schemas.internal_form import go_rule, invalid_go

Schema = Mapping[str, Any]

_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_BREAKS = re.compile(r"[\n\r]")


def words(schema: Schema, path: str) -> Iterator[FieldError]:
    """What is wrong with rules apart from what they say."""
    for index, rule in enumerate(schema["x-kubernetes-validations"]):
        where = f"{path}.x-kubernetes-validations[{index}]"
        yield from _rule_and_message(rule, where)
        if rule.get("messageExpression") and not rule["messageExpression"].strip():
            yield required(f"{where}.messageExpression", "messageExpression must be non-empty if specified")
        if rule.get("reason") is not None and rule["reason"] not in _REASONS:
            yield not_supported(f"{where}.reason", rule["reason"], _REASONS)
        yield from _field_path(rule.get("fieldPath") or "", schema, f"{where}.fieldPath")


def _rule_and_message(rule: Mapping[str, Any], where: str) -> Iterator[FieldError]:
    text, message = (rule.get("rule") or "").strip(), rule.get("message") or ""
    if not text:
        yield required(f"{where}.rule", "rule is not specified")
    elif message and not message.strip():
        yield invalid(f"{where}.message", message, "must be non-empty if specified")
    elif _BREAKS.search(message.strip()):
        yield invalid(f"{where}.message", message, "must not contain line breaks")
    elif _BREAKS.search(text) and not message.strip():
        yield required(f"{where}.message", "message must be specified if rule contains line breaks")


def _field_path(given: str, schema: Schema, where: str) -> Iterator[FieldError]:
    if not given:
        return
    if not given.strip():
        yield invalid(where, given, "must be non-empty if specified")
    if _BREAKS.search(given):
        yield invalid(where, given, "must not contain line breaks")
    try:
        field_paths.resolve(given, schema)
    except field_paths.BadFieldPath:
        yield invalid(where, given, "must be a valid path")


def compile_all(schema: Schema, path: str, uncorrelatable: str, *, root: bool) -> Iterator[FieldError]:
    """What keeps rules from being used. `uncorrelatable`: the list below which no rule may look back, if there is one."""
    for index, rule in enumerate(schema["x-kubernetes-validations"]):
        where = f"{path}.x-kubernetes-validations[{index}]"
        yield from _compile(rule, schema, where, uncorrelatable, root=root)


def _compile(
    rule: Mapping[str, Any], schema: Schema, where: str, uncorrelatable: str, *, root: bool
) -> Iterator[FieldError]:
    from twinloop.apiserver.schemas.cel import checker, types  # noqa: PLC0415 - most servers see no rule

    self_type = types.of_schema(schema, root=root)
    if self_type is None:
        return
    optional = bool(rule.get("optionalOldSelf"))
    variables = {"self": self_type, "oldSelf": types.optional_of(self_type) if optional else self_type}
    try:
        program = checker.compiled(rule["rule"], variables)
        problem = "" if program.type == types.BOOL else "cel expression must evaluate to a bool"
        used = set() if problem else program.used
    except checker.CompileError as error:
        problem, used = f"compilation failed: {error}", set()
    if problem:
        yield invalid_go(f"{where}.rule", go_rule(rule), problem)
    else:
        yield from _compile_message(rule, where, variables)
    if "oldSelf" in used and uncorrelatable:
        what = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {uncorrelatable}"
        yield invalid(f"{where}.rule", rule["rule"], what)
    elif "oldSelf" not in used and rule.get("optionalOldSelf") is not None:
        yield invalid(f"{where}.optionalOldSelf", optional, "may not be set if oldSelf is not used in rule")


def _compile_message(rule: Mapping[str, Any], where: str, variables: Mapping[str, Any]) -> Iterator[FieldError]:
    from twinloop.apiserver.schemas.cel import checker, types  # noqa: PLC0415 - see above

    if not rule.get("messageExpression"):
        return
    try:
        message = checker.compiled(rule["messageExpression"], variables)
    except checker.CompileError as error:
        what = f"messageExpression compilation failed: {error}"
        yield invalid_go(f"{where}.messageExpression", go_rule(rule), what)
        return
    if message.type != types.STRING:
        what = "messageExpression must evaluate to a string"
        yield invalid_go(f"{where}.messageExpression", go_rule(rule), what)
