"""Everything that can be wrong with a CustomResourceDefinition, in the words of a real API server.

`definition.py` calls `check` for a new definition and `check_update` for a changed one. The order of the checks is that
of apiextensions' ValidateCustomResourceDefinition; its leniency for definitions from before they were made is left out,
since this server never stored one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twinloop.apiserver import gofmt, names
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, not_supported, required
from twinloop.apiserver.schemas import version_checks
from twinloop.apiserver.schemas.formats import is_uri
from twinloop.apiserver.schemas.internal_form import go_versions, share

Object = dict[str, Any]
Spec = Mapping[str, Any]

_APPROVAL = "api-approved.kubernetes.io"
_IMMUTABLE = "field is immutable"
_STORED = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a storage "
    "migration ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
)


def check(definition: Object) -> list[FieldError]:
    """What is wrong with a new definition. Its metadata is checked elsewhere, but for the name."""
    return [*_name(definition), *_spec(definition["spec"]), *_status(definition), *_approval(definition)]


def check_update(definition: Object, old: Object) -> list[FieldError]:
    """What is wrong with a changed definition."""
    return [*_spec(definition["spec"]), *_immutable(definition, old), *_status(definition), *_approval(definition)]


def check_status(definition: Object) -> list[FieldError]:
    """What is wrong with a status that was written by itself."""
    return list(_names(definition["status"].get("acceptedNames") or {}, "status.acceptedNames"))


def _name(definition: Object) -> Iterator[FieldError]:
    spec, name = definition["spec"], definition["metadata"].get("name", "")
    if name and name != f"{spec['names'].get('plural', '')}.{spec.get('group', '')}":
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')


# ---------------------------------------------------------------------- spec


def _spec(spec: Spec) -> Iterator[FieldError]:
    yield from _group(spec.get("group") or "")
    scope = spec.get("scope") or ""
    if not scope:
        yield required("spec.scope")
    elif scope not in {"Cluster", "Namespaced"}:
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    shared = share(spec)
    if spec.get("preserveUnknownFields") and _has_defaults(spec.get("versions")):
        yield invalid("spec.preserveUnknownFields", True, "must be false in order to use defaults in the schema")
    yield from version_checks.versions(shared, "null" if spec.get("versions") is None else go_versions(shared.versions))
    for key in ("plural", "singular", "kind", "listKind"):
        if not spec["names"].get(key):
            yield required(f"spec.names.{key}")
    yield from _names(spec["names"], "spec.names")
    yield from version_checks.shared_parts(shared)
    yield from _conversion(spec.get("conversion") or {})
    if spec.get("preserveUnknownFields"):
        what = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, what)


def _has_defaults(value: Any) -> bool:
    """Whether a schema below has a default; the name of a property does not count."""
    if isinstance(value, list):
        return any(map(_has_defaults, value))
    if not isinstance(value, dict):
        return False
    properties = value.get("properties")
    named = list(properties.values()) if isinstance(properties, dict) else []
    return value.get("default") is not None or any(map(_has_defaults, [*value.values(), *named]))


def _group(group: str) -> Iterator[FieldError]:
    problems = names.dns_subdomain(group, prefix=False)
    if not group:
        yield required("spec.group")
    elif problems:
        yield invalid("spec.group", group, ",".join(problems))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _names(given: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    for key in ("plural", "singular"):
        if given.get(key) and (problems := names.dns_1035_label(given[key])):
            yield invalid(f"{path}.{key}", given[key], ",".join(problems))
    for key in ("kind", "listKind"):
        if given.get(key) and (problems := names.dns_1035_label(given[key].lower())):
            what = f"may have mixed case, but should otherwise match: {','.join(problems)}"
            yield invalid(f"{path}.{key}", given[key], what)
    yield from _each_name(given, "shortNames", path)
    if given.get("kind") and given["kind"] == given.get("listKind"):
        yield invalid(f"{path}.listKind", given["listKind"], "kind and listKind may not be the same")
    yield from _each_name(given, "categories", path)


def _each_name(given: Mapping[str, Any], key: str, path: str) -> Iterator[FieldError]:
    for index, each in enumerate(given.get(key) or ()):
        problems = names.dns_1035_label(each)
        if problems:
            yield invalid(f"{path}.{key}[{index}]", each, ",".join(problems))


def _conversion(conversion: Spec) -> Iterator[FieldError]:
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook") or {}
    if not strategy:
        yield required("spec.conversion.strategy")
    elif strategy not in {"None", "Webhook"}:
        yield not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    what = "should not be set when strategy is not set to Webhook"
    if strategy == "Webhook" and not webhook.get("clientConfig"):
        yield required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook")
    if strategy == "Webhook" and not webhook.get("conversionReviewVersions"):
        yield required("spec.conversion.conversionReviewVersions")
    if strategy != "Webhook" and webhook.get("clientConfig"):
        yield forbidden("spec.conversion.webhookClientConfig", what)
    if strategy != "Webhook" and webhook.get("conversionReviewVersions"):
        yield forbidden("spec.conversion.conversionReviewVersions", what)


# ---------------------------------------------------------------------- the rest


def _immutable(definition: Object, old: Object) -> Iterator[FieldError]:
    conditions = old["status"].get("conditions") or ()
    established = any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
    new, was = definition["spec"], old["spec"]
    if established and new.get("scope") != was.get("scope"):
        yield invalid("spec.scope", new.get("scope") or "", _IMMUTABLE)
    if established and new["names"].get("kind") != was["names"].get("kind"):
        yield invalid("spec.names.kind", new["names"].get("kind") or "", _IMMUTABLE)
    if new.get("group") != was.get("group"):
        yield invalid("spec.group", new.get("group") or "", _IMMUTABLE)
    if new["names"].get("plural") != was["names"].get("plural"):
        yield invalid("spec.names.plural", new["names"].get("plural") or "", _IMMUTABLE)


def _status(definition: Object) -> Iterator[FieldError]:
    yield from check_status(definition)
    stored, versions = definition["status"].get("storedVersions"), definition["spec"].get("versions") or ()
    if not stored:
        yield invalid("status.storedVersions", stored, "must have at least one stored version")
        return
    unseen = {each: index for index, each in enumerate(stored)}
    for each in versions:
        if unseen.pop(each["name"], None) is None and each.get("storage"):
            yield invalid("status.storedVersions", stored, f"must have the storage version {each['name']}")
    for name, index in unseen.items():
        yield invalid(f"status.storedVersions[{index}]", name, _STORED.format(name))


def _approval(definition: Object) -> Iterator[FieldError]:
    """Groups of Kubernetes itself need an annotation that says who approved them."""
    group: str = definition["spec"].get("group") or ""
    if not any(group == each or group.endswith(f".{each}") for each in ("k8s.io", "kubernetes.io")):
        return
    given = (definition["metadata"].get("annotations") or {}).get(_APPROVAL, "")
    path, see = f"metadata.annotations[{_APPROVAL}]", "see https://github.com/kubernetes/enhancements/pull/1111"
    needs = f"protected groups must have approval annotation {gofmt.quote(_APPROVAL)}"
    if not given:
        yield required(path, f"{needs}, {see}")
    elif not given.startswith("unapproved") and not (is_uri(given) and "://" in given):
        yield invalid(path, given, f'{needs} with either a URL or a reason starting with "unapproved", {see}')
