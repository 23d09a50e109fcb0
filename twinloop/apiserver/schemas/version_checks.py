"""The versions of a CustomResourceDefinition: names, schemas, selectable fields, and what beside them has a file of its own.

A part of `definition_checks.py`. Where a finding is told depends on whether all versions share what it is about: see
`internal_form.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.fielderrors import FieldError, duplicate, forbidden, invalid, required, too_many
from twinloop.apiserver.schemas import column_checks, default_values, field_paths, openapi, structural
from twinloop.apiserver.schemas.internal_form import GO_NAMES, Shared, go_schema, invalid_go

Object = dict[str, Any]

_MOST_SELECTABLE = 8
# What the root of a schema may say beside a status subresource, by Go's names.
_AT_ROOT = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems "
    "MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations"
)


def versions(shared: Shared, shown: str) -> Iterator[FieldError]:
    """What is wrong with the versions, as far as they differ; `shown` is the list as a message has it."""
    if not _schema_of(shared.schema):
        for index, each in enumerate(shared.versions):
            if not _schema_of(each.get("schema")):
                yield required(f"spec.versions[{index}].schema.openAPIV3Schema")
    for index, each in enumerate(shared.versions):
        path, name = f"spec.versions[{index}]", each.get("name") or ""
        problems = names.dns_1035_label(name)
        if problems:
            yield invalid(f"{path}.name", name, ",".join(problems))
        yield from _version(each, path, shared)
    if len({each.get("name") for each in shared.versions}) < len(shared.versions):
        yield invalid_go("spec.versions", shown, "must contain unique version names")
    if sum(bool(each.get("storage")) for each in shared.versions) != 1:
        yield invalid_go("spec.versions", shown, "must have exactly one version marked as storage version")
    first = shared.versions[0].get("name") if shared.versions else ""
    if first and (problems := names.dns_1035_label(first)):
        yield invalid("spec.version", first, ",".join(problems))


def _schema_of(holder: Any) -> Any:
    return (holder or {}).get("openAPIV3Schema")


def _version(version: Object, path: str, shared: Shared) -> Iterator[FieldError]:
    """One version, as far as it differs from the others."""
    warning = version.get("deprecationWarning")
    for problem in _deprecation(bool(version.get("deprecated")), warning):
        yield invalid(f"{path}.deprecationWarning", warning, problem)
    subresources = version.get("subresources") or shared.subresources or {}
    schema = _schema_of(version.get("schema"))
    if schema is not None:
        yield from _schema(schema, f"{path}.schema", has_status=subresources.get("status") is not None)
    yield from column_checks.subresources(version.get("subresources") or {}, f"{path}.subresources")
    for index, each in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from column_checks.column(each, f"{path}.additionalPrinterColumns[{index}]")
    if version.get("selectableFields"):
        where = f"{path}.selectableFields"
        if schema is None:
            yield invalid(where, "", "may only be set when `version.schema.openAPIV3Schema` is not included")
        else:
            yield from _selectable(version["selectableFields"], schema, where)


def _deprecation(deprecated: bool, warning: str | None) -> Iterator[str]:
    if warning is None:
        return
    if not deprecated:
        yield "can only be set for deprecated versions"
        return
    if len(warning.encode()) > 256:
        yield "must be <= 256 characters long"
    if not warning:
        yield "must not be an empty string"
    bad = next((index for index, char in enumerate(warning) if not char.isprintable()), None)
    if bad is not None:
        index = len(warning[:bad].encode())
        yield f"must only contain printable UTF-8 characters; non-printable character found at index {index}"


def shared_parts(shared: Shared) -> Iterator[FieldError]:
    """What is wrong with what all versions have in common."""
    schema = _schema_of(shared.schema)
    every = [shared.subresources, *(each.get("subresources") for each in shared.versions)]
    if schema is not None:
        has_status = any((each or {}).get("status") is not None for each in every)
        yield from _schema(schema, "spec.validation", has_status=has_status)
    yield from column_checks.subresources(shared.subresources or {}, "spec.subresources")
    for index, each in enumerate(shared.columns):
        yield from column_checks.column(each, f"spec.additionalPrinterColumns[{index}]")
    if shared.selectable and schema is None:
        yield invalid("spec.selectableFields", "", "may only be set when validations.schema is included")
    elif shared.selectable:
        yield from _selectable(shared.selectable, schema, "spec.selectableFields")


def _schema(schema: Object, path: str, *, has_status: bool) -> Iterator[FieldError]:
    where = f"{path}.openAPIV3Schema"
    if has_status:
        yield from _root_beside_status(schema, where)
    if schema.get("nullable"):
        yield forbidden(f"{where}.nullable", "nullable cannot be true at the root")
    found = structural.check(schema, where) or list(default_values.check(schema, where))
    found += openapi.check(schema, where, compile_rules=not found)
    if not found and schema.get("$schema"):
        found.append(invalid(where, "", "OpenAPIV3Schema 'schema' is not supported"))
    yield from found


def _root_beside_status(schema: Object, path: str) -> Iterator[FieldError]:
    said = [name for ours, name in GO_NAMES.items() if schema.get(ours) not in (None, "", False, [], {})]
    if schema.get("type") and schema["type"] != "object":
        what = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield invalid(f"{path}.type", schema["type"], what)
    elif any(name not in _AT_ROOT.split() for name in said):
        what = f"only [{_AT_ROOT}] fields are allowed at the root of the schema if the status subresource is enabled"
        yield invalid_go(path, go_schema(schema), what)


def _selectable(fields: list[Object], schema: Object, path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, each in enumerate(fields):
        where, given = f"{path}[{index}].jsonPath", each.get("jsonPath") or ""
        if not given:
            yield required(where)
            continue
        try:
            shown, found = field_paths.resolve(given, schema, brackets=False)
        except field_paths.BadFieldPath as error:
            yield invalid(where, given, f"is an invalid path: {error}")
            continue
        if shown.split(".")[0] == "metadata":
            yield invalid(where, given, "must not point to fields in metadata")
        if found.get("type") not in {"string", "boolean", "integer"}:
            what = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
            yield invalid(where, given, what)
        if shown in seen:
            yield duplicate(where, given)
        seen.add(shown)
    if len(seen) > _MOST_SELECTABLE:
        yield too_many(path, len(seen), _MOST_SELECTABLE)
